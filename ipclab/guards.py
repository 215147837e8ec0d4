"""What stands between a taught program and the rest of the machine: limits, refusals, and notes of what it makes.

A creation is first tried with O_EXCL, which tells without a gap whether the object is the run's own; "making" is noted
before and "made" after, so that a kill in between loses nothing. The supervisor removes what is left of them.
"""
import errno
import fcntl
import os
from socket import AF_UNIX

from . import family, record

KILLS = {"os.kill", "os.killpg", "signal.pidfd_send_signal", "linux.sigqueue"}
FORKS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "_posixsubprocess.fork_exec"}
NODES = {"os.mkfifo": "FIFO", "os.mknod": "file"}

O_CREAT, O_EXCL = os.O_CREAT, os.O_EXCL
IPC_CREAT, IPC_EXCL = 0o1000, 0o2000  # <sys/ipc.h>
KINDS = {"posix_ipc.MessageQueue": "POSIX message queue", "posix_ipc.Semaphore": "POSIX semaphore",
         "posix_ipc.SharedMemory": "POSIX shared memory", "sysv_ipc.MessageQueue": "System V message queue",
         "sysv_ipc.Semaphore": "System V semaphore", "sysv_ipc.SharedMemory": "System V shared memory"}


def guarded(call, original):
    """The call with what it needs around it, or the original itself where it needs nothing."""
    if call in KILLS:
        return _refusing(call, original)
    if call in FORKS:
        return _bounded(original)
    if call in NODES:
        return _noting(NODES[call], original)
    return original


def _bounded(fork):
    def bounded(*args, **keywords):
        turn = _turn() if record.run and _many() else None
        try:
            if turn is not None and len(family.descendants(record.run.supervisor)) >= record.LIMIT:
                raise BlockingIOError(errno.EAGAIN, f"{os.strerror(errno.EAGAIN)} (ipclab: {record.LIMIT} processes "
                                                    "of this run are alive)")
            return fork(*args, **keywords)
        finally:
            if turn is not None:
                os.close(turn)  # in the child too

    return bounded


def _many():
    """Whether the machine runs so many more threads than when the run began that the run's are worth counting, which
    takes milliseconds."""
    try:
        now = family.tasks()
    except OSError as error:
        record.values.let_through(error)
        return False  # no descriptor free to look with: fork() will say so itself
    record.run.tasks = min(record.run.tasks, now)  # others may have ended meanwhile
    return now - record.run.tasks >= record.LIMIT // 2


def _turn():
    """Wait for a turn to count and fork: a lock on the run's folder (flock(2)), which goes with whoever is killed."""
    try:
        fd = os.open(record.run.folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        record.values.let_through(error)
        return None
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def _refusing(call, kill):
    def refusing(target, number=None, *rest):
        if record.run and number != 0:
            for pid in _targets(call, target):
                if not _ours(pid):
                    raise PermissionError(errno.EPERM, f"{os.strerror(errno.EPERM)} (ipclab: process {pid} is not of "
                                                       "this run)")
        return kill(target, *(() if number is None else (number,)), *rest)

    return refusing


def _targets(call, target):
    """The pids that a signal for `target` would reach, as kill(2) reads it."""
    if not isinstance(target, int):
        return []
    if call == "signal.pidfd_send_signal":
        return _of_pidfd(target)
    if call == "linux.sigqueue" or call == "os.kill" and target > 0:
        return [target]
    group = abs(target)
    if call == "os.kill" and target == -1:
        return [pid for pid in family.parents() if pid not in (1, os.getpid())]
    return [pid for pid in family.parents() if _group(pid) == (group or os.getpgrp())]


def _group(pid):
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _of_pidfd(fd):
    try:
        with open(f"/proc/self/fdinfo/{fd}") as file:
            return [int(line.split()[1]) for line in file if line.startswith("Pid:") and int(line.split()[1]) > 0]
    except OSError:
        return []


def _ours(pid):
    """Whether the process is of the run; one that does not exist is nobody's, and kill() will say so."""
    return pid == os.getpid() or family.is_descendant(pid, record.run.supervisor) is not False


def _noting(kind, make):
    def noting(path, *args, **keywords):
        if not record.run or not isinstance(path, (str, bytes)) or keywords.get("dir_fd") is not None:
            return make(path, *args, **keywords)
        text = _noted(kind, path)
        value = make(path, *args, **keywords)
        _made(kind, text)
        return value

    return noting


def _noted(kind, path):
    """Note that an object is about to be made at a path, unless something is there; the absolute path, None for one
    that cannot be."""
    try:
        text = os.path.abspath(os.fsdecode(path))
        if not os.path.lexists(text):
            record.note("making", kind, text)
        return text
    except (OSError, ValueError) as error:  # the working directory has gone; the call will say what is wrong
        record.values.let_through(error)
        return None


def _made(kind, text):
    try:
        record.note("made", kind, text, os.lstat(text).st_ino)
    except (OSError, TypeError, ValueError) as error:  # somebody has removed it already
        record.values.let_through(error)


def bound_to_path(bind):
    """socket.bind with a note of the file that it makes, where the address is a path (unix(7))."""

    def bind_noting(sock, *address):
        path = address[0] if len(address) == 1 and isinstance(address[0], (str, bytes)) else ""
        if not record.run or path[:1] in ("\0", b"\0", "", b"") or sock.family != AF_UNIX:
            return bind(sock, *address)
        text = _noted("socket", path)
        bind(sock, *address)
        _made("socket", text)

    return bind_noting


def making(call):
    """How an object of posix_ipc or sysv_ipc is made, noted; None for a class that makes no such object."""
    if call not in KINDS:
        return None
    create, exclusive = (O_CREAT, O_EXCL) if call.startswith("posix_ipc") else (IPC_CREAT, IPC_EXCL)

    def make(cls, *args, **keywords):
        flags = args[1] if len(args) > 1 else keywords.get("flags", 0)
        first = args[0] if args else keywords.get("name", keywords.get("key"))
        creates = record.run and isinstance(flags, int) and flags & create
        if not creates or first is None and not flags & exclusive:
            return type.__call__(cls, *args, **keywords)
        alone = (first, flags | exclusive, *args[2:]) if len(args) > 1 else args
        try:
            return _made_anew(KINDS[call], first, cls, alone,
                              keywords if len(args) > 1 else keywords | {"flags": flags | exclusive})
        except Exception as error:
            if flags & exclusive or type(error).__name__ != "ExistentialError":
                raise
        return type.__call__(cls, *args, **keywords)  # it exists: somebody else's, or the run's from before

    return make


def _made_anew(kind, first, cls, args, keywords):
    label = record.values.plain(first)
    if first is not None:
        record.note("making", kind, label)
    try:
        made = type.__call__(cls, *args, **keywords)
    except Exception:
        if first is not None:
            record.note("unmade", kind, label)
        raise
    record.note("made", kind, record.values.plain(_label(made)) if first is None else label, _inode(made))
    return made


def _label(made):
    return getattr(made, "name", None) or made.id


def _inode(made):
    """What tells the object from a later one of the same name: its inode, or its System V identifier."""
    if hasattr(made, "id"):
        return made.id
    try:
        fd = made.fileno() if hasattr(made, "fileno") else None
        return os.fstat(fd).st_ino if fd is not None else os.stat(f"/dev/shm/sem.{made.name.lstrip('/')}").st_ino
    except OSError:
        return None
