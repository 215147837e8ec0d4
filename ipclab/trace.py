"""What a run was: events, processes and output, as plain data.

A Trace is all that any viewer gets: timeline, story, check cells and files are made from it and from nothing
else. It holds only values that JSON can carry (see values.py), so that a saved trace is as good as a fresh one.
"""
import base64
import errno
import json
import re
from dataclasses import dataclass, field, fields

from .flags import number_text
from .recorded import label
from .say import _
from .values import LongBytes
from .waiting import Stuck


@dataclass(slots=True)
class Event:
    """One call of one process, or one run of a signal handler (`call` is then "handler").

    `start` and `end` are seconds from the run's start, `end` None for a call that never returned; `waited` is the
    part of it spent off the processor (0.0 for calls under 100 µs, None where the call never returned). `errno` is
    the number or None, `error` the exception type's name or None. `on` is what a method was called on: a
    descriptor's number or an object's name. `line` is a line of `file`, None meaning the experiment's own cell or
    file; `via` names the library between that line and the call. `inside` is the index in `Trace.events` of the
    call during which this one was made (by a handler), or None.
    """

    process: str
    pid: int
    thread: int
    call: str
    args: tuple
    result: object = None
    error: str | None = None
    errno: int | None = None
    message: str | None = None
    start: float = 0.0
    end: float | None = None
    line: int | None = None
    via: str | None = None
    keywords: dict = field(default_factory=dict)
    on: object = None
    waited: float | None = 0.0
    file: str | None = None
    inside: int | None = None

    @property
    def seconds(self):
        """How long the call took, in seconds; None if it never returned."""
        return None if self.end is None else self.end - self.start

    def __str__(self):
        return f"{self.process}: {call_text(self)}{result_text(self)}"


def call_text(event):
    """The call as it would be written: os.read(3, 5). A method's receiver stands before it in brackets."""
    if event.call.endswith(ITEM):
        return item_text(event.call, event.args, repr)
    words = [number_text(event, place, arg) or repr(arg) for place, arg in enumerate(event.args)]
    words += [f"{key}={number_text(event, key, value) or repr(value)}" for key, value in event.keywords.items()]
    return f"{event.call}({', '.join(words)})"


ITEM = ("__getitem__", "__setitem__")


def item_text(call, args, shown):
    """What stands in brackets is written so: mmap[0:5], mmap[0:5] = b'hello'. `shown(value)` gives the values' text."""
    index = args[0] if args else "…"
    part = SLICE.fullmatch(index) if isinstance(index, str) else None
    where = ":".join(word.replace("None", "") for word in part.groups()) if part else shown(index)
    where = where.removesuffix(":") if part and part[3] == "None" else where
    return f"{call.rpartition('.')[0]}[{where}]" + (f" = {shown(args[1])}" if len(args) > 1 else "")


SLICE = re.compile(r"slice\((-?\w+), (-?\w+), (-?\w+)\)")


def result_text(event):
    """What came of it: " → b'hello'", " → EAGAIN", or " …" for a call that never returned."""
    if event.end is None:
        return " …"
    if event.error:
        return f" → {errno_name(event)}"
    return "" if event.result is None else f" → {number_text(event, '→', event.result) or repr(event.result)}"


ERRORS = errno.errorcode | {errno.EDEADLK: "EDEADLK"}  # Python calls it by its other name, EDEADLOCK


def errno_name(event):
    """The failure's name as man pages have it (EAGAIN), or the exception type's name where it has no errno."""
    return ERRORS.get(event.errno) or event.error


@dataclass(slots=True)
class Process:
    """One process of the experiment. `parent` is the parent's pid (None for the experiment's first process).

    For a process that ended and whose end was seen exactly one of `exit_code` and `signal` (a number) is set.
    `traceback` is the text of an uncaught exception. `stuck` tells what a process that the deadline ended waited in.
    `start` and `end` are seconds from the run's start. `program` is the argument list of the last exec, and
    `recorded` is False for a program whose calls could not be recorded: its lane has birth, exec and end only.
    """

    name: str
    pid: int
    parent: int | None
    exit_code: int | None = None
    signal: int | None = None
    traceback: str | None = None
    stuck: Stuck | None = None
    start: float = 0.0
    end: float | None = None
    program: list | None = None
    recorded: bool = True


@dataclass(slots=True, frozen=True)
class Leftover:
    """What was still there when the run had ended, and was then removed: `kind` is "process", "file", "FIFO",
    "socket", "POSIX message queue", "POSIX semaphore", "POSIX shared memory", "System V message queue" … ,
    `name` its name or path, `id` its inode, pid or System V identifier. `removed` is False where that failed."""

    kind: str
    name: str
    id: int | None = None
    removed: bool = True

    def __str__(self):
        return f"{self.kind} {self.name}" + ("" if self.removed else _(" (could not be removed)"))


@dataclass(slots=True)
class Trace:
    """All that was recorded of one run. See Event, Process and Leftover for the parts.

    `events` are in order of `start`. `output` is what was printed, in order of time; `stdout` all bytes that came
    out of descriptors 1 and 2, head and tail where it was very much. `dropped` counts the calls that were not kept
    where there were too many. `source` is (file, first line, text) of the experiment. `notes` say what cut a run short.
    `recorded` is None for a live run, else when and on what machine it was recorded (recorded.label() says it).
    """

    experiment: str = ""
    events: list = field(default_factory=list)
    processes: list = field(default_factory=list)
    output: str = ""
    stdout: bytes = b""
    leftovers: list = field(default_factory=list)
    timed_out: bool = False
    timeout: float = 5.0
    seconds: float = 0.0
    params: dict = field(default_factory=dict)
    dropped: int = 0
    source: tuple | None = None
    notes: list = field(default_factory=list)
    recorded: dict | None = None

    def calls(self, call, process=None):
        """The events of one call ("os.read"), of one process by name or of all, in order of start."""
        return [e for e in self.events if e.call == call and process in (None, e.process)]

    def process(self, name):
        """The process of that name. ValueError where there is none or more than one."""
        found = [p for p in self.processes if p.name == name]
        if len(found) != 1:
            names = ", ".join(p.name for p in self.processes)
            raise ValueError(f"{len(found)} processes are named {name!r}; there are: {names}")
        return found[0]

    def __repr__(self):
        how = _("ended by the deadline of {timeout:g} s").format(timeout=self.timeout) if self.timed_out else (
            _("in {seconds:.3f} s").format(seconds=self.seconds))
        head = _("{name}: {events} events of {processes} processes, {how}").format(
            name=self.experiment, events=len(self.events), processes=len(self.processes), how=how)
        return "\n".join([f"<Trace {head}>", *self._particulars()])

    def _particulars(self):
        """What a reader should not miss, a line each, at most a dozen lines."""
        lines = [f"  {told}" for told in [label(self)] if told]
        lines += [f"  {p.name} {p.stuck}" for p in self.processes if p.stuck]
        lines += [f"  {p.name}: {p.traceback.strip().splitlines()[-1]}" for p in self.processes if p.traceback]
        lines += ["  " + _("left behind: {what}").format(what=left) for left in self.leftovers]
        lines += [f"  {note}" for note in self.notes]
        more = len(lines) - 12
        return lines if more <= 0 else lines[:12] + ["  " + _("… and {more} more").format(more=more)]

    def to_json(self):
        """The whole trace as JSON text; `Trace.from_json` reads it back, equal."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        for part in ("events", "processes", "leftovers"):
            data[part] = [_parts(item) for item in data[part]]
        return json.dumps({key: _pack(value) for key, value in data.items()})

    def to_perfetto(self):
        """The trace as JSON text that the Perfetto UI opens: calls as slices, arrows as flows, signals as instants."""
        from .export import perfetto
        return perfetto(self)

    def to_pandas(self):
        """The events as a pandas DataFrame, a row an event. ModuleNotFoundError where pandas is not installed."""
        from .export import frame
        return frame(self)

    @classmethod
    def from_json(cls, text):
        """The trace that `to_json` wrote. ValueError where the text is something else."""
        try:
            data = {key: _unpack(value) for key, value in json.loads(text).items()}
            data["events"] = [Event(**item) for item in data["events"]]
            data["processes"] = [Process(**item | {"stuck": item["stuck"] and Stuck(**item["stuck"])})
                                 for item in data["processes"]]
            data["leftovers"] = [Leftover(**item) for item in data["leftovers"]]
            return cls(**data)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is not a trace that to_json() wrote: {error}") from None


def _parts(item):
    """The fields of a part of the trace as a dict, those of what it holds too."""
    if isinstance(item, (Event, Process, Leftover, Stuck)):
        return {f.name: _parts(getattr(item, f.name)) for f in fields(item)}
    return [_parts(one) for one in item] if type(item) is list else item


def _pack(value):
    """The value in JSON's terms; what JSON lacks is a one-key object, and objects are lists of pairs."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, LongBytes):
        return {"long": [base64.b64encode(value.head).decode(), value.length, value.hash]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item) for item in value]}
    if isinstance(value, list):
        return [_pack(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[key, _pack(item)] for key, item in value.items()]}
    return value


def _unpack(value):
    if isinstance(value, list):
        return [_unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, inner)] = value.items()
    if kind == "bytes":
        return base64.b64decode(inner)
    if kind == "long":
        return LongBytes(base64.b64decode(inner[0]), inner[1], inner[2])
    if kind == "tuple":
        return tuple(_unpack(item) for item in inner)
    if kind == "dict":
        return {key: _unpack(item) for key, item in inner}
    raise ValueError(f"unknown kind {kind!r}")
