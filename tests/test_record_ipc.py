"""What is recorded of posix_ipc, sysv_ipc and Python's libraries, and how values are kept."""
import _multiprocessing
import errno
import multiprocessing
import os
import selectors
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import posix_ipc
import pytest
import sysv_ipc

from ipclab import run
from ipclab.values import LongBytes


def test_posix_ipc():
    def experiment():
        queue = posix_ipc.MessageQueue(None, posix_ipc.O_CREX, max_messages=1, max_message_size=4)
        queue.send(b"abc", priority=2)
        queue.receive()
        for call in (lambda: queue.receive(timeout=0), lambda: queue.receive(timeout=0.01),
                     lambda: queue.send(b"too long"), lambda: posix_ipc.Semaphore("/ipclab-not-there"),
                     lambda: posix_ipc.SharedMemory(memory.name, posix_ipc.O_CREX)):
            memory = posix_ipc.SharedMemory(None, posix_ipc.O_CREX, size=10)
            try:
                call()
            except Exception:
                memory.unlink()
        with posix_ipc.Semaphore(None, posix_ipc.O_CREX, initial_value=1) as semaphore:
            semaphore.unlink()
        queue.unlink()

    trace = run(experiment)
    name = trace.calls("posix_ipc.MessageQueue")[0].result
    assert name.startswith("/") and trace.calls("posix_ipc.MessageQueue.send")[0].on == name
    assert trace.calls("posix_ipc.MessageQueue.receive")[0].result == (b"abc", 2)
    failed = [e for e in trace.events if e.error]
    assert [(e.error, e.errno) for e in failed] == [
        ("BusyError", errno.EAGAIN), ("BusyError", errno.ETIMEDOUT), ("ValueError", errno.EMSGSIZE),
        ("ExistentialError", errno.ENOENT), ("ExistentialError", errno.EEXIST)]
    assert [e.call for e in trace.events if "Semaphore." in e.call] == [
        "posix_ipc.Semaphore.acquire", "posix_ipc.Semaphore.unlink", "posix_ipc.Semaphore.release"]
    assert not trace.leftovers


def test_with_gives_nothing_of_acquires():
    def experiment():
        with posix_ipc.Semaphore(None, posix_ipc.O_CREX, initial_value=1) as semaphore:
            semaphore.unlink()
        with multiprocessing.Lock() as got:
            print(got)

    trace = run(experiment)
    [one], [other] = trace.calls("posix_ipc.Semaphore.acquire"), trace.calls("multiprocessing.SemLock.acquire")
    assert (one.args, one.result, other.result, trace.output) == ((), None, None, "True\n"), trace


def meet(lock, event, count):
    with lock:
        count.value += 1
    event.wait()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_locks_of_multiprocessing_do_what_they_do(method):
    def experiment():
        context = multiprocessing.get_context(method)
        lock, event, count = context.RLock(), context.Event(), context.Value("i", 0)
        children = [context.Process(target=meet, args=(lock, event, count)) for _ in range(2)]
        with lock, lock:
            for child in children:
                child.start()
            count.value += 1
        event.set()
        for child in children:
            child.join()
        print(count.value, [child.exitcode for child in children], isinstance(lock._semlock, _multiprocessing.SemLock))

    trace = run(experiment, timeout=30)
    assert trace.output == "3 [0, 0] True\n" and not trace.leftovers, (trace, trace.stdout)


def test_a_semaphore_that_is_removed_while_somebody_waits():
    def experiment():
        semaphore = sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX)
        child = os.fork()
        if child == 0:
            try:
                semaphore.acquire()
            except sysv_ipc.ExistentialError:
                os._exit(7)
        while not semaphore.waiting_for_nonzero:
            time.sleep(0.001)
        semaphore.remove()
        os.waitpid(child, 0)

    [acquire] = run(experiment).calls("sysv_ipc.Semaphore.acquire")
    assert (acquire.error, acquire.errno) == ("ExistentialError", errno.EIDRM), acquire


def test_sysv_ipc():
    def experiment():
        queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
        queue.send(b"abc", type=3)
        queue.receive()
        memory = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=8)
        memory.write(b"hi")
        memory.detach()
        for call in (lambda: queue.receive(block=False), lambda: memory.read(), lambda: sysv_ipc.Semaphore(987654321)):
            try:
                call()
            except sysv_ipc.Error:
                continue
        memory.remove()
        queue.remove()

    trace = run(experiment)
    queue = trace.calls("sysv_ipc.MessageQueue")[0].result
    assert [(e.on, e.result) for e in trace.calls("sysv_ipc.MessageQueue.receive")] == [(queue, (b"abc", 3)),
                                                                                      (queue, None)]
    assert [e.errno for e in trace.events if e.error] == [errno.ENOMSG, errno.EINVAL, errno.ENOENT]
    assert not trace.leftovers


LIBRARIES = {
    "selectors": lambda: selectors.DefaultSelector().select(0),
    "subprocess": lambda: subprocess.run(["true"]),
    "pathlib": lambda: Path("text").write_text("x"),
    "tempfile": lambda: tempfile.TemporaryFile(dir=".").close(),
    "os": lambda: os.popen("true"),
    "os.path": lambda: os.path.getsize("."),
    "shutil": lambda: __import__("shutil").disk_usage("."),
    "multiprocessing": lambda: multiprocessing.get_context("fork").Process(target=int).start(),
    "asyncio": lambda: __import__("asyncio").new_event_loop().close(),
    None: lambda: socket.create_server(("127.0.0.1", 0)).close(),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_via_names_the_library_between_and_the_line_is_the_programs(library):
    trace = run(LIBRARIES[library])
    events = [e for e in trace.events if e.process == "parent" and e.line is not None]
    assert library in {e.via for e in events} <= {library, None}
    assert {e.line for e in events} == {LIBRARIES[library].__code__.co_firstlineno}


def test_long_bytes_keep_head_length_and_hash_and_other_values_a_short_text():
    class Custom:
        def __fspath__(self):
            return "nowhere"

        def __repr__(self):
            raise RuntimeError("must not be called")

    def experiment():
        r, w = os.pipe()
        os.write(w, b"x" * 4096)
        os.write(w, bytearray(b"y" * 5000))
        os.access(Custom(), os.F_OK)
        os.access(Path("nowhere"), os.F_OK)
        print("z" * 100_000)
        os.writev(w, [b"a" * 2000] * 10)

    trace = run(experiment)
    short, long = (e.args[1] for e in trace.calls("os.write"))
    assert short == b"x" * 4096 and isinstance(long, LongBytes) and long == b"y" * 5000 and len(long) == 5000
    assert long.head == b"y" * 64 and long != b"y" * 4999 + b"z"
    one, other = trace.calls("os.access")
    assert one.args[0].startswith("<") and one.args[0].endswith("Custom object>") and other.args[0] == "nowhere"
    assert len(trace.calls("print")[0].args[0]) < 5000 and len(trace.calls("os.writev")[0].args[1]) == 10
