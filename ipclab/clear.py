"""Clearing away what a run leaves: its processes and its folder here, objects by name or id in remove.py."""
import os
import shutil
import signal
import stat
import time

from . import family, kernel, log, remove

WALL = 0x40000000  # wait for children of any kind (wait4(2))
PATIENCE = 1.0  # seconds in which none of those that were killed goes
MOST_TOLD = 100  # files that are named


def family_of(root, reap, spare=(), group=None):
    """End all that descends from `root`, a subreaper, whose `reap()` takes the statuses: the pids that would not go.

    First whole process groups, by one system call each, that a fork cannot slip through; then all are stopped, until
    no new one appears: what forks without end would else outrun the killing. `spare` are descendants to be left
    alone, with all that is under them. `group` is the process group in which most of them are, if it is known to be
    theirs still.
    """
    if group:
        _signal([-group], signal.SIGKILL)
    _kill_groups(family.descendants(root, spare))
    _stop_all(root, spare)
    begun = since = time.monotonic()
    fewest = None
    while True:
        left = family.descendants(root, spare)
        alive = [pid for pid in left if family.state(pid) not in ("Z", None)]
        _signal(alive, signal.SIGKILL)
        if reap() or not left:
            return []
        now = time.monotonic()
        if fewest is None or len(left) < fewest:
            fewest, since = len(left), now  # of thousands not all can go at once
        if now > since + PATIENCE or now > begun + 6 * PATIENCE:
            return alive
        time.sleep(0.001)


def _stop_all(root, spare):
    deadline, stopped = time.monotonic() + PATIENCE, set()
    while time.monotonic() < deadline:
        new = [pid for pid in family.descendants(root, spare) if pid not in stopped]
        if not new:
            return
        _signal(new, signal.SIGSTOP)
        stopped.update(new)


def _kill_groups(pids):
    """Kill the process groups in which these are. Their sessions began with the run's, so nobody else is in them but
    the supervisors, whose groups are left out."""
    groups = {_group(pid) for pid in pids} - {None, os.getpgrp(), 0}
    for group in groups:
        if group in pids or not os.path.exists(f"/proc/{group}"):  # else it is led by one that is to be spared
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:
                continue


def _group(pid):
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue  # it has ended, or is another user's, and is named as a survivor


def after_supervisor(pidfd, going, supervisors):
    """A supervisor has ended. If it was killed, its processes are the stage's children now: end them, clear away, and
    report in its stead."""
    os.close(pidfd)
    _pid, status = os.waitpid(going.pid, 0)
    if status != 0:
        ended = []
        survivors = family_of(os.getpid(), lambda: _reap(supervisors, ended), supervisors)
        leftovers = remove.objects(going.fds[1], going.folder, going.began, going.segments) + folder(going.folder)
        leftovers += [("process", str(pid), pid, False) for pid in survivors]
        log.put_report(going.fds[1], {
            "start": None, "end": time.monotonic_ns(), "ended": ended, "stuck": [], "timed_out": False,
            "leftovers": leftovers, "notes": [("supervisor", os.WTERMSIG(status))]})
    close(going.fds)  # now the kernel sees the end of the run's socket


def close(fds):
    """Close the descriptors."""
    for fd in fds:
        os.close(fd)


def _reap(spared, ended):
    """Take the status of every child of the stage that has ended, but for the spared; whether no other is left."""
    others = [pid for pid in family.children(os.getpid()) if pid not in spared]
    for pid in others:
        try:
            found, status = os.waitpid(pid, os.WNOHANG | WALL)
        except ChildProcessError:
            continue
        if found:
            ended.append((pid, status, time.monotonic_ns()))
    return not others


def everything(runs):
    """The kernel has gone: its supervisors see that too, and clear up; those that do not within 3 s are killed."""
    import select

    deadline = time.monotonic() + 3
    for pidfd, going in list(runs.items()):
        if not select.select([pidfd], [], [], max(0, deadline - time.monotonic()))[0]:
            _signal([going.pid], signal.SIGKILL)
        del runs[pidfd]
        after_supervisor(pidfd, going, [other.pid for other in runs.values()])


def folder(path):
    """Remove the run's folder; what was in it, as (kind, name, inode, removed)."""
    if os.geteuid() == 0 and kernel.mounted_under(path):
        return [("mounted file system", path, None, False)]  # what is in it is not the run's
    found = []
    for entry in _entries(path):
        if not entry.is_dir(follow_symlinks=False):
            found.append((_kind(entry.stat(follow_symlinks=False).st_mode), os.path.relpath(entry.path, path),
                          entry.inode(), True))
        if len(found) == MOST_TOLD:
            break
    _remove_tree(path)
    return found if not os.path.lexists(path) else [(*entry[:3], False) for entry in found]


def _entries(path):
    """All that is in the folder and below, folders made readable on the way; no recursion, however deep."""
    folders = [path]
    for folder in folders:
        try:
            os.chmod(folder, 0o700)
            with os.scandir(folder) as entries:
                inside = list(entries)
        except OSError:
            continue  # its path is too long, or it is another user's
        yield from inside
        folders += [entry.path for entry in inside if entry.is_dir(follow_symlinks=False)]


def _remove_tree(path):
    try:
        shutil.rmtree(path, ignore_errors=True)
    except RecursionError:
        pass
    if os.path.lexists(path):  # too deep for Python
        os.spawnvp(os.P_WAIT, "rm", ["rm", "-rf", path])


def _kind(mode):
    kinds = ((stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISLNK, "symbolic link"))
    return next((name for test, name in kinds if test(mode)), "file")
