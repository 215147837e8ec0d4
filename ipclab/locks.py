"""Who held which lock when, out of the recorded calls: mutexes, semaphores and locks on files, one way for all.

A process holds a lock from the end of its call that took it to the start of its call that gives it back, or to its
own end: that is how long it relies on it. Who gives back what it does not hold ends nobody's hold.
"""
from dataclasses import dataclass
from itertools import accumulate

from .bars import horizon
from .calls import act, number
from .replay import follow
from .waiting import told_apart

KINDS = ("linux.Mutex", "posix_ipc.Semaphore", "sysv_ipc.Semaphore", "multiprocessing.SemLock", "lock")


@dataclass(slots=True)
class Span:
    """What `process` (its name, with the pid where several have it) did from `start` to `end` (seconds), by its call
    `event`. Of a hold `given` is the call that gave the lock back, None where none did."""

    process: str
    start: float
    end: float
    event: object
    given: object = None


@dataclass(slots=True)
class Lock:
    """A lock: its `kind` (of KINDS), its `name`, and as Spans in order of time its `holds`, the `waits` for it, the
    calls that failed to take it or to give it back (`refused`), and those by which somebody gave back what it did not
    hold (`strangers`)."""

    kind: str
    name: str
    holds: list
    waits: list
    refused: list
    strangers: list

    def together(self):
        """[(time, how many hold it from then on)], in order of time."""
        changes = sorted([(hold.end, -1) for hold in self.holds] + [(hold.start, 1) for hold in self.holds])
        return list(zip((time for time, _step in changes), accumulate(step for _time, step in changes)))

    def most(self):
        """How many held it at once, at most."""
        return max((count for _time, count in self.together()), default=0)


def locks(trace):
    """The Locks of a trace, in order of their first use. None where calls were not kept.

    A semaphore that only ever some give to and others take from carries news, and is no lock.
    """
    if trace.dropped:
        return []
    world, lives, found = follow(trace), _lives(trace), []
    for channel in {channel for _side, channel in world.acts if channel and channel[0] in KINDS}:
        takes, refused = world.acts["get", channel], world.refused["get", channel] + world.refused["put", channel]
        gives = world.acts["put", channel] + (_closes(trace, takes) if channel[0] == "lock" else [])
        found.append(_lock(channel, takes, gives, refused, lives))
    return sorted(filter(None, found), key=lambda lock: (lock.holds + lock.waits)[0].start)


def _lives(trace):
    """{pid: (name, end)} of the processes."""
    last, names = horizon(trace), told_apart({process.pid: process.name for process in trace.processes})
    return {process.pid: (names[process.pid], min(last, last if process.end is None else process.end))
            for process in trace.processes}


def _lock(channel, takes, gives, refused, lives):
    """The Lock of a channel, None for one that nobody took, or that carries news."""
    waits = [_span(event, lives) for event in takes if event.waited or event.end is None]
    lock = Lock(channel[0], str(channel[1]), [], waits, [_span(event, lives) for event in refused], [])
    open_ = {}
    for _time, taken, event in _moments(takes, gives):
        mine, (name, end) = open_.setdefault((event.pid, event.thread), []), lives[event.pid]
        if taken:
            _take(lock, mine, Span(name, event.end, max(event.end, end), event))
        elif mine:
            mine[-1].end, mine[-1].given = event.start, event
            mine.pop()
        elif act(event) != "close":
            lock.strangers.append(_span(event, lives))
    news = lock.strangers and not any(hold.given for hold in lock.holds)
    return lock if takes and not news else None


def _span(event, lives):
    name, end = lives[event.pid]
    return Span(name, event.start, end if event.end is None else event.end, event)


def _moments(takes, gives):
    """[(time, taken or given back, event)] of the calls that took and gave back, in order of time."""
    return sorted([*((event.end, True, event) for event in takes if event.end is not None),
                   *((event.start, False, event) for event in gives)], key=lambda moment: moment[:2])


def _take(lock, mine, hold):
    """One more of a semaphore's units; a mutex that its owner locks again, or a file, is held as before."""
    if mine and lock.kind == "lock":
        return
    if not mine or "Sem" in lock.kind:
        lock.holds.append(hold)
    mine.append(hold)


def _closes(trace, takes):
    """The calls that closed a descriptor through which a file was locked: that gives the lock back."""
    locked = {(event.pid, number(event.args[0], "fd")) for event in takes}
    return [event for event in trace.events if act(event) == "close"
            and (event.pid, number(event.on if event.on is not None else event.args[0], "fd")) in locked]
