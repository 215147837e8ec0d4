"""Who woke whom: from the call that gave to the call that waited for it, where both acted on one kernel object.

replay.py tells the channel of every call. Each call that waited is asked who can have ended its wait: an arrow is
drawn only where the giver acted on the same channel while the wait lasted and nothing else can have ended it. Of
several givers the first counts where it was over before the next began, one is enough for the waiting call, and
nobody else waited there: then it alone made the waiter ready. In all other cases there is no arrow; never guessed.
"""
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import attrgetter

from .calls import act
from .replay import LATE, OTHER, follow
from .trace import Process


@dataclass(slots=True)
class Arrow:
    """`giver` (an Event, or a Process by its end) ended the wait of `taker` (an Event, or the life of a Process), or
    sent the signal that it took; a signal's giver may also be sent.TIMER."""

    giver: object
    taker: object


def arrows(trace):
    """The arrows of a trace. None where calls were dropped, for what those did is not known."""
    if trace.dropped:
        return []
    world, ends = follow(trace), {}
    found = [Arrow(giver, taker) for giver, taker in world.certain]
    for wait in world.waits:
        giver = _giver(world, wait, ends)
        if giver is not None:
            found.append(Arrow(giver, wait.event))
    return found


def _giver(world, wait, ends):
    """What ended the wait, None where that is not sure."""
    other, event = (OTHER[wait.side], wait.channel), wait.event
    closed = [by for time, by in world.emptied.get(other, ()) if _during(event, time, by)
              and not (isinstance(by, Process) and by.pid == event.pid)]  # its own end comes after its calls
    if event.error or wait.end or wait.side == "get" and event.result in (b"", "", 0):
        return closed[0] if len(closed) == 1 and event.error in (None, "BrokenPipeError") else None
    givers = [] if other in world.unseen else _overlapping(world.acts.get(other, ()), event, ends.setdefault(other, []))
    if closed and act(event) in ("ready", "gather"):
        return closed[0] if len(closed) == 1 and not givers else None
    if len(givers) > 1 and not (wait.any and _over_before(*givers) and _alone(world, wait)):
        return None
    return givers[0] if givers else None


def _during(event, time, by):
    """Did it happen while the call ran? The end of a process is seen less exactly than a call."""
    late = LATE if isinstance(by, Process) else 0
    return event.start - late <= time <= event.end + late


def _overlapping(acts, event, ends):
    """The calls of others that ran while this one waited, by start, two at most. `ends` keeps, for these acts, the
    latest end up to each, by which those that were over before are skipped."""
    if not ends:
        ends += accumulate((_end(call) for call in acts), max)
    first, last = bisect_right(ends, event.start), bisect_left(acts, event.end, key=attrgetter("start"))
    found = (call for call in islice(acts, first, last) if _end(call) > event.start
             and (call.pid, call.thread) != (event.pid, event.thread))
    return list(islice(found, 2))


def _end(call):
    return float("inf") if call.end is None else call.end


def _over_before(first, second):
    return first.end is not None and first.end < second.start


def _alone(world, wait):
    """Was this the only call that waited there at that time?"""
    return not any(other.event is not wait.event and other.side == wait.side and other.channel == wait.channel
                   and other.event.start < wait.event.end and other.event.end > wait.event.start
                   for other in world.waits)
