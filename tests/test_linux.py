"""The calls that Python lacks, each against an independent witness: another call, /proc, or a real signal."""
import errno
import mmap
import os
import resource
import signal

import pytest

from ipclab import linux, proc, run
from ipclab.linux import CLD, SI


@pytest.fixture
def blocked():
    """Signals that this test sends to itself: blocked, and none left over."""
    signals = {signal.SIGUSR1, signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    yield signals
    while signal.sigtimedwait(signals, 0):
        pass
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_queued_values_arrive_in_order_and_with_their_sender(blocked):
    for value in (1, -1, 2**31 - 1, -2**31):
        linux.sigqueue(os.getpid(), signal.SIGRTMIN + 1, value)
    taken = [linux.sigwaitinfo([signal.SIGRTMIN + 1]) for _ in range(4)]
    assert [info.si_value for info in taken] == [1, -1, 2**31 - 1, -2**31]
    assert {info[:2] + info[3:] for info in taken} == {
        (signal.SIGRTMIN + 1, SI.SI_QUEUE, os.getpid(), os.getuid(), None, 0)}


def test_a_signal_that_was_not_queued_has_no_value(blocked):
    os.kill(os.getpid(), signal.SIGUSR1)
    info = linux.sigtimedwait([signal.SIGUSR1], 5)
    assert (info.si_signo, info.si_code, info.si_value) == (signal.SIGUSR1, SI.SI_USER, None)
    assert linux.sigtimedwait([signal.SIGUSR1], 0.001) is None


def test_a_childs_end_tells_its_status(blocked):
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], {})
    info = linux.sigwaitinfo([signal.SIGCHLD])
    assert (info.si_code, info.si_status, info.si_pid, info.si_value) == (CLD.CLD_EXITED, 7, pid, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_signalfd_gives_what_sigwaitinfo_would(blocked):
    fd = linux.signalfd([signal.SIGUSR1, signal.SIGRTMIN], linux.SFD_CLOEXEC | linux.SFD_NONBLOCK)
    try:
        assert not os.get_inheritable(fd) and not os.get_blocking(fd)
        for value in (5, -6):
            linux.sigqueue(os.getpid(), signal.SIGRTMIN, value)
        os.kill(os.getpid(), signal.SIGUSR1)
        first, second, third = linux.siginfos(os.read(fd, 128 * 10))
        assert (first.si_signo, first.si_value, first.si_pid) == (signal.SIGUSR1, None, os.getpid())
        assert [(info.si_signo, info.si_code, info.si_value) for info in (second, third)] == [
            (signal.SIGRTMIN, SI.SI_QUEUE, 5), (signal.SIGRTMIN, SI.SI_QUEUE, -6)]
        assert linux.signalfd([signal.SIGRTMIN], fd=fd) == fd
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(BlockingIOError):
            os.read(fd, 128)
    finally:
        os.close(fd)


def test_signalfd_tells_a_childs_status(blocked):
    fd = linux.signalfd([signal.SIGCHLD])
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -9 $$"], {})
    [info] = linux.siginfos(os.read(fd, 128))
    os.close(fd)
    os.waitpid(pid, 0)
    assert (info.si_code, info.si_status, info.si_pid) == (CLD.CLD_KILLED, signal.SIGKILL, pid)


@pytest.mark.parametrize("call, error, number", [
    (lambda: linux.sigqueue(os.getpid(), 65, 0), OSError, errno.EINVAL),
    (lambda: linux.sigqueue(os.getpid(), signal.SIGRTMIN, 2**31), OverflowError, None),
    (lambda: linux.sigqueue(os.getpid(), signal.SIGRTMIN, "1"), OverflowError, None),
    (lambda: linux.sigwaitinfo([65]), ValueError, None),
    (lambda: linux.signalfd([0]), ValueError, None),
    (lambda: linux.signalfd([1], fd=9999), OSError, errno.EBADF),
    (lambda: linux.siginfos(b"x" * 129), ValueError, None),
    (lambda: linux.sigtimedwait([1], -1), ValueError, None),
    (lambda: linux.read(9999, 1), OSError, errno.EBADF),
    (lambda: linux.process_vm_readv(os.getpid(), 0, 1), OSError, errno.EFAULT),
    (lambda: linux.unshare(1), OSError, errno.EINVAL),
    (lambda: linux.write(9999, b"x"), OSError, errno.EBADF),
    (lambda: linux.mincore(5), TypeError, None),
    (lambda: linux.pagemap(mmap.mmap(-1, 8192), 4096, 4097), ValueError, None),
    (lambda: linux.mincore(mmap.mmap(-1, 8192), -1), ValueError, None),
])
def test_bad_arguments_are_refused(call, error, number):
    with pytest.raises(error) as caught:
        call()
    assert getattr(caught.value, "errno", None) == number


def test_sigqueue_to_nobody():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    with pytest.raises(ProcessLookupError):
        linux.sigqueue(pid, signal.SIGRTMIN, 0)


def test_sigqueue_says_when_the_queue_is_full(blocked):
    limit = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, limit[1]))
    try:
        with pytest.raises(BlockingIOError):
            linux.sigqueue(os.getpid(), signal.SIGRTMIN, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_SIGPENDING, limit)


def interrupted(call, handled):
    """What `call(fd)` on an empty pipe raises when a signal comes, from a child that acts only once it waits there."""
    r, w = os.pipe()
    signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
    parent = os.getpid()
    if os.fork() == 0:
        while proc.stat(parent)["state"] != "S":
            pass
        os.kill(parent, signal.SIGUSR1)
        os._exit(0)
    try:
        call(r)
    except InterruptedError as error:
        return error.errno
    finally:
        os.wait()


def bare_read_is_interrupted():
    handled = []
    print(interrupted(lambda fd: linux.read(fd, 1), handled), len(handled))


def waiting_is_interrupted():
    handled = []
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    print(interrupted(lambda fd: linux.sigwaitinfo([signal.SIGUSR2]), handled), len(handled))


@pytest.mark.parametrize("experiment", [bare_read_is_interrupted, waiting_is_interrupted])
def test_a_signal_interrupts(experiment):
    trace = run(experiment)
    assert trace.output == f"{errno.EINTR} 1\n", trace


def test_read_and_write_are_the_kernels():
    r, w = os.pipe()
    data = bytes(range(256)) * 20
    assert linux.write(w, memoryview(data)) == len(data)
    assert linux.read(r, 100) + linux.read(r, 10_000) == data
    os.close(w)
    assert linux.read(r, 10) == b""
    os.close(r)


def resident(memory):
    return [page.present for page in linux.pagemap(memory)]


def test_pagemap_and_mincore_follow_what_is_touched():
    size = mmap.PAGESIZE
    memory = mmap.mmap(-1, 3 * size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    assert resident(memory) == [False] * 3
    memory[size] = 1
    assert resident(memory) == [False, True, False]
    [page] = linux.pagemap(memory, size, 1)
    assert (page.shared, page.swapped, page.exclusive) == (False, False, True)
    assert page.frame is None or page.frame > 0
    assert len(linux.mincore(memory, size - 1, 2)) == 2 and linux.mincore(memory, size, 1) == (True,)


def test_pagemap_tells_the_files_page_from_a_copy(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 2 * mmap.PAGESIZE)
    with open(path, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE)
    memory[0], memory[mmap.PAGESIZE]
    assert [page.shared for page in linux.pagemap(memory)] == [True, True]
    memory[0] = 1
    assert [page.shared for page in linux.pagemap(memory)] == [False, True]


def test_pagemap_of_a_child():
    memory = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[0] = 1
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(w)
        os.read(r, 1)  # lives until the parent has looked
        os._exit(0)
    assert linux.pagemap(memory, pid=pid)[0].exclusive is False
    os.close(w)
    os.waitpid(pid, 0)
    assert linux.pagemap(memory)[0].exclusive is True
    os.close(r)


def test_another_process_is_read():
    memory = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    listen, tell = os.pipe()
    wait, end = os.pipe()
    if (pid := os.fork()) == 0:
        memory[:5] = b"child"
        os.close(end)
        os.write(tell, b"x")
        os.read(wait, 1)  # lives until the parent has looked
        os._exit(0)
    os.read(listen, 1)
    seen = linux.process_vm_readv(pid, linux.address(memory), 5)
    os.close(end)
    os.waitpid(pid, 0)
    for fd in (listen, tell, wait):
        os.close(fd)
    assert (seen, memory[:5]) == (b"child", bytes(5))


def leave_the_network():
    before = os.readlink("/proc/self/ns/net")
    try:
        linux.unshare(linux.CLONE_NEWNET | (linux.CLONE_NEWUSER if os.geteuid() else 0))
    except OSError as error:
        print(error.errno in (errno.EPERM, errno.ENOSPC))
    else:
        print(os.readlink("/proc/self/ns/net") != before)


def test_a_namespace_is_left_or_that_is_refused():
    trace = run(leave_the_network)
    assert trace.output == "True\n", trace


def store_in_read_only_memory():
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    linux.mprotect(memory, mmap.PROT_READ)
    memory[0] = 1


def test_mprotect_is_kept_by_the_kernel():
    trace = run(store_in_read_only_memory)
    assert trace.processes[0].signal == signal.SIGSEGV
    assert [event.call for event in trace.events][-2:] == ["linux.mprotect", "mmap.__setitem__"]


def queue_for_a_stranger():
    try:
        linux.sigqueue(os.getppid(), signal.SIGRTMIN, 1)  # the supervisor, which is not of the run
    except PermissionError as error:
        print(error.errno)


def test_a_signal_for_a_process_outside_the_run_is_refused():
    trace = run(queue_for_a_stranger)
    assert trace.output == f"{errno.EPERM}\n", trace


def ask_for_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    linux.sigqueue(os.getpid(), signal.SIGRTMIN, 3)
    linux.sigwaitinfo([signal.SIGRTMIN])


def test_calls_are_recorded_with_their_values():
    sent, taken = [e for e in run(ask_for_signals).events if e.call.startswith("linux.")]
    assert sent.args[1:] == ("SIGRTMIN", 3) and sent.line is not None
    assert taken.result["si_value"] == 3 and taken.result["si_code"] == "SI_QUEUE"
