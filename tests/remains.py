"""What of ours is on the machine now: processes, objects, folders and descriptors. A test compares before and after."""
import glob
import os
import re
import secrets
import tempfile
import time

import posix_ipc
import sysv_ipc

MARK = "IPCLAB_TEST_MARK"  # set in the environment of all that the tests start, so that it is found wherever it went
os.environ.setdefault(MARK, secrets.token_hex(8))


class Bystanders:
    """One object of each kind that a run may make and remove, made by nobody's run."""

    def __init__(self):
        name = f"/bystander-{secrets.token_hex(8)}"
        self._named = [(kind, name) for kind in UNLINK]
        for kind, name in self._named:
            _closed(kind(name, posix_ipc.O_CREX, **SMALL.get(kind, {})))
        self._numbered = [kind(None, sysv_ipc.IPC_CREX, **{"size": 1} if kind is sysv_ipc.SharedMemory else {})
                          for kind in (sysv_ipc.SharedMemory, sysv_ipc.Semaphore, sysv_ipc.MessageQueue)]
        self._folder = tempfile.mkdtemp(prefix="ipclab-bystander-")

    def there(self):
        """True; an error that tells which is gone otherwise."""
        for kind, name in self._named:
            _closed(kind(name))
        for one in self._numbered:
            one.uid  # asks the kernel
        return bool(os.stat(self._folder))

    def remove(self):
        for kind, name in self._named:
            getattr(posix_ipc, f"unlink_{UNLINK[kind]}")(name)
        for one in self._numbered:
            one.remove()
        os.rmdir(self._folder)


UNLINK = {posix_ipc.SharedMemory: "shared_memory", posix_ipc.Semaphore: "semaphore",
          posix_ipc.MessageQueue: "message_queue"}
SMALL = {posix_ipc.SharedMemory: {"size": 1}, posix_ipc.MessageQueue: {"max_messages": 1, "max_message_size": 1}}


def _closed(one):
    """Lets go of a descriptor of an object, which stays."""
    if isinstance(one, posix_ipc.SharedMemory):
        one.close_fd()
    else:
        one.close()


def everything():
    """{(kind, name)} of all that a run could leave."""
    ours = marked()
    found = {("process", pid) for pid in ours}
    queues = os.listdir("/dev/mqueue") if os.path.ismount("/dev/mqueue") else ()
    for kind, names in (("folder", glob.glob("/tmp/ipclab-*") + glob.glob("/var/tmp/ipclab-*")),
                        ("shared memory", os.listdir("/dev/shm")), ("queue", queues)):
        found |= {(kind, name) for name in names if not _in_use_elsewhere(name, ours)}
    for kind in ("sem", "msg"):
        found |= {(f"System V {kind}", row.split()[1]) for row in _lines(f"/proc/sysvipc/{kind}")[1:]}
    for _key, number, _mode, _size, creator, *_rest in map(str.split, _lines("/proc/sysvipc/shm")[1:]):
        if int(creator) in ours or not os.path.exists(f"/proc/{creator}"):  # browsers of other tests have some
            found.add(("System V shm", number))
    return found


def _in_use_elsewhere(name, ours):
    """Is it called after a stage that is alive and not of these tests? A measurement of another test takes a while."""
    stage = re.search("ipclab-([0-9a-f]+)-[0-9a-f]+-[0-9a-f]+-[0-9a-f]{8}", name)
    return stage and int(stage[1], 16) not in ours and os.path.exists(f"/proc/{int(stage[1], 16)}")


def marked():
    """The pids of the processes with the mark, zombies among the descendants of this process too."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    here = {os.getpid(), *_descendants()}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    here.add(int(pid))
        except OSError:
            continue  # it has ended, or is another user's
    return here


def gone(things, patience=10.0):
    """Wait until none of the things is there any more: those that stay."""
    until = time.monotonic() + patience
    while (left := things & everything()) and time.monotonic() < until:
        time.sleep(0.01)
    return left


def wait_for(condition, what, patience=20.0):
    """Wait until condition() is true and return its value. AssertionError that says `what` was waited for."""
    until = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.002)
    return value


def descriptors():
    """{number: what it is} of this process's descriptors."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # the one that listed
    return found


def _descendants():
    from ipclab import family

    return family.descendants(os.getpid())


def _lines(path):
    try:
        with open(path) as file:
            return file.readlines()
    except OSError:
        return []
