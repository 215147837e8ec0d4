"""open() and file objects: the same text and buffer layers as Python's own, over a raw file whose system calls are
recorded. So a write that stays in the buffer is no event, and the flush that sends it is.

`open` follows the reference implementation in the documentation of the io module (_pyio.open), since the one in C
makes a raw file that cannot be replaced.
"""
import _io
import io
import os
import sys
import warnings

from . import record
from .disguise import Both, bound, dressed, same_repr

Original = _io.FileIO
original_open = _io.open


def _number(raw):
    try:
        return Original.fileno(raw)
    except ValueError:
        return None


def _raw(name, **more):
    original = getattr(Original, name)
    return dressed(record.function(f"file.{name}", original, on=_number, **more), original, name)


def _filling():
    """readinto, which the layers above call to read: noted as the read that it is, since what was in the buffer
    before says nothing."""
    original = Original.readinto
    twin = record.function("file.read", original, on=_number, shown=record.values.sizes, result=_filled)
    return dressed(twin, original, "readinto")


def _filled(args, count):
    return count if count is None else memoryview(args[0]).cast("B")[:count]


class FileIO(Original, metaclass=Both):
    """A raw file whose calls are recorded: file.read, file.write and so on."""

    _original = Original
    __doc__ = Original.__doc__
    __module__ = "_io"
    __repr__ = same_repr(Original)
    read, readall, readinto, write = _raw("read"), _raw("readall"), _filling(), _raw("write")
    seek, truncate, close = _raw("seek"), _raw("truncate"), _raw("close")


def _layers(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    if sys.flags.warn_default_encoding and "b" not in mode and encoding is None:
        encoding = io.text_encoding(encoding, 4)
    letters, text = _checked(mode, buffering, encoding, errors, newline)
    raw = FileIO(file, letters, closefd, opener)
    result = raw
    try:
        interactive = buffering == 1 or buffering < 0 and raw.isatty()
        size = _size(raw, buffering)
        if size == 0:
            return result
        kind = (io.BufferedRandom if "+" in mode else io.BufferedReader if letters[0] == "r" else io.BufferedWriter)
        result = kind(raw, size)
        if not text:
            return result
        result = io.TextIOWrapper(result, encoding, errors, newline, interactive)
        result.mode = mode
        return result
    except BaseException:
        result.close()
        raise


def _checked(mode, buffering, encoding, errors, newline):
    """(the raw file's mode, whether it is text), or the errors that open() raises."""
    letters = set(mode)
    text = "b" not in mode
    wanted = [letter for letter in "xrwa" if letter in letters]
    simple = (len(letters) == len(mode) and letters <= set("axrwb+t") and len(wanted) == 1
              and not ("b" in letters and "t" in letters))
    if not simple or (not text and (encoding or errors or newline is not None)) or (text and buffering == 0):
        original_open(os.devnull, mode, buffering, encoding, errors, newline).close()  # it raises what is right
    if not text and buffering == 1:
        warnings.warn("line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be "
                      "used", RuntimeWarning, 5)
    return wanted[0] + ("+" if "+" in mode else ""), text


def _size(raw, buffering):
    if buffering != 1 and buffering >= 0:
        return buffering
    if sys.version_info >= (3, 14):
        return max(min(raw._blksize, 8 << 20), io.DEFAULT_BUFFER_SIZE)
    return raw._blksize if raw._blksize > 1 else io.DEFAULT_BUFFER_SIZE


def _plain_open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """The file's layers, with recorded calls; anything odd goes to Python's own open, which says what is wrong."""
    if record.run is None or not isinstance(mode, str) or not isinstance(buffering, int):
        return original_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    return _layers(file, mode, buffering, encoding, errors, newline, closefd, opener)


open = bound(record.function("open", _plain_open), original_open, original_open.__module__)


def printing(quiet):
    """print(): what it writes to the standard streams is one event with it; to other files, what leaves the buffer is
    an event inside."""
    loud = print

    def printing(*words, **keywords):
        stream = keywords.get("file")
        whole = stream is None or stream is sys.stdout or stream is sys.stderr
        return (quiet if whole else loud)(*words, **keywords)

    twin = record.function("print", printing)
    twin.__code__ = twin.__code__.replace(co_filename="<ipclab>")

    def printed(self, /, *words, **keywords):
        """What is told is the text that is printed; a __str__ of the reader's is called once, as by print()."""
        if record.run is not None:
            words = [word if type(word) in SAME_IN_TRACE else str(word) for word in words]
        return twin(self, *words, **keywords)

    return bound(printed, print, "builtins")


SAME_IN_TRACE = frozenset([str, int, float, bool, bytes, type(None)])
