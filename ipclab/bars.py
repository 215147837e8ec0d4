"""What a timeline draws of a trace: lanes of bars. A bar is one call, or several where there are too many to show.

Runs of alike calls become one bar; where there are still too many, neighbours are merged, except for the first and
last calls of a process and the weightiest (those that waited longest, failed, or never returned). Nothing is left
out: each bar knows its events.
"""
import signal
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from .calls import BIRTHS, EXEC, act, never_returns, number

LIGHT = (False, 0.0)  # the weight of a call that returned at once
FAULTS = {signal.SIGBUS, signal.SIGSEGV}
ALIKE = 5  # so many alike calls in a row are one bar even where there is room


@dataclass(slots=True)
class Bar:
    """`members` are indexes in Trace.events; `start` and `end` seconds; `depth` 0 for what the process does itself,
    1 for the handler that interrupts it, and so on. `open` is a call that had not returned, `waited` seconds."""

    members: list
    start: float
    end: float
    depth: int = 0
    waited: float = 0.0
    failed: bool = False
    open: bool = False

    @property
    def waiting(self):
        """Was at least half of it spent waiting?"""
        return self.waited > 0 and self.waited * 2 >= self.end - self.start


@dataclass(slots=True)
class Lane:
    """One thread of one process: `thread` counts from 0, and `start` and `end` are seconds."""

    process: object
    thread: int
    start: float
    end: float
    bars: list


def horizon(trace):
    """The time at which the picture ends: the deadline where it ended the run, else the last thing known."""
    if trace.timed_out:
        return trace.timeout
    times = [event.end or event.start for event in trace.events]
    times += [process.end or process.start for process in trace.processes]
    return max(times, default=0.0) if not trace.seconds else max(trace.seconds, max(times, default=0.0))


def births(trace):
    """{pid: time} of the births. A child may first be seen after its parent has gone on: the parent's call counts."""
    born = {process.pid: process.start for process in trace.processes}
    for event in trace.events:
        child = number(event.result, "pid") if act(event) in BIRTHS else None
        if child in born and event.end is not None:
            born[child] = max(event.start, min(born[child], event.end))
    return born


def lanes(trace, most=120, via=True):
    """The lanes in order of birth, with about `most` bars at most in all; without the calls that libraries made
    where `via` is False."""
    last, tracks, born = horizon(trace), _tracks(trace, via), births(trace)
    found = []
    for process in sorted(trace.processes, key=lambda process: born[process.pid]):
        threads = tracks.get(process.pid) or {None: []}
        share = max(6, most * sum(map(len, threads.values())) // max(1, len(trace.events)))
        for place, indexes in enumerate(threads.values()):
            end = min(last, last if process.end is None else process.end)
            start = min(end, trace.events[indexes[0]].start if place else born[process.pid])
            bars = _bars(trace, indexes, end, max(6, min(share, most // len(threads))))
            found.append(Lane(process, place, start, end, bars))
    return found


def _tracks(trace, via):
    """{pid: {thread: [index of event]}}, in order of start."""
    tracks = {}
    for index, event in enumerate(trace.events):
        if via or not event.via:
            tracks.setdefault(event.pid, {}).setdefault(event.thread, []).append(index)
    return tracks


def _bars(trace, indexes, last, most):
    """The bars of one thread, at most about `most`."""
    levels = {}
    for bar in _singles(trace, indexes, last):
        levels.setdefault(bar.depth, []).append(bar)
    bars = []
    for level in levels.values():
        level = _alike(trace, level, ALIKE, alone=True)
        if len(level) > most:
            level = _alike(trace, level, 2)
        bars += _between(level, most)
    return sorted(bars, key=lambda bar: bar.start)


def _singles(trace, indexes, last):
    """One bar an event. A call that did not return lasts until its thread's next event outside it (an exec that went
    on in a recorded program), or else to the end of its lane."""
    events, depths, bars, ended = trace.events, {}, [], {}
    for index in indexes:
        event = events[index]
        interrupts = event.call == "handler"  # if no call, then the program itself
        depth = depths[index] = depths[event.inside] + 1 if event.inside in depths else int(interrupts)
        if depth in ended and ended[depth].open:
            _close(ended[depth], min(event.start, last))
        start, open_ = min(event.start, last), event.end is None or event.end > last
        bar = Bar([index], start, last if open_ else event.end, depth, event.waited or 0.0, event.error is not None,
                  open_)
        bars.append(bar)
        ended[depth] = bar
    ended_by = {process.pid: process.signal for process in trace.processes}
    for bar in bars:
        event = events[bar.members[0]]
        _settle(bar, event, event.call.startswith("mmap.__") and ended_by.get(event.pid) in FAULTS)
    return bars


def _settle(bar, event, fault):
    """A call that did not return waited until the end, but for a load or store that ended its process by a `fault`; a
    program that was begun is a moment, not a time."""
    if event.end is None and event.call.startswith(EXEC):
        bar.end = bar.start
    elif bar.open and fault:
        bar.failed = True
    elif bar.open and not never_returns(event):
        bar.waited = bar.end - bar.start


def _close(bar, at):
    bar.end, bar.open = at, False


def _alike(trace, bars, least, alone=False):
    """The bars, with each run of at least so many alike ones made one; those that waited, and handlers, between which
    the program went on, stay `alone` if asked."""
    joined = []
    for _key, group in groupby(bars, lambda bar: _likeness(trace.events[bar.members[0]], bar, alone)):
        run = list(group)
        joined += [join(run)] if len(run) >= least else run
    return joined


def _likeness(event, bar, alone):
    """What alike calls have in common: the call, what it acted on, how it ended, and whether it waited."""
    if alone and (bar.waiting or event.call == "handler"):
        return bar.members[0]
    target = event.on if event.on is not None else event.args[0] if event.args and type(event.args[0]) is int else None
    return event.call, target, event.error, event.errno, bar.open, bar.waiting


def _between(bars, most):
    """The bars, with neighbours merged where there are more than `most`: how a process begins and ends stays, and
    the weightiest."""
    if len(bars) <= most:
        return bars
    heavy = [bar for bar in sorted(bars, key=weight)[-(most // 4):] if weight(bar) > LIGHT]
    kept = {id(bar) for bar in (*bars[:most // 5], *heavy, *bars[-most // 10:])}
    merged = []
    for alone, group in groupby(bars, lambda bar: id(bar) in kept):
        run = list(group)
        merged += run if alone or len(run) == 1 else [join(run)]
    return merged


def join(run):
    """One bar for several neighbours."""
    return Bar([index for bar in run for index in bar.members], run[0].start, run[-1].end, run[0].depth,
               sum(bar.waited for bar in run), all(bar.failed for bar in run), run[-1].open)


def weight(bar):
    """How much a bar matters to the reader; larger is more."""
    return (bar.open and bar.waited > 0, bar.waited + 0.01 * bar.failed + 0.001 * (bar.depth > 0))


def counts(trace, bar):
    """How many calls of each name the bar holds, as [(call, how many)], the most frequent first."""
    return Counter(trace.events[index].call for index in bar.members).most_common()
