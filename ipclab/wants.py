"""What a thread waits for, out of the call that it sits in: the object, who holds it, and who could end the wait."""
from dataclasses import dataclass, field

from .say import _

GETS = {"read", "readv", "pread64", "preadv", "recvfrom", "recvmsg", "recvmmsg", "accept", "accept4"}
PUTS = {"write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "sendmmsg"}
WATCHES = {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"}
SLEEPS = {"nanosleep", "clock_nanosleep"}
NAMELESS = ("/dev/zero (deleted)", "/memfd:")  # what shared memory without a name is in /proc/PID/maps
ON_ONE = GETS | PUTS | {"fcntl", "flock"}  # calls on one descriptor
SIGNALS = {"pause", "rt_sigsuspend", "rt_sigtimedwait"}


@dataclass(slots=True)
class Want:
    """One thing that a thread waits for; see Stuck for `kind`, `object`, `fd` and `filled`. `holders` are (pid, fd)
    pairs; `wakers` the pids that could end the wait, None for anyone. `perhaps`: it may have a time limit that the
    kernel does not tell (SO_RCVTIMEO)."""

    kind: str | None = None
    object: str | None = None
    fd: int | None = None
    holders: list = field(default_factory=list)
    wakers: set | None = None
    filled: tuple | None = None
    perhaps: bool = False


def wants(pid, thread, processes):
    """What a thread waits for, a list of Want; [] where it does not wait, or where it is not known for what."""
    call, arguments = thread["call"], thread["arguments"]
    if thread["state"] != "S" or call is None:
        return []
    if call in SLEEPS:
        return [Want("time")]
    if call in SIGNALS:
        return [Want("signal")]
    found = _dispatch(pid, call, arguments, processes)
    if "unreadable" in arguments or arguments.get("seconds") is not None or "seconds_left" in arguments:
        for want in found:
            want.wakers = None  # it ends by itself
    return found


def _dispatch(pid, call, arguments, processes):
    if call in GETS or call in PUTS:
        return [_descriptor(pid, arguments["fd"], "write" if call in GETS else "read", processes)]
    if call in WATCHES:
        return _several(pid, call, arguments, processes)
    if call in ("wait4", "waitid"):
        return [_children(pid, call, arguments, processes)]
    if call == "flock" or call == "fcntl" and "lock" in arguments:
        return [_lock(pid, arguments["fd"], processes)]
    if call == "futex":
        return [_futex(pid, arguments, processes)]
    if call in ("open", "openat") and "FIFO" in arguments:
        return [Want("opener", arguments["path"])]  # anyone who knows the name may open the other end
    if call in ("mq_timedsend", "mq_timedreceive"):
        return [_queue(pid, arguments, processes)]
    return [_system_v(call, arguments)] if call in ("msgsnd", "msgrcv", "semop", "semtimedop") else []


def _several(pid, call, arguments, processes):
    """The wants of a call that waits for several descriptors."""
    found = [_descriptor(pid, fd, needs, processes) for fd, needs in _watched(pid, call, arguments, processes)]
    if arguments.get("other") or call.startswith("epoll") and not _knows_its_watches(pid, arguments["fd"], processes):
        for want in found:
            want.wakers = None
    return found


def _watched(pid, call, arguments, processes):
    """[(fd, what somebody is to do with it)] of the descriptors that a call waits for."""
    if "poll" in call and "fds" in arguments:
        return [(one["fd"], "read" if "POLLOUT" in one["events"] else "write") for one in arguments["fds"]]
    if "select" in call:
        return [(one["fd"], needs) for event, needs in (("read", "write"), ("write", "read"))
                for one in arguments.get(event, ())]
    watches = _entry(pid, arguments["fd"], processes).get("watches", ())
    return [(one["fd"], "read" if one["events"] & 4 else "write") for one in watches]


def _knows_its_watches(pid, fd, processes):
    """Whether what an epoll watches is still what these numbers are of, and no other process may share it and add to
    it."""
    same = all(_entry(pid, one["fd"], processes).get("inode") == one["inode"]
               for one in _entry(pid, fd, processes).get("watches", ()))
    return same and {other for other, _fd in _holding(lambda one: one["kind"] == "epoll", processes)} == {pid}


def _entry(pid, fd, processes):
    """A process's descriptor, {} where it is not known."""
    return (processes[pid]["descriptors"] or {}).get(fd, {})


def _all_known(processes):
    """Whether the descriptors of all are known, and none is on its way in a message of a UNIX socket."""
    return all(one["descriptors"] is not None and not any(
        entry.get("family") == "AF_UNIX" and entry.get("receive_queue") != 0 for entry in one["descriptors"].values())
        for one in processes.values())


def _holding(test, processes):
    """[(pid, fd)] of the descriptors that pass the test."""
    return [(pid, fd) for pid, one in processes.items() for fd, entry in sorted((one["descriptors"] or {}).items())
            if test(entry)]


def _same(one, other):
    return (one["device"], one["inode"]) == (other["device"], other["inode"])


def _descriptor(pid, fd, needs, processes):
    """A wait for somebody to "write" to what a descriptor is of, or to "read" from it."""
    mine = _entry(pid, fd, processes)
    kind = mine.get("kind")
    if kind == "socket":
        return _socket(mine, fd, processes)
    if kind == "eventfd" and "id" in mine:
        holders = _holding(lambda one: one.get("kind") == kind and one["id"] == mine["id"], processes)
        return Want("event", mine["object"], fd, [], _pids(holders, processes))
    if kind not in ("pipe", "FIFO"):
        return Want(kind and "file", mine.get("object"), fd)
    needs = {"read": "write", "write": "read"}.get(mine["access"], needs)  # whatever else is asked of an end
    holders = _holding(lambda one: one["kind"] == kind and _same(one, mine) and needs in one["access"], processes)
    anyone = kind == "FIFO" or mine["access"] == "read and write"  # whoever knows its name may open it
    filled = (mine["queued"], mine["capacity"]) if mine.get("queued") is not None else None
    return Want(kind, mine["object"], fd, holders, None if anyone else _pids(holders, processes), filled)


def _pids(holders, processes):
    """The pids of the holders; None where there may be others."""
    return {pid for pid, _fd in holders} if _all_known(processes) else None


def _socket(mine, fd, processes):
    """The other end of a connected socket is known by its inode."""
    peer = mine.get("peer")
    label = _socket_label(mine)
    if not peer or mine.get("type") == "SOCK_DGRAM":
        return Want("socket" if peer else "file", label, fd)
    holders = _holding(lambda one: one["kind"] == "socket" and one["inode"] == peer, processes)
    filled = (mine["receive_queue"], None) if mine.get("receive_queue") is not None else None
    return Want("socket", label, fd, holders, _pids(holders, processes) if holders else None, filled, perhaps=True)


def _socket_label(mine):
    if mine.get("local"):
        return f"{mine['object']} {mine['local'][0]}:{mine['local'][1]}"
    return f"{mine['object']} {mine['path']}" if mine.get("path") else mine["object"]


def _children(pid, call, arguments, processes):
    """A wait for the end of one child, or of any; of which process group (0, below -1) is left out of account."""
    one = arguments.get("pid", -1) if call == "wait4" else arguments["id"] if arguments.get("idtype") == "P_PID" else -1
    children = {child for child, other in processes.items() if other["parent"] == pid and (one == child or one <= 0)}
    return Want("child", None, None, [(child, None) for child in sorted(children)], children or None)


def _lock(pid, fd, processes):
    """A wait for a lock on a file, of which holders are told by the descriptors through which they locked it."""
    mine = _entry(pid, fd, processes)
    if not mine:
        return Want()
    holders = _holding(lambda one: _same(one, mine) and one["locks"], processes)
    holders = [(owner, its) for owner, its in holders if (owner, its) != (pid, fd)] or holders
    owners = {lock["pid"] for one in processes.values() for lock in one["locks"]
              if lock["inode"] == mine["inode"] and not lock["waits"] and lock["pid"]}
    among = _holding(lambda one: _same(one, mine), processes)
    known = holders and owners <= processes.keys()
    return Want("lock", mine["object"], fd, holders, _pids(among, processes) if known else None)


def _futex(pid, arguments, processes):
    """A wait for a word of memory to change: for a mutex, where it is sure that it is one, of which the owner is
    known."""
    mapping, mutex = arguments.get("mapping") or {}, arguments.get("mutex")
    if not mapping:
        return Want()
    label, wakers = _("its memory at {address:#x}").format(address=arguments["address"]), {pid}
    if mapping["shared"]:
        label, nameless = place(mapping, arguments["address"]), _nameless(mapping)
        holders = _pids(_holding(lambda one: _same(one, mapping), processes), processes)
        sure = nameless and holders is not None  # whoever knows a name may map it
        wakers = holders.union(mapping["mapped_by"]) if sure else None
    return Want("mutex" if mutex else "futex", label, None, [(mutex["owner"], None)] if mutex else [], wakers)


def place(mapping, address):
    """Where an address lies in what is mapped there, in words: the same for all who map it."""
    file = _("shared memory:[{inode}]").format(inode=mapping["inode"]) if _nameless(mapping) else mapping["file"]
    return _("{memory}, byte {n}").format(n=address - mapping["start"] + mapping["offset"], memory=file)


def _nameless(mapping):
    return (mapping["file"] or "").startswith(NAMELESS)


def _queue(pid, arguments, processes):
    mine = _entry(pid, arguments["fd"], processes)
    filled = (mine["queued"], mine.get("most")) if mine.get("queued") is not None else None
    return Want("queue", mine.get("object"), arguments["fd"], [], None, filled)


def _system_v(call, arguments):
    """A System V object is anyone's who may use it."""
    of = arguments.get("of") or {}
    if call.startswith("msg"):
        return Want("queue", f"System V {arguments['id']}", None, [], None, (of["queued"], None) if of else None)
    return Want("semaphore", f"System V {arguments['id']}")
