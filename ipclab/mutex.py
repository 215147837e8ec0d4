"""A mutex in memory that processes share, the C library's own: pthread_mutex_t, through ctypes. `linux.Mutex` is it.

Whoever maps the memory can use it: a child after fork, or a program that maps the same file. Python has no such lock:
threading's are one process's, multiprocessing's are semaphores, which have no owner.
"""
import ctypes
import errno
import os
import time

from . import proc
from .wants import place

_libc = ctypes.CDLL(None)
KINDS = {"NORMAL": 0, "RECURSIVE": 1, "ERRORCHECK": 2}  # PTHREAD_MUTEX_NORMAL and so on, of glibc and of musl
_SHARED, _ROBUST, _INHERIT = 1, 1, 1  # PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT
_Attributes = ctypes.c_byte * 16  # pthread_mutexattr_t: 4 bytes on Linux
_ALIGNMENT = 8


class Mutex:
    """A pthread mutex in a writable buffer, such as an mmap, at a multiple of 8 bytes; it takes SIZE bytes there.

    It is made anew, unlocked, or with `init=False` it is the one that somebody has made there before: to make one anew
    that others use is undefined. `kind`: of a mutex that its owner locks again, or that somebody unlocks who does not
    own it, "NORMAL" knows nothing (it waits for itself; it is unlocked), "ERRORCHECK" refuses both (EDEADLK, EPERM),
    "RECURSIVE" counts how often its owner has locked it. `robust`: where its owner has ended, the next one to lock is
    told so, by EOWNERDEAD. `inherit`: the owner has at least the priority of those that wait for it.

    Methods raise OSError with the errno that the C function returned. A wait cannot be interrupted: a handler of
    Python's runs when the call is over; a signal that ends or stops the process does so at once. While a Mutex lives
    its mmap cannot be closed, and what is locked stays mapped up to the process's end. See
    pthread_mutexattr_settype(3), pthread_mutexattr_setrobust(3), pthread_mutex_lock(3).
    """

    SIZE = 64  # bytes, enough for all: pthread_mutex_t takes 24 to 48, by C library and machine
    __slots__ = ("_at", "_start", "_place", "_held")

    def __init__(self, memory, offset=0, kind="NORMAL", robust=False, inherit=False, init=True):
        if kind not in KINDS:
            raise ValueError(f"a mutex of kind {kind!r} is unknown; there are: {', '.join(KINDS)}")
        self._at = (ctypes.c_byte * self.SIZE).from_buffer(memory, offset)
        self._start = ctypes.addressof(self._at)
        if self._start % _ALIGNMENT:
            raise ValueError(f"a mutex lies at a multiple of {_ALIGNMENT} bytes; {offset} is none")
        self._place, self._held = _place(self._start), 0
        if init:
            _init(self._at, KINDS[kind], robust, inherit)

    @property
    def name(self):
        """Where it is: the same for all processes that share it, and another for every copy in private memory."""
        return self._place or f"process {os.getpid()}, {self._start:#x}"

    def __repr__(self):
        return f"<ipclab.linux.Mutex in {self.name}>"

    def lock(self):
        """Take it, and wait until that can be.

        EOWNERDEAD: taken, but its owner ended with it: mend what it protects, then consistent(). ENOTRECOVERABLE:
        somebody unlocked it after EOWNERDEAD without that. EDEADLK (ERRORCHECK): the caller has it already. EAGAIN
        (RECURSIVE): it was locked too often.
        """
        self._take("lock")

    def trylock(self):
        """Take it, or EBUSY where it is taken; and as of lock()."""
        self._take("trylock")

    def timedlock(self, seconds):
        """Take it, and wait for that at most so many seconds: ETIMEDOUT, TimeoutError; and as of lock()."""
        end = time.time() + seconds  # CLOCK_REALTIME, as POSIX has it
        whole = int(end // 1)
        self._take("timedlock", (ctypes.c_long * 2)(whole, int((end - whole) * 1e9)))

    def unlock(self):
        """Give it back. EPERM, PermissionError (ERRORCHECK, RECURSIVE, robust): the caller does not own it."""
        _call("unlock", self._at)
        if self._held:
            self._held -= 1
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(self._at))

    def consistent(self):
        """After EOWNERDEAD: what the mutex protects is in order again. EINVAL where there was none."""
        _call("consistent", self._at)

    def destroy(self):
        """Make the memory free for other use. EBUSY: somebody has it."""
        _call("destroy", self._at)

    def _take(self, function, *args):
        """Lock it. One reference more keeps the memory mapped, whatever Python frees when it ends: there the kernel
        looks for the robust mutexes of a process that has ended."""
        number = _number(function, self._at, *args)
        if number in (0, errno.EOWNERDEAD):
            self._held += 1
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._at))
        _check(number)

    def __enter__(self):
        self.lock()
        return self

    def __exit__(self, *error):
        self.unlock()


def _init(at, kind, robust, inherit):
    attributes = _Attributes()
    _call("attr_init", attributes)
    _call("attr_setpshared", attributes, ctypes.c_int(_SHARED))
    _call("attr_settype", attributes, ctypes.c_int(kind))
    if robust:
        _call("attr_setrobust", attributes, ctypes.c_int(_ROBUST))
    if inherit:
        _call("attr_setprotocol", attributes, ctypes.c_int(_INHERIT))
    _call("_init", at, attributes)
    _call("attr_destroy", attributes)


def _call(function, *args):
    """Call the C function pthread_mutex_… or pthread_mutexattr_…, which returns an errno."""
    _check(_number(function, *args))


def _number(function, *args):
    """What the C function returns. OSError, ENOSYS, where this C library has none of that name."""
    function = "pthread_mutex" + (function if function.startswith(("attr_", "_")) else f"_{function}")
    try:
        return getattr(_libc, function)(*args)
    except AttributeError:
        raise OSError(errno.ENOSYS, f"the C library has no {function}()") from None


def _check(number):
    if number:
        raise OSError(number, os.strerror(number))


def _place(start):
    """What is mapped where a mutex lies, and at which byte of it; None in private memory."""
    mapping = proc.lying_at(proc.maps("self"), start)
    return place(mapping, start) if mapping["shared"] else None
