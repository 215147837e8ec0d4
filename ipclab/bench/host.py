"""The process that measures: a fresh interpreter, one thread, no recorder. It forks two clean processes a measurement.

It reads one job a line from its standard input and writes one result a line. It ends when its input does, and then
everything under it; the two processes end when it does (PR_SET_PDEATHSIG), and by an alarm whatever happens. What is
named is in its private folder or named after it, which the caller, or the next sweep (folders.py), removes.
"""
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

from .. import clear
from ..stage import prctl
from . import compiled, objects, textbook, tuned, usual
from .mechanisms import LARGEST, SLOTS, WINDOW

PR_SET_PDEATHSIG = 1  # prctl(2)
DEADLINE = 20  # seconds for one measurement
_BYTES = os.urandom(LARGEST)  # of which messages are made
BOOKS = {"textbook": textbook, "tuned": tuned, "usual": usual}


@dataclass
class Job:
    """One measurement: `count` messages of `size` bytes, each process on its core."""

    mechanism: str
    spelling: str
    of: str
    size: int
    cores: list
    count: int
    path: str = ""  # where its files go, and what its objects are named after


def main():
    """Serve jobs until the input ends, and clear up. Arguments: the private folder, which is there, and C if that is
    wanted."""
    folder = sys.argv[1]
    try:
        _serve(folder)
    finally:
        objects.remove(folder)
        clear.folder(folder)


def _serve(folder):
    print(json.dumps({"C": compiled.prepare(folder) if "C" in sys.argv[2:] else None}), flush=True)
    for line in sys.stdin:
        job = Job(**json.loads(line), path=os.path.join(folder, "one"))
        try:
            result = measured(job)
        except Exception as error:
            result = {"error": _why(error)}
        print(json.dumps(result), flush=True)


def _why(error):
    """The error in words; with its type where it is none of those that are told in words."""
    return str(error) if isinstance(error, (OSError, RuntimeError)) else f"{type(error).__name__}: {error}"


def measured(job):
    """{"seconds": for all messages, "sent": how many, "arrived": how many}; RuntimeError, or OSError of the making."""
    with ExitStack() as stack:
        ends = getattr(objects, job.mechanism.removesuffix("_in_place"))(job, stack)
        message = _BYTES[:job.size]
        told, tell = os.pipe()
        with open(told) as reader:
            with open(tell, "w") as writer:
                _play(job, ends, message, writer)
            return _result(job, {line["side"]: line for line in map(json.loads, reader)})


def _play(job, ends, message, writer):
    """Fork the sides, and wait until they have ended."""
    controls, pids, host = socket.socketpair(), [], os.getpid()
    with controls[0], controls[1]:
        try:
            for side in (0,) if job.mechanism == "memcpy" else (0, 1):
                pids.append(os.fork())
                if pids[-1] == 0:
                    _Side(job, side, ends[side], message, controls[side], writer, host).work()
            _wait(pids)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _wait(pids):
    """Wait until all have ended or one has failed; they are then taken out of the list. RuntimeError past the
    deadline, SystemExit where the caller has gone."""
    deadline = time.monotonic() + DEADLINE
    poll, left = select.poll(), {os.pidfd_open(pid): pid for pid in pids}
    for fd in (*left, sys.stdin.fileno()):
        poll.register(fd, select.POLLIN)
    try:
        while pids:
            for fd in _ready(poll, deadline):
                poll.unregister(fd)
                if fd not in left:
                    raise SystemExit
                pids.remove(left[fd])
                if os.waitpid(left[fd], 0)[1]:
                    return
    finally:
        for fd in left:
            os.close(fd)


def _ready(poll, deadline):
    if not (ready := poll.poll(max(0, deadline - time.monotonic()) * 1000)):
        raise RuntimeError(f"not done within {DEADLINE} s")
    return [fd for fd, _event in ready]


def _result(job, lines):
    """What both sides wrote, as measured() gives it."""
    for line in lines.values():
        if "error" in line:
            raise RuntimeError(line["error"])
    if len(lines) < 1 + (job.mechanism != "memcpy"):
        raise RuntimeError("a process was ended")
    ends = [line["end"] for line in lines.values()]
    return {"seconds": (max(ends) - lines[0]["start"]) / 1e9, "sent": lines[0]["count"],
            "arrived": min(line["count"] for line in lines.values())}


class _Side:
    """One of the two processes: 0 asks or pours, 1 answers or drains."""

    def __init__(self, job, side, end, message, control, writer, host):
        self.job, self.side, self.end, self.message = job, side, end, message
        self.control, self.writer, self.host = control, writer, host

    def work(self):
        """The process from its first to its last instruction."""
        failed = True
        try:
            line = self._told()
            self.writer.write(json.dumps({"side": self.side, **line}) + "\n")
            self.writer.flush()
            failed = "error" in line
        finally:
            os._exit(failed)

    def _told(self):
        try:
            self._be_bound()
            return self._measure()
        except Exception as error:
            return {"error": _why(error)}

    def _be_bound(self):
        """To end with the host, by the deadline, and to run on its core only."""
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.host:
            os._exit(1)  # it had gone before
        signal.setitimer(signal.ITIMER_REAL, DEADLINE + 5)
        os.sched_setaffinity(0, [self.job.cores[self.side]])
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])

    def _measure(self):
        """What this side tells: when it began and ended, in ns of one clock, and how many messages it saw."""
        loops, count = self._loops(), self._count()
        warm = max(SLOTS, count // 10)
        if self.job.mechanism == "memcpy":
            loops.pour(warm)
            return self._timed(loops.pour, count)
        if self.job.of == "throughput" and isinstance(self.end, objects.Memory):
            (loops.drain if self.side else loops.pour)(warm)
        else:
            (loops.answer if self.side else loops.ask)(warm)
        self._meet()
        if self.job.of == "throughput":
            line = self._drained(loops, count) if self.side else self._poured(loops, count)
        else:
            line = self._timed(loops.answer if self.side else loops.ask, count)
        self._meet()  # nobody ends while the other one may need a thread of his, as that of multiprocessing.Queue
        return line

    def _meet(self):
        self.control.send(b"+")
        self.control.recv(1)

    def _count(self):
        """How many messages: of signals whole windows."""
        if self.job.mechanism == "signals" and self.job.of == "throughput":
            return -(-self.job.count // WINDOW) * WINDOW
        return self.job.count

    def _timed(self, turns, count):
        start = time.perf_counter_ns()
        last = turns(count)
        end = time.perf_counter_ns()
        self._check(last)
        return {"start": start, "end": end, "count": count}

    def _poured(self, loops, count):
        start = time.perf_counter_ns()
        loops.pour(count)
        while self.job.mechanism == "udp" and not select.select([self.control], [], [], 0.0002)[0]:
            self.end.send(b"")  # no more will come; again, since it may be lost
        return {"start": start, "end": start, "count": count}

    def _drained(self, loops, count):
        arrived, last = loops.drain(count)
        end = time.perf_counter_ns()
        if arrived:
            self._check(last)
        return {"start": end, "end": end, "count": arrived}

    def _check(self, last):
        """RuntimeError where the last message is another than was sent."""
        if bytes(last) != self.message:
            raise RuntimeError(f"other bytes arrived than were sent: {len(last)} of {len(self.message)}")

    def _loops(self):
        """The Loops of the job's spelling."""
        job, end = self.job, self.end
        if job.mechanism == "signals":
            end = end, self._other_pid()
        if job.spelling == "C":
            return compiled.loops(job.mechanism, end, self.message)
        return getattr(BOOKS[job.spelling], job.mechanism)(end, self.message)

    def _other_pid(self):
        self.control.send(str(os.getpid()).encode())
        return int(self.control.recv(16))
