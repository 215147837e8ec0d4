"""The kernel's end of the stage: started when first needed, once a process, and again if it was killed."""
import atexit
import os
import signal
import socket
import subprocess
import sys
import threading

from . import stage
from .say import _

_START = ("import sys; sys.path.insert(0, sys.argv[1]); from ipclab import stage; "
          "stage.main(int(sys.argv[2]), int(sys.argv[3]))")
PATIENCE = 10.0  # seconds for which a stage may be busy, with clearing away for instance


class _Stage:
    """The stage of this process. Its control socket closes with this process, and so does the stage then."""

    def __init__(self):
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._said = os.memfd_create("ipclab-stage", os.MFD_CLOEXEC)  # nobody's terminal, and a pipe could fill up
        self._socket, theirs = socket.socketpair()
        home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        command = [sys.executable, "-P", "-c", _START, home, str(theirs.fileno()), str(os.getpid())]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/", stdout=self._said,
                stderr=self._said, start_new_session=True)
        if self._first() != b"+":
            self.close()
            raise RuntimeError(_("ipclab's stage could not start; `python -m ipclab doctor` may tell why. It said:"
                                 "\n{said}").format(said=self.said()))

    def _first(self):
        """The first byte, which says that it is ready; b"" where there is none."""
        try:
            return self._socket.recv(1)
        except OSError:
            return b""

    def play(self, request, fds):
        with self._lock:
            stage.send(self._socket, request, fds)

    def said(self):
        """What it and the supervisors wrote where a program writes its errors, the last of it."""
        size = os.fstat(self._said).st_size
        return os.pread(self._said, 4000, max(0, size - 4000)).decode(errors="replace").strip()

    @property
    def pid(self):
        return self._process.pid

    def alive(self):
        return self.owner == os.getpid() and self._process.poll() is None

    def kill(self):
        """End the stage at once."""
        self._process.kill()
        self._process.wait()

    def close(self, patience=20):
        """Let the stage end, with all that is under it, and wait; in a forked child only forget it."""
        self._socket.close()
        if self.owner == os.getpid() and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)  # it may have been stopped
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __del__(self):
        if hasattr(self, "_said"):
            os.close(self._said)


_current = None
_starting = threading.Lock()


def current():
    """This process's stage. RuntimeError where it cannot start."""
    global _current
    with _starting:
        if _current is None or not _current.alive():
            if _current is not None:
                _current.close()
            _current = _Stage()
        return _current


def play(request, fds):
    """Have the stage play a request with the descriptors (log, output): (the run's socket, the stage that does).

    A stage that was killed or stopped is replaced by another, once; RuntimeError where that does not answer either.
    """
    for _again in range(2):
        playing = current()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                playing.play(request, [theirs.fileno(), *fds])
            ours.settimeout(PATIENCE)
            if ours.recv(1) == b"+":
                ours.settimeout(None)
                return ours, playing
        except OSError:
            pass  # the stage has gone, or does not answer
        except BaseException:
            ours.close()
            raise
        ours.close()
        playing.kill()  # what it has already begun ends without it
    raise RuntimeError(_("ipclab's stage does not answer; `python -m ipclab doctor` may tell why. It said:"
                         "\n{said}").format(said=playing.said()))


def close():
    """End this process's stage and every run that goes on; the next run starts another."""
    global _current
    with _starting:
        if _current is not None:
            _current.close()
        _current = None


def _forked():
    """A fork of this process has a stage of its own, and no lock that another thread held."""
    global _current, _starting
    if _current is not None:
        _current.close()
    _current, _starting = None, threading.Lock()


os.register_at_fork(after_in_child=_forked)
atexit.register(close)
