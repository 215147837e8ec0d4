"""What is recorded: every module, its calls with arguments, results, errors, lines and the library between."""
import errno
import fcntl
import functools
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from os import read
from pathlib import Path

from ipclab import proc, run

HERE = sys.modules[__name__]


def line_of(function, text):
    """The number of the one line of a function of this file that holds a text."""
    first = function.__code__.co_firstlineno
    lines = Path(__file__).read_text().splitlines()[first - 1:]
    return first + next(index for index, line in enumerate(lines) if text in line)


def told(trace, *names):
    """(call, args, result) of the events, of some calls or all, in order."""
    return [(e.call, e.args, e.result) for e in trace.events if not names or e.call in names]


def test_os_calls_have_arguments_result_line_and_no_library():
    def experiment():
        r, w = os.pipe()
        os.write(w, b"abc")
        read(r, 2)  # imported by name

    trace = run(experiment)
    [pipe] = trace.calls("os.pipe")
    assert told(trace) == [("os.pipe", (), pipe.result), ("os.write", (pipe.result[1], b"abc"), 3),
                           ("os.read", (pipe.result[0], 2), b"ab")]
    assert [e.line for e in trace.events] == [experiment.__code__.co_firstlineno + n for n in (1, 2, 3)]
    assert {(e.via, e.file, e.error, e.on) for e in trace.events} == {(None, None, None, None)}


def test_a_failure_has_the_exception_errno_and_message_and_reaches_the_program():
    def experiment():
        try:
            os.read(-1, 1)
        except OSError as error:
            print(error)
        os.stat(path="nowhere", follow_symlinks=False)

    trace = run(experiment)
    [failed], [missing] = trace.calls("os.read"), trace.calls("os.stat")
    assert (failed.error, failed.errno, failed.message) == ("OSError", errno.EBADF, os.strerror(errno.EBADF))
    assert (missing.error, missing.errno) == ("FileNotFoundError", errno.ENOENT) and missing.args == ()
    assert missing.keywords == {"path": "nowhere", "follow_symlinks": False}
    assert trace.output == "[Errno 9] Bad file descriptor\n"
    assert trace.processes[0].traceback.endswith("No such file or directory: 'nowhere'\n")
    assert "ipclab/" not in trace.processes[0].traceback and b"ipclab/" not in trace.stdout


class Tools:
    take = os.read


def test_calls_are_seen_however_they_are_held():
    def experiment():
        r, w = os.pipe()
        functools.partial(os.write, w)(b"12345")
        Tools.take(r, 1), Tools().take(r, 1), list(map(os.read, [r], [1]))
        thread = threading.Thread(target=os.write, args=(w, b"t"))
        thread.start()
        thread.join()
        return [os.read(r, 1) for _ in range(3)]

    trace = run(experiment)
    assert [e.result for e in trace.calls("os.read")] == [b"1", b"2", b"3", b"4", b"5", b"t"]
    by_partial, by_thread = trace.calls("os.write")
    assert by_partial.line == experiment.__code__.co_firstlineno + 2
    assert by_thread.line is None and by_thread.via == "threading" and by_thread.thread != by_thread.pid


def test_sockets():
    def experiment():
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
            client.connect(server.getsockname())
            ours, address = server.accept()
            client.sendall(b"question")
            buffer = bytearray(8)
            ours.recv_into(buffer)
            ours.close()
            client.recv(5)
        left, right = socket.socketpair()
        left.sendmsg([b"a", b"b"])
        right.recvmsg(2)
        left.dup()

    trace = run(experiment)
    made = trace.calls("socket.socket")
    assert [e.args for e in made] == [("AF_INET", "SOCK_STREAM"), ()] and all(type(e.result) is int for e in made)
    server, client = (e.result for e in made)
    [accept], [connect], [taken], [pair] = map(trace.calls, ("socket.accept", "socket.connect", "socket.recv_into",
                                                            "socket.socketpair"))
    assert accept.on == server and accept.result[1][0] == "127.0.0.1" and connect.on == client
    assert taken.on == accept.result[0] and taken.result == 8 and taken.args == (8,)
    assert told(trace, "socket.recv") == [("socket.recv", (5,), b"")]
    assert [e.on for e in trace.calls("socket.close")] == [accept.result[0], client, server]
    assert trace.calls("socket.sendmsg")[0].on == pair.result[0] and trace.calls("socket.dup")[0].on == pair.result[0]
    assert {e.via for e in trace.events} == {None}


def test_mmap():
    def experiment():
        with mmap.mmap(-1, 4096) as memory:
            memory[:5] = b"hello"
            memory[0] = 72
            memory.find(b"l")
            print(memory[:5], isinstance(memory, mmap.mmap), len(memory), bytes(memory[4:6]))
            memory[9000]

    trace = run(experiment)
    assert told(trace, "mmap", "mmap.__setitem__", "mmap.find", "mmap.close") == [
        ("mmap", (-1, 4096), None), ("mmap.__setitem__", ("slice(None, 5, None)", b"hello"), None),
        ("mmap.__setitem__", (0, 72), None), ("mmap.find", (b"l",), 2), ("mmap.close", (), None)]
    assert [e.result for e in trace.calls("mmap.__getitem__")] == [b"Hello", b"o\0", None]
    assert trace.calls("mmap.__getitem__")[2].error == "IndexError" and trace.output == "b'Hello' True 4096 b'o\\x00'\n"


def test_signals_and_handlers_and_what_handlers_call():
    def experiment():
        def on_signal(number, frame):
            os.getpid()

        signal.signal(signal.SIGUSR1, on_signal)
        print(signal.getsignal(signal.SIGUSR1) is on_signal, signal.signal(signal.SIGUSR1, on_signal) is on_signal)
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        os.kill(os.getpid(), signal.SIGUSR2)
        signal.sigwait([signal.SIGUSR2])

    trace = run(experiment)
    [handled] = trace.calls("handler")
    assert handled.args == ("SIGUSR1", "on_signal") and handled.line == line_of(experiment, "def on_signal")
    inner = [e for e in trace.events if e.inside is not None and trace.events[e.inside] is handled]
    assert [e.call for e in inner] == ["os.getpid"] and trace.events[handled.inside].call == "os.kill"
    assert trace.calls("signal.signal")[0].args == ("SIGUSR1", "on_signal") and trace.output == "True True\n"
    assert trace.calls("signal.sigwait")[0].result == "SIGUSR2"


def test_a_handlers_exception_interrupts_the_call_as_without():
    def experiment():
        def out_of_time(number, frame):
            raise TimeoutError(frame.f_code.co_name)

        signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            os.read(os.pipe()[0], 1)
        except TimeoutError as error:
            print("interrupted", error)

    trace = run(experiment)
    assert trace.output == "interrupted experiment\n" and trace.calls("os.read")[0].error == "TimeoutError"
    assert trace.calls("handler")[0].error == "TimeoutError"


def test_select_poll_epoll_fcntl_and_sleep():
    def experiment():
        r, w = os.pipe()
        os.write(w, b"x")
        select.select([r], [], [], 1)
        poll = select.poll()
        poll.register(r, select.POLLIN)
        poll.poll(10)
        with select.epoll() as epoll:
            epoll.register(r, select.EPOLLIN)
            epoll.poll(1)
        fcntl.fcntl(r, fcntl.F_GETFL)
        time.sleep(0.01)

    trace = run(experiment)
    r = trace.calls("os.pipe")[0].result[0]
    epoll = trace.calls("select.epoll")[0].result
    assert told(trace)[2:] == [
        ("select.select", ([r], [], [], 1), ([r], [], [])), ("select.poll", (), None),
        ("select.poll.register", (r, select.POLLIN), None), ("select.poll.poll", (10,), [(r, 1)]),
        ("select.epoll", (), epoll), ("select.epoll.register", (r, select.EPOLLIN), None),
        ("select.epoll.poll", (1,), [(r, 1)]), ("select.epoll.close", (), None),
        ("fcntl.fcntl", (r, fcntl.F_GETFL), os.O_RDONLY), ("time.sleep", (0.01,), None)]
    assert {e.on for e in trace.events if e.call.startswith("select.epoll.")} == {epoll}


def test_files_a_write_into_the_buffer_is_no_event_and_the_flush_is():
    def experiment():
        file = open("text", "w")
        file.write("hello")
        time.sleep(0)
        file.flush()
        file.close()
        with open("text") as file:
            file.read()
        print("to a file", file=open("other", "w"), flush=True)

    trace = run(experiment)
    calls = [e.call for e in trace.events]
    assert calls[:5] == ["open", "time.sleep", "file.write", "file.close", "open"]
    [write, printed] = trace.calls("file.write")
    assert write.args == (b"hello",) and write.result == 5 and write.on == trace.calls("open")[0].result
    assert write.line == line_of(experiment, "file.flush()") and trace.calls("file.readall")[0].result == b"hello"
    assert printed.args == (b"to a file\n",) and trace.events[printed.inside].call == "print"


def test_print_is_one_event():
    def experiment():
        print("one", 2, sep="-", end="!\n")
        print("to stderr", file=sys.stderr)
        sys.stdout.write("plain\n")

    trace = run(experiment)
    assert [(e.call, e.args) for e in trace.events] == [("print", ("one", 2)), ("print", ("to stderr",)),
                                                        ("file.write", (b"plain\n",))]
    assert trace.calls("print")[1].keywords == {"file": 2}


def sleeps(pid):
    return proc.stat(pid)["state"] == "S"


def wait_through_a_handler():
    """A read that waits, is interrupted by a handler that waits too, and waits on."""
    (r, w), (heard, tell) = os.pipe(), os.pipe()
    parent = os.getpid()

    def handler(number, frame):
        time.sleep(0.002)
        os.write(tell, b"x")

    signal.signal(signal.SIGUSR1, handler)
    if os.fork() == 0:
        while not sleeps(parent):
            pass
        os.kill(parent, signal.SIGUSR1)
        os.read(heard, 1)
        while not sleeps(parent):
            pass
        os.write(w, b"x")
        os._exit(0)
    os.read(r, 1)
    os.wait()


def test_a_wait_that_a_handler_interrupts_is_a_wait():
    [read] = run(wait_through_a_handler).calls("os.read", "parent")
    assert read.result == b"x" and read.waited > 0
