"""The supervisor: one process a run, between the stage and the experiment.

It is a session leader and subreaper (PR_SET_CHILD_SUBREAPER), so that whatever the experiment starts stays under it;
it keeps the deadline, ends the run when its last process has ended or the reader no longer waits, clears away what
is left, and reports, in the run's log. The kernel's end of the run's socket tells both ways: closed, it means cancel.
"""
import fcntl
import functools
import os
import pickle
import select
import signal
import time
import traceback
from dataclasses import dataclass

from . import clear, family, folders, kernel, log, moment, play, remove
from .record import LIMIT
from .stage import PR_SET_CHILD_SUBREAPER, prctl

WALL = 0x40000000  # wait for children of any kind (wait4(2))
MOST_PRINTED = 64 << 20  # bytes after which a run is ended
MOST_LOGGED = 512 << 20  # bytes of log after which a run is ended
MOST_LOOKED_AT = 30  # processes of which /proc is read at the deadline
TICK = 0.025  # seconds between looks at what grows
LATE, OVERDUE = 1.5, 9.0  # seconds after a run's deadline at which a stopped supervisor, and any, is ended by the stage


@dataclass
class Going:
    """What the stage knows of a run that goes on: its supervisor, its folder, its descriptors (socket, log, output),
    the System V segments there were before, when it began (time.time()), and when the stage is to look whether its
    supervisor has been stopped, and when it is overdue (time.monotonic())."""

    pidfd: int
    pid: int
    folder: str
    fds: list
    segments: set
    began: float
    look: float
    overdue: float


def begin(request, fds):
    """Fork a supervisor for a request with the descriptors (socket, log, output): its Going, or None if that failed,
    which the run's report then says."""
    began, now = time.time(), time.monotonic()
    try:
        os.write(fds[0], b"+")  # the request has come
        request = pickle.loads(request)
        folder = folders.new(disk(os.environ.get("TMPDIR", "")))
        segments = remove.segments()
        pid = os.fork()
    except Exception as error:
        _tell(fds, error)
        clear.close(fds)
        return None
    if pid == 0:
        _supervise(_Run(request, folder, segments, began, *fds), fds)
    deadline = now + request["timeout"]
    return Going(os.pidfd_open(pid), pid, folder, fds, segments, began, deadline + LATE, deadline + OVERDUE)


def _supervise(run, fds):
    """The supervisor's process, from its first to its last instruction."""
    code = 1
    try:
        _close_all_but(fds)
        run.supervise()
        code = 0
    except BaseException as error:
        traceback.print_exc()
        _tell(fds, error)
    finally:
        os._exit(code)


def _tell(fds, error):
    """Say in the run's log why it could not be made."""
    try:
        log.put_report(fds[1], {"error": f"{type(error).__name__}: {error}", "errno": getattr(error, "errno", None)})
    except (OSError, IndexError):
        traceback.print_exc()  # which the kernel reads if it finds no report


def _close_all_but(fds):
    low = 3
    for fd in sorted(fds):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, max(os.sysconf("SC_OPEN_MAX"), 1 << 16))


@functools.cache
def disk(wanted):
    """A folder for the runs' own, on a disk file system where there is one: page-cache lessons show nothing on tmpfs.
    Its path is short, since that of a UNIX socket ends at 108 bytes."""
    there = [path for path in (wanted, "/tmp", "/var/tmp")
             if path.startswith("/") and len(path) <= 40 and os.access(path, os.W_OK | os.X_OK)]
    return next((path for path in there if not kernel.in_memory(path)), there[0] if there else "/tmp")


class _Run:
    def __init__(self, request, folder, segments, began, sock, log, output):
        self.request, self.folder, self.segments, self.began = request, folder, segments, began
        self.sock, self.log, self.output = sock, log, output
        self.ended = []  # (pid, wait status, when)
        self.notes = []  # (word, number): see build.NOTES

    def supervise(self):
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        os.mkdir(self.folder, 0o700)
        os.chdir(self.folder)  # it is in use, whatever becomes of the stage: see folders.py
        fcntl.fcntl(self.output, fcntl.F_SETFL, os.O_APPEND)
        writer = log.Writer(self.log)
        self.tasks = family.tasks()
        wakeup, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.start = time.monotonic_ns()
        self.first = os.fork()
        if self.first == 0:
            play.play(self.request, self.folder, writer, self.log, self.output, self.tasks)
        self._stay(woken)
        outcome = self._wait(wakeup)
        self.end = time.monotonic_ns()
        looked = outcome in ("deadline", "too much")
        stuck, whole = moment.below(os.getpid(), MOST_LOOKED_AT) if looked else ({}, False)
        survivors = clear.family_of(os.getpid(), self._reap, group=self._group()) if outcome else []
        leftovers = remove.objects(self.log, self.folder, self.began, self.segments) + clear.folder(self.folder)
        leftovers += [("process", str(pid), pid, False) for pid in survivors]
        self._report(outcome, stuck, whole, leftovers)

    def _group(self):
        """The experiment's process group; None where its first process was waited for, since the number may be
        another's then."""
        return None if any(pid == self.first for pid, _status, _when in self.ended) else self.first

    def _stay(self, woken):
        """No signal of a terminal or of a careless experiment ends the supervisor; SIGCHLD wakes it. Where it may, as
        root, it comes before the experiment's processes (sched(7)): no limit on their number holds for root."""
        try:
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        except OSError:
            pass
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
                       signal.SIGTSTP, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def _wait(self, wakeup):
        """None when all have ended by themselves, else why the run is to be ended."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        poll.register(wakeup, select.POLLIN)
        deadline = self.start + int(self.request["timeout"] * 1e9)
        while not self._reap():
            left = (deadline - time.monotonic_ns()) / 1e9
            if left <= 0:
                return "deadline"
            ready = [fd for fd, _events in poll.poll(max(1, min(left, TICK) * 1000))]
            if self.sock in ready:
                return "cancelled"
            if wakeup in ready:
                os.read(wakeup, 4096)
            if too_much := self._grown():
                self.notes.append(too_much)
                return "too much"
        return None

    def _reap(self):
        """Take the status of every child that has ended; whether no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | WALL)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            self.ended.append((pid, status, time.monotonic_ns()))

    def _grown(self):
        """What grew past all bounds, as (word, number), or None."""
        if family.tasks() - self.tasks > LIMIT * 5 // 4:
            count = len(family.descendants(os.getpid()))
            if count > LIMIT * 11 // 10:
                return "processes", count
        for word, fd, most in (("printed", self.output, MOST_PRINTED), ("logged", self.log, MOST_LOGGED)):
            if (size := os.fstat(fd).st_blocks * 512) > most:
                return word, size >> 20
        return None

    def _report(self, outcome, stuck, whole, leftovers):
        log.put_report(self.log, {
            "start": self.start, "end": self.end, "ended": self.ended, "stuck": stuck, "whole": whole,
            "timed_out": outcome == "deadline", "leftovers": leftovers, "notes": self.notes})
        try:
            os.write(self.sock, b".")
        except OSError:
            pass  # the kernel has gone, or does not want to know
