"""Flags and permission bits as they are written: by name, in octal."""
import errno

import pytest
from traces import event

from ipclab.flags import open_flags
from ipclab.labels import call_label
from ipclab.trace import Process, call_text, result_text

ONE = Process("one", 1, None)


@pytest.mark.parametrize("number, names", [
    (0, ("O_RDONLY",)), (0o4001, ("O_WRONLY", "O_NONBLOCK")), (0o302, ("O_RDWR", "O_CREAT", "O_EXCL")),
    (0o40000003, ("3", "0o40000000"))])
def test_flags_by_name(number, names):
    assert open_flags(number) == names


@pytest.mark.parametrize("call, args, keywords, text", [
    ("os.open", ("f", 0o4000), {}, "os.open('f', O_RDONLY|O_NONBLOCK)"),
    ("os.open", ("f",), {"flags": 1, "mode": 0o600}, "os.open('f', flags=O_WRONLY, mode=0o600)"),
    ("os.mkfifo", ("f", 0o666), {}, "os.mkfifo('f', 0o666)"), ("os.umask", (0,), {}, "os.umask(0o000)"),
    ("mmap", (-1, 9), {"flags": 0x22}, "mmap(-1, 9, flags=MAP_PRIVATE|MAP_ANONYMOUS)"),
    ("mmap", (3, 9, 0x40001, 0), {}, "mmap(3, 9, MAP_SHARED|0x40000, PROT_NONE)"),
    ("socket.setsockopt", (1, 8, 500), {}, "socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 500)"),
    ("socket.getsockopt", (6, 99), {}, "socket.getsockopt(IPPROTO_TCP, 99)"),
    ("socket.getsockopt", (77, 1), {}, "socket.getsockopt(77, 1)"),
    ("os.read", (3, 1), {}, "os.read(3, 1)"), ("os.open", ("f", "r"), {}, "os.open('f', 'r')"),
    ("os.open", ("f", -1), {}, "os.open('f', -1)")])
def test_calls_are_written_so(call, args, keywords, text):
    made = event(ONE, call, args, None, 0.0, 0.1, keywords=keywords)
    assert call_text(made) == text
    assert call_label(made, {}) == text


def test_results_are_written_so():
    made = event(ONE, "os.umask", (0o77,), 0o22, 0.0, 0.1)
    assert call_label(made, {}) == call_text(made) + result_text(made) == "os.umask(0o077) → 0o022"


def test_an_errno_has_the_name_that_man_pages_give_it():
    made = event(ONE, "linux.Mutex.lock", (), None, 0.0, 0.1, error="OSError", errno=errno.EDEADLK)
    assert result_text(made) == " → EDEADLK"
