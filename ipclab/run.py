"""run(): the way from a reader's function to a Trace, by way of the stage."""
import errno
import functools
import inspect
import os
import platform
import select
import socket
import time

from . import build, connection, handing, lives, log, recorded
from .say import _

GRACE = 12.0  # seconds after its deadline at which a run that has not reported is given up


def run(experiment, *, timeout=5.0, **params):
    """Run the experiment in processes of its own and return the Trace of all that it did.

    `experiment` is a plain function; `params` replace the defaults of its parameters. `timeout` is the deadline in
    seconds: what still runs then is looked at and ended. Nothing is raised for what the experiment does: see
    Trace.processes. TypeError for an unknown or missing parameter, an experiment that is no function, and a global
    that cannot be handed over; ValueError for a deadline that is none; OSError or RuntimeError where the machine
    cannot run it and no recorded run of the same stands beside the notebook: else it is that one (Trace.recorded),
    and a line is printed that says so.
    """
    trace = finished(experiment, timeout, params)
    if told := recorded.label(trace):
        print(f"{trace.experiment}: {told}")
    return trace


def finished(experiment, timeout, params):
    """The Trace of a run, live or recorded, which is waited for. Errors as of run()."""
    trace = _waited(begin(experiment, timeout, params))
    if recorded.going_on():
        from . import recording

        recording.keep(experiment, timeout, params, trace)
    return trace


def run_live(experiment, timeout, params):
    """The Trace of a run of what a reader has written: no recorded one can stand for it. Errors as of run()."""
    handing.check(experiment, timeout, params)
    recorded.allow_live()
    return _waited(Run(experiment, float(timeout), params))


def _waited(started):
    try:
        return started.wait()
    except BaseException:  # Ctrl+C cancels the run
        started.cancel()
        raise


def start(experiment, *, timeout=5.0, **params):
    """Start a run and return at once: a Run or, where it cannot be made and was recorded, a recorded.Replay. Errors
    as of run()."""
    return begin(experiment, timeout, params)


def begin(experiment, timeout, params, near=None):
    """start(); `near` is as in recorded.instead()."""
    handing.check(experiment, timeout, params)
    instead = functools.partial(recorded.instead, experiment, timeout, params, near or {})
    try:
        recorded.allow_live()
        return Run(experiment, float(timeout), params, instead)
    except (OSError, RuntimeError) as error:
        return recorded.Replay(instead(error))


class Run:
    """A run that goes on or has ended; `fileno()` becomes readable when it has. One that is forgotten is cancelled.

    `instead`, where it is given, has the Trace for one that could not begin: instead(error), which raises it again
    where there is none."""

    def __init__(self, experiment, timeout, params, instead=None):
        if not hasattr(os, "memfd_create"):
            raise RuntimeError(_("programs of this course run on Linux, and this is {system}").format(
                system=platform.system()))
        request = handing.request(experiment, timeout, params)
        self._source = handing.source(experiment)
        defaults = {p.name: p.default for p in inspect.signature(experiment).parameters.values()
                    if p.default is not p.empty}
        self._name, self._timeout, self._params = experiment.__name__, timeout, {**defaults, **params}
        self._final, self._owner, self._instead = None, os.getpid(), instead
        self._socket = self._stage = None
        self._log, self._output = log.create(), os.memfd_create("ipclab-output", os.MFD_CLOEXEC)
        try:
            self._socket, self._stage = connection.play(request, [self._log, self._output])
        except BaseException:
            self._close()
            raise
        self._give_up = time.monotonic() + timeout + GRACE

    def fileno(self):
        """The descriptor to watch; -1 once the run's trace has been taken."""
        return self._socket.fileno()

    def done(self):
        """Whether the run has ended; does not wait."""
        return self._final is not None or self._ended(0)

    def trace(self):
        """The Trace: partial while the run goes on, final when it has ended; does not wait."""
        return self.wait() if self.done() else self._build(None)

    def wait(self):
        """Wait for the end and return the Trace. RuntimeError where the run could not begin, with the reason."""
        if self._final is None:
            self._ended(None)
            try:
                self._final = self._build(self._report())
            except RuntimeError as error:
                if self._instead is None:
                    raise
                self._final = self._instead(error)
            finally:
                self._close()
        return self._final

    def cancel(self):
        """End the run at once, without waiting: its supervisor clears it away. The trace so far is kept."""
        if self._final is None and self._log >= 0:
            self._final = self._build(None)
            self._final.notes.append(_("the run was cancelled"))
            self._close()

    def _ended(self, patience):
        """Whether the run has reported or is lost, waiting `patience` milliseconds for it (None: all of its time)."""
        if self._log < 0:
            return True
        left = max(0, self._give_up - time.monotonic()) * 1000
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(left if patience is None else min(patience, left))) or left == 0

    def _report(self):
        """The run's report. RuntimeError where it did not begin."""
        if self._log < 0:
            raise RuntimeError(_("this run could not begin, or was cancelled"))
        report = log.report(self._log)
        if report and "error" in report:
            raise RuntimeError(_unbegun(report["error"], report["errno"]))
        if log.head(self._log)[0] == 0:
            raise RuntimeError(_unbegun(self._stage.said() or _("its supervisor was killed"), None))
        return report or build.lost(time.monotonic_ns())

    def _build(self, report):
        try:
            trace = build.trace(self._log, self._output, report)
        except lives.Failed as failure:
            raise RuntimeError(_unbegun(*failure.args)) from None
        trace.experiment, trace.source, trace.params = self._name, self._source, self._params
        trace.timeout = self._timeout
        return trace

    def _close(self):
        if self._log >= 0:
            if self._socket and self._owner == os.getpid():
                _shut(self._socket)
            if self._socket:
                self._socket.close()
            os.close(self._log)
            os.close(self._output)
            self._log = self._output = -1
            self._stage = None  # or one that was killed keeps its descriptor for as long as somebody has this run

    def __del__(self):
        if hasattr(self, "_log"):
            self._close()


def _shut(sock):
    """End the connection for whoever has the descriptor, such as a process that the kernel forked meanwhile."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other end has gone


def _unbegun(reason, number):
    """What a reader is told where the machine could not begin a run."""
    advice = {
        errno.ENOSPC: _("Free some space, or set TMPDIR to a folder on a disk that has some."),
        errno.EDQUOT: _("Free some space, or set TMPDIR to a folder on a disk that has some."),
        errno.EACCES: _("Set TMPDIR to a folder that you may write in, its path at most 40 characters."),
        errno.EROFS: _("Set TMPDIR to a folder that you may write in, its path at most 40 characters."),
        errno.ENOMEM: _("Raise the limit on memory (ulimit -v), or end other programs."),
        errno.EAGAIN: _("Raise the limit on processes (ulimit -u), or end other programs."),
        errno.EFBIG: _("Raise the limit on the size of files (ulimit -f)."),
    }.get(number, _("`python -m ipclab doctor` may tell more."))
    return _("the run could not begin: {reason}\n{advice}").format(reason=reason, advice=advice)


close = connection.close
