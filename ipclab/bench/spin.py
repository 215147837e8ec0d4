"""Tuned spinning: a process reads the other's counter over and over until it has grown. A part of tuned.py.

There are no calls in these loops, so each is spelled out. The counters are 64-bit words on two cache lines, each
written by one process only: how many messages are there, and how many replies, or free slots, have come back. That a
message is seen before its counter is x86's promise, and in practice that of an interpreter that does much in between.
"""
from functools import partial
from itertools import cycle

from .loops import Loops
from .mechanisms import SLOTS
from .objects import CONTROL

THERE, BACK = 0, 8  # words


def shm_spin(memory, message):
    words, slots, buffer = _words(memory), memory.slots(), memoryview(bytearray(memory.size))
    request, reply = slots[0], slots[1]
    return Loops(partial(_ask_copied, words, request, reply, message, buffer),
                 partial(_answer_copied, words, request, reply, buffer),
                 partial(_pour, words, slots, message), partial(_drain_copied, words, slots, buffer))


def shm_spin_in_place(memory, message):
    words, slots = _words(memory), memory.slots()
    return Loops(partial(_ask_in_place, words, slots[0], message), partial(_answer_in_place, words, slots[0]),
                 partial(_pour, words, slots, message), partial(_drain_in_place, words, slots))


def _words(memory):
    return memoryview(memory.map)[:CONTROL].cast("Q")


def _turns(done, n):
    return range(done + 1, done + n + 1)


def _ask_copied(words, request, reply, message, buffer, n):
    there, back, whole = THERE, BACK, slice(None)
    for turn in _turns(words[there], n):
        request[whole] = message
        words[there] = turn
        while words[back] < turn:
            pass
        buffer[whole] = reply
    return buffer


def _answer_copied(words, request, reply, buffer, n):
    there, back, whole = THERE, BACK, slice(None)
    for turn in _turns(words[back], n):
        while words[there] < turn:
            pass
        buffer[whole] = request
        reply[whole] = buffer
        words[back] = turn
    return buffer


def _pour(words, slots, message, n):
    there, back, whole = THERE, BACK, slice(None)
    for turn, slot in zip(_turns(words[there], n), cycle(slots)):
        while words[back] < turn:
            pass
        slot[whole] = message
        words[there] = turn


def _drain_copied(words, slots, buffer, n):
    there, back, whole = THERE, BACK, slice(None)
    for turn, slot in zip(_turns(words[back] - SLOTS, n), cycle(slots)):
        while words[there] < turn:
            pass
        buffer[whole] = slot
        words[back] = turn + SLOTS
    return n, buffer


def _ask_in_place(words, place, message, n):
    there, back, whole = THERE, BACK, slice(None)
    for turn in _turns(words[there], n):
        place[whole] = message
        words[there] = turn
        while words[back] < turn:
            pass
        place[-1]
    return place


def _answer_in_place(words, place, n):
    there, back = THERE, BACK
    for turn in _turns(words[back], n):
        while words[there] < turn:
            pass
        place[-1]
        words[back] = turn
    return place


def _drain_in_place(words, slots, n):
    there, back = THERE, BACK
    for turn, slot in zip(_turns(words[back] - SLOTS, n), cycle(slots)):
        while words[there] < turn:
            pass
        slot[-1]
        words[back] = turn + SLOTS
    return n, slot
