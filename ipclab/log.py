"""The run's log: memory that outlives any process, one lane a thread.

One sparse memfd holds it all. Lane number = thread id, so that nobody has to ask anybody for a place: no lock that a
kill could strand, and only pages that are written exist. A lane is append-only: two head segments, then two tail
segments used in turn, so that an endless loop keeps its beginning and its end. An entry is a word (length and kind)
and marshalled values; it counts from the moment the lane's position is moved behind it.
"""
import marshal
import mmap
import os
import resource
import struct
import sys
import threading
import time

BEGIN, END, NOTE, INTEGER = 1, 2, 3, 4  # kinds of entries; INTEGER is an END whose result is a number
HEADER = 64  # bytes at the start of a lane: position, segments left behind, calls overwritten
LARGEST = 1 << 24  # bytes of a lane

_INTEGER = struct.Struct("=qqqq")
_dumps, _now = marshal.dumps, time.monotonic_ns


def create():
    """A new log, as the descriptor of a memfd (memfd_create(2)); OSError where the machine has none."""
    fd = os.memfd_create("ipclab-log", os.MFD_CLOEXEC)
    with open("/proc/sys/kernel/pid_max") as file:
        lanes = int(file.read()) + 1
    os.ftruncate(fd, lanes * LARGEST)
    return fd


def attach(fd):
    """Map the log for writing, keeping no descriptor of it: (mmap object, memoryview of its 64-bit words).

    Python's mmap keeps a duplicate of the descriptor (before 3.13 always). It is closed here, since closerange() in
    an experiment would close it or its number would surprise the student; and the object is never deallocated,
    since that would close whatever has the number by then.
    """
    size = os.fstat(fd).st_size
    if sys.version_info >= (3, 13):
        log = mmap.mmap(fd, size, trackfd=False)
    else:
        duplicate = os.dup(fd)
        os.close(duplicate)
        log = mmap.mmap(fd, size)
        os.close(duplicate)
    _immortal.append(log)
    return log, memoryview(log).cast("Q")


_immortal = []


class Writer:
    """Appends to the lanes of this process's threads. `begin`, `returned` and `failed` are the hot path: closures
    over locals, the append written out twice, because a recorded call should cost no more than two bare ones."""

    def __init__(self, fd):
        log, words = attach(fd)
        here = threading.local()
        segment = LARGEST >> 2
        pack_into = _INTEGER.pack_into

        def lane():
            """The word where this thread's lane starts; a forked child's own thread has a lane of its own."""
            here.lane = at = threading.get_native_id() * (LARGEST >> 3)
            here.used = time.thread_time_ns(), _now(), resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
            if not words[at]:
                words[at] = HEADER
                append(NOTE, _dumps((_now(), "lane", os.getpid()), 2))
            return at

        def append(kind, data):
            try:
                at = here.lane
            except AttributeError:
                at = lane()
            size = len(data)
            # From here to the last store there is no call and no jump back, so no handler runs and no thread takes
            # over in between (CPython looks for both at those alone), and a kill leaves the position unmoved.
            position = words[at]
            end = position + (size + 15 & -8)
            if position ^ end > 0x3FFFFF:
                return next_segment(at, position, kind, data)
            start = (at << 3) + position
            words[start >> 3] = size << 3 | kind
            start += 8
            log[start:start + size] = data
            words[at] = end

        def next_segment(at, position, kind, data):
            """The entry does not fit into the lane's segment: leave it for the next, the tail's two in turn."""
            if len(data) + HEADER >= segment:
                return  # cannot be: values are cut long before
            words[at + (position >> 3)] = 0
            left = words[at + 1] + 1
            following = left * segment if left < 4 else (2 + left % 2) * segment
            if left >= 4:
                words[at + 2] += _count(words, at, following, following + segment)
            words[at + 1] = left
            words[at] = following
            append(kind, data)

        def begin(call, args, keywords, on, line, via, file):
            """Note that a call is about to be made; the stamp returned (ns) names it."""
            stamp = _now()
            data = _dumps((stamp, call, args, keywords, on, line, via, file), 2)
            try:
                at = here.lane
            except AttributeError:
                at = lane()
            size = len(data)
            position = words[at]  # as in append
            end = position + (size + 15 & -8)
            if position ^ end > 0x3FFFFF:
                next_segment(at, position, BEGIN, data)
                return stamp
            start = (at << 3) + position
            words[start >> 3] = size << 3 | BEGIN
            start += 8
            log[start:start + size] = data
            words[at] = end
            return stamp

        def returned(stamp, start, end, result):
            if type(result) is int and -1 << 63 <= result < 1 << 63 and end - start < 100_000:
                at = here.lane
                position = words[at]
                beyond = position + 40
                if position ^ beyond <= 0x3FFFFF:
                    words[at + (position >> 3)] = 32 << 3 | INTEGER
                    words[at] = beyond  # first, since a handler may run after the call below; filled or all zero
                    pack_into(log, (at << 3) + position + 8, stamp, start, end, result)
                    return
            waited = off_processor(start, end) if end - start > 100_000 else 0
            append(END, _dumps((stamp, start, end, result, None, waited), 2))

        def failed(stamp, start, end, error):
            """`error` is (exception type's name, errno or None, message)."""
            append(END, _dumps((stamp, start, end, None, error, off_processor(start, end)), 2))

        def off_processor(start, end):
            """How long (ns) the thread waited between the two stamps: off the processor by its own doing.

            Reading the thread's own clock is a system call, too dear to make twice a call: it is read after long
            calls, and what the thread used before the call since the last reading is taken to be all of that time.
            A call without a voluntary context switch (getrusage(2)) did not wait: others had the processor.
            """
            if end - start <= 100_000:
                return 0
            used, then, switches = here.used
            here.used = time.thread_time_ns(), end, resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
            if here.used[2] == switches:
                return 0
            on = max(0, here.used[0] - used - max(0, start - then))
            return max(0, end - start - on)

        def forked():
            here.__dict__.clear()

        self.begin, self.returned, self.failed, self.forked = begin, returned, failed, forked
        self.note = lambda *values: append(NOTE, _dumps((_now(), *values), 2))


def _count(words, at, position, end):
    """How many calls begin in the entries of a segment."""
    found = 0
    while position < end and (word := words[at + (position >> 3)]):
        found += word & 7 == BEGIN
        position += (word >> 3) + 15 & -8
    return found


def read(fd):
    """All of the log now: {thread id: (entries, calls overwritten)}, an entry being (kind, values).

    Reads what is there while others write; an entry half written does not count yet.
    """
    lanes, offset = {}, LARGEST
    size = os.fstat(fd).st_size
    while True:
        try:
            offset = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError:  # ENXIO: no data behind this
            return lanes
        thread = offset // LARGEST
        lanes[thread] = _lane(fd, thread * LARGEST)
        offset = (thread + 1) * LARGEST
        if offset >= size:
            return lanes


def _lane(fd, base):
    position, left, overwritten = (int.from_bytes(os.pread(fd, 24, base)[i:i + 8], sys.byteorder) for i in (0, 8, 16))
    segment = LARGEST >> 2
    kept = [0, 1, 2 + (left + 1) % 2, 2 + left % 2] if left >= 3 else range(left + 1)
    entries = []
    for number in kept:
        start = number * segment
        end = position if number == kept[-1] else start + segment
        entries += _entries(os.pread(fd, max(0, end - start), base + start), HEADER if number == 0 else 0)
    return entries, overwritten


def _entries(data, at):
    found = []
    while at + 8 <= len(data) and (word := int.from_bytes(data[at:at + 8], sys.byteorder)):
        size, kind = word >> 3, word & 7
        body = data[at + 8:at + 8 + size]
        if kind == INTEGER:
            found.append((END, (*_INTEGER.unpack(body), None, 0)))
        else:
            found.append((kind, marshal.loads(body)))
        at += size + 15 & -8
    return found
