"""Arrows: from the call that woke to the call that waited, where both acted on one object; never guessed."""
import os
import signal
import struct

import pytest
from traces import event, read_from_pipe, trace

from ipclab.calls import CALLS, byte_count, number
from ipclab.objects import arrows
from ipclab.replay import ACTS, DOES
from ipclab.sent import TIMER
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


def test_a_process_that_ends_right_after_its_read_did_not_end_its_wait():
    """It held the last write end itself: what ended its wait is not known."""
    reader = Process("parent", 1, None, 0, start=0.0, end=2.0005)
    assert woken([*PIPE, close(CHILD, 4), close(OTHER, 4, at=0.4), READ_END], [reader, CHILD, OTHER]) == []


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


def opening(process, flags, start=0.8, end=0.85, **more):
    return event(process, "os.open", ("f", flags), 9, start, end, **more)


def test_the_first_to_open_the_other_side_of_a_fifo_wakes_all_who_wait_for_it():
    readers = [wait(process, "os.open", ("f", os.O_RDONLY), 3, 0.5, 0.9) for process in (PARENT, OTHER)]
    assert woken([*FIFO, *readers, opening(CHILD, os.O_WRONLY)]) == [
        ("child os.open", "parent os.open"), ("child os.open", "other os.open")]
    writers = [opening(CHILD, os.O_WRONLY, 0.7, 0.71), opening(OTHER, os.O_WRONLY, 0.75, 0.76)]
    assert woken([*FIFO, readers[0], *writers]) == [("child os.open", "parent os.open")]
    assert woken([*FIFO, readers[0], opening(CHILD, os.O_RDWR)]) == [("child os.open", "parent os.open")]


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR], ids=["for reading", "for both"])
def test_who_finds_a_fifo_open_has_not_waited_for_who_waits_for_him(flags):
    """Off the processor for a moment, with the writer still in its open()."""
    waiting = wait(CHILD, "os.open", ("f", os.O_WRONLY), 4, 0.5, 0.9)
    late = opening(PARENT, flags, 0.85, 0.86, waited=0.005)
    assert woken([*FIFO, waiting, late]) == [("parent os.open", "child os.open")]


def test_a_fifo_that_was_closed_makes_wait_again():
    gone = [opening(PARENT, os.O_RDONLY, 0.3, 0.31), *(opening(who, os.O_WRONLY, 0.32, 0.33) for who in (OTHER, CHILD)),
            close(OTHER, 9, 0.4), close(CHILD, 9, 0.4)]
    again = wait(PARENT, "os.open", ("f", os.O_RDONLY), 3, 0.5, 0.9)
    assert woken([*FIFO, *gone, again, opening(CHILD, os.O_WRONLY)]) == [("child os.open", "parent os.open")]
    assert woken([*FIFO, *gone[:-1], again, opening(CHILD, os.O_WRONLY)]) == [], "it was open all the time"


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


HANDLER = event(PARENT, "handler", ("SIGUSR1", "on_usr1"), None, 1.8, 1.9)


def send(process, at, call="os.kill", args=(1, "SIGUSR1"), **more):
    return event(process, call, args, None, at, at + 0.01, **more)


def test_of_signals_that_merge_the_first_counts():
    assert woken([*FORKS, send(CHILD, 1.5), send(OTHER, 1.6), HANDLER]) == [("child os.kill", "parent handler")]
    later = event(PARENT, "handler", ("SIGUSR1", "on_usr1"), None, 1.95, 1.96)
    assert woken([*FORKS, send(CHILD, 1.5), send(CHILD, 1.6), HANDLER, later]) == [("child os.kill", "parent handler")]


@pytest.mark.parametrize("call", ["signal.signal", "signal.pthread_sigmask"])
def test_what_was_sent_before_a_new_action_or_a_block_is_forgotten(call):
    args = ("SIGUSR1", "on_usr1") if call == "signal.signal" else ("SIG_BLOCK", ["SIGUSR1"])
    assert woken([*FORKS, send(CHILD, 1.4), event(PARENT, call, args, None, 1.5, 1.51), HANDLER]) == []
    unblock = event(PARENT, "signal.pthread_sigmask", ("SIG_UNBLOCK", ["SIGUSR1"]), None, 1.7, 1.95)
    assert woken([*FORKS, send(CHILD, 1.4), unblock, HANDLER]) == [("child os.kill", "parent handler")]


def test_queued_signals_are_taken_one_by_one():
    number = signal.SIGRTMIN + 1
    sent = [send(CHILD, 1.0 + value / 10, "linux.sigqueue", (1, number, value)) for value in range(3)]
    taken = [event(PARENT, "linux.sigtimedwait", ([number], 0), {"si_signo": number, "si_code": "SI_QUEUE", "si_pid": 2,
                                                                 "si_value": value}, 2 + value / 10, 2.05 + value / 10)
             for value in range(3)]
    drawn = arrows(trace([*FORKS, *sent, *taken], [PARENT, CHILD, OTHER]))
    assert [(arrow.giver, arrow.taker) for arrow in drawn] == list(zip(sent, taken))
    mine = event(PARENT, "linux.sigtimedwait", ([number], 0), taken[0].result | {"si_pid": 3}, 2, 2.05)
    assert woken([*FORKS, *sent, mine]) == [], "another process sent it"


@pytest.mark.parametrize(("call", "result"), [
    ("signal.sigwait", "SIGUSR1"), ("signal.sigwaitinfo", {"si_signo": 10, "si_code": 0, "si_pid": 2}),
    ("linux.sigwaitinfo", {"si_signo": "SIGUSR1", "si_code": "SI_USER", "si_pid": 2, "si_value": None})])
def test_a_call_that_waited_for_a_signal(call, result):
    assert woken([*FORKS, wait(PARENT, call, (["SIGUSR1"],), result), send(CHILD, 1.9)]) == [
        ("child os.kill", f"parent {call}")]
    assert woken([*FORKS, wait(PARENT, call, (["SIGUSR1"],), None), send(CHILD, 1.9)]) == []


def test_a_read_of_a_signalfd_is_woken_by_kill():
    record = struct.pack("@IiiII20xiI80x", signal.SIGUSR1, 0, 0, 2, 0, 0, 0)
    made = event(PARENT, "linux.signalfd", (["SIGUSR1"],), 5, 0.3, 0.31)
    read = wait(PARENT, "os.read", (5, 128), record)
    assert woken([*FORKS, made, read, send(CHILD, 1.9)]) == [("child os.kill", "parent os.read")]
    assert woken([*FORKS, made, read, send(OTHER, 1.9)]) == [], "the record names another sender"
    assert woken([*FORKS, read, send(CHILD, 1.9)]) == [], "nobody knows what the descriptor is"


def test_a_pidfd_sends_to_its_process_and_is_ready_when_that_has_ended():
    killed = Process("child", 2, 1, None, 15, start=0.1, end=1.6)
    made = event(PARENT, "os.pidfd_open", (2,), 5, 0.3, 0.31)
    kill = send(PARENT, 1.5, "signal.pidfd_send_signal", (5, "SIGTERM"))
    poll = wait(PARENT, "select.poll.poll", (), [(5, 1)], start=1.55, end=1.61, on=6)
    assert set(woken([*FORKS, made, kill, poll], [PARENT, killed, OTHER])) == {
        ("parent signal.pidfd_send_signal", "child end"), ("child end", "parent select.poll.poll")}


def test_a_signal_to_one_thread():
    kill = send(PARENT, 1.5, "signal.pthread_kill", (140_000_000, "SIGUSR1"))
    take_of = "signal.sigwait", (["SIGUSR1"],)
    take = wait(PARENT, *take_of, "SIGUSR1", thread=7)
    assert woken([kill, take]) == [("parent signal.pthread_kill", "parent signal.sigwait")]
    second, other = send(PARENT, 1.6, "signal.pthread_kill", kill.args), wait(PARENT, *take_of, "SIGUSR1", thread=8)
    assert woken([kill, second, take, other]) == [], "which was for which thread?"


@pytest.mark.parametrize(("arm", "which"), [(("signal.alarm", (1,)), "SIGALRM"),
                                            (("signal.setitimer", (0, 0.1, 0.1)), "SIGALRM"),
                                            (("signal.setitimer", (2, 0.1)), "SIGPROF")])
def test_a_timer_is_a_sender_that_is_no_call(arm, which):
    ring = event(PARENT, "handler", (which, "on_alarm"), None, 1.5, 1.6)
    drawn = arrows(trace([event(PARENT, *arm, None, 0.3, 0.31), ring], [PARENT]))
    assert [(arrow.giver, arrow.taker) for arrow in drawn] == [(TIMER, ring)]
    assert arrows(trace([ring], [PARENT])) == [], "nobody knows who sent it"
    kill = send(CHILD, 1.4, args=(1, which))
    assert woken([*FORKS, event(PARENT, *arm, None, 0.3, 0.31), kill, ring]) == [("child os.kill", "parent handler")]


def test_the_end_of_a_child_sends_sigchld():
    first, second = Process("child", 2, 1, 0, start=0.1, end=1.2), Process("other", 3, 1, 0, start=0.2, end=1.4)
    handler = event(PARENT, "handler", ("SIGCHLD", "on_child"), None, 1.8, 1.9)
    again = event(PARENT, "handler", ("SIGCHLD", "on_child"), None, 1.95, 1.96)
    assert woken([*FORKS, handler, again], [PARENT, first, second]) == [("child end", "parent handler")]
    together = Process("other", 3, 1, 0, start=0.2, end=1.2005)
    assert woken([*FORKS, handler], [PARENT, first, together]) == [], "too close to tell which was the first"
    told = {"si_signo": "SIGCHLD", "si_code": "CLD_EXITED", "si_pid": 3, "si_status": 0}
    take = wait(PARENT, "linux.sigwaitinfo", (["SIGCHLD"],), told)
    assert woken([*FORKS, take], [PARENT, first, second]) == [("other end", "parent linux.sigwaitinfo")]


def test_a_key_typed_at_a_terminal_sends_to_those_before_it():
    start = event(PARENT, "os.forkpty", (), (2, 3), 0.1, 0.12)
    key = event(PARENT, "os.write", (3, b"\x03"), 1, 1.5, 1.51)
    handler = event(CHILD, "handler", ("SIGINT", "default_int_handler"), None, 1.6, 1.7, error="KeyboardInterrupt")
    assert woken([start, key, handler], [PARENT, CHILD]) == [("parent os.write", "child handler")]
    assert woken([start, event(PARENT, "os.write", (3, b"x"), 1, 1.5, 1.51), handler], [PARENT, CHILD]) == []
    answer = wait(PARENT, "os.read", (3, 100), b"hello")
    assert woken([start, answer, event(CHILD, "os.write", (1, b"hello"), 5, 1.9, 1.95)], [PARENT, CHILD]) == [
        ("child os.write", "parent os.read")]


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
