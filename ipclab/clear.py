"""Clearing away what a run leaves: processes, objects by name or id, and its folder. Only what is the run's own."""
import os
import shutil
import signal
import stat
import time

from . import family, log

try:
    import posix_ipc
    import sysv_ipc
except ImportError:
    posix_ipc = sysv_ipc = None


def family_of(root, group, reap, seconds=1.0):
    """End all that descends from `root`, a subreaper, whose `reap()` takes the statuses: the pids that would not go.

    First the process group in which most of them are, by one system call; then all others are stopped, until no new
    one appears: what forks without end would else outrun the killing.
    """
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass  # the group is empty
    deadline = time.monotonic() + seconds
    stopped = set()
    while time.monotonic() < deadline:
        new = [pid for pid in family.descendants(root) if pid not in stopped]
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        stopped.update(new)
    while True:
        alive = [pid for pid in family.descendants(root) if family.state(pid) not in ("Z", None)]
        _signal(alive, signal.SIGKILL)
        if reap():
            return []
        if not alive and not family.descendants(root):
            return []
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.001)


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue  # it has ended, or is another user's, and is named as a survivor


def after_supervisor(pidfd, pid, place, supervisors):
    """A supervisor has ended. If it was killed, its processes are the stage's children now: end them, clear away."""
    os.close(pidfd)
    _pid, status = os.waitpid(pid, 0)
    folder_path, *fds = place
    if status != 0:
        spared = set(supervisors)
        while orphans := [child for child in family.descendants(os.getpid()) if not _under(child, spared)]:
            _signal(orphans, signal.SIGKILL)
            _take(orphans)
        objects(fds[1], folder_path, 0)
        folder(folder_path)
    for fd in fds:
        os.close(fd)  # only now does the kernel see the end of the run's socket


def _take(pids):
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except OSError:
            continue  # a grandchild still: it becomes a child when its parent goes
    time.sleep(0.001)


def _under(pid, spared):
    try:
        while pid > 1 and pid not in spared:
            pid = family.parent(pid)
    except OSError:
        return False
    return pid in spared


def everything(runs):
    """The kernel has gone: its supervisors see that too, and clear up; those that do not within 3 s are killed."""
    import select

    deadline = time.monotonic() + 3
    for pidfd, (pid, place) in list(runs.items()):
        if not select.select([pidfd], [], [], max(0, deadline - time.monotonic()))[0]:
            _signal([pid], signal.SIGKILL)
        del runs[pidfd]
        after_supervisor(pidfd, pid, place, [other for other, _place in runs.values()])


def folder(path):
    """Remove the run's folder; what was in it, as (kind, name, inode, removed)."""
    found = []
    for place, folders, files in os.walk(path):
        for name in files:
            entry = os.lstat(os.path.join(place, name))
            found.append((_kind(entry.st_mode), os.path.relpath(os.path.join(place, name), path), entry.st_ino, True))
        for name in folders:
            if not os.path.islink(os.path.join(place, name)):
                os.chmod(os.path.join(place, name), 0o700)
    shutil.rmtree(path, ignore_errors=True)
    return found[:100] if not os.path.lexists(path) else [(*entry[:3], False) for entry in found[:100]]


def _kind(mode):
    kinds = ((stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISLNK, "symbolic link"))
    return next((name for test, name in kinds if test(mode)), "file")


def objects(log_fd, run_folder, began):
    """Remove the objects that the run made and that are still there: [(kind, name, id, removed)]."""
    making, made = {}, {}
    lanes = log.read(log_fd)
    for entries, _overwritten in lanes.values():
        for kind, values in entries:
            if kind == log.NOTE and values[1] == "making":
                making[values[2:4]] = None
            elif kind == log.NOTE and values[1] == "unmade":
                making.pop(values[2:4], None)
            elif kind == log.NOTE and values[1] == "made":
                making.pop(values[2:4], None)
                made.setdefault(values[2:4], []).append(values[4])
    found = []
    for (kind, name), ids in [*made.items(), *((key, [None]) for key in making)]:
        if isinstance(name, str) and os.path.dirname(name) == run_folder:
            continue  # goes with the folder
        for identity in ids:
            if (removed := _remove(kind, name, identity, began)) is not None:
                found.append((kind, str(name), identity, removed))
    return found + _segments(set(lanes), began)


def _segments(creators, began):
    """System V segments that processes of the run made and the recorder did not see made, by creator pid
    (proc_sysvipc(5))."""
    try:
        with open("/proc/sysvipc/shm") as file:
            rows = [dict(zip(HEADS, line.split())) for line in list(file)[1:]]
    except OSError:
        return []
    ours = [row for row in rows if int(row["cpid"]) in creators and int(row["ctime"]) >= int(began)]
    return [("System V shared memory", row["key"], int(row["shmid"]),
             bool(_remove_system_v("System V shared memory", int(row["shmid"])))) for row in ours]


HEADS = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap".split()


def _remove(kind, name, identity, began):
    """Remove one object if it is still the run's: whether it is gone now; None where it was gone already."""
    try:
        if kind.startswith("System V"):
            return _remove_system_v(kind, identity)
        if kind == "POSIX message queue":
            return _remove_queue(name, identity, began)
        paths = {"POSIX semaphore": f"/dev/shm/sem.{str(name).lstrip('/')}",
                 "POSIX shared memory": f"/dev/shm/{str(name).lstrip('/')}"}
        path = paths.get(kind, name)
        if not _same(os.lstat(path), identity, began):
            return None
        os.unlink(path)
        return True
    except FileNotFoundError:
        return None
    except OSError:
        return False


def _same(entry, identity, began):
    """Whether it is the object that was made: by inode, or, where a kill came before that was noted, by its age."""
    if identity is not None:
        return entry.st_ino == identity
    return entry.st_uid == os.geteuid() and entry.st_ctime >= began - 0.01


def _remove_queue(name, identity, began):
    try:
        queue = posix_ipc.MessageQueue(name)
    except posix_ipc.ExistentialError:
        return None
    except posix_ipc.PermissionsError:
        return False
    try:
        if not _same(os.fstat(queue.mqd), identity, began):
            return None
        queue.unlink()
        return True
    finally:
        queue.close()


def _remove_system_v(kind, identity):
    if identity is None:
        return None
    remove = {"System V message queue": sysv_ipc.remove_message_queue, "System V semaphore": sysv_ipc.remove_semaphore,
              "System V shared memory": sysv_ipc.remove_shared_memory}[kind]
    try:
        remove(identity)
        return True
    except sysv_ipc.ExistentialError:
        return None
    except sysv_ipc.PermissionsError:
        return False
