"""The picture of what is in queues, sockets and pipes: with real ones, with traces by hand, and that it is sound."""
import functools
import socket

import pytest
from contrast import clear
from queues import both_sides_wait, by_priority, by_type, share_jobs, stream_and_datagrams
from test_timeline import outside, overlaps, texts
from traces import event, trace

from ipclab import contents, explore, run
from ipclab.contents import MOST, containers
from ipclab.look import LOOKS
from ipclab.panel import Panel
from ipclab.trace import Process
from ipclab.twin import Twin

WRITER, READER = Process("writer", 100, None, 0, end=9.0), Process("reader", 101, 100, 0, end=9.0)
SEND, RECEIVE = "posix_ipc.MessageQueue.send", "posix_ipc.MessageQueue.receive"


def told(container):
    """ ["+a0", "-b5 a0", …]: what comes and leaves, then the others that are inside, in order of leaving."""
    return [" ".join([("+" if change.came else "-") + short(change.message),
                      *(short(one) for one in change.inside if one is not change.message)])
            for change in container.changes]


def short(message):
    return message.data.decode() + ("" if message.rank is None else str(message.rank))


def test_priority_orders_the_queue():
    [queue] = containers(run(by_priority))
    assert queue.rank == "priority" and not queue.stream and queue.more == 0
    assert told(queue) == ["+a0", "+b5 a0", "+c0 b5 a0", "+d5 b5 a0 c0", "+e9 b5 d5 a0 c0",
                           "-e9 b5 d5 a0 c0", "-b5 d5 a0 c0", "-d5 a0 c0", "-a0 c0", "-c0"]
    order = [[short(one) for one in change.inside] for change in queue.changes]
    assert order[:6] == [["a0"], ["b5", "a0"], ["b5", "a0", "c0"], ["b5", "d5", "a0", "c0"],
                         ["e9", "b5", "d5", "a0", "c0"], ["e9", "b5", "d5", "a0", "c0"]]


def test_the_receiver_picks_by_type():
    [queue] = containers(run(by_type))
    assert queue.rank == "type"
    assert told(queue)[4:] == ["+e3 a3 b1 c2 d1", "-a3 b1 c2 d1 e3", "-b1 c2 d1 e3", "-d1 c2 e3", "-c2 e3", "-e3"]


def test_nothing_leaves_before_it_came_in_and_no_more_is_inside_than_fits():
    [queue] = containers(run(both_sides_wait))
    assert [change.came for change in queue.changes] == [True, False] * 6
    assert all(len(change.inside) == 1 for change in queue.changes)


def test_several_writers_and_readers():
    [queue] = containers(run(share_jobs))
    assert len(queue.changes) == 16 and sum(change.came for change in queue.changes) == 8
    assert all(change.inside[0] is change.message for change in queue.changes if not change.came), told(queue)


def test_a_stream_is_one_piece_and_datagrams_are_not():
    pipe, datagrams = containers(run(stream_and_datagrams))
    assert pipe.stream and not datagrams.stream
    assert told(pipe) == ["+aaaa", "+bb aaaa", "+cccccc aaaabb", "-aaaab bcccccc", "-bcccc cc", "-cc"]
    assert [change.message.size for change in datagrams.changes] == [4, 2, 6, 4, 2], "the first left whole, cut or not"
    assert told(datagrams)[3:] == ["-aaaa bb cccccc", "-bb cccccc"]


def test_to_look_takes_nothing():
    def look_and_take():
        one, other = socket.socketpair()
        one.send(b"abc")
        other.recv(3, socket.MSG_PEEK | socket.MSG_WAITALL)
        other.recv(3)

    [stream] = containers(run(look_and_take))
    assert told(stream) == ["+abc", "-abc"]


def happened(*calls):
    """A trace in which these happened one after another, on one queue."""
    return trace([event(process, call, args, result, start, end, on="/q", waited=waited)
                  for process, call, args, result, start, end, waited in calls], [WRITER, READER])


def test_what_waited_acted_at_its_end():
    waited = happened((READER, RECEIVE, (), (b"x", 0), 0.1, 0.5, 0.4), (WRITER, SEND, (b"x",), None, 0.4, 0.6, 0.0))
    assert told(containers(waited)[0]) == ["+x0", "-x0"]
    late = happened((READER, RECEIVE, (), (b"x", 0), 0.1, 0.5, 0.0), (WRITER, SEND, (b"x",), None, 0.4, 0.6, 0.0))
    assert told(containers(late)[0]) == ["+x0", "-x0"], "the message tells that it had come before"


def test_what_was_ahead_left_first_though_its_call_was_over_later():
    whole = happened((WRITER, SEND, (b"x",), None, 0.1, 0.15, 0.0), (WRITER, SEND, (b"y",), None, 0.2, 0.25, 0.0),
                     (READER, RECEIVE, (), (b"x", 0), 0.3, 0.6, 0.2), (WRITER, RECEIVE, (), (b"y", 0), 0.4, 0.5, 0.0))
    assert told(containers(whole)[0]) == ["+x0", "+y0 x0", "-x0 y0", "-y0"]


def test_what_nobody_was_seen_to_put_in():
    [queue] = containers(happened((WRITER, SEND, (b"x",), None, 0.1, 0.2, 0.0),
                                  (READER, RECEIVE, (), (b"y", 3), 0.3, 0.4, 0.0)))
    assert told(queue) == ["+x0", "-y3 x0"]


def test_calls_that_failed_or_never_returned_change_nothing():
    whole = happened((WRITER, SEND, (b"x",), None, 0.1, 0.2, 0.0), (WRITER, SEND, (b"y",), None, 0.3, None, None))
    whole.events.append(event(WRITER, SEND, (b"z",), None, 0.4, 0.5, on="/q", error="BusyError", errno=11))
    assert told(containers(whole)[0]) == ["+x0"]


def test_nothing_is_said_where_calls_were_not_kept():
    whole = happened((WRITER, SEND, (b"x",), None, 0.1, 0.2, 0.0))
    whole.dropped = 1
    assert containers(whole) == [] and "not all calls were kept" in contents(whole).sentence


def many(count=60, text="x", processes=(WRITER, READER)):
    calls = [(processes[k % len(processes)], SEND, (f"{text}{k}".encode(), None, k % 7), None, k, k + 0.5, 0.0)
             for k in range(count)]
    return happened(*calls)


def test_what_is_left_out_is_said():
    [queue] = containers(many(60))
    assert len(queue.changes) == MOST and queue.more == 60 - MOST
    assert "40 more changes" in texts(contents(many(60)))
    assert any(text and text.endswith("more") for text in texts(contents(many(20)))), "boxes that found no room"


KOREAN = Process("이름이 긴 프로세스", 102, None, 0, end=9.0)


@functools.cache
def every():
    return [run(by_priority), run(by_type), run(stream_and_datagrams), many(60), many(9, "긴 글 ", (KOREAN, WRITER)),
            many(3, "long text " * 9), trace([], [READER])]


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_overlaps_or_sticks_out(look):
    for whole in every():
        for step in {None, len(whole.events) // 2 or None}:
            picture = contents(whole, look, step)
            assert overlaps(picture, look) == [] and outside(picture, look) == []


@pytest.mark.parametrize("look", LOOKS)
def test_contrast(look):
    assert clear(contents(whole, look).svg for whole in every()) >= {"many", "plain", "gone", "h", "x", "n", "w"}


def test_what_changes_has_a_sign_too():
    found = texts(contents(run(by_priority)))
    assert found.count("+") == 10 and found.count("−") == 10, "over the column, and beside the box"


def test_a_step_dims_what_came_later():
    whole = run(by_priority)
    sends = [index for index, one in enumerate(whole.events) if one.call == SEND]
    assert contents(whole, step=len(whole.events)).svg.count('rect class="b many later"') == 0
    assert contents(whole, step=sends[1] + 1).svg.count('rect class="b many later"') == 3
    with pytest.raises(ValueError, match="step 0 is outside"):
        contents(whole, step=0)
    with pytest.raises(ValueError, match="look 'cinema' is unknown"):
        contents(whole, look="cinema")


def test_under_controls():
    side_by_side = explore(by_priority, first=[0, 7], picture=contents)
    assert isinstance(side_by_side, Twin) and "e (9), a (7), b (5)" in repr(side_by_side)
    panel = Panel("screen", lambda text: None, contents)
    panel.show(run(by_priority))
    assert "puts in a (0)" in panel.picture.sentence


def test_the_sentence_says_the_same():
    assert contents(run(by_type)).sentence.endswith("parent takes out e (3); inside: nothing.")
    assert "nothing was put in anywhere" in contents(trace([], [READER])).sentence
