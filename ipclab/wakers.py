"""Who waits for what, and who could wake whom: from what the kernel says of all processes of a run at one moment.

Nothing is guessed: a wait of which it is not known who can end it (a timer, a name that anyone may open, a process that
may not be looked into) is one that anyone can end, and so are those of who waits for it. Left out of account are
debuggers' back doors: ptrace(2), and opening again what is in /proc/PID/fd.
"""
from .waiting import Stuck
from .wants import ON_ONE, Want, wants


def stucks(processes, names, whole, calls=None):
    """{pid: Stuck} of processes, as moment.snapshot() gives them, zombies left out.

    `names` are those of pids; `whole` says whether these are all processes of the run; `calls` are (text, what it was
    given to act on) of the calls that they wait in, where they are known better than by the kernel.
    """
    living = {pid: one for pid, one in processes.items() if one["state"] not in "ZX"}
    found = {pid: {thread["tid"]: wants(pid, thread, living) for thread in one["threads"]}
             for pid, one in living.items()}
    sure, likely = ((_for_good(living, found, perhaps) if whole else {}) for perhaps in (False, True))
    ways = {pid: _awaited(found[pid]) for pid in likely}
    return {pid: _stuck(living[pid], found[pid], names, pid in sure, _circle(pid, ways), (calls or {}).get(pid))
            for pid in living}


def _awaited(wanted):
    """The pids of those that a process waits for: who holds what it wants, else all who could end the wait."""
    return {pid for things in wanted.values() for want in things
            for pid in (dict(want.holders) if want.kind in ("lock", "mutex") and want.holders else want.wakers)}


def _stuck(process, wanted, names, for_good, circle, call):
    """The Stuck of a process: of what its first thread waits for first, the rest under `also`."""
    every = []
    for thread in process["threads"]:
        first = thread["tid"] == process["pid"]
        text, given = call if call and first else (thread["call"] and f"{thread['call']}()", None)
        things = wanted[thread["tid"]]
        if given and thread["call"] in ON_ONE and [want for want in things if want.fd not in given]:
            things = []  # the call waits in the kernel for something that it was not given
        for want in things or [Want()]:
            holders = [(names.get(pid, str(pid)), fd) for pid, fd in want.holders]
            every.append(Stuck(thread["state"], text, want.fd, _near(want.object, process["cwd"]), holders, want.kind,
                               want.filled))
    one, *also = every
    one.state, one.for_good, one.circle = process["state"], for_good, [names.get(pid, str(pid)) for pid in circle]
    one.also = [other for other in also if other.kind is not None]
    return one


def _near(object, folder):
    """The object, a path in the process's own folder without that."""
    return object.removeprefix(folder.rstrip("/") + "/") if object and folder else object


def _for_good(processes, wanted, perhaps):
    """{pid: pids that could wake it} of the processes that no process can wake: all threads of each wait, and who
    could end one of these waits is such a process too. `perhaps`: take no account of time limits that are not told."""
    left = {}
    for pid, one in processes.items():
        waits = [want for things in wanted[pid].values() for want in things]
        closed = one.get("steady") and all(wanted[pid].values()) and all(
            want.wakers is not None and (perhaps or not want.perhaps) for want in waits)
        if closed:
            left[pid] = set().union(*(want.wakers for want in waits))
    while gone := [pid for pid, wakers in left.items() if not wakers <= left.keys()]:
        for pid in gone:
            del left[pid]
    return left


def _circle(pid, awaited):
    """The shortest way from a process over those that it waits for back to itself, [] where there is none: the process
    alone where it waits for nobody else."""
    if awaited.get(pid) == {pid}:
        return [pid]
    ways = [[pid]] if pid in awaited else []
    seen = set()
    for way in ways:
        for waker in sorted(awaited[way[-1]] & awaited.keys() - {way[-1]}):
            if waker == pid:
                return way
            if waker not in seen:
                seen.add(waker)
                ways.append([*way, waker])
    return []
