"""What the kernel says of a process now: plain data out of /proc, sizes in bytes, times in seconds.

It does not change what it looks at: no object of a process is opened (opened.py tells of the one duplicate that may be
asked for). For one's own processes no privilege is needed, but the right to trace them (ptrace(2)), which a notebook
has over its runs: it is their ancestor. What one may not know is None, and named under "denied". From an experiment the
calls are recorded as "kernel.process", "kernel.region" and so on.
"""
import os
import resource

from . import decode, ipc, linux, nets, opened, proc
from .ipc import locks, message_queues, semaphores, shared_memory
from .nets import sockets

__all__ = ["process", "threads", "descriptors", "signals", "faults", "region", "regions", "locks", "message_queues",
           "shared_memory", "semaphores", "sockets", "in_memory"]


def process(pid=None, among=None, queues=False):
    """All that is known of a process (None: the caller), {} where it has gone.

    "pid", "parent", "name", "uid" (effective), "cwd"; "state", a letter: R running, S waiting, D waiting and not to be
    disturbed, T stopped, Z ended and not waited for (proc_pid_stat(5)); "call", the system call that it sits in, or
    None; "arguments", a dict of that call's, decoded; "text", both as one would write them (proc_pid_syscall(5));
    "threads", see threads(), the first of which the four before are of; "descriptors", see descriptors(), also for
    `among` and `queues`; "faults"; "signals"; "locks" that it holds or waits for, see locks(); "memory": what is
    "resident" in all, and of that "anonymous", "file" and "shared" memory (proc_pid_status(5)); "denied": names of what
    may not be known: "call" and "descriptors" need the right to trace the process, another user's that of root.
    """
    pid = os.getpid() if pid is None else pid
    found = whole(pid, locks())
    if found and found["descriptors"]:
        opened.find_others(pid, found["descriptors"], proc.pids() if among is None else among)
        fill({pid: found["descriptors"]}, queues)
    return found


def whole(pid, held):
    """A process but for what its descriptors' objects hold and who else has them; {} where it has gone."""
    found = _outside(pid)
    if not found or found["state"] == "Z":
        return found
    denied = []
    try:
        found["descriptors"] = opened.table(pid)
    except PermissionError:
        found["descriptors"] = None
        denied.append("descriptors")
    found["threads"] = threads(pid, found["descriptors"])
    if not found["threads"]:
        return {}
    first = found["threads"][0]
    found |= {key: first[key] for key in ("call", "arguments", "text")}
    own = {lock["inode"] for one in (found["descriptors"] or {}).values() for lock in one["locks"]}
    found["locks"] = [lock for lock in held if lock["pid"] == pid or lock["pid"] is None and lock["inode"] in own]
    return found | {"denied": (*denied, *(("call",) if first["denied"] else ()))}


def _outside(pid):
    """What everyone may know of a process; {} where it has gone."""
    try:
        stat, status = proc.stat(pid), proc.status(pid)
    except (FileNotFoundError, ProcessLookupError):
        return {}
    sizes = {"resident": "VmRSS", "anonymous": "RssAnon", "file": "RssFile", "shared": "RssShmem"}
    return {"pid": pid, "parent": stat["parent"], "name": stat["name"], "uid": int(status["Uid"].split()[1]),
            "cwd": proc.folder(pid), "state": stat["state"], "call": None, "arguments": {}, "text": None,
            "threads": [], "descriptors": {}, "faults": stat["faults"], "signals": proc.signal_sets(status),
            "memory": {name: proc.kilobytes(status[key]) for name, key in sizes.items() if key in status},
            "locks": [], "denied": ()}


def threads(pid=None, fds=None):
    """The threads of a process (None: the caller), a list of dicts, the first thread first; empty where it has gone.

    "tid", "name", "state"; "call", "arguments" and "text" as of process(); "pending" and "blocked": names of signals;
    "switches": how often it gave the processor up by itself, and how often that was taken; "denied": whether the call
    may not be known. proc_pid_task(5), proc_pid_status(5). `fds`: the process's descriptors, if they are known.
    """
    pid = os.getpid() if pid is None else pid
    if fds is None:
        try:
            fds = opened.table(pid)
        except PermissionError:
            fds = {}
    return [one for tid in proc.tids(pid) if (one := _thread(pid, tid, fds))]


def _thread(pid, tid, fds):
    """One thread, None where it has gone."""
    try:
        stat, status = proc.stat(pid, tid), proc.status(pid, tid)
        try:
            call, denied = decode.call(pid, tid, fds), False
        except PermissionError:
            call, denied = {"call": None, "arguments": {}}, True
    except OSError:
        return None
    if stat["state"] == "R":  # the caller itself, or one that was woken meanwhile
        call = {"call": None, "arguments": {}}
    text = call["call"] and decode.text(call["call"], call["arguments"])
    return {"tid": tid, "name": stat["name"], "state": stat["state"], **call, "text": text,
            "switches": proc.switches(status),
            "pending": proc.signal_names(int(status.get("SigPnd", "0"), 16)),
            "blocked": proc.signal_names(int(status.get("SigBlk", "0"), 16)), "denied": denied}


def descriptors(pid=None, among=None, queues=False):
    """The descriptors of a process (None: the caller), {number: dict}; empty where it has gone. PermissionError where
    one may not trace it.

    "object": what proc_pid_fd(5) says it is, "pipe:[5]" or a path; "kind": "pipe", "FIFO", "socket", "file",
    "directory", "character device", "memfd", "shared memory", "message queue", "eventfd", "epoll", "signalfd",
    "timerfd", "inotify", "pidfd" …; "access": "read", "write", "read and write" or "none"; "flags", names such as
    "O_NONBLOCK"; "close_on_exec"; "offset" in bytes; "device", "inode"; "locks" of the file held through it, as
    locks() tells them; and by kind: eventfd "count" and "semaphore"; signalfd "signals"; timerfd "clock", "left",
    "interval" (s) and "expirations"; epoll and inotify "watches"; pidfd "pid"; socket: see sockets().

    "others": who else has the object, [{"pid", "fd", "access", "same_description"}], among the pids `among` (None: all
    that one may trace, () none), with other descriptors of the process itself. "same_description": whether offset and
    flags are shared, as after fork() (kcmp(2)), None where one may not ask.

    "queued": bytes that wait in a pipe (FIONREAD), of "capacity" bytes, or messages in a POSIX queue; None where that
    is not known: of another process's pipe it needs `queues`, which makes a duplicate for microseconds: see
    opened.look_into. proc_pid_fdinfo(5).
    """
    pid = os.getpid() if pid is None else pid
    found = opened.table(pid)
    opened.find_others(pid, found, proc.pids() if among is None else among)
    fill({pid: found}, queues)
    return found


def fill(tables, queues):
    """Give the entries of {pid: {fd: entry}} what is in their pipes, queues and sockets."""
    known, asked = {}, {}
    for pid, entries in tables.items():
        for fd, one in entries.items():
            if one["kind"] == "socket":
                where = nets.namespace(pid)
                if where not in known:
                    known[where] = sockets(pid)
                one |= known[where].get(one["inode"], {})
            elif one["kind"] in opened.ASKED:
                key = opened.identity(one)
                if key not in asked:
                    asked[key] = opened.look_into(pid, fd, one, queues)
                one |= asked[key]


def signals(pid=None):
    """The signals of a process (None: the caller), as tuples of names, "SIGUSR1" or "SIGRTMIN+2".

    "pending" for its first thread, and "process_pending" for the process: sent, blocked, and not yet taken; "blocked"
    by the first thread; "ignored"; "caught" by a handler; "queued": how many signals wait in the queue of its user, in
    all the user's processes, and "queue_limit", how many may, None for any number (RLIMIT_SIGPENDING). Signals of the
    C library's own are "SIG32", "SIG33". proc_pid_status(5), signal(7); everyone may read it. FileNotFoundError where
    there is no such process.
    """
    return proc.signal_sets(proc.status(os.getpid() if pid is None else pid))


def faults(pid=None):
    """(minor, major): page faults of a process so far (None: the caller), all threads: without and with reading from a
    disk. proc_pid_stat(5), getrusage(2); everyone may read it. FileNotFoundError where there is no such process."""
    if pid is None or pid == os.getpid():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_minflt, usage.ru_majflt
    return proc.stat(pid)["faults"]


def region(memory, pid=None):
    """The region in which a piece of memory lies: an mmap or another buffer of this process, or an address.

    With `pid` the region of another process at the same address, such as a child forked since. The kernel joins
    neighbouring regions that are alike: the region may be larger than the memory. Fields and errors as of regions();
    ValueError where nothing is mapped there.
    """
    address = memory if isinstance(memory, int) else linux.address(memory)
    if found := proc.lying_at(regions(pid), address):
        return found
    raise ValueError(f"nothing is mapped at {address:#x}")


def regions(pid=None):
    """The mapped regions of a process's memory (None: the caller), a list of dicts in order of address.

    "start", "end" (addresses), "size"; "permissions" as "rw-s"; "shared": MAP_SHARED or not; "file": path, "[stack]" or
    None, "offset" in it, "device", "inode"; "resident": in memory, of that "shared_clean", "shared_dirty" (mapped by
    other processes too), "private_clean", "private_dirty" (by this one alone); "proportional": resident, each page
    divided by how many map it; "referenced", "anonymous" (of no file), "swapped", "locked"; "page_size"; "flags"
    (VmFlags). proc_pid_smaps(5). PermissionError where one may not trace the process, FileNotFoundError where there is
    none.
    """
    return proc.smaps(os.getpid() if pid is None else pid)


def in_memory(path):
    """Whether the path is on a file system without a disk (tmpfs, ramfs), as proc_pid_mountinfo(5) tells."""
    path, best = os.path.realpath(path), ("", "")
    for point, kind in ipc.mounts():
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
            best = point, kind
    return best[1] in ("tmpfs", "ramfs")


def mounted_under(path):
    """Whether a file system is mounted at the path or below."""
    return any((point + "/").startswith(path + "/") for point, _kind in ipc.mounts())
