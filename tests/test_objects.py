"""Arrows: from the call that woke to the call that waited, where both acted on one object; never guessed."""
import os

import pytest
from traces import event, read_from_pipe, trace

from ipclab.calls import CALLS, byte_count, number
from ipclab.objects import arrows
from ipclab.replay import ACTS, DOES
from ipclab.trace import Process

PARENT = Process("parent", 1, None, 0, start=0.0, end=9.0)
CHILD = Process("child", 2, 1, 0, start=0.1, end=8.0)
OTHER = Process("other", 3, 1, 0, start=0.2, end=8.5)
FORKS = [event(PARENT, "os.fork", (), 2, 0.1, 0.12), event(PARENT, "os.fork", (), 3, 0.2, 0.22)]
PIPE = [event(PARENT, "os.pipe", (), (3, 4), 0.01, 0.02), *FORKS]
PAIR = [event(PARENT, "socket.socketpair", (), ("<socket.socket fd=3, family=1>", "<socket.socket fd=4, family=1>"),
              0.01, 0.02), *FORKS]


def woken(events, processes=(PARENT, CHILD, OTHER), **more):
    """The arrows of these events as [(name of the giver and its call or "end", call that waited)]."""
    def say(what):
        return f"{what.name} end" if isinstance(what, Process) else f"{what.process} {what.call}"
    return [(say(arrow.giver), say(arrow.taker)) for arrow in arrows(trace(events, list(processes), **more))]


def wait(process, call, args=(), result=None, start=1.0, end=2.0, **more):
    return event(process, call, args, result, start, end, waited=(end - start) * 0.9, **more)


def close(process, fd, at=0.3):
    return event(process, "os.close", (fd,), None, at, at + 0.01)


READ = wait(PARENT, "os.read", (3, 5), b"hello")
READ_END = wait(PARENT, "os.read", (3, 5), b"")


def write(process, fd=4, start=1.9, end=1.95, **more):
    return event(process, "os.write", (fd, b"hello"), 5, start, end, **more)


def test_the_first_lesson():
    assert woken(read_from_pipe().events, read_from_pipe().processes) == [
        ("writer end", "reader os.wait"), ("writer os.write", "reader os.read")]


def test_the_only_write_during_the_wait():
    assert woken([*PIPE, READ, write(CHILD)]) == [("child os.write", "parent os.read")]
    assert woken([*PIPE, READ, write(CHILD, start=0.5, end=0.6)]) == [], "it was over before"
    assert woken([*PIPE, READ, write(CHILD, fd=3)]) == [], "another descriptor"
    assert woken([READ, write(CHILD)]) == [], "nobody knows what the descriptors are"
    assert woken([*PIPE, READ, write(PARENT)]) == [], "a thread does not wake itself"


def test_of_two_writes_the_first_if_it_was_over_before_the_second():
    first, late = write(CHILD, start=1.7, end=1.75), write(OTHER, start=1.8, end=1.85)
    assert woken([*PIPE, READ, first, late]) == [("child os.write", "parent os.read")]
    assert woken([*PIPE, READ, write(CHILD, start=1.7, end=1.82), late]) == [], "they overlap"
    reading = wait(PARENT, "os.read", (3, 5), b"hello", 1.1, 2.1, thread=77)
    assert woken([*PIPE, READ, reading, first, late]) == [], "two wait"


def test_calls_that_did_not_wait_or_did_not_return_get_no_arrow():
    assert woken([*PIPE, event(PARENT, "os.read", (3, 5), b"hello", 1.0, 2.0), write(CHILD)]) == []
    assert woken([*PIPE, event(PARENT, "os.read", (3, 5), None, 1.0, None, waited=None), write(CHILD)]) == []
    assert woken([*PIPE, READ, write(CHILD, error="OSError", errno=5)]) == []


def test_no_arrows_where_calls_were_dropped():
    assert woken([*PIPE, READ, write(CHILD)], dropped=1) == []


@pytest.mark.parametrize("copy", [
    event(CHILD, "os.dup", (4,), 9, 0.5, 0.51), event(CHILD, "os.dup2", (4, 9), 9, 0.5, 0.51),
    event(CHILD, "os.dup2", (4,), 9, 0.5, 0.51, keywords={"fd2": 9}),
    event(CHILD, "fcntl.fcntl", (4, 0, 9), 9, 0.5, 0.51), event(CHILD, "fcntl.fcntl", (4, 1030, 9), 9, 0.5, 0.51)],
    ids=lambda event: f"{event.call}{event.args}")
def test_copies_of_descriptors_are_followed(copy):
    assert woken([*PIPE, copy, READ, write(CHILD, fd=9)]) == [("child os.write", "parent os.read")]


def test_a_descriptor_that_was_closed_and_used_again_is_another():
    again = event(CHILD, "os.pipe", (), (4, 5), 0.5, 0.51)
    assert woken([*PIPE, close(CHILD, 4), again, READ, write(CHILD)]) == []
    assert woken([*PIPE, event(CHILD, "os.closerange", (3, 10), None, 0.4, 0.41), READ, write(CHILD)]) == []


def test_what_the_parent_closes_after_the_fork_the_child_still_has():
    """The child may first be seen after its parent has gone on."""
    late = Process("child", 2, 1, 0, start=0.5, end=8.0)
    assert woken([*PIPE, close(PARENT, 4, at=0.3), READ, write(late)], [PARENT, late, OTHER]) == [
        ("child os.write", "parent os.read")]


@pytest.mark.parametrize(("before", "kept"), [
    ([], False), ([event(CHILD, "os.set_inheritable", (4, True), None, 0.5, 0.51)], True),
    ([event(CHILD, "fcntl.fcntl", (4, 2, 0), 0, 0.5, 0.51)], True),
    ([event(CHILD, "os.dup2", (4, 4), 4, 0.5, 0.51)], False)], ids=("plain", "set_inheritable", "F_SETFD", "same"))
def test_an_exec_keeps_what_is_inheritable(before, kept):
    run = event(CHILD, "os.execv", ("/usr/bin/python3", []), None, 0.6, None, waited=None)
    assert woken([*PIPE, *before, run, READ, write(CHILD)]) == [("child os.write", "parent os.read")] * kept


def test_pipe2_without_cloexec_is_inheritable():
    pipe = event(PARENT, "os.pipe2", (0,), (3, 4), 0.01, 0.02)
    run = event(CHILD, "os.execv", ("/usr/bin/python3", []), None, 0.6, None, waited=None)
    assert woken([pipe, *FORKS, run, READ, write(CHILD)]) == [("child os.write", "parent os.read")]
    closing = event(PARENT, "os.pipe2", (os.O_CLOEXEC,), (3, 4), 0.01, 0.02)
    assert woken([closing, *FORKS, run, READ, write(CHILD)]) == []


def test_a_program_that_is_not_recorded_may_have_written_too():
    grep = Process("grep", 2, 1, 0, start=0.1, end=8.0, program=["grep"], recorded=False)
    run = [event(grep, "os.dup2", (4, 1), 1, 0.5, 0.51),
           event(grep, "os.execvp", ("grep", ["grep"]), None, 0.6, None, waited=None)]
    assert woken([*PIPE, *run, READ, write(OTHER)], [PARENT, grep, OTHER]) == []


def test_subprocess_gives_its_child_the_descriptors():
    args = (["x"], [b"/x"], True, (), None, None, -1, -1, 3, 4, -1, -1, 7, 8)
    spawn = event(PARENT, "_posixsubprocess.fork_exec", args, 2, 0.1, 0.12, via="subprocess")
    pipe, run = event(PARENT, "os.pipe", (), (3, 4), 0.01, 0.02), Process("x", 2, 1, 0, start=0.11, end=1.9)
    assert woken([pipe, spawn, close(PARENT, 4), READ_END], [PARENT, run]) == [("x end", "parent os.read")]


def test_the_end_of_file_comes_from_the_last_close():
    rest = [close(PARENT, 4), close(OTHER, 4, at=0.4)]
    assert woken([*PIPE, *rest, READ_END, close(CHILD, 4, at=1.9)]) == [("child os.close", "parent os.read")]
    assert woken([*PIPE, close(PARENT, 4), READ_END, close(CHILD, 4, at=1.9)]) == [], "other still holds one"
    ending = Process("child", 2, 1, 0, start=0.1, end=1.9)
    assert woken([*PIPE, *rest, READ_END], [PARENT, ending, OTHER]) == [("child end", "parent os.read")]


def test_a_writer_into_a_full_pipe_is_woken_by_the_only_read():
    full = wait(PARENT, "os.write", (4, b"x"), 1)
    fill = event(PARENT, "os.write", (4, b"x" * 65536), 65536, 0.3, 0.4)
    read = event(CHILD, "os.read", (3, 4096), b"x" * 4096, 1.9, 1.95)
    again = event(CHILD, "os.read", (3, 4096), b"x" * 4096, 1.96, 1.97)
    assert woken([*PIPE, fill, full, read]) == [("child os.read", "parent os.write")]
    assert woken([*PIPE, fill, full, read, again]) == [], "one read may not have been enough"
    assert woken([*PIPE, full, read]) == [], "the pipe was empty: it only lost the processor"
    small = event(PARENT, "fcntl.fcntl", (4, 1031, 4096), 4096, 0.3, 0.31)
    page = event(PARENT, "os.write", (4, b"x" * 4096), 4096, 0.4, 0.41)
    assert woken([*PIPE, small, page, full, read]) == [("child os.read", "parent os.write")]


def test_a_reader_that_found_something_only_lost_the_processor():
    there = write(CHILD, start=0.5, end=0.6)
    assert woken([*PIPE, there, READ, write(CHILD)]) == []
    taken = event(PARENT, "os.read", (3, 5), b"hello", 0.7, 0.71)
    assert woken([*PIPE, there, taken, READ, write(CHILD)]) == [("child os.write", "parent os.read")]


def test_reading_to_the_end_is_ended_by_the_last_close():
    whole = wait(PARENT, "file.readall", (), b"hello", on=3)
    rest = [close(PARENT, 4), close(OTHER, 4, at=0.4), write(CHILD, start=1.5, end=1.51)]
    assert woken([*PIPE, *rest, whole]) == []
    assert woken([*PIPE, *rest, whole, close(CHILD, 4, at=1.9)]) == [("child os.close", "parent file.readall")]


def test_a_writer_whose_last_reader_goes_is_woken_by_that():
    broken = wait(PARENT, "os.write", (4, b"x"), None, error="BrokenPipeError", errno=32)
    rest = [event(PARENT, "os.write", (4, b"x" * 65536), 65536, 0.3, 0.4), close(PARENT, 3), close(OTHER, 3, at=0.4)]
    assert woken([*PIPE, *rest, broken, close(CHILD, 3, at=1.9)]) == [("child os.close", "parent os.write")]


def test_both_directions_of_a_socket_pair():
    for mine, its in ((3, 4), (4, 3)):
        receive = wait(PARENT, "socket.recv", (5,), b"hello", on=mine)
        assert woken([*PAIR, receive, event(CHILD, "socket.send", (b"hello",), 5, 1.9, 1.95, on=its)]) == [
            ("child socket.send", "parent socket.recv")]
        assert woken([*PAIR, receive, event(CHILD, "socket.send", (b"hello",), 5, 1.9, 1.95, on=mine)]) == []
        assert woken([*PAIR, receive, write(CHILD, fd=its)]) == [("child os.write", "parent socket.recv")]


def listening(address):
    return [event(PARENT, "socket.bind", (address,), None, 0.01, 0.02, on=3), *FORKS]


@pytest.mark.parametrize(("bound", "called"), [("a.sock", "a.sock"), (("", 5000), ("127.0.0.1", 5000))])
def test_connect_wakes_accept_and_then_both_talk(bound, called):
    accept = wait(PARENT, "socket.accept", (), ("<socket.socket fd=7, family=1>", ""), 0.5, 1.0, on=3)
    connect = event(CHILD, "socket.connect", (called,), None, 0.9, 0.95, on=9)
    receive = wait(PARENT, "socket.recv", (5,), b"hello", on=7, start=1.1)
    sent = event(CHILD, "socket.sendall", (b"hello",), None, 1.9, 1.95, on=9)
    assert woken([*listening(bound), accept, connect, receive, sent]) == [
        ("child socket.connect", "parent socket.accept"), ("child socket.sendall", "parent socket.recv")]


def test_connections_that_came_together_are_not_told_apart():
    accept = event(PARENT, "socket.accept", (), ("<socket.socket fd=7, family=1>", ""), 1.0, 1.01, on=3)
    calls = [event(CHILD, "socket.connect", ("a",), None, 0.9, 0.95, on=9),
             event(OTHER, "socket.connect", ("a",), None, 0.92, 0.97, on=9)]
    receive = wait(PARENT, "socket.recv", (5,), b"hello", on=7, start=1.1)
    sent = event(CHILD, "socket.send", (b"hello",), 5, 1.9, 1.95, on=9)
    assert woken([*listening("a"), *calls, accept, receive, sent]) == []


def test_datagrams_go_by_address():
    receive = wait(PARENT, "socket.recvfrom", (99,), (b"hello", "b"), on=3)
    sent = event(CHILD, "socket.sendto", (b"hello", "a"), 5, 1.9, 1.95, on=9)
    assert woken([*listening("a"), receive, sent]) == [("child socket.sendto", "parent socket.recvfrom")]
    assert woken([*listening("other"), receive, sent]) == []


FIFO = [event(PARENT, "os.mkfifo", ("f",), None, 0.01, 0.02), *FORKS]


def test_the_two_openings_of_a_fifo_and_what_is_written_to_it():
    reading = wait(PARENT, "os.open", ("f", os.O_RDONLY), 3, 0.5, 0.9)
    writing = event(CHILD, "os.open", ("./f", os.O_WRONLY), 4, 0.8, 0.85)
    assert woken([*FIFO, reading, writing, READ, write(CHILD)]) == [
        ("child os.open", "parent os.open"), ("child os.write", "parent os.read")]
    assert woken([*FIFO, wait(PARENT, "os.open", ("g", os.O_RDONLY), 3, 0.5, 0.9), writing]) == []


@pytest.mark.parametrize(("take", "give", "on"), [
    ("posix_ipc.MessageQueue.receive", "posix_ipc.MessageQueue.send", "/q"),
    ("posix_ipc.Semaphore.acquire", "posix_ipc.Semaphore.release", "/s"),
    ("sysv_ipc.MessageQueue.receive", "sysv_ipc.MessageQueue.send", 32769),
    ("sysv_ipc.Semaphore.P", "sysv_ipc.Semaphore.V", 5)])
def test_objects_with_names_and_ids(take, give, on):
    taking, giving = wait(PARENT, take, (), (b"x", 0), on=on), event(CHILD, give, (b"x",), None, 1.9, 1.95, on=on)
    assert woken([*FORKS, taking, giving]) == [(f"child {give}", f"parent {take}")]
    assert woken([*FORKS, taking, event(CHILD, give, (b"x",), None, 1.9, 1.95, on="/another")]) == []


def test_of_two_messages_only_sure_ones_wake_a_selective_receive():
    taking = wait(PARENT, "sysv_ipc.MessageQueue.receive", (), (b"x", 2), on=7)
    giving = [event(CHILD, "sysv_ipc.MessageQueue.send", (b"x",), None, at, at + 0.01, on=7) for at in (1.5, 1.9)]
    assert woken([*FORKS, taking, *giving]) == []


def test_locks_on_files():
    opened = [event(p, "os.open", ("f", 2), 5, at, at + 0.01) for p, at in ((PARENT, 0.3), (CHILD, 0.4))]
    taking = wait(PARENT, "fcntl.flock", (5, 2))
    assert woken([*FORKS, *opened, taking, event(CHILD, "fcntl.flock", (5, 8), None, 1.9, 1.95)]) == [
        ("child fcntl.flock", "parent fcntl.flock")]


def test_select_and_poll_are_woken_by_what_made_their_descriptor_ready():
    select = wait(PARENT, "select.select", ([3], [], []), ([3], [], []))
    assert woken([*PIPE, select, write(CHILD)]) == [("child os.write", "parent select.select")]
    epoll = wait(PARENT, "select.epoll.poll", (), [(3, 1)], on=7)
    assert woken([*PIPE, epoll, write(CHILD)]) == [("child os.write", "parent select.epoll.poll")]
    both = wait(PARENT, "select.select", ([3, 9], [], []), ([3, 9], [], []))
    assert woken([*PIPE, both, write(CHILD)]) == []


def test_the_end_of_a_child_wakes_wait():
    ended = Process("child", 2, 1, 3, start=0.1, end=1.9)
    for call in ("os.wait", "os.waitpid"):
        waiting = wait(PARENT, call, (), (2, 768))
        assert woken([*FORKS, waiting], [PARENT, ended, OTHER]) == [("child end", f"parent {call}")]
    stopped = wait(PARENT, "os.waitpid", (2, 2), (2, 0x137F))
    assert woken([*FORKS, stopped], [PARENT, ended, OTHER]) == []


def test_kill_reaches_the_handler_and_the_killed():
    kill = event(CHILD, "os.kill", (1, "SIGUSR1"), None, 1.5, 1.51)
    handler = event(PARENT, "handler", ("SIGUSR1", "on_usr1"), None, 1.52, 1.6)
    assert woken([*FORKS, kill, handler]) == [("child os.kill", "parent handler")]
    assert woken([*FORKS, kill, event(OTHER, "os.kill", (1, 10), None, 1.5, 1.51), handler]) == [], "two sent it"
    assert woken([*FORKS, event(CHILD, "os.kill", (1, "SIGUSR2"), None, 1.5, 1.51), handler]) == []
    killed = Process("other", 3, 1, None, 9, start=0.2, end=1.6)
    assert woken([*FORKS, event(PARENT, "os.kill", (3, 9), None, 1.5, 1.51)], [PARENT, CHILD, killed]) == [
        ("parent os.kill", "other end")]


def test_calls_made_in_unexpected_ways_only_get_no_arrow():
    odd = [event(PARENT, call, args, result, 0.5, 0.6, keywords=keywords) for call in CALLS
           for args in ((), (None,), ("x", "y", "z"), (-1, None)) for result in (None, "x", (), (None, None), -1)
           for keywords in ({}, {"z": None})]
    assert woken([*PIPE, READ, write(CHILD)] + [e for e in odd if e.call not in ("os.close", "handler", "os.write")])


def test_every_call_of_the_table_is_acted_upon():
    assert {what for what, _where in CALLS.values()} == {*ACTS, *DOES}


def test_bytes_and_numbers():
    assert byte_count(write(CHILD)) == 5 and byte_count(READ) == 5 and byte_count(FORKS[0]) is None
    assert number("<socket.socket fd=12, family=1>", "fd") == 12 and number((7, 0), "pid") == 7
    assert number("waitid_result(si_pid=31)", "si_pid") == 31 and number(None, "fd") is None
