"""The run's log: memory that outlives any process, one lane a thread.

One sparse memfd holds it all. Lane number = thread id, so that nobody has to ask anybody for a place: no lock that a
kill could strand, and only pages that are written exist. A lane is append-only: two head segments, then two tail
segments used in turn, so that an endless loop keeps its beginning and its end. An entry is a word (length and kind)
and marshalled values; it counts from the moment the lane's position is moved behind it. Read by lanes.py.
"""
import marshal
import os
import resource
import struct
import sys
import threading
import time
from mmap import mmap  # itself: its recorded twin would make calls where append must not

BEGIN, END, NOTE, INTEGER = 1, 2, 3, 4  # kinds of entries; INTEGER is an END whose result is a number
HEADER = 64  # bytes at the start of a lane: position, segments left behind, calls overwritten
SIZES = 1 << 24, 1 << 20, 1 << 16  # bytes of a lane: the first of which the machine maps one for every thread id

HEAD = struct.Struct("=QQQ")  # of a lane; of the log: bytes of a lane, bytes of all lanes, where the report begins
INTEGERS = struct.Struct("=qqqq")  # result, end, start, stamp: the stamp last, so that a half written entry has none
_dumps, _now = marshal.dumps, time.monotonic_ns


def create():
    """A new log, still without a size, as the descriptor of a memfd (memfd_create(2)); OSError where there is none."""
    return os.memfd_create("ipclab-log", os.MFD_CLOEXEC)


def attach(fd):
    """Map the log for writing, keeping no descriptor of it: (mmap object, memoryview of its 64-bit words, lane's size).

    Whoever comes first gives it its size. Mapped is far more than is ever used; where the machine has not so many
    addresses (RLIMIT_AS, small page tables) the lanes are smaller. OSError where it cannot be mapped at all.
    """
    size, whole, _report = head(fd)
    if size:
        log = _mapped(fd, whole)
    else:
        log, size = _sized(fd, _threads() + 1)
    _immortal.append(log)
    return log, memoryview(log).cast("Q"), size


def head(fd, at=0):
    """A lane's three words, or the log's own."""
    return HEAD.unpack(os.pread(fd, HEAD.size, at).ljust(HEAD.size, b"\0"))


def _threads():
    """The largest thread id that there can be (proc_sys_kernel(5))."""
    try:
        with open("/proc/sys/kernel/pid_max") as file:
            return int(file.read())
    except OSError:
        return 1 << 22  # no kernel has more


def _sized(fd, lanes):
    for size in SIZES:
        try:
            os.ftruncate(fd, lanes * size)
            log = _mapped(fd, lanes * size)
        except OSError:
            if size == SIZES[-1]:
                raise
        else:
            os.pwrite(fd, HEAD.pack(size, lanes * size, 0), 0)
            return log, size


def _mapped(fd, size):
    """Python's mmap keeps a duplicate of the descriptor (before 3.13 always). It is closed here, since closerange() in
    an experiment would close it or its number would surprise the student; and the object is never deallocated,
    since that would close whatever has the number by then."""
    if sys.version_info >= (3, 13):
        return mmap(fd, size, trackfd=False)
    duplicate = os.dup(fd)
    os.close(duplicate)
    log = mmap(fd, size)
    os.close(duplicate)
    return log


_immortal = []


def put_report(fd, report):
    """Leave the run's report (what marshal takes) behind the lanes; the first one stays."""
    size, whole, there = head(fd)
    if not there:
        there = max(HEADER, os.fstat(fd).st_size)
        os.pwrite(fd, marshal.dumps(report), there)
        os.pwrite(fd, HEAD.pack(size, whole, there), 0)


def report(fd):
    """The run's report; None as long as there is none."""
    there = head(fd)[2]
    return marshal.loads(os.pread(fd, os.fstat(fd).st_size - there, there)) if there else None


class Writer:
    """Appends to the lanes of this process's threads. `begin`, `returned` and `failed` are the hot path: closures
    over locals, the append written out twice, because a recorded call should cost no more than two bare ones."""

    def __init__(self, fd):
        log, words, size_of_lane = attach(fd)
        here = threading.local()
        segment = size_of_lane >> 2
        inside = segment - 1
        pack_into = INTEGERS.pack_into

        def lane():
            """The word where this thread's lane starts; a forked child's own thread has a lane of its own."""
            at = threading.get_native_id() * (size_of_lane >> 3)
            here.used = time.thread_time_ns(), _now(), resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
            if not words[at]:
                words[at] = HEADER
            here.lane = at  # the last of all: a handler that runs before makes itself one
            append(NOTE, _dumps((_now(), "lane", os.getpid()), 2))  # it may be that of a thread long gone
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
            if position ^ end > inside:
                return next_segment(at, kind, data)
            start = (at << 3) + position
            words[start >> 3] = size << 3 | kind
            start += 8
            log[start:start + size] = data
            words[at] = end

        def next_segment(at, kind, data):
            """The entry does not fit into the lane's segment: leave it for the next, the tail's two in turn."""
            if len(data) + HEADER + 16 >= segment:
                data = _shortened(kind, data)
            left = words[at + 1] + 1
            following = left * segment if left < 4 else (2 + left % 2) * segment
            over = _count(words, at, following, following + segment) if left >= 4 else 0
            # Again no call from here to the last store; but a handler may have run before, and gone on itself.
            if words[at + 1] + 1 == left:
                words[at + (words[at] >> 3)] = 0
                words[at + 2] += over
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
            if position ^ end > inside:
                next_segment(at, BEGIN, data)
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
                if position ^ beyond <= inside:
                    words[at + (position >> 3)] = 32 << 3 | INTEGER
                    words[at] = beyond  # first, since a handler may run after the call below; filled or all zero
                    pack_into(log, (at << 3) + position + 8, result, end, start, stamp)
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


def _shortened(kind, data):
    """An entry that would not fit into a segment, without what makes it long."""
    values = list(marshal.loads(data))
    if kind == BEGIN:
        values[2:5] = ("…",), None, None
    elif kind == END:
        values[3] = "…"
    else:
        values = [value[-1000:] if isinstance(value, str) else value for value in values]
    return _dumps(tuple(values), 2)


def _count(words, at, position, end):
    """How many calls begin in the entries of a segment."""
    found = 0
    while position < end and (word := words[at + (position >> 3)]):
        found += word & 7 == BEGIN
        position += (word >> 3) + 15 & -8
    return found
