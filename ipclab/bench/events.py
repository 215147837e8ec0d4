"""Tuned eventfds: a part of tuned.py. The calls are spelled out with their arguments, which is nearer to C than calls
that are bound to them."""
from functools import partial
from itertools import cycle, islice, repeat
from os import eventfd_read, eventfd_write

from .loops import Loops


def shm_eventfd(memory, message):
    slots, buffer, there, back = memory.slots(), memoryview(bytearray(memory.size)), memory.there, memory.back
    request, reply = slots[0], slots[1]
    return Loops(partial(_ask_copied, request, reply, message, buffer, there, back),
                 partial(_answer_copied, request, reply, buffer, there, back),
                 partial(_pour, slots, message, there, back), partial(_drain_copied, slots, buffer, there, back))


def shm_eventfd_in_place(memory, message):
    slots, there, back = memory.slots(), memory.there, memory.back
    return Loops(partial(_ask_in_place, slots[0], message, there, back),
                 partial(_answer_in_place, slots[0], there, back),
                 partial(_pour, slots, message, there, back), partial(_drain_in_place, slots, there, back))


def _ask_copied(request, reply, message, buffer, there, back, n):
    write, read, whole = eventfd_write, eventfd_read, slice(None)
    for _turn in repeat(None, n):
        request[whole] = message
        write(there, 1)
        read(back)
        buffer[whole] = reply
    return buffer


def _answer_copied(request, reply, buffer, there, back, n):
    write, read, whole = eventfd_write, eventfd_read, slice(None)
    for _turn in repeat(None, n):
        read(there)
        buffer[whole] = request
        reply[whole] = buffer
        write(back, 1)
    return buffer


def _pour(slots, message, there, back, n):
    write, read, whole = eventfd_write, eventfd_read, slice(None)
    for slot in islice(cycle(slots), n):
        read(back)
        slot[whole] = message
        write(there, 1)


def _drain_copied(slots, buffer, there, back, n):
    write, read, whole = eventfd_write, eventfd_read, slice(None)
    for slot in islice(cycle(slots), n):
        read(there)
        buffer[whole] = slot
        write(back, 1)
    return n, buffer


def _ask_in_place(place, message, there, back, n):
    write, read, whole = eventfd_write, eventfd_read, slice(None)
    for _turn in repeat(None, n):
        place[whole] = message
        write(there, 1)
        read(back)
        place[-1]
    return place


def _answer_in_place(place, there, back, n):
    write, read = eventfd_write, eventfd_read
    for _turn in repeat(None, n):
        read(there)
        place[-1]
        write(back, 1)
    return place


def _drain_in_place(slots, there, back, n):
    write, read = eventfd_write, eventfd_read
    for slot in islice(cycle(slots), n):
        read(there)
        slot[-1]
        write(back, 1)
    return n, slot
