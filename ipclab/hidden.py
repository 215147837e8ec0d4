"""Where frames of ours would show in what a program prints, they are left out: in tracebacks, and as the place of a
warning, which Python's C code takes from the frame that made the call."""
import os
import sys
import threading
import traceback
import types
import warnings

from . import record

OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep, "<ipclab>"


def install():
    """Once, in a process whose calls are recorded."""
    for name in ("walk_tb", "_walk_tb_with_full_positions"):
        if hasattr(traceback, name):
            setattr(traceback, name, _without_ours(getattr(traceback, name)))
    if sys.version_info < (3, 13):  # from then on these two use the traceback module
        sys.excepthook = sys.__excepthook__ = _hook(sys.excepthook)
        threading.excepthook = threading.__excepthook__ = _thread_hook(threading.excepthook)
    warnings._showwarnmsg = _placed(warnings._showwarnmsg)
    vars(record)["__name__"] = "__main__"  # or the filters, which ask for the place's module, hide what they should not


def _without_ours(walk):
    def walking(trace):
        return walk(cut(trace))

    return walking


def cut(trace):
    """The traceback without frames of ours; itself, where there are none."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    if not any(_is_ours(entry.tb_frame) for entry in entries):
        return entries[0] if entries else None
    for entry in reversed(entries):
        if not _is_ours(entry.tb_frame):
            trace = types.TracebackType(trace, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return trace


def _is_ours(frame):
    return frame.f_code.co_filename.startswith(OURS)


def _hook(original):
    def excepthook(kind, error, trace):
        original(kind, error if error is None else error.with_traceback(cut(trace)), cut(trace))

    return excepthook


def _thread_hook(original):
    def excepthook(args):
        error = args.exc_value
        if error is not None:
            error.__traceback__ = cut(error.__traceback__)
        trace = cut(args.exc_traceback)
        original(threading.ExceptHookArgs((args.exc_type, error, trace, args.thread)))

    return excepthook


def _placed(show):
    """A warning with a place of ours is given again, with the place that it would have had."""

    def _showwarnmsg(message):
        if not message.filename.startswith(OURS):
            return show(message)
        vars(record).get("__warningregistry__", {}).clear()
        frame = sys._getframe(1)
        while _is_ours(frame) and frame.f_back is not None:
            frame = frame.f_back
        there = frame.f_globals
        warnings.warn_explicit(message.message, message.category, frame.f_code.co_filename, frame.f_lineno,
                               there.get("__name__", "<unknown>"), there.setdefault("__warningregistry__", {}),
                               source=message.source)

    return _showwarnmsg


def tell(error):
    """Tell of an uncaught exception as the interpreter would, in the trace too. Nothing of this is an event."""
    trace = cut(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, trace))
    record.note("traceback", text[-20_000:])
    if sys.excepthook is sys.__excepthook__:
        return say(text)
    try:
        sys.excepthook(type(error), error, trace)
    except Exception:
        pass


def say(text):
    """Write on stderr, as the interpreter does: where the experiment has closed it, nothing."""
    try:
        sys.stderr.write(text)
    except Exception:
        pass
