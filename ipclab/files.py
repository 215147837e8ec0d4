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

Original = _io.FileIO
_open = _io.open


def _number(raw):
    try:
        return Original.fileno(raw)
    except ValueError:
        return None


def _raw(name):
    original = getattr(Original, name)
    return record.dressed(record.function(f"file.{name}", original, on=_number), original, name)


class FileIO(Original, metaclass=record.Both):
    """A raw file whose calls are recorded: file.read, file.write and so on."""

    _original = Original
    __doc__ = Original.__doc__
    __module__ = "_io"
    read, readall, readinto, write = _raw("read"), _raw("readall"), _raw("readinto"), _raw("write")
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
        _open(os.devnull, mode, buffering, encoding, errors, newline).close()  # it raises what is right
    if not text and buffering == 1:
        warnings.warn("line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be "
                      "used", RuntimeWarning, 5)
    return wanted[0] + ("+" if "+" in mode else ""), text


def _size(raw, buffering):
    if buffering == 1 or buffering < 0:
        return raw._blksize if raw._blksize > 1 else io.DEFAULT_BUFFER_SIZE
    return buffering


def _plain_open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """The file's layers, with recorded calls; anything odd goes to Python's own open, which says what is wrong."""
    if record.run is None or not isinstance(mode, str) or not isinstance(buffering, int):
        return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    return _layers(file, mode, buffering, encoding, errors, newline, closefd, opener)


open = record.bound(record.function("open", _plain_open), _open, "_io")
open.__func__.__module__ = "_io"
