"""The objects between the two processes, made before the fork: each function gives both ends of one mechanism.

`job` says what is measured (see host.py); `stack` closes what was opened. All that has a name has one that follows from
the private folder's, and is unlinked as soon as it is open, so that nothing is left but what a kill in that very moment
leaves; remove() takes that away.
"""
import mmap
import os
import signal
import socket
from dataclasses import dataclass

import posix_ipc
import sysv_ipc

from .mechanisms import SLOTS

CONTROL = mmap.PAGESIZE  # bytes before the first slot: the spinners' counters, and C's semaphores
LINE = 64  # bytes of a cache line


@dataclass
class Memory:
    """Memory that both map: a page for control, then `SLOTS` slots. `there` and `back` are what is posted and waited
    for: two semaphores, two eventfds, or None where both spin."""

    map: mmap.mmap | None
    size: int
    there: object = None
    back: object = None

    @property
    def slot(self):
        """Bytes from one slot to the next."""
        return -(-self.size // LINE) * LINE

    def starts(self):
        """Where the slots begin."""
        return [CONTROL + n * self.slot for n in range(SLOTS)]

    def slots(self):
        """A memoryview a slot."""
        view = memoryview(self.map)
        return [view[start:start + self.size] for start in self.starts()]

    def semaphores(self):
        """Post and wait there, post and wait back: of two semaphores."""
        return self.there.release, self.there.acquire, self.back.release, self.back.acquire


def pipe(job, stack):
    (r1, w1), (r2, w2) = os.pipe(), os.pipe()
    _close_later(stack, r1, w1, r2, w2)
    return (r2, w1), (r1, w2)


def fifo(job, stack):
    (r1, w1), (r2, w2) = _fifo(job.path + "-there", stack), _fifo(job.path + "-back", stack)
    return (r2, w1), (r1, w2)


def _fifo(path, stack):
    os.mkfifo(path, 0o600)
    r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # or it would wait for a writer
    w = os.open(path, os.O_WRONLY)
    os.unlink(path)
    os.set_blocking(r, True)
    _close_later(stack, r, w)
    return r, w


def _close_later(stack, *fds):
    for fd in fds:
        stack.callback(os.close, fd)


def unix(job, stack):
    return tuple(map(stack.enter_context, socket.socketpair()))


def tcp(job, stack):
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        ours = stack.enter_context(socket.create_connection(listener.getsockname()))
        theirs = stack.enter_context(listener.accept()[0])
    for end in (ours, theirs):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, theirs


def udp(job, stack):
    ours, theirs = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _end in range(2))
    for end in (ours, theirs):
        end.bind(("127.0.0.1", 0))
    ours.connect(theirs.getsockname())
    theirs.connect(ours.getsockname())
    return ours, theirs


def posix_queue(job, stack):
    there, back = (_posix_queue(name, job.size, stack) for name in queue_names(job.path))
    return (back, there), (there, back)


def _posix_queue(name, size, stack):
    queue = posix_ipc.MessageQueue(name, posix_ipc.O_CREX, max_message_size=size)
    queue.unlink()
    stack.callback(queue.close)
    return queue


def sysv_queue(job, stack):
    there, back = (_sysv_queue(key, job.size, stack) for key in queue_keys(job.path))
    return (back, there), (there, back)


def _sysv_queue(key, size, stack):
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX, max_message_size=size)
    stack.callback(queue.remove)
    return queue


def signals(job, stack):
    """Both processes know each other's pid later; what they send is a real-time signal, since those queue."""
    return signal.SIGRTMIN, signal.SIGRTMIN


def shm_semaphore(job, stack):
    return _with_semaphores(_anonymous(job.size), job)


def mapped_file(job, stack):
    fd = os.open(job.path + "-file", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.unlink(job.path + "-file")
        memory = Memory(None, job.size)
        os.ftruncate(fd, _whole(memory))
        memory.map = mmap.mmap(fd, _whole(memory))
    finally:
        os.close(fd)
    return _with_semaphores(memory, job)


def shm_eventfd(job, stack):
    memory = _anonymous(job.size)
    flags = os.EFD_SEMAPHORE | os.EFD_CLOEXEC
    memory.there, memory.back = os.eventfd(0, flags), os.eventfd(_free(job), flags)
    _close_later(stack, memory.there, memory.back)
    return memory, memory


def shm_spin(job, stack):
    memory = _anonymous(job.size)
    memory.map[LINE] = _free(job)  # the second counter, a 64-bit word: see textbook.py
    return memory, memory


def memcpy(job, stack):
    memory = _anonymous(job.size)
    return memory, memory


def _anonymous(size):
    memory = Memory(None, size)
    memory.map = mmap.mmap(-1, _whole(memory))
    return memory


def _whole(memory):
    return CONTROL + SLOTS * memory.slot


def _free(job):
    """What `back` begins with: for throughput the slots that are free."""
    return SLOTS if job.of == "throughput" else 0


def _with_semaphores(memory, job):
    """Named semaphores for posix_ipc; for C, which can, two in the memory itself (sem_init(3))."""
    if job.spelling == "C":
        from . import compiled

        compiled.semaphores(memory, _free(job))
        return memory, memory
    values = 0, _free(job)
    memory.there, memory.back = (_semaphore(*one) for one in zip(semaphore_names(job.path), values))
    return memory, memory


def _semaphore(name, value):
    semaphore = posix_ipc.Semaphore(name, posix_ipc.O_CREX, initial_value=value)
    semaphore.unlink()
    return semaphore


def connection(job, stack):
    from multiprocessing import Pipe

    return tuple(map(stack.enter_context, Pipe()))


def queue(job, stack):
    from multiprocessing import get_context

    there, back = (get_context("fork").Queue() for _way in range(2))
    for one in (there, back):
        stack.callback(one.close)
    return (back, there), (there, back)


def queue_names(path):
    """The names of the message queues that belong to the folder in which the path is."""
    return [f"/{os.path.basename(os.path.dirname(path))}-{way}" for way in ("there", "back")]


semaphore_names = queue_names


def queue_keys(path):
    """The keys of its System V queues: the last bits of the folder's name, which are random, and the one after."""
    key = int(os.path.dirname(path)[-8:], 16) & 0x7FFFFFFE or 2
    return key, key + 1


def remove(folder):
    """Remove what is named after the folder and still there: what a process left that was killed."""
    path = os.path.join(folder, "one")
    for unlink in (posix_ipc.unlink_message_queue, posix_ipc.unlink_semaphore):
        for name in queue_names(path):
            try:
                unlink(name)
            except (posix_ipc.ExistentialError, posix_ipc.PermissionsError):
                continue
    for key in queue_keys(path):
        try:
            sysv_ipc.MessageQueue(key).remove()
        except (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError):
            continue
