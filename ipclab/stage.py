"""The stage: a clean interpreter, started once by a notebook's kernel, that forks one process a run.

A kernel cannot fork experiments itself: its threads and sockets would be copied. The stage has one thread, no
descriptors but its control socket, and the recorder's twins in place. It ends with its kernel, which it watches by a
pidfd, and ends everything that is under it. What a run's own supervisor does stands in supervise.py.
"""
import array
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import struct
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
PRELOADED = ("cloudpickle", "selectors", "subprocess", "threading", "posix_ipc", "sysv_ipc")


def send(sock, data, fds=()):
    """One message: its length, its bytes, and descriptors (unix(7))."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    head = struct.pack("=Q", len(data))
    sock.sendmsg([head], rights)
    sock.sendall(data)


def receive(sock, most_fds=8):
    """(bytes, descriptors) of one message; (None, []) at the end."""
    head, rights, _flags, _address = sock.recvmsg(8, socket.CMSG_SPACE(most_fds * 4), socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for _level, _type, data in rights:
        fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    if len(head) < 8:
        return None, list(fds)
    data = bytearray()
    size = struct.unpack("=Q", head)[0]
    while len(data) < size:
        part = sock.recv(min(size - len(data), 1 << 20))
        if not part:
            return None, list(fds)
        data += part
    return bytes(data), list(fds)


def prctl(option, argument):
    """prctl(2) with one argument; OSError where it fails."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(control_fd, kernel_pid):
    """Serve runs until the kernel ends or closes the control socket."""
    from . import clear, twins

    control = socket.socket(fileno=control_fd)
    _be_clean()
    twins.install()
    _preload()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    kernel = os.pidfd_open(kernel_pid)
    gc.collect()
    gc.freeze()  # what stands now is never garbage: a run's own collections need not look at it
    control.send(b"+")
    runs = {}  # pidfd of a supervisor: its supervise.Going
    try:
        _serve(control, kernel, runs)
    finally:
        clear.everything(runs)


def _preload():
    for module in PRELOADED:
        try:
            importlib.import_module(module)
        except ImportError:
            continue  # what uses it will say so


def _serve(control, kernel, runs):
    from . import clear, folders, supervise

    folders.sweep(supervise.disk(os.environ.get("TMPDIR", "")))
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(kernel, select.POLLIN)
    while True:
        ready = [fd for fd, _events in poll.poll(_patience(runs))]
        _end_overdue(runs)
        for fd in [fd for fd in ready if fd in runs]:
            poll.unregister(fd)
            clear.after_supervisor(fd, runs.pop(fd), [going.pid for going in runs.values()])
        if control.fileno() in ready:
            request, fds = receive(control)
            if request is None:
                return
            if going := supervise.begin(request, fds):
                runs[going.pidfd] = going
                poll.register(going.pidfd, select.POLLIN)
        elif kernel in ready:
            return


def _patience(runs):
    """Milliseconds until a supervisor is overdue; None where there is none."""
    if not runs:
        return None
    return max(0, min(going.look for going in runs.values()) - time.monotonic()) * 1000 + 1


def _end_overdue(runs):
    """A supervisor not done long after its run's deadline was stopped, or hangs: its run is ended without it."""
    from . import family

    for going in runs.values():
        if (now := time.monotonic()) > going.look:
            going.look = now + 0.5
            if now > going.overdue or family.state(going.pid) == "T":
                os.kill(going.pid, signal.SIGKILL)  # not yet waited for, so the pid is still its own


def _be_clean():
    """Signals as a program finds them when a shell starts it, whatever the kernel had."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in range(1, signal.SIGRTMAX + 1):
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            continue  # SIGKILL, SIGSTOP, and the C library's own
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # these as Python itself has them
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    from ipclab import stage  # not a second copy of this module under the name __main__

    stage.main(int(sys.argv[1]), int(sys.argv[2]))
