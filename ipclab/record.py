"""The recorder: twins of the modules that make system calls. A twin notes each call in the run's log and makes it.

Transparency is the promise: same arguments, values, types, exceptions and signal semantics as without. A call counts
when its nearest frame outside the standard library is the experiment's; the library in between is `via`. What is
recorded stands in twins.py; this module knows how, and holds the little that is the same for every process of a run.
"""
import os
import signal
import sys
import time
import types
from importlib import import_module

from . import values

LIMIT = 200  # processes of a run alive at once

MAIN, OWN, FOREIGN = "the experiment's file", "the reader's code", "nobody's calls"
kinds = {}  # file name of a code object: MAIN, OWN, FOREIGN or the name of a library of Python's

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STDLIB = os.path.dirname(os.__file__) + os.sep
_EASY = frozenset([int, str, float, bool, type(None)])  # what marshal takes as it is
_begin = _returned = _failed = None  # the log's, in a process that is recorded
_getframe, _now, _plain, _LONGEST = sys._getframe, time.monotonic_ns, values.plain, values.LONGEST
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
        run.log.note("birth", os.getpid(), os.getppid())


def classify(file):
    """Whose code a file is: kinds' value for it, found once."""
    top = file[len(_STDLIB):].partition(os.sep)[0] if file.startswith(_STDLIB) else ""
    if file.startswith("<frozen "):
        kind = FOREIGN if "import" in file else file[8:-1]
    elif file.startswith(_HERE) or "site-packages" in file or "dist-packages" in file:
        kind = FOREIGN
    else:
        kind = top.removesuffix(".py") if top not in ("", "test") else OWN  # test: CPython's own try the recorder
    kinds[file] = kind
    return kind


def place(frame, always):
    """(line, via, file) of the call made below `frame`, or None where it is not the experiment's.

    With `always` it is recorded whoever makes it, line None where that is no code of the experiment's.
    """
    library = None
    while frame is not None:
        file = frame.f_code.co_filename
        kind = kinds.get(file) or classify(file)
        if kind is MAIN or kind is OWN:
            return frame.f_lineno, library, None if kind is MAIN else file
        if kind is FOREIGN:
            return (None, library, None) if always and not file.startswith(_HERE) else None
        library = kind
        frame = frame.f_back
    return None, library, None  # a thread that runs a library's function


def function(call, original, *, always=False, result=None, on=None):
    """The Python function that records calls of `original` as `call`; its first argument is the receiver.

    `on(receiver)` gives Event.on; where it is given the receiver is passed on to `original`, as for a method.
    `result(receiver, value)` gives what is kept of the value, where that is not the value itself.
    """
    module = call.partition(".")[0]

    def twin(self, /, *args, **keywords):
        if _begin is None:
            return original(*args, **keywords) if on is None else original(self, *args, **keywords)
        frame = _getframe(1)
        if kinds.get(frame.f_code.co_filename) is MAIN:
            line, via, file = frame.f_lineno, None, None
        else:
            where = place(frame, always)
            if where is None:
                return original(*args, **keywords) if on is None else original(self, *args, **keywords)
            line, via, file = where
            if via == module:
                via = None
        kept = args
        for value in args:
            if type(value) not in _EASY and (type(value) is not bytes or len(value) > _LONGEST):
                kept = tuple([_plain(value) for value in args])
                break
        stamp = _begin(call, kept, _plain(keywords) if keywords else None, None if on is None else on(self),
                       line, via, file)
        returned, failed = _returned, _failed
        start = _now()
        try:
            value = original(*args, **keywords) if on is None else original(self, *args, **keywords)
        except BaseException as error:
            failed(stamp, start, _now(), _failure(error))
            raise
        end = _now()
        kept = value if result is None else result(self, value)
        if type(kept) not in _EASY and (type(kept) is not bytes or len(kept) > _LONGEST):
            kept = _plain(kept)
        returned(stamp, start, end, kept)
        return value

    return twin


def _failure(error):
    """(exception type's name, errno or None, message) of an exception."""
    number = getattr(error, "errno", None)
    if not isinstance(number, int):
        number = errnos.get(type(error))
    message = getattr(error, "strerror", None)
    try:
        return type(error).__name__, number, message if isinstance(message, str) else str(error)[:400]
    except Exception:
        return type(error).__name__, number, ""


errnos = {}  # exception types without an errno of their own: the errno that they mean


class Home:
    """What a twin of a function is bound to, as a built-in function is to its module. Being bound, it can stand in a
    class without becoming a method; pickled, it is found again by its module and name."""

    def __init__(self, module):
        self.module = module

    def __reduce__(self):
        return import_module, (self.module,)

    def __repr__(self):
        return f"<module {self.module!r} (recorded)>"


def dressed(twin, original, name=None):
    """The twin with the original's name and documentation."""
    twin.__name__ = twin.__qualname__ = name or getattr(original, "__name__", twin.__name__)
    twin.__doc__ = getattr(original, "__doc__", None)
    if module := getattr(original, "__module__", None):
        twin.__module__ = module
    if signature := getattr(original, "__text_signature__", None):
        twin.__text_signature__ = signature
    return twin


def bound(twin, original, module):
    """The twin of a function of a module."""
    return types.MethodType(dressed(twin, original), Home(module))


class Both(type):
    """Of a twin of a class: instances of the original are its instances too, and making one is a call."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, cls.__dict__.get("_original", cls)) or type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, other):
        return type.__subclasscheck__(cls, other) or ("_original" in cls.__dict__ and issubclass(other, cls._original))


def subclass(call, original, methods, on=None, make=None):
    """The twin of a class written in C: a subclass, with the same name and repr.

    `methods` are the names to record, `on(instance)` gives Event.on, `make(create, cls, args, keywords)` may stand
    between a call of the class and its making.
    """
    on = on or (lambda instance: None)
    create = function(call, make or type.__call__, on=lambda cls: None,
                      result=lambda cls, value: values.plain(on(value)))
    body = {"__slots__": (), "__doc__": original.__doc__, "__module__": original.__module__, "_original": original,
            "__repr__": _same_repr(original)}
    for name in methods:
        body[name] = dressed(function(f"{call}.{name}" if "." in call else f"{original.__module__}.{name}",
                                      getattr(original, name), on=on), getattr(original, name), name)
    meta = type("Both", (Both,), {"__call__": create})
    twin = meta(original.__name__, (original,), body)
    return twin


def _same_repr(original):
    bare, full = f"<{original.__name__} ", f"<{original.__module__}.{original.__name__} "

    def __repr__(self):
        text = original.__repr__(self)
        return full + text[len(bare):] if text.startswith(bare) else text

    return __repr__


def proxy(call, original, methods):
    """The twin of a C type that cannot be subclassed: a class whose instances pass everything on to one of it.

    Made from an instance of the original; `recorded(instance)` of that class is how.
    """

    def __getattr__(self, name):
        return getattr(self._it, name)

    body = {"__slots__": ("_it", "__weakref__"), "__getattr__": __getattr__, "_original": original,
            "__doc__": original.__doc__, "__module__": original.__module__,
            "__init__": lambda self, it: object.__setattr__(self, "_it", it),
            "__repr__": lambda self: repr(self._it), "fileno": lambda self: self._it.fileno()}
    for name in methods:
        method = getattr(original, name)
        passed = (lambda method: lambda self, *args, **keywords: method(self._it, *args, **keywords))(method)
        body[name] = dressed(function(f"{call}.{name}", passed, on=_number), method, name)
    return Both(original.__name__, (), body)


def _number(instance):
    try:
        return instance.fileno()
    except (AttributeError, OSError, ValueError):
        return None


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
    elif "ipykernel" in sys.modules and os.getpid() != _importer:
        os.write(2, b"name(): this process was forked from the notebook's kernel. Use run(experiment) instead of "
                    b"calling the experiment; it runs it in processes of its own.\n")
        os._exit(1)


_importer = os.getpid()


def _prctl(option, argument):
    import ctypes

    ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def handler(given):
    """The function to install for a student's signal handler: it records each run of it as a call "handler"."""
    if not callable(given) or isinstance(given, signal.Handlers):
        return given

    def handle(number, frame):
        while frame is not None and frame.f_code.co_filename.startswith(_HERE):
            frame = frame.f_back  # what was interrupted is the student's code
        if _begin is None:
            return given(number, frame)
        code = getattr(given, "__code__", None)
        stamp = _begin("handler", (_signal_name(number), getattr(given, "__name__", repr(given))), None, None,
                       code and code.co_firstlineno, None, None)
        start = _now()
        try:
            value = given(number, frame)
        except BaseException as error:
            _failed(stamp, start, _now(), _failure(error))
            raise
        _returned(stamp, start, _now(), None)
        return value

    handle.given = given
    return handle


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
