"""The runs' folders: a name says whose a folder is, so that a stage can sweep away what a killed one left.

A stage and its supervisors that are killed at one moment (kill -9) clear nothing away. The name has the stage's pid,
when it started and in which pid namespace: a folder is swept if that stage is gone, nobody works in it, and it is the
user's own. Of another namespace, such as a container's that shares /tmp, one cannot know.
"""
import functools
import os
import re
import secrets

from . import clear, family

NAME = re.compile("ipclab-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-[0-9a-f]{8}")


def new(where):
    """A path in the folder `where` for a run of this stage."""
    parts = [f"{part:x}" for part in _stage(os.getpid())]
    return os.path.join(where, "-".join(["ipclab", *parts, secrets.token_hex(4)]))


@functools.cache
def _stage(pid):
    """(pid, start, namespace): what tells this stage from all others; start is 0 where /proc does not say."""
    return pid, family.started(pid) or 0, _namespace()


def _namespace():
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def sweep(where):
    """Remove the folders in `where` that stages which are gone have left."""
    try:
        with os.scandir(where) as entries:
            left = [entry.path for entry in entries if _abandoned(entry)]
    except OSError:
        return  # then no run can be made there either, which will be said
    used = _working_folders() if left else []
    for path in left:
        if not any(folder == path or folder.startswith(path + "/") for folder in used):
            _remove_named_after(path)
            clear.folder(path)


def _remove_named_after(path):
    """Objects that a measurement named after its folder (bench/objects.py)."""
    from .bench import objects

    objects.remove(path)


def _abandoned(entry):
    """Whether it is a folder of this user's, of a stage of this namespace that is gone."""
    if not (named := NAME.fullmatch(entry.name)):
        return False
    pid, start, namespace = (int(part, 16) for part in named.groups())
    if not start or namespace != _namespace() or family.started(pid) == start:
        return False
    try:
        return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    except OSError:
        return False  # it has gone meanwhile


def _working_folders():
    """The working directories of all processes that one can see."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.append(os.readlink(f"/proc/{name}/cwd"))
        except OSError:
            continue  # it has ended, or is another user's
    return found
