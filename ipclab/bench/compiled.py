"""The loops of loops.c: compiled where there is a compiler, loaded, and called once for all n messages."""
import ctypes
import os
import shutil
import struct
import subprocess
from functools import partial

from ..say import _
from .loops import Loops
from .mechanisms import SLOTS, WINDOW
from .objects import Memory

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loops.c")
COMPILERS = ("cc", "gcc", "clang")
HEADER = ctypes.sizeof(ctypes.c_long)  # room for the type of a System V message, 1
_library = None


class End(ctypes.Structure):
    """struct end of loops.c."""

    _fields_ = [("incoming", ctypes.c_int), ("outgoing", ctypes.c_int), ("message", ctypes.c_void_p),
                ("buffer", ctypes.c_void_p), ("size", ctypes.c_size_t), ("slot", ctypes.c_void_p * SLOTS),
                ("control", ctypes.c_void_p), ("there", ctypes.c_int), ("back", ctypes.c_int)]


def prepare(folder):
    """Compile into the folder and load: None, or why there is no C here."""
    global _library
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return _("no C compiler here ({names})").format(names=", ".join(COMPILERS))
    target = os.path.join(folder, "loops.so")
    command = [compiler, "-O2", "-shared", "-fPIC", f"-DSLOTS={SLOTS}", f"-DWINDOW={WINDOW}", SOURCE, "-o", target,
               "-pthread", "-lrt"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "TMPDIR": folder})
        if done.returncode:
            return _("the C compiler failed: {error}").format(error=done.stderr.strip().rpartition("\n")[2])
        _library = ctypes.CDLL(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _("the C compiler failed: {error}").format(error=error)
    return None


def semaphores(memory, free):
    """The two semaphores of a Memory, in its page for control: sem_init(3)."""
    _library.semaphores(ctypes.c_void_p(_address(memory.map)), 0, free)


def loops(mechanism, end, message):
    """The Loops of loops.c for the end as objects.py has it."""
    name = mechanism.replace("mapped_file", "shm_semaphore")
    name = {"fifo": "pipe", "tcp": "unix"}.get(name, name)
    ours, buffer = _end(end, message)
    last = end.slots()[0] if mechanism.endswith("_in_place") or mechanism == "memcpy" else buffer

    def call(side, n):
        function = getattr(_library, f"{name}_{side}")
        function.restype = ctypes.c_long
        return function(ctypes.byref(ours), ctypes.c_long(n))

    def taking(side, n):
        call(side, n)
        return last

    return Loops(partial(taking, "ask"), partial(taking, "answer"), partial(taking, "pour"),
                 lambda n: (call("drain", n), last))


def _end(end, message):
    """(struct end, a memoryview of the buffer into which it takes)."""
    kept = bytearray(struct.pack("@l", 1) + message), bytearray(HEADER + len(message))
    ours = End(size=len(message), message=_address(kept[0]) + HEADER, buffer=_address(kept[1]) + HEADER, **_fields(end))
    ours.kept = kept
    return ours, memoryview(kept[1])[HEADER:]


def _fields(end):
    """What of struct end depends on what the end is."""
    if isinstance(end, Memory):
        start = _address(end.map)
        fds = {"there": end.there, "back": end.back} if isinstance(end.there, int) else {}
        return {"control": start, "slot": (ctypes.c_void_p * SLOTS)(*(start + at for at in end.starts())), **fds}
    if hasattr(end, "fileno"):
        return {"incoming": end.fileno(), "outgoing": end.fileno()}
    if isinstance(end[1], int):
        return {"incoming": end[0], "outgoing": end[1]}
    return dict(zip(("incoming", "outgoing"), (one.mqd if hasattr(one, "mqd") else one.id for one in end)))


def _address(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
