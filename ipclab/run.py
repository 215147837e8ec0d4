"""run(): the way from a reader's function to a Trace, by way of the stage."""
import atexit
import inspect
import linecache
import os
import pickle
import select
import socket
import subprocess
import sys
import threading
import time
import types

from . import build, log, stage

LARGEST_GLOBAL = 1 << 20  # bytes, pickled
GRACE = 4.0  # seconds after its deadline at which a run that has not reported is given up


def run(experiment, *, timeout=5.0, **params):
    """Run the experiment in processes of its own and return the Trace of all that it did.

    `experiment` is a plain function; `params` replace the defaults of its parameters. `timeout` is the deadline in
    seconds: what still runs then is looked at and ended. Nothing is raised for what the experiment does: see
    Trace.processes. TypeError for an unknown or missing parameter, an experiment that is no function, and a global
    that cannot be handed over; ValueError for a deadline that is none; RuntimeError where the stage cannot start.
    """
    started = start(experiment, timeout=timeout, **params)
    try:
        return started.wait()
    except BaseException:  # Ctrl+C cancels the run
        started.cancel()
        raise


def start(experiment, *, timeout=5.0, **params):
    """Start a run and return at once: a Run. Errors as of run()."""
    _check(experiment, timeout, params)
    return Run(experiment, float(timeout), params)


class Run:
    """A run that is going on or has ended; `fileno()` becomes readable when it has."""

    def __init__(self, experiment, timeout, params):
        request = _request(experiment, timeout, params)
        self._source = _source(experiment)
        self._name, self._timeout, self._given = experiment.__name__, timeout, params
        self._defaults = {p.name: p.default for p in inspect.signature(experiment).parameters.values()}
        self._log, self._output = log.create(), os.memfd_create("ipclab-output", os.MFD_CLOEXEC)
        self._socket, theirs = socket.socketpair()
        self._received, self._final = b"", None
        self._give_up = time.monotonic() + timeout + GRACE
        try:
            _stage().play(request, [theirs.fileno(), self._log, self._output])
        except BaseException:
            self._close()
            raise
        finally:
            theirs.close()

    def fileno(self):
        """The descriptor to watch; -1 once the run's trace has been taken."""
        return self._socket.fileno()

    def done(self):
        """Whether the run has ended; does not wait."""
        return self._final is not None or self._finished(0)

    def trace(self):
        """The Trace: partial while the run goes on, final when it has ended; does not wait."""
        if not self.done():
            return self._build(None)
        return self._final or self.wait()

    def wait(self):
        """Wait for the end and return the Trace."""
        if self._final is None:
            while not self._finished(None):
                continue
            self._final = self._build(self._report())
            self._close()
        return self._final

    def cancel(self):
        """End the run at once, without waiting: its supervisor clears it away. The trace so far is kept."""
        if self._final is None:
            self._final = self._build(None)
            self._final.notes.append("cancelled")
            self._close()

    def _finished(self, patience):
        """Receive what is there, waiting `patience` seconds (None: till the end of the run's time); at the end?"""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while True:
            left = self._give_up - time.monotonic()
            wait = max(0, left) if patience is None else min(patience, max(0, left))
            if not poll.poll(wait * 1000):
                return left <= 0
            part = self._socket.recv(1 << 16)
            if not part:
                return True
            self._received += part

    def _report(self):
        import marshal

        try:
            return marshal.loads(self._received[8:])
        except (EOFError, ValueError, TypeError):
            return None

    def _build(self, report):
        final = self._final is None and report is not None
        params = {**self._defaults, **self._given}
        trace = build.trace(self._log, self._output, report, self._name, self._source, params, self._timeout)
        if not final and report is None and self._received == b"" and self.fileno() >= 0 and self._ended_badly():
            trace.notes.append("the run's supervisor was killed, or did not report in time")
        return trace

    def _ended_badly(self):
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0)) or time.monotonic() >= self._give_up

    def _close(self):
        self._socket.close()
        for fd in (self._log, self._output):
            if fd >= 0:
                os.close(fd)
        self._log = self._output = -1

    def __del__(self):
        if getattr(self, "_log", -1) >= 0:
            self._close()


def _check(experiment, timeout, params):
    if not isinstance(experiment, types.FunctionType):
        raise TypeError(f"run() takes a function, not {type(experiment).__name__}: run(experiment, name=value), "
                        "without calling the experiment")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout is a number of seconds, not {type(timeout).__name__}")
    if not 0 < timeout <= 3600:
        raise ValueError(f"timeout is a number of seconds above 0, up to 3600, not {timeout}")
    signature = inspect.signature(experiment)
    names = list(signature.parameters)
    for given in params:
        if given not in names:
            has = "it has " + ", ".join(names) if names else "it has none"
            raise TypeError(f"{experiment.__name__}() has no parameter {given!r}; {has}")
    for parameter in signature.parameters.values():
        if parameter.default is parameter.empty and parameter.name not in params and (
                parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)):
            raise TypeError(f"{experiment.__name__}() needs a value for {parameter.name!r}: "
                            f"run({experiment.__name__}, {parameter.name}=...)")


def _request(experiment, timeout, params):
    return pickle.dumps({
        "pickled": _pickled(experiment, params), "timeout": timeout, "environ": dict(os.environ),
        "path": [os.path.abspath(folder) for folder in sys.path], "file": experiment.__code__.co_filename,
        "sources": _sources(experiment)})


def _pickled(experiment, params):
    import cloudpickle

    try:
        pickled = cloudpickle.dumps((experiment, params))
    except Exception as error:
        culprit = _culprit(experiment, params, lambda value: not _picklable(value))
        raise TypeError(f"{experiment.__name__}() uses {culprit}, which cannot be handed to another process: "
                        f"{error}") from None
    if len(pickled) > LARGEST_GLOBAL:
        culprit = _culprit(experiment, params, lambda value: _size(value) > LARGEST_GLOBAL // 2)
        raise TypeError(f"{experiment.__name__}() uses {culprit}, which is too large to be handed over at each run "
                        f"({len(pickled) >> 20} MiB of at most 1): make it inside the experiment")
    return pickled


def _culprit(experiment, params, is_it):
    """The name of the global, closed-over or given value that is to blame, as a text."""
    names = inspect.getclosurevars(experiment)
    for kind, values in (("the parameter", params), ("the variable", names.nonlocals), ("the global", names.globals)):
        for name, value in values.items():
            if is_it(value):
                return f"{kind} {name!r}"
    return "a value"


def _picklable(value):
    import cloudpickle

    try:
        cloudpickle.dumps(value)
        return True
    except Exception:
        return False


def _size(value):
    import cloudpickle

    return len(cloudpickle.dumps(value))


def _source(experiment):
    """(file, first line, text) of the experiment, or None where it cannot be had."""
    try:
        lines, first = inspect.getsourcelines(experiment)
        return experiment.__code__.co_filename, first, "".join(lines)
    except (OSError, TypeError):
        return None


def _sources(experiment):
    """linecache's entries for the files of the experiment and of the reader's functions that it uses."""
    functions = [experiment, *(value for value in inspect.getclosurevars(experiment).globals.values()
                               if isinstance(value, types.FunctionType))]
    files = {function.__code__.co_filename for function in functions}
    found = {}
    for file in files:
        if not os.path.exists(file) and (lines := linecache.getlines(file)):
            found[file] = (sum(map(len, lines)), None, lines, file)
    return found


class _Stage:
    """The stage of this process. Its control socket closes with this process, and so does the stage then."""

    def __init__(self):
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-c", _START, os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                   str(theirs.fileno()), str(os.getpid())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/",
                                         stdout=subprocess.DEVNULL, stderr=None, start_new_session=True)
        theirs.close()
        if self._socket.recv(1) != b"+":
            said = ""
            self.close()
            raise RuntimeError(f"ipclab's stage could not start; `python -m ipclab doctor` may tell why. It said:\n{said}")
        pass

    def play(self, request, fds):
        with self._lock:
            stage.send(self._socket, request, fds)

    def alive(self):
        return self.owner == os.getpid() and self._process.poll() is None

    def close(self):
        """Let the stage end, and wait for it; in a forked child only forget it."""
        self._socket.close()
        if self.owner == os.getpid():
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


_START = "import sys; sys.path.insert(0, sys.argv[1]); from ipclab import stage; stage.main(int(sys.argv[2]), int(sys.argv[3]))"
_current = None
_starting = threading.Lock()


def _stage():
    """This process's stage, started when first needed, and again if it was killed."""
    global _current
    with _starting:
        if _current is None or not _current.alive():
            if _current is not None and _current.owner == os.getpid():
                _current.close()
            _current = _Stage()
        return _current


def close():
    """End this process's stage and every run that goes on; the next run starts another."""
    global _current
    with _starting:
        if _current is not None and _current.owner == os.getpid():
            _current.close()
        _current = None


atexit.register(close)
