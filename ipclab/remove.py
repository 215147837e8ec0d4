"""Removing the objects that a run made and left: POSIX and System V ones, FIFOs and sockets. Only what is the run's
own, told by inode or identifier, never by name alone."""
import os

from . import lanes, log

try:
    import posix_ipc
    import sysv_ipc
except ImportError:
    posix_ipc = sysv_ipc = None


def objects(log_fd, run_folder, began, before):
    """Remove the objects that the run made and that are still there: [(kind, name, id, removed)]. `began` is when the
    run began (time.time()), `before` the identifiers of the System V segments that there were."""
    pids, made = set(), {}
    for entries, _overwritten in lanes.read(log_fd).values():
        notes = [values for kind, values in entries if kind == log.NOTE]
        pids.update(values[2] for values in notes if values[1] in ("lane", "birth"))
        _made(notes, made)
    found = []
    for (kind, name), ids in made.items():
        if isinstance(name, str) and os.path.dirname(name) == run_folder:
            continue  # goes with the folder
        for identity in ids:
            if (removed := _remove(kind, name, identity, began)) is not None:
                found.append((kind, str(name), identity, removed))
    return found + _segments(pids, began, before)


def _made(notes, made):
    """Add to `made`, {(kind, name): identities}, what a thread noted; None stands for one whose making was noted and
    neither its success nor its failure."""
    making = []
    for _when, word, *rest in notes:
        key = tuple(rest[:2])
        if word == "making":
            making.append(key)
        elif word in ("made", "unmade") and key in making:
            making.remove(key)
        if word == "made":
            made.setdefault(key, []).append(rest[2])
    for key in making:
        made.setdefault(key, []).append(None)


def segments():
    """The identifiers of the System V segments that there are (proc_sysvipc(5))."""
    return {int(row["shmid"]) for row in _rows()}


def _rows():
    try:
        with open("/proc/sysvipc/shm") as file:
            heads, *rows = [line.split() for line in file]
    except (OSError, ValueError):
        return []
    return [dict(zip(heads, row)) for row in rows]


def _segments(creators, began, before):
    """Remove the System V segments that processes of the run made unrecorded, told by the creator's pid."""
    kind = "System V shared memory"
    ours = [row for row in _rows() if int(row["cpid"]) in creators and int(row["shmid"]) not in before
            and int(row["ctime"]) >= int(began) and int(row["cuid"]) == os.geteuid()]
    return [(kind, row["key"], int(row["shmid"]), bool(_remove_system_v(kind, int(row["shmid"])))) for row in ours]


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
