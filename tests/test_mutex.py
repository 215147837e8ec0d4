"""linux.Mutex, the C library's own mutex in shared memory: between processes, after fork and through a file."""
import errno
import inspect
import mmap
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from remains import wait_for

from ipclab import kernel, linux, name, run
from ipclab.objects import arrows
from ipclab.story import story
from ipclab.trace import Trace

E = errno


@pytest.fixture
def memory():
    return mmap.mmap(-1, 4096)


def in_child(function):
    """The errno of what a forked child does, 0 where it succeeds."""
    pid = os.fork()
    if pid == 0:
        status = 255
        try:
            function()
            status = 0
        except OSError as error:
            status = error.errno
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def refused(function, *args):
    """The errno with which a call fails, 0 where it does not."""
    try:
        function(*args)
    except OSError as error:
        return error.errno
    return 0


def until_it_waits(pid):
    while kernel.process(pid)["call"] != "futex":
        time.sleep(0.001)


@pytest.mark.parametrize("kind, options, relock, stranger, twice", [
    ("NORMAL", {}, E.ETIMEDOUT, 0, 0), ("ERRORCHECK", {}, E.EDEADLK, E.EPERM, E.EPERM),
    ("RECURSIVE", {}, 0, E.EPERM, E.EPERM), ("NORMAL", {"robust": True}, E.ETIMEDOUT, E.EPERM, E.EPERM),
    ("ERRORCHECK", {"robust": True}, E.EDEADLK, E.EPERM, E.EPERM)])
def test_what_each_kind_refuses(memory, kind, options, relock, stranger, twice):
    mutex = linux.Mutex(memory, kind=kind, **options)
    mutex.lock()
    assert refused(mutex.timedlock, 0.01) == relock
    assert in_child(mutex.trylock) == E.EBUSY and in_child(lambda: mutex.timedlock(0.001)) == E.ETIMEDOUT
    if relock == 0:
        mutex.unlock()
    assert in_child(mutex.unlock) == stranger
    if stranger:
        mutex.unlock()
    assert refused(mutex.unlock) == twice
    assert in_child(lambda: linux.Mutex(memory, init=False).trylock()) == 0


def test_one_after_the_other(memory):
    """Many increments of a counter by two processes: none is lost."""
    mutex, number = linux.Mutex(memory), memoryview(memory)[64:72].cast("Q")

    def count():
        for _ in range(3000):
            with mutex:
                number[0] += 1

    pid = os.fork()
    if pid == 0:
        count()
        os._exit(0)
    count()
    assert os.waitpid(pid, 0)[1] == 0 and number[0] == 6000


def test_its_owner_is_killed(memory):
    robust, plain = linux.Mutex(memory, robust=True), linux.Mutex(memory, 64)

    def die():
        robust.lock()
        plain.lock()
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == -signal.SIGKILL
    assert refused(plain.timedlock, 0.01) == E.ETIMEDOUT
    assert refused(robust.lock) == E.EOWNERDEAD and in_child(robust.trylock) == E.EBUSY
    robust.consistent()
    robust.unlock()
    assert in_child(lambda: (robust.lock(), robust.unlock())) == 0
    assert refused(robust.consistent) == E.EINVAL


def test_nobody_mended_it(memory):
    mutex = linux.Mutex(memory, robust=True)
    assert in_child(mutex.lock) == 0
    assert refused(mutex.timedlock, 5) == E.EOWNERDEAD
    mutex.unlock()
    assert refused(mutex.lock) == refused(mutex.trylock) == E.ENOTRECOVERABLE


def raise_while_in():
    mutex = linux.Mutex(mmap.mmap(-1, 4096), robust=True)
    if os.fork() == 0:
        mutex.lock()
        raise RuntimeError("Python ends, and frees what it has")
    os.wait()
    mutex.lock()


def test_its_owner_ends_by_an_exception():
    [_first, second] = run(raise_while_in).calls("linux.Mutex.lock")
    assert second.errno == E.EOWNERDEAD
    script = f"import mmap, os\nfrom ipclab import linux\n{inspect.getsource(raise_while_in)}\nraise_while_in()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert f"[Errno {E.EOWNERDEAD}]" in done.stderr, done.stderr


STRANGER = """
import mmap, sys
from ipclab import linux
with open(sys.argv[1], "r+b") as file:
    mutex = linux.Mutex(mmap.mmap(file.fileno(), 4096), 128, init=False)
try:
    mutex.trylock()
except OSError as error:
    sys.exit(error.errno)
print(mutex.name)
"""


def test_a_stranger_maps_the_same_file(tmp_path):
    path = tmp_path / "shared"
    path.write_bytes(bytes(4096))
    with open(path, "r+b") as file:
        mutex = linux.Mutex(mmap.mmap(file.fileno(), 4096), 128)

    def ask():
        return subprocess.run([sys.executable, "-c", STRANGER, path], capture_output=True, text=True, timeout=30)

    mutex.lock()
    assert ask().returncode == E.EBUSY
    mutex.unlock()
    assert ask().stdout.strip() == mutex.name == f"{path}, byte 128"


def test_priority_inheritance(memory):
    """The kernel itself keeps the owner of such a mutex, and is asked to wait."""
    mutex = linux.Mutex(memory, inherit=True)
    mutex.lock()
    pid = os.fork()
    if pid == 0:
        mutex.lock()
        os._exit(0)
    until_it_waits(pid)
    told = kernel.process(pid)["arguments"]
    assert told["operation"].startswith("FUTEX_LOCK_PI") and told["mutex"]["owner"] == os.getpid(), told
    mutex.unlock()
    assert os.waitpid(pid, 0)[1] == 0


def test_other_threads_run_while_one_waits(memory):
    mutex, got = linux.Mutex(memory), []
    mutex.lock()
    waiting = threading.Thread(target=lambda: got.append(mutex.lock()))
    waiting.start()
    wait_for(lambda: any(one["call"] == "futex" for one in kernel.process()["threads"][1:]), "a thread in futex()")
    assert not got
    mutex.unlock()
    waiting.join()
    assert got == [None]


def test_a_signal_ends_who_waits(memory):
    mutex = linux.Mutex(memory)
    mutex.lock()
    pid = os.fork()
    if pid == 0:
        mutex.lock()
    until_it_waits(pid)
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM


@pytest.mark.parametrize("arguments, error", [
    (lambda: (bytearray(64), 0, "FAST"), ValueError), (lambda: (bytes(64),), TypeError),
    (lambda: (bytearray(63),), ValueError), (lambda: (mmap.mmap(-1, 4096), 4064), ValueError),
    (lambda: (mmap.mmap(-1, 4096), 4), ValueError)])
def test_where_it_cannot_be(arguments, error):
    with pytest.raises(error):
        linux.Mutex(*arguments())


def test_destroy_and_close(memory):
    mutex = linux.Mutex(memory)
    mutex.lock()
    assert refused(mutex.destroy) == E.EBUSY
    mutex.unlock()
    mutex.destroy()
    with pytest.raises(BufferError):
        memory.close()
    del mutex
    memory.close()


def test_a_missing_function_is_named(memory, monkeypatch):
    monkeypatch.setattr("ipclab.mutex._libc", object())
    with pytest.raises(OSError, match=r"no pthread_mutexattr_init\(\)") as caught:
        linux.Mutex(memory)
    assert caught.value.errno == E.ENOSYS


# Recorded

def hand_over(robust=False):
    memory = mmap.mmap(-1, 4096)
    mutex, (r, w) = linux.Mutex(memory, robust=robust), os.pipe()
    child = os.fork()
    if child == 0:
        name("child")
        mutex.lock()
        os.write(w, b"x")
        while kernel.process(os.getppid())["call"] != "futex":
            time.sleep(0.001)
        os._exit(0) if robust else mutex.unlock()
    else:
        name("parent")
        os.read(r, 1)
        try:
            with mutex:
                pass
        except OSError:
            pass
        os.wait()


def test_calls_are_recorded_with_their_arrow():
    trace = run(hand_over)
    [made] = trace.calls("linux.Mutex")
    first, second = trace.calls("linux.Mutex.lock")
    assert made.args[0].startswith("<4096 bytes at 0x") and made.keywords == {"robust": False}
    assert first.on == second.on == made.result and made.result.endswith(", byte 0")
    assert (second.process, second.args, second.result) == ("parent", (), None) and second.waited > 0
    [arrow] = [one for one in arrows(trace) if one.taker is second]
    assert (arrow.giver.call, arrow.giver.process) == ("linux.Mutex.unlock", "child")
    assert "Mutex.lock()" in str(story(trace)) and Trace.from_json(trace.to_json()).events == trace.events


def test_the_owners_end_is_what_ended_the_wait():
    trace = run(hand_over, robust=True)
    _first, second = trace.calls("linux.Mutex.lock")
    assert second.errno == E.EOWNERDEAD
    [arrow] = [one for one in arrows(trace) if one.taker is second]
    assert arrow.giver is trace.process("child")


def dine(philosophers):
    memory = mmap.mmap(-1, 4096)
    forks = [linux.Mutex(memory, 64 * number) for number in range(philosophers)]
    (r, w), (go, gone) = os.pipe(), os.pipe()
    for number in range(philosophers):
        if os.fork() == 0:
            name(f"philosopher {number}")
            os.close(gone)
            forks[number].lock()
            os.write(w, b"x")
            os.read(go, 1)
            forks[(number + 1) % philosophers].lock()
    name("parent")
    for _ in range(philosophers):
        os.read(r, 1)
    os.close(gone)
    for _ in range(philosophers):
        os.wait()


def test_a_circle_leads_from_each_to_the_owner_of_what_it_wants():
    trace = run(dine, philosophers=3, timeout=2)
    stuck = {process.name: process.stuck for process in trace.processes}
    assert trace.timed_out and stuck["philosopher 1"].holders == [("philosopher 2", None)], stuck
    assert stuck["philosopher 1"].circle == ["philosopher 1", "philosopher 2", "philosopher 0"], stuck
    assert all(one.for_good for one in stuck.values()) and stuck["parent"].circle == []


def test_each_copy_in_private_memory_is_another():
    def copies():
        mutex = linux.Mutex(bytearray(64))
        os.fork()
        mutex.trylock()

    first, second = run(copies).calls("linux.Mutex.trylock")
    assert first.error is second.error is None and first.on != second.on
