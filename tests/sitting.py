"""Processes made to sit in a call, and looked at by whom one likes: for the tests of what the kernel says."""
import contextlib
import ctypes
import os
import signal
import sys
import traceback

from remains import wait_for

from ipclab import kernel

NOBODY = 65534
PR_SET_DUMPABLE = 4  # prctl(2)
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def child(does):
    """The pid of a forked child that does something, and is killed at the end."""
    pid = os.fork()
    if pid == 0:
        try:
            does()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@contextlib.contextmanager
def sitting(does, call):
    """As child, once it sits in the system call of that name."""
    with child(does) as pid:
        wait_for(lambda: kernel.process(pid, among=())["call"] == call, f"a process in {call}")
        yield pid


def as_user(user, body):
    """Do it in a forked child that is this user's (None: the one we are); AssertionError with its traceback."""
    if user is None:
        return body()
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        _as_user(user, body, w)
    os.close(w)
    with os.fdopen(r, "rb") as told:
        text = told.read().decode()
    assert os.waitpid(pid, 0)[1] == 0, text
    return None


def _as_user(user, body, w):
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # who changes its user may not be looked into, by its own user either
        body()
        os._exit(0)
    except BaseException:
        os.write(w, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        os._exit(1)
