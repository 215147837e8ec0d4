"""Each mechanism as near to C as Python comes: buffers are kept, what is looked up is looked up once, and a call has
its arguments bound (partial), so that the loop does little but the calls.

Functions and their results are as in textbook.py.
"""
import _signal  # signal's own functions make an enum of each number
import os
from functools import partial
from io import FileIO
from itertools import cycle, islice, repeat
from select import PIPE_BUF

from .events import shm_eventfd, shm_eventfd_in_place
from .loops import Loops, in_windows, of_buffers, of_calls, of_parts, until_empty
from .mechanisms import WINDOW
from .spin import shm_spin, shm_spin_in_place

__all__ = ["shm_eventfd", "shm_eventfd_in_place", "shm_spin", "shm_spin_in_place"]  # in files of their own


def pipe(end, message):
    reader, writer = FileIO(end[0], closefd=False), FileIO(end[1], "w", closefd=False)
    whole = len(message) <= PIPE_BUF  # and then a look at how much has come would only cost time
    return _as_files(of_buffers if whole else of_parts, reader, writer, message)


fifo = pipe


def unix(sock, message):
    file = _file(sock)
    return _as_files(of_parts, file, file, message)


tcp = unix


def udp(sock, message):
    file, buffer = _file(sock), bytearray(len(message))
    drain = partial(until_empty, partial(file.readinto, buffer), lambda taken: buffer)
    return _as_files(of_buffers, file, file, message)._replace(drain=drain)


def _file(sock):
    """read(2) and write(2): to Python they are nearer than recv(2) and send(2), whose arguments it looks at longer."""
    return FileIO(sock.fileno(), "r+", closefd=False)


def _as_files(loops, reader, writer, message):
    return loops(writer.write, message, reader.readinto, memoryview(bytearray(len(message))))


def posix_queue(end, message):
    incoming, outgoing = end
    return of_calls(partial(outgoing.send, message), incoming.receive, lambda taken: taken[0])


sysv_queue = posix_queue  # of type 1, and received whatever the type


def signals(end, message):
    number, pid = end
    kill, wait = (os.kill, pid, number), (_signal.sigwait, (number,))
    return in_windows(Loops(partial(_ask, *kill, *wait), partial(_answer, *kill, *wait), partial(_send, *kill),
                            partial(_wait, *wait)), WINDOW)


def _ask(kill, pid, number, wait, numbers, n):
    for _turn in repeat(None, n):
        kill(pid, number)
        wait(numbers)
    return b""


def _answer(kill, pid, number, wait, numbers, n):
    for _turn in repeat(None, n):
        wait(numbers)
        kill(pid, number)
    return b""


def _send(kill, pid, number, n):
    for _turn in repeat(None, n):
        kill(pid, number)


def _wait(wait, numbers, n):
    for _turn in repeat(None, n):
        wait(numbers)
    return n, b""


def shm_semaphore(memory, message):
    return _copied(memory, message, *memory.semaphores())


def shm_semaphore_in_place(memory, message):
    return _in_place(memory, message, *memory.semaphores())


mapped_file, mapped_file_in_place = shm_semaphore, shm_semaphore_in_place


def _copied(memory, message, post_there, wait_there, post_back, wait_back):
    """The message is copied into the memory, and by the other one out of it."""
    slots, buffer = memory.slots(), memoryview(bytearray(memory.size))
    request, reply = slots[0], slots[1]
    return Loops(partial(_ask_copied, request, reply, message, buffer, post_there, wait_back),
                 partial(_answer_copied, request, reply, buffer, wait_there, post_back),
                 partial(_pour, slots, message, wait_back, post_there),
                 partial(_drain_copied, slots, buffer, wait_there, post_back))


def _ask_copied(request, reply, message, buffer, post, wait, n):
    whole = slice(None)  # made once; [:] makes one each time
    for _turn in repeat(None, n):
        request[whole] = message
        post()
        wait()
        buffer[whole] = reply
    return buffer


def _answer_copied(request, reply, buffer, wait, post, n):
    whole = slice(None)
    for _turn in repeat(None, n):
        wait()
        buffer[whole] = request
        reply[whole] = buffer
        post()
    return buffer


def _pour(slots, message, wait, post, n):
    whole = slice(None)
    for slot in islice(cycle(slots), n):
        wait()
        slot[whole] = message
        post()


def _drain_copied(slots, buffer, wait, post, n):
    whole = slice(None)
    for slot in islice(cycle(slots), n):
        wait()
        buffer[whole] = slot
        post()
    return n, buffer


def _in_place(memory, message, post_there, wait_there, post_back, wait_back):
    """The message is copied into the memory, and looked at where it lies."""
    slots = memory.slots()
    return Loops(partial(_ask_in_place, slots[0], message, post_there, wait_back),
                 partial(_answer_in_place, slots[0], wait_there, post_back),
                 partial(_pour, slots, message, wait_back, post_there),
                 partial(_drain_in_place, slots, wait_there, post_back))


def _ask_in_place(place, message, post, wait, n):
    whole = slice(None)
    for _turn in repeat(None, n):
        place[whole] = message
        post()
        wait()
        place[-1]
    return place


def _answer_in_place(place, wait, post, n):
    for _turn in repeat(None, n):
        wait()
        place[-1]
        post()
    return place


def _drain_in_place(slots, wait, post, n):
    for slot in islice(cycle(slots), n):
        wait()
        slot[-1]
        post()
    return n, slot


def memcpy(memory, message):
    """A copy into each slot in turn: what any use of this memory costs at least. Only `pour`."""
    return Loops(None, None, partial(_copy, memory.slots(), message), None)


def _copy(slots, message, n):
    whole = slice(None)
    for slot in islice(cycle(slots), n):
        slot[whole] = message
    return slot
