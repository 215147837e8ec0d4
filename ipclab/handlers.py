"""Signal handlers: a student's handler is recorded as it runs, and is what signal.getsignal() returns.

signal.signal and its kin are Python functions in signal.py that stand for one call; their twins are made here.
"""
import os
import signal

from . import proc, record
from .disguise import bound


def standing_in(given):
    """The function to install for a student's signal handler: it records each run of it as a call "handler"."""
    if not callable(given) or isinstance(given, signal.Handlers):
        return given

    def handle(number, frame):
        while frame is not None and frame.f_code.co_filename.startswith(_OURS):
            frame = frame.f_back  # what was interrupted is the student's code
        if record.run is None:
            return given(number, frame)
        return _recorded(given, number, frame)

    handle.given_to_ipclab = given
    return handle


_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep, "<ipclab>"


def _recorded(given, number, frame):
    code = getattr(given, "__code__", None)
    file = code and code.co_filename
    if file and record.kinds.get(file) is record.MAIN:
        file = None
    begin, returned, failed, now = record._begin, record._returned, record._failed, record._now
    stamp = start = 0
    try:
        stamp = begin("handler", (proc.signal_name(number), getattr(given, "__name__", None) or given), None,
                      None, code and code.co_firstlineno, None, file)
        start = now()
        value = given(number, frame)
        returned(stamp, start, now(), None)
        return value
    except BaseException as error:
        end = now()
        if stamp:
            failed(stamp, start or end, end, record.failure(error, "handler"))
        raise


def given(installed):
    """The student's own handler, of the function that stands in for it; anything else as it is."""
    return getattr(installed, "given_to_ipclab", installed)


def twins():
    """(original, twin) of the functions of signal.py."""
    for name in ("signal", "getsignal", "pthread_sigmask", "sigpending", "sigwait"):
        original = getattr(signal, name)
        inner = _INNER[name](original) if name in _INNER else original
        yield original, bound(record.function(f"signal.{name}", inner), original, "signal")


def _installing(original):
    def signal(signalnum, handler):
        return given(original(signalnum, standing_in(handler)))

    return signal


def _getting(original):
    def getsignal(signalnum):
        return given(original(signalnum))

    return getsignal


_INNER = {"signal": _installing, "getsignal": _getting}
