"""The supervisor: one process a run, between the stage and the experiment.

It is a session leader and subreaper (PR_SET_CHILD_SUBREAPER), so that whatever the experiment starts stays under it;
it keeps the deadline, ends the run when its last process has ended or the reader no longer waits, clears away what
is left, and reports. The kernel's end of the run's socket tells both ways: closed, it means cancel.
"""
import fcntl
import marshal
import os
import pickle
import secrets
import select
import signal
import sys
import time
import traceback

from . import clear, family, kernel, play
from .record import LIMIT
from .stage import PR_SET_CHILD_SUBREAPER, prctl, send

WALL = 0x40000000  # wait for children of any kind (wait4(2))
MOST_PRINTED = 256 << 20  # bytes after which a run is ended
MOST_LOOKED_AT = 30  # processes of which /proc is read at the deadline
TICK = 0.05  # seconds between looks at what grows


def begin(request, fds):
    """Fork a supervisor for a request with the descriptors (socket, log, output): (pidfd, its pid, its place).

    `place` is what clearing up after a killed supervisor needs: (folder, socket, log, output).
    """
    folder = os.path.join(_disk(), "ipclab-" + secrets.token_hex(4))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _close_all_but(fds)
            code = _Run(pickle.loads(request), folder, *fds).supervise()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.pidfd_open(pid), pid, (folder, *fds)


def _close_all_but(fds):
    low = 3
    for fd in sorted(fds):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, max(os.sysconf("SC_OPEN_MAX"), 1 << 16))


def _disk():
    """A folder for the runs' own, on a disk file system where there is one: page-cache lessons show nothing on tmpfs."""
    wanted = [os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp"]
    there = [path for path in wanted if path and len(path) <= 40 and os.access(path, os.W_OK | os.X_OK)]
    return next((path for path in there if not kernel.in_memory(path)), there[0] if there else "/tmp")


class _Run:
    def __init__(self, request, folder, sock, log, output):
        self.request, self.folder, self.sock, self.log, self.output = request, folder, sock, log, output
        self.ended = {}  # pid: (wait status, when)
        self.notes = []

    def supervise(self):
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        os.mkdir(self.folder, 0o700)
        fcntl.fcntl(self.output, fcntl.F_SETFL, os.O_APPEND)
        self.tasks = family.tasks()
        self.began = time.time()
        wakeup, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.start = time.monotonic_ns()
        self.first = os.fork()
        if self.first == 0:
            play.play(self.request, self.folder, self.log, self.output, self.tasks)
        self._stay(woken)
        outcome = self._wait(wakeup)
        self.end = time.monotonic_ns()
        stuck = self._stuck() if outcome == "deadline" else {}
        survivors = clear.family_of(os.getpid(), self.first, self._reap) if outcome else []
        leftovers = clear.objects(self.log, self.folder, self.began) + clear.folder(self.folder)
        leftovers += [("process", str(pid), pid, False) for pid in survivors]
        self._report(outcome, stuck, leftovers)
        return 0

    def _stuck(self):
        """What /proc says of each process left; of very many, which leave no time to look, only of the first few."""
        pids = family.descendants(os.getpid())
        looked_at = pids if len(pids) <= MOST_LOOKED_AT else pids[:3]
        return dict.fromkeys(pids, {}) | kernel.snapshot(looked_at)

    def _stay(self, woken):
        """No signal of a terminal or of a careless experiment ends the supervisor; SIGCHLD wakes it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
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
                return "deadline"
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
            self.ended[pid] = status, time.monotonic_ns()

    def _grown(self):
        """What grew past all bounds, in words, or None."""
        if family.tasks() - self.tasks > LIMIT * 3 // 2:
            count = len(family.descendants(os.getpid()))
            if count > LIMIT * 5 // 4:
                return f"the run was ended: it had {count} processes"
        size = os.fstat(self.output).st_size
        if size > MOST_PRINTED:
            return f"the run was ended: it printed {size >> 20} MiB"
        return None

    def _report(self, outcome, stuck, leftovers):
        report = {"start": self.start, "end": self.end, "first": self.first, "ended": self.ended, "stuck": stuck,
                  "timed_out": outcome == "deadline", "cancelled": outcome == "cancelled", "leftovers": leftovers,
                  "notes": self.notes}
        import socket

        try:
            send(socket.socket(fileno=self.sock), marshal.dumps(report))
        except OSError:
            pass  # the kernel has gone, or does not want to know
        sys.stdout.flush()
