"""Each mechanism as a textbook prints it: the plain call, a new bytes object for each message that comes.

A function gets one end and the message, and gives the Loops of its process. Memory has loops of its own, since no
message is sent there: it is stored, and said to be there.
"""
import os
import signal
from functools import partial
from itertools import cycle, islice

from .loops import Loops, in_windows, of_calls, until_empty
from .mechanisms import WINDOW
from .objects import CONTROL


def pipe(end, message):
    r, w = end

    def take():
        data = os.read(r, len(message))
        while len(data) < len(message):  # a stream has no boundaries
            data += os.read(r, len(message) - len(data))
        return data

    return of_calls(lambda: _write_all(w, message), take)


def _write_all(w, data):
    while data := data[os.write(w, data):]:
        pass


fifo = pipe


def unix(sock, message):
    def take():
        data = sock.recv(len(message))
        while len(data) < len(message):
            data += sock.recv(len(message) - len(data))
        return data

    return of_calls(lambda: sock.sendall(message), take)


tcp = unix


def udp(sock, message):
    def take():
        return sock.recv(len(message))

    return of_calls(lambda: sock.send(message), take)._replace(drain=partial(until_empty, take, bytes))


def posix_queue(end, message):
    incoming, outgoing = end
    return of_calls(lambda: outgoing.send(message), lambda: incoming.receive()[0])


def sysv_queue(end, message):
    incoming, outgoing = end
    return of_calls(lambda: outgoing.send(message, type=1), lambda: incoming.receive(type=1)[0])


def signals(end, message):
    number, pid = end
    return in_windows(of_calls(lambda: os.kill(pid, number), lambda: signal.sigwait([number]), lambda _: b""), WINDOW)


def shm_semaphore(memory, message):
    return _copied(memory, message, *memory.semaphores())


def shm_semaphore_in_place(memory, message):
    return _in_place(memory, message, *memory.semaphores())


mapped_file, mapped_file_in_place = shm_semaphore, shm_semaphore_in_place


def shm_eventfd(memory, message):
    return _copied(memory, message, *_eventfds(memory))


def shm_eventfd_in_place(memory, message):
    return _in_place(memory, message, *_eventfds(memory))


def _eventfds(memory):
    there, back = memory.there, memory.back
    return (lambda: os.eventfd_write(there, 1), lambda: os.eventfd_read(there),
            lambda: os.eventfd_write(back, 1), lambda: os.eventfd_read(back))


def shm_spin(memory, message):
    return _copied(memory, message, *_counters(memory))


def shm_spin_in_place(memory, message):
    return _in_place(memory, message, *_counters(memory))


def _counters(memory):
    """As a semaphore's post and wait, for there and back: a counter that the other one reads until it has grown."""
    words = memoryview(memory.map)[:CONTROL].cast("Q")
    return *_counter(words, 0), *_counter(words, 8)  # on two cache lines


def _counter(words, place):
    taken = 0

    def post():
        words[place] += 1  # nobody else writes it

    def wait():
        nonlocal taken
        taken += 1
        while words[place] < taken:
            pass

    return post, wait


def _copied(memory, message, post_there, wait_there, post_back, wait_back):
    """The message is copied into the memory, and by the other one out of it."""
    here, size, starts = memory.map, memory.size, memory.starts()
    request, reply = slice(starts[0], starts[0] + size), slice(starts[1], starts[1] + size)
    return Loops(partial(_ask_copied, here, request, reply, message, post_there, wait_back),
                 partial(_answer_copied, here, request, reply, wait_there, post_back),
                 partial(_pour, here, starts, message, wait_back, post_there),
                 partial(_drain_copied, here, starts, size, wait_there, post_back))


def _ask_copied(here, request, reply, message, post, wait, n):
    for _turn in range(n):
        here[request] = message
        post()
        wait()
        data = here[reply]
    return data


def _answer_copied(here, request, reply, wait, post, n):
    for _turn in range(n):
        wait()
        data = here[request]
        here[reply] = data
        post()
    return data


def _pour(here, starts, message, wait, post, n):
    for start in islice(cycle(starts), n):
        wait()
        here[start:start + len(message)] = message
        post()


def _drain_copied(here, starts, size, wait, post, n):
    for start in islice(cycle(starts), n):
        wait()
        data = here[start:start + size]
        post()
    return n, data


def _in_place(memory, message, post_there, wait_there, post_back, wait_back):
    """The message is copied into the memory, and looked at where it lies."""
    here, size, starts = memory.map, memory.size, memory.starts()
    place = slice(starts[0], starts[0] + size)
    return Loops(partial(_ask_in_place, here, place, message, post_there, wait_back),
                 partial(_answer_in_place, here, place, wait_there, post_back),
                 partial(_pour, here, starts, message, wait_back, post_there),
                 partial(_drain_in_place, here, starts, size, wait_there, post_back))


def _ask_in_place(here, place, message, post, wait, n):
    for _turn in range(n):
        here[place] = message
        post()
        wait()
        here[place.stop - 1]
    return here[place]


def _answer_in_place(here, place, wait, post, n):
    for _turn in range(n):
        wait()
        here[place.stop - 1]
        post()
    return here[place]


def _drain_in_place(here, starts, size, wait, post, n):
    for start in islice(cycle(starts), n):
        wait()
        here[start + size - 1]
        post()
    return n, here[start:start + size]
