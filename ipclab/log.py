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

from .values import LONGEST, let_through, plain

BEGIN, END, NOTE, INTEGER, BYTES = 1, 2, 3, 4, 5  # kinds of entries; the last two are ENDs with such a result
HEADER = 64  # bytes at the start of a lane: position, segments left behind, calls overwritten
SIZES = 1 << 24, 1 << 20, 1 << 16  # bytes of a lane: the first of which the machine maps one for every thread id

HEAD = struct.Struct("=QQQ")  # of a lane; of the log: bytes of a lane, bytes of all lanes, where the report begins
INTEGERS = struct.Struct("=qqqq")  # of an INTEGER: result, end, start, stamp
STAMPS = struct.Struct("=qqq")  # of BYTES, before the bytes: end, start, stamp
CHUNK = 1 << 15  # bytes of a lane whose pages are had at once
MADV_POPULATE_WRITE = 23  # madvise(2), Linux 5.14
_dumps, _now = marshal.dumps, time.monotonic_ns
_word, _integer, _bytes = struct.Struct("=Q").pack, struct.Struct("=Qqqqq").pack, struct.Struct("=Qqqq").pack
_BEGINS = [_word(size << 3 | BEGIN) for size in range(LONGEST)]  # the words that entries of these lengths begin with


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
    over locals, the putting written out in each, because a recorded call should cost no more than two bare ones.

    A handler may run, and another thread take over, wherever CPython looks for that: at calls and jumps back. From
    where a lane's position is read to where it is moved behind the new entry there is neither, and a kill between
    leaves the position unmoved.
    """

    def __init__(self, fd):
        log, words, size_of_lane = attach(fd)
        whole = memoryview(log)
        here = threading.local()
        segment = size_of_lane >> 2
        inside = min(segment, CHUNK) - 1

        def lane():
            """This thread's lane, as words and as bytes; a forked child's own thread has a lane of its own."""
            at = threading.get_native_id() * size_of_lane
            mine = words[at >> 3:at + size_of_lane >> 3], whole[at:at + size_of_lane]
            here.readings = [reading(_now())]
            if not mine[0][0]:
                populate(at, 0)
                if not mine[0][0]:
                    mine[0][0] = HEADER
            here.lane = mine  # the last of all: a handler that runs before makes itself one
            append(NOTE, _dumps((_now(), "lane", os.getpid()), 2))  # it may be that of a thread long gone
            return mine

        def populate(at, position):
            """Have the pages of a part of the lane, all at once, which is cheaper than one by one when first used."""
            try:
                log.madvise(MADV_POPULATE_WRITE, at + position, inside + 1)
            except (OSError, ValueError) as error:  # an older kernel: they come one by one
                let_through(error)

        def append(kind, body):
            try:
                lane_words, lane_bytes = here.lane
            except AttributeError:
                lane_words, lane_bytes = lane()
            put(lane_words, lane_bytes, _word(len(body) << 3 | kind) + body)

        def put(lane_words, lane_bytes, entry):
            size = len(entry)
            position = lane_words[0]
            end = position + (size + 7 & -8)
            if position ^ end >= segment:
                return next_segment(lane_words, lane_bytes, entry)
            lane_bytes[position:position + size] = entry
            lane_words[0] = end

        def step(lane_words, lane_bytes, entry, end):
            """Put an entry that ends in the next chunk of its lane, at `end`, or in the next segment."""
            if lane_words[0] ^ end < segment:
                populate(threading.get_native_id() * size_of_lane, end & ~inside)
            put(lane_words, lane_bytes, entry)

        def next_segment(lane_words, lane_bytes, entry):
            """The entry does not fit into the lane's segment: leave it for the next, the tail's two in turn."""
            if len(entry) + HEADER + 16 >= segment:
                entry = _shortened(entry)
            left = lane_words[1] + 1
            following = left * segment if left < 4 else (2 + left % 2) * segment
            over = _count(lane_words, following, following + segment) if left >= 4 else 0
            # No call from here to the last store. A handler may have run before, and gone on itself.
            if lane_words[1] + 1 == left:
                lane_words[lane_words[0] >> 3] = 0
                lane_words[2] += over
                lane_words[1] = left
                lane_words[0] = following
            put(lane_words, lane_bytes, entry)

        def begin(call, args, keywords, on, line, via, file):
            """Note that a call is about to be made; the stamp returned (ns) names it."""
            stamp = _now()
            try:
                data = _dumps((stamp, call, args, keywords, on, line, via, file), 2)
                entry = _BEGINS[len(data)] + data
            except (ValueError, IndexError) as error:  # what marshal cannot take, or very much of it
                let_through(error)
                args = tuple([plain(value) for value in args])
                append(BEGIN, _dumps((stamp, call, args, plain(keywords), on, line, via, file), 2))
                return stamp
            try:
                lane_words, lane_bytes = here.lane
            except AttributeError:
                lane_words, lane_bytes = lane()
            size = len(entry)
            position = lane_words[0]
            end = position + (size + 7 & -8)
            if position ^ end > inside:
                step(lane_words, lane_bytes, entry, end)
                return stamp
            lane_bytes[position:position + size] = entry
            lane_words[0] = end
            return stamp

        def returned(stamp, start, end, result):
            kind = type(result)
            try:
                if end - start > 100_000:
                    entry = _ended(stamp, start, end, result, off_processor(start, end))
                elif kind is int:
                    entry = _integer(32 << 3 | INTEGER, result, end, start, stamp)
                elif kind is bytes and len(result) <= LONGEST:
                    entry = _bytes(len(result) + 24 << 3 | BYTES, end, start, stamp) + result
                else:
                    entry = _ended(stamp, start, end, result, 0)
            except struct.error:  # a number of more than 64 bits
                entry = _ended(stamp, start, end, result, 0)
            lane_words, lane_bytes = here.lane
            size = len(entry)
            position = lane_words[0]
            end = position + (size + 7 & -8)
            if position ^ end > inside:
                return step(lane_words, lane_bytes, entry, end)
            lane_bytes[position:position + size] = entry
            lane_words[0] = end

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
            now, readings = reading(end), here.readings
            used, then, switches = next((one for one in reversed(readings) if one[1] <= start), readings[0])
            here.readings = [*readings[-7:], now]  # of calls made by a handler, during this one, too
            if now[2] == switches:
                return 0
            on = max(0, now[0] - used - max(0, start - then))
            return max(0, end - start - on)

        def reading(when):
            """(processor time of this thread in ns, when it was read, its voluntary context switches so far)."""
            return time.thread_time_ns(), when, resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

        def forked():
            here.__dict__.clear()

        self.begin, self.returned, self.failed, self.forked = begin, returned, failed, forked
        self.note = lambda *values: append(NOTE, _dumps((_now(), *values), 2))


def _ended(stamp, start, end, result, waited):
    """An END whose result is any value."""
    try:
        data = _dumps((stamp, start, end, result, None, waited), 2)
        if len(data) > LONGEST:
            raise ValueError
    except ValueError as error:
        let_through(error)
        data = _dumps((stamp, start, end, plain(result), None, waited), 2)
    return _word(len(data) << 3 | END) + data


def _shortened(entry):
    """An entry that would not fit into a segment, without what makes it long."""
    kind, values = entry[0] & 7, list(marshal.loads(entry[8:]))
    if kind == BEGIN:
        values[2:5] = ("…",), None, None
    elif kind == END:
        values[3] = "…"
    else:
        values = [value[-1000:] if isinstance(value, str) else value for value in values]
    data = _dumps(tuple(values), 2)
    return _word(len(data) << 3 | kind) + data


def _count(words, position, end):
    """How many calls begin in the entries of a segment."""
    found = 0
    while position < end and (word := words[position >> 3]):
        found += word & 7 == BEGIN
        position += (word >> 3) + 15 & -8
    return found
