"""From a run's log, output and its supervisor's report to a Trace."""
import gc
import os
from dataclasses import dataclass, field

from . import lives, log
from .lanes import read
from .say import _
from .trace import Event, Leftover, Trace
from .values import restore

MOST_EVENTS = 100_000
MOST_BYTES = 1 << 20  # of what was printed: so much of its head, and of its tail
_EASY = frozenset([int, str, float, bool, bytes, type(None)])  # types of values that are already what they were


@dataclass(slots=True)
class Part:
    """What one thread of one process left in its lane: `events` in order of start, `notes` as (when, word, ...)."""

    thread: int
    pid: int
    when: int
    events: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def trace(log_fd, output_fd, report):
    """The Trace of what is there now, its experiment still to be told; `report` is the supervisor's, or None while the
    run goes on. lives.Failed where the run failed by no fault of the experiment's."""
    collecting = gc.isenabled()
    gc.disable()  # a third of the time of 100 000 events, and there are no cycles
    try:
        return _trace(log_fd, output_fd, report)
    finally:
        if collecting:
            gc.enable()


def _trace(log_fd, output_fd, report):
    lanes = read(log_fd)
    start = (report and report["start"]) or _first(lanes)
    parts = [part for thread, (entries, _over) in lanes.items() for part in _parts(entries, thread, start)]
    family = lives.Family(parts, start)
    for part in parts:
        process = family.owner(part.pid, part.when)
        for event in part.events:
            event.process = process
    events, dropped = _in_order(parts, sum(overwritten for _entries, overwritten in lanes.values()))
    family.follow(parts, events, report)
    for event in events:
        event.process = event.process.name
    result = Trace(events=events, processes=family.processes, stdout=_printed(output_fd), dropped=dropped)
    result.output = "".join(_text(event) for event in events if event.call == "print")
    if report:
        result.timed_out, result.seconds = report["timed_out"], (report["end"] - start) / 1e9
        result.leftovers = [Leftover(*left) for left in report["leftovers"]]
        result.notes += [_said(*note) for note in report["notes"]]
    return result


def lost(now):
    """The report of a run whose supervisor made none."""
    return {"start": None, "end": now, "ended": [], "stuck": [], "timed_out": False, "leftovers": [],
            "notes": [("lost", 0)]}


def _said(word, number):
    """What cut a run short, in words."""
    return {"printed": _("the run was ended: it had printed {number} MiB"),
            "logged": _("the run was ended: its record had grown to {number} MiB"),
            "processes": _("the run was ended: it had {number} processes"),
            "supervisor": _("the run was ended: its supervisor was killed by signal {number}"),
            "lost": _("the run was ended: its supervisor did not report"),
            }[word].format(number=number)


def _first(lanes):
    """When the first entry of all was made (ns)."""
    return min((entries[0][1][0] for entries, _over in lanes.values() if entries), default=0)


def _parts(entries, thread, start):
    """[Part] of one lane: a new one begins where the lane is another process's, for thread ids are used again."""
    part = Part(thread, thread, start)
    parts, stack = [part], []  # of the calls that have not returned: (stamp, event)
    for kind, values in entries:
        if kind == log.BEGIN:
            event = _begun(values, thread, part.pid, start)
            event.inside = stack[-1][1] if stack else None
            part.events.append(event)
            stack.append((values[0], event))
        elif kind == log.END:
            if stack and stack[-1][0] == values[0]:
                _finish(stack.pop()[1], values, start)
            else:
                _finish_below(stack, values, start)
        else:
            if values[1] in ("lane", "birth", "program"):
                part = Part(thread, values[2], values[0])
                parts.append(part)
                stack = []
            part.notes.append(values)
    return [part for part in parts if part.events or part.notes]


def _finish_below(stack, values, start):
    """The end of a call in which others were left without one, by an exception out of a handler for instance."""
    for depth in range(len(stack) - 1, -1, -1):
        if stack[depth][0] == values[0]:
            _finish(stack[depth][1], values, start)
            del stack[depth:]
            return


def _begun(values, thread, pid, start):
    stamp, call, args, keywords, on, line, via, file = values
    for arg in args:
        if type(arg) not in _EASY:
            args = restore(args)
            break
    return Event("", pid, thread, call, args, None, None, None, None, (stamp - start) / 1e9, None, line, via,
                 restore(keywords) if keywords else {}, on, None, file)


def _finish(event, values, start):
    _stamp, began, ended, result, error, waited = values
    event.start, event.end, event.waited = (began - start) / 1e9, (ended - start) / 1e9, waited / 1e9
    event.result = result if type(result) in _EASY else restore(result)
    if error:
        event.error, event.errno, event.message = error


def _in_order(parts, dropped):
    """(events of all parts in order of start, how many calls are not among them)."""
    events = [event for part in parts for event in part.events]
    events.sort(key=lambda event: event.start)
    if len(events) > MOST_EVENTS:
        dropped += len(events) - MOST_EVENTS
        events = events[:MOST_EVENTS // 2] + events[-MOST_EVENTS // 2:]
    nested = [event for event in events if event.inside]
    indexes = {id(event): index for index, event in enumerate(events)} if nested else {}
    for event in nested:
        event.inside = indexes.get(id(event.inside))
    return events, dropped


def _printed(fd):
    """All that came out of descriptors 1 and 2: where it was very much, head and tail."""
    size = os.fstat(fd).st_size
    if size <= 2 * MOST_BYTES:
        return os.pread(fd, size, 0)
    middle = f"\n... {size - 2 * MOST_BYTES} bytes ...\n".encode()
    return os.pread(fd, MOST_BYTES, 0) + middle + os.pread(fd, MOST_BYTES, size - MOST_BYTES)


def _text(event):
    """The text that a print was asked for, from its arguments."""
    if event.error or event.keywords.get("file") not in (None, 1, 2):
        return ""
    words = [word if isinstance(word, str) else str(word) for word in event.args]
    separator, end = event.keywords.get("sep"), event.keywords.get("end")
    return (" " if separator is None else separator).join(words) + ("\n" if end is None else end)
