"""The recorder: twins of the modules that make system calls. A twin notes each call in the run's log and makes it.

Transparency is the promise: same arguments, values, types, exceptions and signal semantics as without. A call counts
when its nearest frame outside the standard library is the experiment's; the library in between is `via`. What is
recorded stands in twins.py, how a twin looks in disguise.py; this module knows how a call is noted, and holds the
little that is the same for every process of a run.
"""
import os
import sys
import time

from . import errnos, values

LIMIT = 200  # processes of a run alive at once

MAIN, OWN, FOREIGN = "the experiment's file", "the reader's code", "nobody's calls"
THROUGH = "stands between"  # ours, below the experiment's: look on
OUTSIDE = "around the experiment"  # ours, above the experiment's: what a script's end does
kinds = {"<ipclab>": THROUGH}  # file name of a code object: one of these, or the name of a library of Python's
SAID_AS = {"posixpath": "os.path", "genericpath": "os.path"}  # libraries by the name under which they are used

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
kinds[_HERE + "files.py"], kinds[_HERE + "play.py"] = THROUGH, OUTSIDE
_STDLIB = os.path.dirname(os.__file__) + os.sep
_begin = _returned = _failed = None  # the log's, in a process that is recorded
_getframe, _now = sys._getframe, time.monotonic_ns
_getpid, _getppid = os.getpid, os.getppid
run = None  # what this process knows of its run: a Run


class Run:
    """What a recorded process knows of its run: the log (a log.Writer), and as `told`, for the programs that it
    execs, the log's path, the supervisor's pid, the run's folder and how many threads the machine ran when it began."""

    def __init__(self, log, **told):
        self.log, self.told = log, told
        self.supervisor, self.folder, self.tasks = told["supervisor"], told["folder"], told["tasks"]


def start(started):
    """Record this process from here on, and all that it forks."""
    global run, _begin, _returned, _failed
    run = started
    _begin, _returned, _failed = run.log.begin, run.log.returned, run.log.failed


def stop():
    """Record nothing more in this process."""
    global run, _begin
    run = _begin = None


def note(*words):
    """Write a note into the log: what is no call, such as a birth or a name."""
    if run:
        run.log.note(*words)


def born():
    """The first thing a forked child does: it has a lane of its own from here on."""
    if run:
        run.log.forked()
        run.log.note("birth", _getpid(), _getppid())


def classify(file):
    """Whose code a file is: kinds' value for it, found once."""
    top = file[len(_STDLIB):].partition(os.sep)[0].removesuffix(".py") if file.startswith(_STDLIB) else ""
    if file.startswith("<frozen "):
        top = file[8:-1].partition(".")[0]
        kind = FOREIGN if "import" in file else SAID_AS.get(top, top)
    elif file.startswith(_HERE) or "site-packages" in file or "dist-packages" in file:
        kind = FOREIGN
    else:
        kind = SAID_AS.get(top, top) if top not in ("", "test") else OWN  # test: CPython's own try the recorder
    kinds[file] = kind
    return kind


def place(frame, always, module):
    """(line, via, file, code) of the call made below `frame`, or None where it is not the experiment's.

    With `always` it is recorded whoever makes it, line None where that is no code of the experiment's. `module` is
    where the call itself is from: what that does within itself is nothing in between.
    """
    library, nearest = None, frame
    while frame is not None:
        file = frame.f_code.co_filename
        kind = kinds.get(file) or classify(file)
        if kind is MAIN or kind is OWN:
            where = frame.f_lineno, library, None if kind is MAIN else file, frame.f_code
            return _remembered(where, frame) if frame is nearest else where
        if kind is FOREIGN:
            return (None, library, None, None) if always and not file.startswith(_HERE) else None
        if kind is OUTSIDE:
            break
        if kind is not THROUGH and (kind != module or library):
            library = kind
        frame = frame.f_back
    return None, library, None, None  # a thread that runs a library's function, or the end of a script


_sites = {}  # where calls stand in the experiment's code: what place() found, since to find a line takes long


def _remembered(where, frame):
    """An instruction's own address is the key: that of the code it lies in (kept in `where`, alive) and its offset."""
    if len(_sites) >= 10_000:
        _sites.clear()
    _sites[id(frame.f_code) + frame.f_lasti] = where
    return where


def function(call, original, *, always=False, result=None, on=None, shown=None):
    """The Python function that records calls of `original` as `call`; its first argument is the receiver.

    `on(receiver)` gives Event.on; where it is given the receiver is passed on to `original`, as for a method.
    `result(args, value)` gives what is kept of the value, and `shown(args)` of the arguments, where that is not the
    value or the arguments themselves.
    """
    module = call.partition(".")[0]

    def twin(self, /, *args, **keywords):
        if _begin is None:
            return original(*args, **keywords) if on is None else original(self, *args, **keywords)
        frame = _getframe(1)
        code = frame.f_code
        where = _sites.get(id(code) + frame.f_lasti) or place(frame, always, module)
        if where is None:
            return original(*args, **keywords) if on is None else original(self, *args, **keywords)
        line, via, file, code = where
        stamp = start = 0
        try:  # from here on: a handler that raises between these lines must not leave the call unfinished
            stamp = _begin(call, args if shown is None else shown(args), keywords or None,
                           None if on is None else on(self), line, via, file)
            start = _now()
            if keywords or on is not None:
                value = original(*args, **keywords) if on is None else original(self, *args, **keywords)
            else:  # the way of most calls: quicker without keywords
                value = original(*args)
            end = _now()
            _returned(stamp, start, end, value if result is None else result(args, value))
            return value
        except BaseException as error:
            end = _now()
            if stamp:
                _failed(stamp, start or end, end, failure(error, call, (end - start) / 1e9, args, keywords))
            self = args = keywords = value = frame = None  # or the traceback would keep alive what was passed
            raise

    return twin


def failure(error, call, *circumstances):
    """(exception type's name, errno or None, message) of an exception; for `circumstances` see errnos.meant."""
    number, message = getattr(error, "errno", None), getattr(error, "strerror", None)
    try:
        text = message if isinstance(message, str) else str(error)[:400]
    except Exception as other:
        values.let_through(other)
        text = ""
    if not isinstance(number, int):
        number = errnos.meant(call, error, text, *circumstances) if circumstances else None
    return type(error).__name__, number, text


def name(label):
    """Name this process in the trace and, cut to 15 bytes, in the kernel (`ps` shows it; PR_SET_NAME of prctl(2)).

    Outside a run it does nothing, so that an experiment can be copied into a script. In a child that a notebook's
    kernel forked by calling an experiment directly it says how to run it, and ends the child: that would go on as a
    second kernel. TypeError where the label is no text, ValueError where it is empty.
    """
    if not isinstance(label, str):
        raise TypeError(f"name() takes a text, not {type(label).__name__}")
    if not label.strip():
        raise ValueError("name() takes a text that is not empty")
    if run:
        run.log.note("name", label)
        _prctl(15, label.encode()[:15])
    elif "ipykernel" in sys.modules and _getpid() != _importer:
        os.write(2, b"name(): this process was forked from the notebook's kernel. Use run(experiment) instead of "
                    b"calling the experiment; it runs it in processes of its own.\n")
        os._exit(1)


_importer = os.getpid()


def _prctl(option, argument):
    import ctypes

    ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)
