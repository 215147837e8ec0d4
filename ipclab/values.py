"""Values as a trace keeps them: short, immutable in effect, and the same after marshal or JSON."""
import _io
import _socket
import functools
import hashlib
import os
import select
from enum import Enum

LONGEST = 4096  # bytes of a value that are kept whole
WIDEST = 1000  # items of a tuple, list or dict that are kept


class LongBytes:
    """More than 4096 bytes, of which the head (bytes), the length and a hash (hex BLAKE2b, 8 bytes) were kept.

    It has the length of the whole, and equals the bytes (or the LongBytes) that it stands for.
    """

    __slots__ = ("head", "length", "hash")

    def __init__(self, head, length, hash):
        self.head, self.length, self.hash = head, length, hash

    @classmethod
    def of(cls, data):
        return cls(bytes(data[:64]), len(data), hashlib.blake2b(data, digest_size=8).hexdigest())

    def __len__(self):
        return self.length

    def __eq__(self, other):
        if isinstance(other, (bytes, bytearray)):
            return len(other) == self.length and LongBytes.of(other) == self
        if not isinstance(other, LongBytes):
            return NotImplemented
        return (self.head, self.length, self.hash) == (other.head, other.length, other.hash)

    def __hash__(self):
        return hash(self.hash)

    def __repr__(self):
        return f"<{self.length} bytes: {self.head[:12]!r}…>"


def plain(value):
    """The value, as `_plain` says; a value that resists, such as a memoryview that was released, by its type's name."""
    try:
        return _plain(value, 4)
    except Exception as error:
        let_through(error)
        return f"<{type(value).__name__}>"


_HANDLERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handlers.py")


def let_through(error):
    """Called where an exception is to be swallowed: raises it again where it is none of ours but one of a signal
    handler of the reader's, which may run amid our code: its traceback leads through handlers.py."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _HANDLERS:
            raise error
        trace = trace.tb_next


def _plain(value, depth):
    """The value as the log can carry it: None, bool, numbers, str, bytes and tuples, lists and dicts of these as they
    are; enumerations by name; what has a descriptor (sockets, file objects) by its number; struct sequences such as
    os.stat_result, and named tuples, as dicts; everything else by its repr. Bytes over 4 KiB become a frozenset, which
    `restore` makes a LongBytes: marshal knows no classes, and no other value becomes a frozenset."""
    kind = type(value)
    if value is None or kind in (bool, int, float):
        return value
    if kind is str:
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if kind in (bytes, bytearray, memoryview):
        return _bytes(value.cast("B") if kind is memoryview and value.c_contiguous else value)
    if isinstance(value, Enum):
        return value.name or str(value)
    if depth and kind in (tuple, list):
        return kind([_plain(item, depth - 1) for item in value[:WIDEST]])
    if depth and kind is dict:
        return {_key(key): _plain(item, depth - 1) for key, item in list(value.items())[:WIDEST]}
    if depth and kind in (set, frozenset):
        return "{" + ", ".join(sorted(str(_plain(item, depth - 1)) for item in value)) + "}"
    if isinstance(value, (_io._IOBase, _socket.socket, select.epoll)):
        return _descriptor(value)
    if depth and isinstance(value, tuple) and hasattr(kind, "n_sequence_fields"):
        return {name: _plain(getattr(value, name), depth - 1) for name in kind.__match_args__}
    if depth and isinstance(value, tuple) and type(getattr(kind, "_fields", None)) is tuple:
        return {_key(name): _plain(item, depth - 1) for name, item in zip(kind._fields, value)}
    for base in (int, float, str, bytes):  # a subclass of these, such as numpy's numbers
        if isinstance(value, base):
            return _plain(base(value), 0)
    return _repr(value)


def sizes(args):
    """Arguments of a call that fills buffers: of those the sizes, since what they held before says nothing."""
    return tuple(map(_size, args))


def _size(value):
    if type(value) in (list, tuple):
        return type(value)(map(_size, value))
    try:
        return value if isinstance(value, (bytes, int)) else memoryview(value).nbytes
    except TypeError:
        return value


def _bytes(data):
    if len(data) <= LONGEST:
        return bytes(data)
    long = LongBytes.of(data)
    return frozenset([(long.head, long.length, long.hash)])


def _key(key):
    return key if type(key) in (str, int, bytes) else str(plain(key))


def _descriptor(value):
    try:
        number = value.fileno()
    except (OSError, ValueError) as error:
        let_through(error)
        return _repr(value)
    return number if type(number) is int else _repr(value)


def _repr(value):
    """A function's name, a path's text, or repr(value), bounded. A reader's own __repr__ is not called: it may do
    anything."""
    kind = type(value)
    if kind in FUNCTIONS:
        return value.__name__
    if isinstance(value, functools.partial):
        return f"partial({_repr(value.func)})"
    if isinstance(value, os.PathLike) and not _readers(kind.__fspath__):
        return os.fspath(value)
    text = f"<{kind.__qualname__} object>" if _readers(kind.__repr__) else repr(value)
    return text if len(text) <= 400 else text[:400] + "…"


FUNCTIONS = type(_repr), type(len), type([].append), type(LongBytes.of)
_LIBRARIES = os.path.dirname(os.__file__) + os.sep, "<frozen ", os.path.dirname(os.path.abspath(__file__)) + os.sep


def _readers(method):
    """Whether a method is written in Python outside the libraries."""
    code = getattr(method, "__code__", None)
    return code is not None and ("packages" not in code.co_filename and not code.co_filename.startswith(_LIBRARIES)
                                 or f"{os.sep}test{os.sep}" in code.co_filename)


def restore(value):
    """What the log carried, after marshal: with LongBytes again, and what a trace does not hold made plain. (Values
    that marshal takes as they are did not go through `plain`: that takes longer than many a call.)"""
    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes):
        return value
    if kind is frozenset and len(value) == 1 and type(next(iter(value))) is tuple and len([*value][0]) == 3:
        [(head, length, hash)] = value
        return LongBytes(head, length, hash)
    if kind in (tuple, list):
        return kind([restore(item) for item in value])
    if kind is dict:
        return {_key(key): restore(item) for key, item in value.items()}
    return plain(value)
