"""System calls that Python lacks, through ctypes: queued signals with their values, signalfd, calls that are not
repeated after a signal, what the kernel tells of a process's pages, another process's memory, namespaces; mutexes.

Each raises OSError with the call's errno, and takes and gives what Python's own modules would.
"""
import ctypes
import enum
import os
import signal
import struct
import sys
from contextlib import contextmanager
from mmap import PAGESIZE
from typing import NamedTuple

from .mutex import Mutex as Mutex  # a part of this module, in a file of its own

_libc = ctypes.CDLL(None, use_errno=True)
_libc.read.restype = _libc.write.restype = _libc.process_vm_readv.restype = ctypes.c_ssize_t
_ONE = ctypes.c_ulong(1)
SFD_CLOEXEC, SFD_NONBLOCK = os.O_CLOEXEC, os.O_NONBLOCK  # <sys/signalfd.h>
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000  # <linux/sched.h>


class SI(enum.IntEnum):
    """Who sent a signal: the si_code of every signal (sigaction(2)). Above 0 it was the kernel."""

    SI_USER = 0
    SI_QUEUE = -1
    SI_TIMER = -2
    SI_MESGQ = -3
    SI_ASYNCIO = -4
    SI_SIGIO = -5
    SI_TKILL = -6
    SI_KERNEL = 0x80


class CLD(enum.IntEnum):
    """What became of a child: the si_code of SIGCHLD (sigaction(2))."""

    CLD_EXITED = 1
    CLD_KILLED = 2
    CLD_DUMPED = 3
    CLD_TRAPPED = 4
    CLD_STOPPED = 5
    CLD_CONTINUED = 6


_SENDER, _CHILD, _SIGNALS = ({int(member): member for member in members} for members in (SI, CLD, signal.Signals))


class SignalInfo(NamedTuple):
    """What the kernel tells of a signal: siginfo_t (sigaction(2)), named as in Python's struct_siginfo.

    `si_value` is what sigqueue, a timer or a message queue sent with it, a C int; `si_status` a child's exit status
    or signal: None for other signals.
    """

    si_signo: int
    si_code: int
    si_value: int | None
    si_pid: int
    si_uid: int
    si_status: int | None
    si_errno: int


class Page(NamedTuple):
    """One page of a mapping, as /proc/PID/pagemap has it (proc_pid_pagemap(5)).

    `present`: it is in memory, and mapped. `swapped`: it is in swap. `shared`: it is a page of a file, or of shared
    anonymous memory; a private copy is not. `exclusive`: no other process maps it. `frame` is the number of the
    physical page, None where the kernel does not tell (it tells root only) or the page is not present.
    """

    present: bool
    swapped: bool
    shared: bool
    exclusive: bool
    frame: int | None


def sigqueue(pid, signum, value):
    """Send a signal with a value, a C int, to a process; real-time signals queue. See sigqueue(3).

    EAGAIN: the queue is full (RLIMIT_SIGPENDING); EINVAL: no such signal; EPERM; ESRCH. OverflowError where the value
    is no C int.
    """
    try:
        sigval = struct.pack("@i4x", value)  # union sigval, of which sival_int is the first member
    except struct.error:
        raise OverflowError(f"the value of a signal is a C int; {value!r} is not") from None
    _call("sigqueue", ctypes.c_int(pid), ctypes.c_int(signum), ctypes.c_uint64(int.from_bytes(sigval, sys.byteorder)))


def sigwaitinfo(signals):
    """Wait for one of the signals, which must be blocked, and take it: a SignalInfo. See sigwaitinfo(2).

    Unlike signal.sigwaitinfo it tells the value, and is not repeated after a handler of another signal: EINTR.
    """
    return _taken("sigwaitinfo", signals)


def sigtimedwait(signals, seconds):
    """As sigwaitinfo, for at most so many seconds: None where no signal came. See sigtimedwait(2)."""
    if seconds < 0:
        raise ValueError(f"a time of {seconds} s is negative")
    whole, part = divmod(round(seconds * 1e9), 10**9)
    try:
        return _taken("sigtimedwait", signals, struct.pack("@ll", whole, part))
    except BlockingIOError:
        return None


def _taken(function, signals, *timeout):
    info = ctypes.create_string_buffer(128)
    _call(function, _signal_set(signals), info, *timeout)
    number, error, code, pid, uid, value = struct.unpack_from("@iii4xiIi", info.raw)
    return _signal_info(number, code, error, pid, uid, value, value)


def signalfd(signals, flags=SFD_CLOEXEC, fd=-1):
    """A descriptor from which the signals, which should be blocked, can be read, or `fd` with a new set.

    `flags`: SFD_CLOEXEC, SFD_NONBLOCK. What os.read() of n * 128 bytes gives is for siginfos(). See signalfd(2).
    """
    return _call("signalfd", ctypes.c_int(fd), _signal_set(signals), ctypes.c_int(flags))


def siginfos(data):
    """A list of SignalInfo, of what was read from a signalfd: 128 bytes a signal (struct signalfd_siginfo)."""
    if len(data) % 128:
        raise ValueError(f"a signalfd gives 128 bytes a signal; {len(data)} are no multiple of that")
    records = struct.iter_unpack("@IiiII20xiI80x", data)
    return [_signal_info(number, code, error, pid, uid, ctypes.c_int(value).value, status)
            for number, error, code, pid, uid, status, value in records]


def _signal_info(number, code, error, pid, uid, value, status):
    number = _SIGNALS.get(number, number)
    child = number == signal.SIGCHLD and code > 0
    code = (_CHILD if child else _SENDER).get(code, code)
    valued = code in (SI.SI_QUEUE, SI.SI_TIMER, SI.SI_MESGQ)
    return SignalInfo(number, code, value if valued else None, pid, uid, status if child else None, error)


def _signal_set(signals):
    """A sigset_t: 1024 bits, of which bit n - 1 stands for signal n (sigsetops(3))."""
    bits = 0
    for number in signals:
        if not 0 < number < signal.NSIG:
            raise ValueError(f"signal number {number} out of range [1; {signal.NSIG - 1}]")
        bits |= 1 << number - 1
    word = 8 * struct.calcsize("@L")
    return struct.pack(f"@{1024 // word}L", *(bits >> k & (1 << word) - 1 for k in range(0, 1024, word)))


def read(fd, size):
    """read(2), once: a signal that comes while it waits is EINTR, InterruptedError, where os.read begins again."""
    buffer = ctypes.create_string_buffer(size)
    taken = _call("read", ctypes.c_int(fd), buffer, ctypes.c_size_t(size))
    return ctypes.string_at(buffer, taken)


def write(fd, data):
    """write(2), once: how many bytes were written; EINTR, InterruptedError, where os.write begins again."""
    with _buffer(data) as (start, size):
        return _call("write", ctypes.c_int(fd), ctypes.c_void_p(start), ctypes.c_size_t(size))


def address(memory):
    """Where an mmap, or another buffer, lies in the address space of this process."""
    with _buffer(memory) as (start, _size):
        return start


def mprotect(memory, protection):
    """Allow, of mmap.PROT_READ, PROT_WRITE, PROT_EXEC, these and no more for an mmap's pages. See mprotect(2).

    Python does not know: a store that the kernel refuses ends the process by SIGSEGV. EACCES: the file was not opened
    for that.
    """
    with _buffer(memory) as (start, size):
        _call("mprotect", ctypes.c_void_p(start), ctypes.c_size_t(size), ctypes.c_int(protection))


def process_vm_readv(pid, start, size):
    """Up to `size` bytes of another process's memory from the address `start` on. See process_vm_readv(2).

    EPERM: ptrace(2) would not be allowed; EFAULT: nothing is mapped there; ESRCH.
    """
    buffer = ctypes.create_string_buffer(size)
    here, there = (struct.pack("@PN", place, size) for place in (ctypes.addressof(buffer), start))
    taken = _call("process_vm_readv", ctypes.c_int(pid), here, _ONE, there, _ONE, ctypes.c_ulong(0))
    return ctypes.string_at(buffer, taken)


def unshare(flags):
    """Leave a namespace for a new one of one's own: CLONE_NEWNET, CLONE_NEWIPC, and CLONE_NEWUSER, with which an
    ordinary user may have the others. See unshare(2), namespaces(7). (os.unshare is new in Python 3.12.)

    EPERM: not allowed, here or at all; ENOSPC: there are too many.
    """
    _call("unshare", ctypes.c_int(flags))


def mincore(memory, offset=0, length=None):
    """Which pages of an mmap are in memory, a bool a page: for a file, in the page cache. See mincore(2).

    `offset` and `length` in bytes; all pages that they touch. Of a file that one may neither write nor owns the
    kernel says that all are.
    """
    start, pages = _pages(memory, offset, length)
    found = (ctypes.c_ubyte * pages)()
    _call("mincore", ctypes.c_void_p(start), ctypes.c_size_t(pages * PAGESIZE), found)
    return tuple(bool(byte & 1) for byte in found)


def pagemap(memory, offset=0, length=None, pid=None):
    """The pages of an mmap, a Page each, in this process or, with `pid`, in another where it lies at the same
    address, such as a child. See proc_pid_pagemap(5).

    `offset` and `length` in bytes; all pages that they touch. EACCES: another's process may not be looked into.
    """
    start, pages = _pages(memory, offset, length)
    with open(f"/proc/{pid or 'self'}/pagemap", "rb", buffering=0) as file:
        data = os.pread(file.fileno(), pages * 8, start // PAGESIZE * 8)
    return tuple(_page(entry) for entry, in struct.iter_unpack("=Q", data))


def _page(entry):
    present, frame = bool(entry >> 63), entry & (1 << 55) - 1
    return Page(present, bool(entry >> 62 & 1), bool(entry >> 61 & 1), bool(entry >> 56 & 1),
                frame or None if present else None)


def _pages(memory, offset, length):
    """(address of the first page, number of pages) of a part of a buffer."""
    with _buffer(memory) as (start, size):
        length = size - offset if length is None else length
        if offset < 0 or length <= 0 or offset + length > size:
            raise ValueError(f"{length} bytes from {offset} on are not within the {size} bytes of the memory")
    first = (start + offset) // PAGESIZE
    return first * PAGESIZE, -(-(start + offset + length) // PAGESIZE) - first


@contextmanager
def _buffer(memory):
    """(address, size in bytes) of what has Python's buffer interface, which may be read-only."""
    view = (ctypes.c_byte * 128)()  # a Py_buffer, 80 bytes: buf, obj, len, …
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(memory), view, 0)  # raises where there is none
    try:
        start, _owner, size = struct.unpack_from("@PPn", view)
        yield start, size
    finally:
        ctypes.pythonapi.PyBuffer_Release(view)


def _call(function, *args):
    """The C function's result; OSError with its errno where that is negative."""
    ctypes.set_errno(0)
    result = getattr(_libc, function)(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
