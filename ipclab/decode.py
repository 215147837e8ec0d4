"""The system call that a thread sits in, with its arguments in words: descriptors, paths, times, locks, futexes.

The call and its six numbers are from proc_pid_syscall(5); what they point at is read from the process's memory. Both
need what ptrace(2) needs: one's own descendant, or root. Where memory cannot be read, the argument is in "unreadable".
"""
import os
import stat
import struct
import time

from . import futex, proc
from .flags import open_flags
from .futex import left
from .syscalls import named

_WORD = 1 << 64
_CLOCKS = ("CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID",
           "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE", "CLOCK_BOOTTIME")
_POLL = {1: "POLLIN", 2: "POLLPRI", 4: "POLLOUT", 8: "POLLERR", 16: "POLLHUP", 32: "POLLNVAL", 0x2000: "POLLRDHUP"}
_LOCK_COMMANDS = {5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 36: "F_OFD_GETLK", 37: "F_OFD_SETLK", 38: "F_OFD_SETLKW"}
_LOCK_TYPES = ("F_RDLCK", "F_WRLCK", "F_UNLCK")
_FLOCK = {1: "LOCK_SH", 2: "LOCK_EX", 8: "LOCK_UN"}
_WAIT = {1: "WNOHANG", 2: "WUNTRACED", 4: "WEXITED", 8: "WCONTINUED", 0x1000000: "WNOWAIT", 0x40000000: "__WALL"}
_IDTYPES = ("P_ALL", "P_PID", "P_PGID", "P_PIDFD")
_SEM_FLAGS = {0o4000: "IPC_NOWAIT", 0o10000: "SEM_UNDO"}


def call(pid, tid=None, fds=None):
    """{"call": name or None, "arguments": {name: value}}: see kernel.process. OSError as of open(2) where one may not
    know. `fds` are the process's descriptors, if they are known."""
    words = proc.read(f"{proc.task(pid, tid)}/syscall").split()
    if not words or words[0] in ("running", "-1"):
        return {"call": None, "arguments": {}}
    name, parameters = named(int(words[0]))
    if len(words) > 7 and int(words[7], 16) < 1 << 32:  # its stack: of 32 bits, with other numbers
        return {"call": f"system call {words[0]}", "arguments": {}}
    numbers = [int(word, 16) for word in words[1:7]]
    arguments, unreadable = {}, []
    for parameter, number in zip(parameters, numbers, strict=False):
        if parameter == "-":
            continue
        found = _ARGUMENTS.get(parameter, _number)(pid, parameter, number, numbers, fds or {})
        if found is None:
            unreadable.append(parameter)
        else:
            arguments |= found
    if "path" in arguments:
        arguments |= _fifo(pid, arguments)
    return {"call": name, "arguments": arguments | ({"unreadable": tuple(unreadable)} if unreadable else {})}


def _fifo(pid, arguments):
    """{"FIFO": (device, inode)} where the path that is being opened is that of a FIFO."""
    path, folder = arguments["path"], arguments.get("dirfd", "AT_FDCWD")
    start = "root" if path.startswith("/") else "cwd/" if folder == "AT_FDCWD" else f"fd/{folder}/"
    try:
        there = os.stat(f"/proc/{pid}/{start}{path}")
    except OSError:
        return {}
    return {"FIFO": ((os.major(there.st_dev), os.minor(there.st_dev)), there.st_ino)} if stat.S_ISFIFO(
        there.st_mode) else {}


def text(call, arguments):
    """The call as it would be written, with what its arguments mean: "read(3 → pipe:[5], size 100)"."""
    shown = [_shown(key, value, arguments) for key, value in arguments.items() if key not in _SILENT]
    return f"{call}({', '.join(word for word in shown if word)})"


_SILENT = ("object", "unreadable", "word", "mutex", "mapping", "private", "count", "value", "FIFO")
_BARE = ("in_fd", "id", "path", "command", "clock", "lock", "idtype", "dirfd")


def _shown(key, value, arguments):
    """One argument in words."""
    if key == "fd":
        return f"{value} → {arguments['object']}" if "object" in arguments else f"{value}"
    if key == "address":
        return f"{value:#x}"
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    if isinstance(value, list):
        return f"{key} {[one.get('fd', one.get('number')) for one in value]}"
    if value is None:
        return ""
    return f"{value}" if key in _BARE or key == "operation" else f"{key} {value:g}" if isinstance(value, float) else (
        f"{key} {value}")


def _signed(number):
    return (number & 0xFFFFFFFF) - (1 << 32 if number & 0x80000000 else 0)


def _flags(number, names):
    """The names of the bits that are set."""
    return tuple(name for bit, name in names.items() if number & bit)


def _number(_pid, name, number, _all, _fds):
    return {name: number - (_WORD if number >= _WORD // 2 else 0)}


def _int(_pid, name, number, _all, _fds):
    return {name: _signed(number)}


def _descriptor(_pid, name, number, _all, fds):
    fd = _signed(number)
    return {name: fd, **({"object": fds[fd]["object"]} if fd in fds and name == "fd" else {})}


def _folder(_pid, _name, number, _all, _fds):
    return {"dirfd": "AT_FDCWD" if _signed(number) == -100 else _signed(number)}


def _path(pid, _name, number, _all, _fds):
    found = proc.path(pid, number)
    return None if found is None else {"path": found}


def _open_flags(_pid, _name, number, _all, _fds):
    return {"flags": open_flags(number)}


def _milliseconds(_pid, _name, number, _all, _fds):
    return {"seconds": None if _signed(number) < 0 else _signed(number) / 1000}


def _timespec(pid, _name, number, _all, _fds, scale=1e9):
    if number == 0:
        return {"seconds": None}
    found = proc.values(pid, "@ll", number)
    return found and {"seconds": found[0] + found[1] / scale}


def _timeval(pid, name, number, everything, fds):
    return _timespec(pid, name, number, everything, fds, 1e6)


def _deadline(pid, _name, number, _all, _fds):
    if number == 0:
        return {"seconds": None}
    found = proc.values(pid, "@ll", number)
    return found and left(found, time.CLOCK_REALTIME)


def _clock(_pid, _name, number, _all, _fds):
    which = _signed(number)
    return {"clock": _CLOCKS[which] if 0 <= which < len(_CLOCKS) else str(which)}


def _sleep(pid, _name, _number, everything, _fds):
    """The flags of clock_nanosleep(2) say whether its time is one of the clock's (TIMER_ABSTIME)."""
    clock, flags = _signed(everything[0]), everything[1]
    if not flags & 1:
        return _timespec(pid, "", everything[2], everything, {})
    found = proc.values(pid, "@ll", everything[2])
    try:
        return found and left(found, clock)
    except OSError:
        return None  # a clock of another process


def _fds(pid, _name, number, everything, fds):
    found = proc.memory(pid, number, 8 * everything[1]) if everything[1] else b""
    if found is None:
        return None
    watched = struct.iter_unpack("@ihh", found)
    return {"fds": [_watched(fd, _flags(events, _POLL), fds) for fd, events, _seen in watched]}


def _watched(fd, events, fds):
    return {"fd": fd, "events": events, "object": fds[fd]["object"] if fd in fds else None}


def _set_of_fds(event):
    def decode(pid, _name, number, everything, fds):
        size = -(-_signed(everything[0]) // 64) * 8
        found = proc.memory(pid, number, size) if number and size else b""
        bits = int.from_bytes(found or b"", "little")
        return None if found is None else {event: [_watched(fd, (event,), fds) for fd in range(_signed(everything[0]))
                                                   if bits >> fd & 1]}

    return decode


def _signals(pid, _name, number, _all, _fds):
    found = proc.values(pid, "=Q", number)
    return found and {"signals": proc.signal_names(found[0])}


def _wait_flags(_pid, _name, number, _all, _fds):
    return {"options": _flags(number, _WAIT)}


def _idtype(_pid, _name, number, _all, _fds):
    return {"idtype": _IDTYPES[number] if number < len(_IDTYPES) else str(number)}


def _command(_pid, _name, number, _all, _fds):
    return {"command": _LOCK_COMMANDS.get(number, str(number))}


def _record_lock(pid, _name, number, everything, _fds):
    if everything[1] not in _LOCK_COMMANDS:
        return {}
    found = proc.values(pid, "@hhqqi", number)
    return found and {"lock": _LOCK_TYPES[found[0]] if 0 <= found[0] < 3 else str(found[0]), "start": found[2],
                      "length": found[3]}


def _whole_lock(_pid, _name, number, _all, _fds):
    return {"operation": (*_flags(number, _FLOCK), *_flags(number, {4: "LOCK_NB"}))}


def _operations(pid, _name, number, everything, _fds):
    data = proc.memory(pid, number, 6 * everything[2])
    return data and {"operations": [{"number": n, "change": change, "flags": _flags(flags, _SEM_FLAGS)}
                                    for n, change, flags in struct.iter_unpack("@Hhh", data)]}


_ARGUMENTS = {"fd": _descriptor, "in_fd": _descriptor, "dirfd": _folder, "path": _path, "openflags": _open_flags,
              "milliseconds": _milliseconds, "timespec": _timespec, "timeval": _timeval, "deadline": _deadline,
              "clock": _clock, "sleepflags": _sleep, "fds": _fds, "readers": _set_of_fds("read"),
              "writers": _set_of_fds("write"), "others": _set_of_fds("other"), "set": _signals,
              "waitflags": _wait_flags, "idtype": _idtype, "command": _command, "flock": _record_lock,
              "lock": _whole_lock, "sembufs": _operations, "word": futex.word, "operation": futex.operation,
              "timeout": futex.timeout, "pid": _int, "id": _int, "count": _int}
