"""The doctor's checks of the mechanisms: shared memory, queues, semaphores, files, made and removed again at once."""
import errno
import mmap
import os
import secrets
import tempfile

from .doctor import Check, Finding
from .say import _


def shared_memory():
    """/dev/shm: POSIX shared memory and semaphores are files there (shm_overview(7), sem_overview(7))."""
    folder = "/dev/shm"
    try:
        size = os.statvfs(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        yield Finding("missing", str(error), _("no POSIX shared memory, no POSIX semaphores"),
                      _("as root: mount -t tmpfs -o mode=1777 shm /dev/shm"))
        return
    free = size.f_bavail * size.f_frsize >> 20
    found = _("{free} of {size} MiB free").format(free=free, size=size.f_blocks * size.f_frsize >> 20)
    if free < 32:
        yield Finding("limited", found, _("lessons that fill shared memory meet ENOSPC or SIGBUS"),
                      _("remove what is left over there; in a container: --shm-size=256m"))
    else:
        yield Finding("ok", found)


def message_queues():
    """POSIX queues work without /dev/mqueue; it only shows them (mq_overview(7))."""
    import posix_ipc
    queue = posix_ipc.MessageQueue(f"/ipclab-doctor-{os.getpid()}-{secrets.token_hex(4)}", posix_ipc.O_CREX)
    queue.unlink()
    found = _("{n} messages of {size} bytes at most, {queues} queues").format(
        n=limit("mqueue/msg_max"), size=limit("mqueue/msgsize_max"), queues=limit("mqueue/queues_max"))
    with open("/proc/self/mounts") as mounts:
        shown = any(line.split()[2] == "mqueue" for line in mounts)
    if shown:
        yield Finding("ok", found)
    else:
        yield Finding("limited", found + _("; /dev/mqueue is not mounted"),
                      _("they work, but cannot be looked at as files"),
                      _("as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"))


def semaphores():
    import posix_ipc
    semaphore = posix_ipc.Semaphore(f"/ipclab-doctor-{os.getpid()}-{secrets.token_hex(4)}", posix_ipc.O_CREX)
    semaphore.unlink()
    yield Finding("ok", _("made and removed"))


def mutexes():
    """A robust mutex in shared memory: who has it ends, and the next one is told (pthread_mutexattr_setrobust(3))."""
    from . import linux
    mutex = linux.Mutex(mmap.mmap(-1, 4096), robust=True)
    pid = os.fork()
    if pid == 0:
        mutex.lock()
        os._exit(0)
    os.waitpid(pid, 0)
    try:
        mutex.timedlock(1)
        yield Finding("limited", _("the next one is not told when a robust mutex's owner ends"))
    except OSError as error:
        if error.errno != errno.EOWNERDEAD:
            raise
        yield Finding("ok", _("robust ones, too"))


def system_v():
    """Queue, segment and semaphore set of System V, made without a key and removed (sysvipc(7))."""
    import sysv_ipc
    for kind, extra in ((sysv_ipc.MessageQueue, {}), (sysv_ipc.SharedMemory, {"size": 4096}), (sysv_ipc.Semaphore, {})):
        kind(None, sysv_ipc.IPC_CREX, **extra).remove()
    yield Finding("ok", _("queues of {n} bytes at most").format(n=limit("../kernel/msgmnb")))


def temporary_files():
    """The file system of the place for temporary files: on tmpfs nothing is ever written back to a disk."""
    places = {place: file_system(place) for place in (tempfile.gettempdir(), "/var/tmp") if os.access(place, os.W_OK)}
    found = ", ".join(f"{place} ({kind})" for place, kind in places.items())
    if not any(kind not in ("tmpfs", "ramfs", "?") for kind in places.values()):
        yield Finding("limited", found, _("lessons about the page cache show nothing"),
                      _("set TMPDIR to a folder on a disk"))
    elif len(tempfile.gettempdir()) > 60:
        yield Finding("limited", found, _("a UNIX socket's path must stay below 108 bytes"),
                      _("set TMPDIR to a folder with a short path"))
    else:
        yield Finding("ok", found)


def file_system(folder):
    """The type of the file system that the folder is on, "?" where it is not known (proc_pid_mountinfo(5))."""
    device = os.stat(folder).st_dev
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == f"{os.major(device)}:{os.minor(device)}":
                return fields[fields.index("-") + 1]
    return "?"


def limit(name):
    with open(f"/proc/sys/fs/{name}") as file:
        return int(file.read())



CHECKS = (
    Check("/dev/shm", shared_memory, _("no POSIX shared memory, no POSIX semaphores")),
    Check(_("POSIX message queues"), message_queues, _("the lessons on POSIX queues do not run")),
    Check(_("POSIX semaphores"), semaphores, _("the lessons on POSIX semaphores do not run")),
    Check(_("mutexes"), mutexes, _("the lessons on mutexes between processes do not run")),
    Check(_("System V IPC"), system_v, _("the lessons on System V queues, segments and semaphores do not run")),
    Check(_("temporary files"), temporary_files, _("lessons that write files do not run")),
)
