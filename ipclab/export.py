"""A trace for other people's tools: the Perfetto UI (or chrome://tracing), and pandas.

The format for Perfetto is Chrome's trace events as JSON ("Trace Event Format"): times in microseconds, a slice is "X",
an instant "i", a flow from "s" to "f", and names of tracks are "M". trace.py's methods lead here.
"""
import json
from dataclasses import fields

from .bars import births, horizon
from .objects import arrows
from .proc import signal_name
from .say import _
from .sent import TIMER
from .trace import Event, call_text, errno_name

COLUMNS = {"errno": "Int64", "line": "Int64", "inside": "Int64",  # whole numbers that may be missing
           "start": "float64", "end": "float64", "seconds": "float64", "waited": "float64"}


def perfetto(trace):
    """The trace as JSON text for https://ui.perfetto.dev: a track a thread, a slice a call, flows where timeline()
    draws arrows, and instants where signals arrived or ended a process. What runs in a browser there is not sent on."""
    tracks = _Tracks(trace)
    parts = [part for process in trace.processes for part in _process(tracks, process)]
    parts += [part for place, event in enumerate(trace.events) for part in _call(tracks, place, event)]
    parts += [part for number, arrow in enumerate(arrows(trace), 1) if arrow.giver != TIMER
              for part in _flow(tracks, number, arrow)]
    about = {"experiment": trace.experiment, "parameters": repr(trace.params), "dropped calls": trace.dropped}
    return json.dumps({"traceEvents": parts, "displayTimeUnit": "ns", "otherData": about}, ensure_ascii=False)


class _Tracks:
    """Where everything stands: ids of processes and threads, and the start and end, in nanoseconds, of each slice."""

    def __init__(self, trace):
        self.trace, self._last, self._born = trace, horizon(trace), births(trace)
        self._pids, used = {}, set()
        for process in trace.processes:  # a pid may be used again in a long run
            pid = process.pid if process.pid not in used else max(used) + 1
            used.add(pid)
            self._pids[process.name, process.pid] = pid
        self._next = _next_starts(trace.events)

    def track(self, thing):
        """{"pid", "tid"} of an Event, or of a Process's first thread."""
        name = thing.process if isinstance(thing, Event) else thing.name
        pid = self._pids.get((name, thing.pid), thing.pid)
        thread = getattr(thing, "thread", thing.pid)
        return {"pid": pid, "tid": pid if thread == thing.pid else thread}

    def span(self, thing):
        """(start, end) in nanoseconds, at least one long; a call that never returned lasts until its
        thread's next one, or its process's end, and a life holds all calls of its process."""
        if isinstance(thing, Event):
            end = self._next.get(id(thing), self._end_of(thing)) if thing.end is None else thing.end
            start = thing.start
        else:
            mine = [event for event in self.trace.events if (event.process, event.pid) == (thing.name, thing.pid)]
            start = min([self._born[thing.pid], thing.start, *(event.start for event in mine)])
            end = max([self._last if thing.end is None else thing.end, *(event.end or event.start for event in mine)])
        return _nanoseconds(start), max(_nanoseconds(end), _nanoseconds(start) + 1)

    def _end_of(self, event):
        ends = [process.end for process in self.trace.processes if (process.name, process.pid) == (
            event.process, event.pid) and process.end is not None]
        return max([event.start, *(ends or [self._last])])


def _next_starts(events):
    """{id of an event that never returned: when its thread's next call began}, for those that have a next one."""
    following, found = {}, {}
    for event in reversed(events):
        thread = event.process, event.pid, event.thread
        if event.end is None and thread in following:
            found[id(event)] = following[thread]
        if event.inside is None:  # what a handler does is within the call that it interrupted
            following[thread] = event.start
    return found


def _nanoseconds(seconds):
    return round(seconds * 1e9)


def _part(kind, name, at, track, **more):
    return {"ph": kind, "name": name, "ts": at / 1000, **track, **more}


def _slice(name, span, track, told):
    return _part("X", name, span[0], track, dur=(span[1] - span[0]) / 1000, cat=name.partition(".")[0], args=told)


def _process(tracks, process):
    """The names of its tracks, its life, and what signal ended it."""
    track, span = tracks.track(process), tracks.span(process)
    order = {"sort_index": tracks.trace.processes.index(process)}
    yield _part("M", "process_name", 0, track, args={"name": process.name})
    yield _part("M", "process_sort_index", 0, track, args=order)
    yield _part("M", "thread_name", 0, track, args={"name": process.name})
    told = {"exit code": process.exit_code, "program": process.program and " ".join(process.program),
            "stuck": process.stuck and str(process.stuck), "calls recorded": process.recorded}
    yield _slice(process.name, span, track, _without_none(told)) | {"cat": "process"}
    if process.signal:
        yield _part("i", signal_name(process.signal), span[1] - 1, track, s="p", cat="signal")


def _call(tracks, place, event):
    """Its slice; for a handler's run also the instant at which the signal arrived."""
    track, span = tracks.track(event), tracks.span(event)
    waited = event.waited and event.waited * 1000
    told = {"call": call_text(event), "result": None if event.result is None else repr(event.result),
            "error": event.error and errno_name(event), "message": event.message, "on": event.on and repr(event.on),
            "line": event.line, "file": event.file, "via": event.via, "waited in ms": waited,
            "returned": event.end is not None, "index": place}
    yield _slice(event.call, span, track, _without_none(told))
    if event.call == "handler":
        yield _part("i", str(event.args[0]) if event.args else "signal", span[0], track, s="t", cat="signal")


def _without_none(told):
    return {key: value for key, value in told.items() if value is not None}


def _flow(tracks, number, arrow):
    """From the call (or life) that woke, to the end of the one that waited; both ends lie within their slices."""
    start, stop = tracks.span(arrow.giver), tracks.span(arrow.taker)
    leaves = start[0] if isinstance(arrow.giver, Event) else start[1] - 1
    arrives = max(stop[0], stop[1] - 1)
    common = {"id": number, "cat": "woke"}
    yield _part("s", "woke", min(leaves, arrives), tracks.track(arrow.giver), **common)
    yield _part("f", "woke", arrives, tracks.track(arrow.taker), bp="e", **common)


def frame(trace):
    """The events as a pandas DataFrame: a row an event, in order of start, a column a field of Event, and `seconds`.
    ModuleNotFoundError that says what to install where pandas is missing."""
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(_("to_pandas() needs pandas: python -m pip install pandas"), name="pandas") from error
    names = [field.name for field in fields(Event)] + ["seconds"]
    rows = [[getattr(event, name) for name in names] for event in trace.events]
    return pandas.DataFrame(rows, columns=names).astype(COLUMNS)
