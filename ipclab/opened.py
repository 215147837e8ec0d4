"""The descriptors of processes: what each is, how it was opened, what is in it, and who else has the same object.

All is told by /proc/PID/fd as links, by stat(2) through them and by /proc/PID/fdinfo: no object is opened, or a second
opener of a pipe would hold back its end of file. The one exception, `look_into`, says why it changes nothing.
"""
import ctypes
import os
import platform
import re
import stat
import struct
from mmap import PAGESIZE

from . import family, proc

ACCESS = {os.O_RDONLY: "read", os.O_WRONLY: "write", os.O_RDWR: "read and write"}
FLAGS = ("O_APPEND", "O_NONBLOCK", "O_DIRECT", "O_DSYNC", "O_ASYNC", "O_NOATIME", "O_PATH")
_KINDS = ((stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISDIR, "directory"),
          (stat.S_ISCHR, "character device"), (stat.S_ISBLK, "block device"), (stat.S_ISREG, "file"))
ASKED = ("pipe", "FIFO", "message queue")  # what can be asked how much is in it
_QUEUE_SIZE = 80  # what stat(2) says of every POSIX message queue (FILENT_SIZE of the kernel's ipc/mqueue.c)
FIONREAD, F_GETPIPE_SZ = 0x541B, 1032  # ioctl_tty(2), fcntl(2)
_PIDFD_GETFD, _KCMP = 438, {"aarch64": 272}.get(platform.machine(), 312)
_libc = ctypes.PyDLL(None, use_errno=True)  # it keeps the interpreter's lock: no other thread runs in between


def table(pid):
    """{fd: entry} of a process; PermissionError where it may not be looked into, and empty where it has gone."""
    found = {}
    try:
        numbers = sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
    except (FileNotFoundError, ProcessLookupError):
        return found
    for fd in numbers:
        if one := entry(pid, fd):
            found[fd] = one
    return found


def entry(pid, fd):
    """What one descriptor is: see kernel.descriptors; None where it was closed meanwhile."""
    path = f"/proc/{pid}/fd/{fd}"
    try:
        target, there = os.readlink(path), os.stat(path)
        info = proc.read(f"/proc/{pid}/fdinfo/{fd}").splitlines()
    except OSError:
        return None
    keys = dict(line.split(":", 1) for line in info if ":" in line)
    flags = int(keys["flags"], 8)
    kind = _kind(target, there)
    found = {"object": target, "kind": kind, "access": ACCESS.get(flags & 3, "none"), "offset": int(keys["pos"]),
             "flags": tuple(name for name in FLAGS if flags & getattr(os, name) == getattr(os, name)),
             "close_on_exec": bool(flags & os.O_CLOEXEC), "inode": there.st_ino,
             "device": (os.major(there.st_dev), os.minor(there.st_dev)), "locks": _locks(info), "queued": None}
    if decode := _DECODE.get(kind):
        try:
            found |= decode(keys, info)
        except (KeyError, ValueError):
            pass  # of a kernel that tells less
    return found


def _kind(target, there):
    if target.startswith("anon_inode:"):
        return {"eventpoll": "epoll", "inotify": "inotify"}.get(name := target[11:].strip("[]"), name)
    if target.startswith("pipe:"):
        return "pipe"
    if target.startswith("/memfd:"):
        return "memfd"
    if stat.S_ISREG(there.st_mode):
        if there.st_size == _QUEUE_SIZE and (target.startswith("/dev/mqueue/") or not _is_file(target, there)):
            return "message queue"
        return "shared memory" if target.startswith("/dev/shm/") else "file"
    if target.startswith("pidfd:"):
        return "pidfd"
    return next((name for test, name in _KINDS if test(there.st_mode)), "other")


def _is_file(target, there):
    """Whether the object is the file of that path, or has a path that no queue has: theirs are "/name"."""
    try:
        return target.count("/") > 1 or os.path.samestat(os.stat(target), there)
    except OSError:
        return False


def _locks(info):
    """The locks of a file that are held through this descriptor, as ipc.locks() tells them."""
    return [proc.lock(line.partition(":")[2]) for line in info if line.startswith("lock:")]


def _eventfd(keys, _info):
    found = {"count": int(keys["eventfd-count"], 16), "semaphore": keys.get("eventfd-semaphore", "0").strip() == "1"}
    return found | ({"id": int(keys["eventfd-id"])} if "eventfd-id" in keys else {})


def _signalfd(keys, _info):
    return {"signals": proc.signal_names(int(keys["sigmask"], 16))}


def _timerfd(keys, _info):
    first, every = (_seconds(keys[name]) for name in ("it_value", "it_interval"))
    return {"clock": int(keys["clockid"]), "expirations": int(keys["ticks"]), "left": first, "interval": every}


def _seconds(text):
    whole, part = map(int, re.findall(r"\d+", text))
    return whole + part / 1e9


def _epoll(_keys, info):
    lines = [line.replace(":", " ").split() for line in info if line.startswith("tfd:")]
    watches = (dict(zip(words[::2], words[1::2], strict=False)) for words in lines)
    found = [{"fd": int(one["tfd"]), "events": int(one["events"], 16), "inode": int(one["ino"], 16)} for one in watches]
    return {"watches": sorted(found, key=lambda one: one["fd"])}


def _inotify(_keys, info):
    watches = [dict(word.split(":") for word in line.split()[1:5]) for line in info if line.startswith("inotify ")]
    return {"watches": [{"watch": int(one["wd"], 16), "inode": int(one["ino"], 16), "events": int(one["mask"], 16)}
                        for one in watches]}


def _pidfd(keys, _info):
    return {"pid": int(keys["Pid"])}


_DECODE = {"eventfd": _eventfd, "signalfd": _signalfd, "timerfd": _timerfd, "epoll": _epoll, "inotify": _inotify,
           "pidfd": _pidfd}


def identity(one):
    """What two descriptors of one object have in common; None for anonymous inodes, of which only kcmp(2) tells one
    from the other, and for devices: through /dev/null nothing goes from one process to another."""
    if one["object"].startswith("anon_inode:"):
        return ("eventfd", one["id"]) if "id" in one else None
    return None if one["kind"] == "character device" else (one["device"], one["inode"])


def join(tables):
    """Give each entry of {pid: {fd: entry}} its "others": [{"pid", "fd", "access"}] with the same object."""
    same = {}
    for pid, entries in tables.items():
        for fd, one in entries.items():
            if key := identity(one):
                same.setdefault(key, []).append({"pid": pid, "fd": fd, "access": one["access"]})
    for pid, entries in tables.items():
        for fd, one in entries.items():
            one["others"] = [other for other in same.get(identity(one), ()) if (other["pid"], other["fd"]) != (pid, fd)]


def find_others(pid, entries, among):
    """Give each of a process's entries its "others" among those pids, with whether they are the same open file
    description: shared by fork() or dup(), with one offset and one set of flags."""
    wanted = {}
    for fd, one in entries.items():
        one["others"] = []
        wanted.setdefault((os.makedev(*one["device"]), one["inode"]), []).append((fd, one))
    for other in among:
        for fd, key in inodes(other):
            for mine, one in wanted.get(key, ()):
                if (other, fd) != (pid, mine):
                    _add(one, pid, mine, other, fd)


def inodes(pid):
    """(fd, (device, inode)) of a process's descriptors; none where it may not be looked into."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for number in numbers:
        try:
            there = os.stat(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue  # closed meanwhile
        yield int(number), (there.st_dev, there.st_ino)


def _add(one, pid, fd, other, its):
    same = same_description(pid, fd, other, its)
    if identity(one) is None and not same:
        return  # anonymous inodes are one inode: a descriptor of another object of that kind
    if found := entry(other, its):
        if identity(found) == identity(one):
            one["others"].append({"pid": other, "fd": its, "access": found["access"], "same_description": same})


def same_description(pid, fd, other, its):
    """Whether two descriptors are of one open file description (kcmp(2), KCMP_FILE); None where one may not ask."""
    result = _libc.syscall(_KCMP, pid, other, 0, ctypes.c_ulong(fd), ctypes.c_ulong(its))
    return None if result < 0 else result == 0


def look_into(pid, fd, one, queues):
    """What waits in the object of an entry: {"queued": bytes, "capacity": bytes} for a pipe or FIFO; {"queued":
    messages, "most", "message_size", "bytes", "notify"} for a POSIX message queue; {} where that cannot be told.

    For one's own descriptor it is asked directly. Another's is asked through a duplicate (pidfd_getfd(2)), closed
    within microseconds: of a queue, and if `queues`, of the write end of a pipe of a process that waits. All that can
    come of it is that an end of file is seen later, where the last writer ends in just these microseconds. Nobody
    writes because of it, and no EPIPE or SIGPIPE is missed: they hang on read ends.
    """
    ask = ask_queue if one["kind"] == "message queue" else _ask_pipe
    ends = [(pid, fd, one["access"])] + [(end["pid"], end["fd"], end["access"]) for end in one["others"]]
    if own := [number for owner, number, _access in ends if owner == os.getpid()]:
        return ask(own[0])
    for owner, number, access in ends:
        if ask is ask_queue or queues and access == "write" and family.state(owner) in ("S", "T"):
            if found := _through_duplicate(owner, number, ask):
                return found
    return {}


def _through_duplicate(pid, fd, ask):
    found = []
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return {}
    try:
        found.extend(map(_libc.syscall, [_PIDFD_GETFD], [pidfd], [fd], [0]))  # one step: no handler runs amid it
        return ask(found[0]) if found[0] >= 0 else {}
    finally:
        if found and found[0] >= 0:
            _libc.close(found[0])
        os.close(pidfd)


def _ask_pipe(fd):
    size = ctypes.c_int()
    if _libc.ioctl(fd, FIONREAD, ctypes.byref(size)) < 0:
        return {}
    return {"queued": size.value, "capacity": _libc.fcntl(fd, F_GETPIPE_SZ, 0)}


def ask_queue(fd):
    """mq_getattr(3), and who is to be notified (mq_overview(7)), where the queue may be read."""
    data = ctypes.create_string_buffer(64)
    if _getattr(fd, data) < 0:
        return {}
    _flags, most, size, now = struct.unpack_from("@4l", data)
    text = ctypes.create_string_buffer(PAGESIZE)
    count = max(0, _libc.pread(fd, text, len(text) - 1, 0))
    keys = dict(word.split(":") for word in text.raw[:count].decode().split())
    return {"queued": now, "most": most, "message_size": size, "bytes": int(keys["QSIZE"]) if keys else None,
            "notify": int(keys["NOTIFY_PID"]) or None if keys else None}


def _getattr(fd, data):
    try:
        return _libc.mq_getattr(fd, data)
    except AttributeError:  # before glibc 2.34 it is in librt
        return ctypes.PyDLL("librt.so.1").mq_getattr(fd, data)
