"""The four loops of a mechanism that sends and takes whole messages, whatever the spelling: round trips on both sides,
and one way on both sides. What is sent and taken is in the spelling's own file."""
from functools import partial
from itertools import repeat
from typing import Callable, NamedTuple


class Loops(NamedTuple):
    """What a process runs n times. Round trip: `ask` here, `answer` there. Throughput: `pour` here, `drain` there.

    ask and answer return the last message that they took, drain (how many messages, the last one). For memcpy there is
    only `pour`, which returns what it has copied.
    """

    ask: Callable
    answer: Callable
    pour: Callable
    drain: Callable


def of_calls(send, take, got=bytes):
    """The Loops of two calls without arguments; got(what take returned) is the message."""
    return Loops(partial(_ask, send, take, got), partial(_answer, send, take, got), partial(_pour, send),
                 partial(_drain, take, got))


def _ask(send, take, got, n):
    for _turn in repeat(None, n):
        send()
        taken = take()
    return got(taken)


def _answer(send, take, got, n):
    for _turn in repeat(None, n):
        taken = take()
        send()
    return got(taken)


def _pour(send, n):
    for _turn in repeat(None, n):
        send()


def _drain(take, got, n):
    for _turn in repeat(None, n):
        taken = take()
    return n, got(taken)


def of_buffers(send, message, take, buffer):
    """The Loops of send(message) and take(buffer)."""
    both = send, message, take, buffer
    return Loops(partial(_ask_into, *both), partial(_answer_into, *both), partial(_pour_from, send, message),
                 partial(_drain_into, take, buffer))


def _ask_into(send, message, take, buffer, n):
    for _turn in repeat(None, n):
        send(message)
        take(buffer)
    return buffer


def _answer_into(send, message, take, buffer, n):
    for _turn in repeat(None, n):
        take(buffer)
        send(message)
    return buffer


def _pour_from(send, message, n):
    for _turn in repeat(None, n):
        send(message)


def _drain_into(take, buffer, n):
    for _turn in repeat(None, n):
        take(buffer)
    return n, buffer


def of_parts(send, message, take, buffer):
    """of_buffers() for a stream, from which take(buffer), a memoryview, may bring a part of the message only."""
    both = send, message, take, buffer
    return of_buffers(*both)._replace(ask=partial(_ask_parts, *both), answer=partial(_answer_parts, *both),
                                      drain=partial(_drain_parts, take, buffer))


def _ask_parts(send, message, take, buffer, n):
    size = len(buffer)
    for _turn in repeat(None, n):
        send(message)
        if (got := take(buffer)) != size:
            _rest(take, buffer, got)
    return buffer


def _answer_parts(send, message, take, buffer, n):
    size = len(buffer)
    for _turn in repeat(None, n):
        if (got := take(buffer)) != size:
            _rest(take, buffer, got)
        send(message)
    return buffer


def _drain_parts(take, buffer, n):
    size = len(buffer)
    for _turn in repeat(None, n):
        if (got := take(buffer)) != size:
            _rest(take, buffer, got)
    return n, buffer


def _rest(take, buffer, got):
    """The rest of a message of which `got` bytes have come."""
    part = got
    while part and got < len(buffer):
        got += (part := take(buffer[got:]))
    if not part:
        raise EOFError("the other one has gone")


def until_empty(take, got, _n):
    """A `drain` for a mechanism that may lose messages: one without bytes says that no more will come."""
    arrived = last = 0
    while taken := take():
        arrived, last = arrived + 1, taken
    return arrived, got(last) if arrived else b""


def in_windows(loops, window):
    """The Loops, of signals, so that after each window of them an answer is awaited: no more may be on their way than
    the kernel queues."""
    def pour(n):
        for _window in range(n // window):
            loops.pour(window)
            loops.drain(1)

    def drain(n):
        for _window in range(n // window):
            loops.drain(window)
            loops.pour(1)
        return n, b""

    return loops._replace(pour=pour, drain=drain)
