"""What a thread in futex(2) waits for: the word, the memory that it is in, the mutex that it is part of, its owner."""
import struct
import time

from . import proc

_FUTEX = ("FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE", "FUTEX_WAKE_OP",
          "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI", "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET",
          "FUTEX_WAIT_REQUEUE_PI", "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2")
_PLAIN, _PRIORITY = (0, 9), (6, 13)  # operations that wait for a mutex, and for one that inherits priority
_TID, _ROBUST, _KINDS = 0x3FFFFFFF, 16, 1024  # FUTEX_TID_MASK; of a mutex's kind: a bit (robust), all bits there are


def operation(_pid, _name, number, _all, _fds):
    command = number & 0x7F
    return {"operation": _FUTEX[command] if command < len(_FUTEX) else str(command), "private": bool(number & 128)}


def word(pid, _name, number, everything, _fds):
    """The address, the word there, the mapping it is in, and the mutex that it is part of, as far as that is sure."""
    found = {"address": number, "word": None, "mapping": None, "mutex": None}
    if data := proc.memory(pid, number, 20) or proc.memory(pid, number, 4):
        found["word"] = int.from_bytes(data[:4], "little")
        found["mutex"] = _mutex(data, everything[1] & 0x7F, everything[2] & 0xFFFFFFFF)
    try:
        found["mapping"] = proc.lying_at(proc.maps(pid), number)
    except OSError:
        pass  # it has gone meanwhile
    return found


def _mutex(data, operation, expected):
    """{"owner": pid, "thread": tid} of the mutex on which a thread waits, None where that is not sure.

    Of a priority-inheriting and of a robust mutex the word itself holds the owner's thread id (futex(2)). Of others
    glibc waits while the word is 2, and has the owner 8 bytes on and the kind 16 bytes on (pthread_mutex_t).
    """
    word = int.from_bytes(data[:4], "little")
    if operation in _PRIORITY:
        return _owner(word & _TID)
    if operation not in _PLAIN or word != expected or len(data) < 20:
        return None
    _count, owner, users, kind = struct.unpack_from("@IiIi", data, 4)
    if owner <= 0 or users == 0 or not 0 <= kind < _KINDS:
        return None
    return _owner(owner) if word == 2 or (kind & _ROBUST and word & _TID == owner) else None


def _owner(tid):
    process = proc.of_thread(tid) if tid else None
    return {"owner": process, "thread": tid} if process else None


def timeout(pid, _name, number, everything, _fds):
    if number == 0:
        return {"seconds": None}
    command, realtime = everything[1] & 0x7F, everything[1] & 256
    found = proc.values(pid, "@ll", number)
    if found is None or command == 0:
        return found and {"seconds": found[0] + found[1] / 1e9}
    return left(found, time.CLOCK_REALTIME if realtime or command in _PRIORITY[:1] else time.CLOCK_MONOTONIC)


def left(found, clock):
    """What is left of the time until (s, ns) of a clock."""
    return {"seconds_left": round(found[0] + found[1] / 1e9 - time.clock_gettime(clock), 9)}
