"""Who descends from whom, as /proc tells (proc_pid_stat(5)): for limits, for refusing and for clearing away."""
import os


def parents():
    """{pid: parent's pid} of all processes one can see, zombies too."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[int(name)] = parent(int(name))
            except OSError:
                continue  # it ended meanwhile
    return found


def parent(pid):
    """The parent's pid. FileNotFoundError or ProcessLookupError where there is no such process."""
    return int(_stat(pid)[1])


def state(pid):
    """The state's letter: R running, S waiting, D waiting and not to be interrupted, T stopped, Z zombie, or None."""
    try:
        return _stat(pid)[0]
    except OSError:
        return None


def started(pid):
    """When it was started, in clock ticks since the machine was; None where there is no such process."""
    try:
        return int(_stat(pid, 20)[19])
    except OSError:
        return None


def _stat(pid, parts=3):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(fd, 1024).decode(errors="replace")
    finally:
        os.close(fd)
    return text[text.rindex(")") + 2:].split(" ", parts)  # the name before it may hold anything


def descendants(root, spare=()):
    """The pids of all that descend from `root`, nearest first; `spare` are left out, with all that is under them."""
    children_of = {}
    for pid, its_parent in parents().items():
        if pid not in spare:
            children_of.setdefault(its_parent, []).append(pid)
    found = list(children_of.get(root, ()))
    for pid in found:
        found += children_of.get(pid, ())
    return found


def children(pid):
    """The pids of a process's children, zombies too."""
    return [child for child, its_parent in parents().items() if its_parent == pid]


def is_descendant(pid, root):
    """Whether `pid` descends from `root`; None where there is no such process."""
    try:
        while pid > 1:
            pid = parent(pid)
            if pid == root:
                return True
    except ProcessLookupError:
        return None
    except FileNotFoundError:
        return None
    return False


def tasks():
    """How many threads the machine runs now (the fourth field of proc_loadavg(5)): one cheap read."""
    fd = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(fd, 128).split()[3].split(b"/")[1])
    finally:
        os.close(fd)
