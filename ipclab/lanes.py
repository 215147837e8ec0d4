"""Reading a run's log while others write it: a lane's entries, by thread."""
import marshal
import os
import struct

from . import log


def read(fd):
    """All of the log now: {thread id: (entries, calls overwritten)}, an entry being (kind, values).

    Reads what is there while others write; an entry half written does not count yet.
    """
    size, whole, _report = log.head(fd)
    lanes, offset = {}, size
    while offset < whole:
        try:
            offset = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError:  # ENXIO: no data behind this
            break
        if offset >= whole:
            break  # the report
        thread = offset // size
        lanes[thread] = _lane(fd, thread * size, size)
        offset = (thread + 1) * size
    return lanes


def _lane(fd, base, size):
    """(entries, calls overwritten) of one lane."""
    for _again in range(5):
        position, left, overwritten = log.head(fd, base)
        segments = [os.pread(fd, length, base + start) for start, length in _kept(position, left, size >> 2)]
        if left < 3 or log.head(fd, base)[1] == left:
            break  # else a segment was overwritten while it was read
    entries = []
    for number, data in enumerate(segments):
        _entries(data, 0 if number else log.HEADER, entries)
    return entries, overwritten


def _kept(position, left, segment):
    """[(start, length)] of the segments that hold entries, in their order; of the last as far as it is written."""
    numbers = [0, 1, 2 + (left + 1) % 2, 2 + left % 2] if left >= 3 else range(left + 1)
    written = position - numbers[-1] * segment
    last = written if 0 <= written <= segment else 0  # else it was killed when about to begin it
    return [(number * segment, segment) for number in numbers[:-1]] + [(numbers[-1] * segment, last)]


def _entries(data, at, found):
    """Append the entries (kind, values) in the data of a segment, from offset `at` on, to `found`."""
    words = memoryview(data[:len(data) & -8]).cast("Q")
    loads, unpack, stamps, add = marshal.loads, log.INTEGERS.unpack_from, log.STAMPS.unpack_from, found.append
    end = len(data) - 8
    try:
        while at <= end and (word := words[at >> 3]):
            size, kind = word >> 3, word & 7
            if kind == log.BYTES:
                ended, began, stamp = stamps(data, at + 8)
                add((log.END, (stamp, began, ended, data[at + 32:at + 8 + size], None, 0)))
            elif kind == log.INTEGER:
                result, ended, began, stamp = unpack(data, at + 8)
                add((log.END, (stamp, began, ended, result, None, 0)))
            else:
                add((kind, loads(data[at + 8:at + 8 + size])))
            at += size + 15 & -8
    except (EOFError, ValueError, TypeError, struct.error):
        pass  # overwritten while it was read: a later look will see what is there then
