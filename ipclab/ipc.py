"""The kernel's tables of locks and of System V and POSIX objects, as plain data."""
import ctypes
import os
import stat

from . import opened, proc

_SEMAPHORE = 32  # bytes of a named semaphore's file: sem_t of glibc (sem_overview(7))
GETPID, GETVAL, GETNCNT, GETZCNT = 11, 12, 14, 15  # semctl(2)


def locks():
    """The locks on files that are held or waited for, a list of dicts, in the kernel's order.

    "kind": "FLOCK" (flock(2)), "POSIX" (fcntl(2), a process's), "OFDLCK" (an open file description's), "LEASE" …;
    "mode": "READ" or "WRITE"; "pid", None for an OFD lock, which is no one process's; "device" as (major, minor) and
    "inode" of the file; "start" and "end", the first and last byte, "end" None for up to the end of the file;
    "waits": whether it is waited for, and "number": a lock that waits has the number of the one that it waits behind.
    proc_locks(5); everyone may read it. Processes of another pid namespace are not told.
    """
    try:
        return [proc.lock(line) for line in proc.read("/proc/locks").splitlines() if "<none>" not in line]
    except OSError:
        return []


def message_queues():
    """{"System V": [...], "POSIX": [...]}: the message queues that there are.

    System V: "id", "key", "permissions" (bits), "uid", "queued" (messages), "bytes", "last_sender", "last_receiver"
    (pids, None before the first). POSIX: "name", "permissions", "uid", "inode", "queued", "most", "message_size" (in
    bytes), "bytes", "notify" (the pid that mq_notify(3) registered, or None); without read permission the first four.
    "POSIX" is None where no mqueue file system is mounted: then nobody can list them, root neither (mq_overview(7)).
    proc_sysvipc(5): everyone may read it; one sees the queues of one's own IPC namespace.
    """
    found = [{"id": row["msqid"], "key": row["key"], "permissions": int(row["perms"], 8), "uid": row["uid"],
              "queued": row["qnum"], "bytes": row["cbytes"], "last_sender": row["lspid"] or None,
              "last_receiver": row["lrpid"] or None} for row in _rows("msg")]
    place = queues_mounted()
    return {"System V": found, "POSIX": place and [one for name in _names(place) if (one := _queue(place, name))]}


def queues_mounted():
    """Where an mqueue file system is mounted, None where none is."""
    return next((point for point, kind in mounts() if kind == "mqueue"), None)


def mounts():
    """[(mount point, type)] of all file systems (proc_pid_mountinfo(5))."""
    try:
        lines = [line.partition(" - ") for line in proc.read("/proc/self/mountinfo").splitlines()]
        return [(before.split()[4].replace("\\040", " "), after.split()[0]) for before, _dash, after in lines]
    except (OSError, IndexError):
        return []


def _names(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _queue(folder, name):
    """A POSIX queue. A process that closes any descriptor of a queue loses its own mq_notify(3): one that this process
    has open is asked through that."""
    try:
        there = os.stat(path := f"{folder}/{name}")
    except OSError:
        return None
    found = {"name": "/" + name, "permissions": stat.S_IMODE(there.st_mode), "uid": there.st_uid, "inode": there.st_ino}
    mine = [fd for fd, key in opened.inodes(os.getpid()) if key == (there.st_dev, there.st_ino)]
    if mine:
        return found | opened.ask_queue(mine[0])
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return found
    try:
        return found | opened.ask_queue(fd)
    finally:
        os.close(fd)


def shared_memory():
    """{"System V": [...], "POSIX": [...]}: the shared memory that there is, sizes in bytes.

    System V: "id", "key", "permissions", "uid", "size", "attached" (how often), "creator" and "last" (pids),
    "resident", "swapped", "removed" (it goes with the last detach). POSIX: "name", "permissions", "uid", "inode",
    "size", "allocated". proc_sysvipc(5), and the files of /dev/shm (shm_overview(7)); everyone may read both.
    """
    found = [{"id": row["shmid"], "key": row["key"], "permissions": int(row["perms"], 8) & 0o777, "uid": row["uid"],
              "size": row["size"], "attached": row["nattch"], "creator": row["cpid"], "last": row["lpid"] or None,
              "resident": row["rss"], "swapped": row["swap"], "removed": bool(int(row["perms"], 8) & 0o1000)}
             for row in _rows("shm")]
    posix = [{**_file(name, there), "size": there.st_size, "allocated": there.st_blocks * 512}
             for name, there in _shm() if not name.startswith("sem.")]
    return {"System V": found, "POSIX": posix}


def semaphores():
    """{"System V": [...], "POSIX": [...]}: the semaphores that there are.

    System V sets: "id", "key", "permissions", "uid", and "semaphores": a list of {"value", "waiting" (for it to grow),
    "waiting_for_zero", "last" (the pid of the last that changed it, or None)}, or None without read permission
    (semctl(2)). POSIX, named: "name", "permissions", "uid", "inode", "value", "waiting"; the last two None without read
    permission. They are read from the file in /dev/shm as glibc lays it out; unnamed ones are part of some memory.
    """
    found = [{"id": row["semid"], "key": row["key"], "permissions": int(row["perms"], 8), "uid": row["uid"],
              "semaphores": _set(row["semid"], row["nsems"])} for row in _rows("sem")]
    posix = [{**_file(name[4:], there), **_named(name)} for name, there in _shm() if name.startswith("sem.")]
    return {"System V": found, "POSIX": posix}


def _rows(kind):
    """The rows of a table of /proc/sysvipc as dicts; all but the permissions, which are octal, are numbers."""
    try:
        head, *lines = proc.read(f"/proc/sysvipc/{kind}").splitlines()
    except OSError:
        return []
    names = head.split()
    rows = (dict(zip(names, line.split(), strict=False)) for line in lines)
    return [{name: text if name == "perms" else int(text) for name, text in row.items()} for row in rows]


def _set(identity, count):
    """The semaphores of a System V set, None where they may not be read."""
    semctl = ctypes.CDLL(None).semctl
    found = [[semctl(identity, number, command) for command in (GETVAL, GETNCNT, GETZCNT, GETPID)]
             for number in range(count)]
    if any(-1 in row for row in found):
        return None
    return [{"value": value, "waiting": more, "waiting_for_zero": zero, "last": last or None}
            for value, more, zero, last in found]


def _shm():
    """(name, its stat) of the files of /dev/shm."""
    for name in _names("/dev/shm"):
        try:
            there = os.stat(f"/dev/shm/{name}", follow_symlinks=False)
        except OSError:
            continue  # unlinked meanwhile
        if stat.S_ISREG(there.st_mode):
            yield name, there


def _file(name, there):
    return {"name": "/" + name, "permissions": stat.S_IMODE(there.st_mode), "uid": there.st_uid, "inode": there.st_ino}


def _named(name):
    """Value and waiters of a named semaphore: the low and the high half of its first eight bytes."""
    try:
        with open(f"/dev/shm/{name}", "rb", buffering=0) as file:
            data = file.read(_SEMAPHORE)
    except OSError:
        data = b""
    if len(data) != _SEMAPHORE:
        return {"value": None, "waiting": None}
    return {"value": int.from_bytes(data[:4], "little"), "waiting": int.from_bytes(data[4:8], "little")}
