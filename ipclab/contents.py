"""contents(): what is in a queue, a socket or a pipe from moment to moment, from nothing but the recorded calls.

A call that put something in and one that took something out each make a change. Which of two calls at one time came
first, what was taken tells: nothing leaves before it came in, nor waits without reason. Messages are told apart by
their bytes and their rank: a priority orders the queue, a type is for the receiver to pick by. A stream is one piece.
"""
from dataclasses import dataclass, field

from .calls import RANKS
from .contents_draw import draw
from .look import chosen_look
from .messages import Message, given, same, taken
from .replay import STREAMS, follow
from .say import _
from .timeline import check_step

MOST = 20  # changes that are drawn
TOLD = 12  # changes of an object in the sentence


@dataclass(slots=True)
class Change:
    """A call of `process` put `message` in (`came`) or took it out. `inside` is what is in the object then, in order
    of leaving, with the message that comes or leaves in its place; `index` is the event's in the trace."""

    process: str
    message: Message
    came: bool
    inside: list
    index: int


@dataclass(slots=True)
class Container:
    """An object that things are put in: its name, what the rank of its messages is called ("" for none), whether it
    is a stream, its changes in order of time, and how many there are that are not among these."""

    name: str
    rank: str
    stream: bool
    changes: list = field(default_factory=list)
    more: int = 0


@dataclass(slots=True)
class Flow:
    """While a Container is filled: by id the calls that put in and take out later, what is inside at the moment, by id
    of a message the call that put it in, and pairs of such calls of which the first cannot have been the later one."""

    made: Container
    places: dict
    coming: dict
    leaving: dict
    inside: list = field(default_factory=list)
    born: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)


def contents(trace, look=None, step=None):
    """What is in each object of the trace as a Picture: a column a change, what leaves first on top.

    `look` and `step` are as in timeline(): changes after the step are dimmed. ValueError for another look or step.
    """
    look = chosen_look(look)
    check_step(trace, step)
    found = containers(trace)
    return draw(trace, found, look, step, _sentence(trace, found))


def containers(trace):
    """The Containers of a trace, in order of their first change. None where calls were not kept."""
    if trace.dropped:
        return []
    flows, places = {}, {id(event): index for index, event in enumerate(trace.events)}
    for (side, channel), events in follow(trace).acts.items():
        flows.setdefault(channel, []).extend((side, event) for event in events if event.end is not None)
    order = sorted(filter(lambda channel: _carries(flows[channel]), flows),
                   key=lambda channel: min(event.start for _side, event in flows[channel]))
    share = max(most for most in range(4, MOST + 1)
                if most == 4 or sum(min(most, len(flows[channel])) for channel in order) <= MOST)
    return [_container(channel, flows[channel], places, order, share) for channel in order]


def _carries(acts):
    """Do the calls carry bytes, at the time of the call? Semaphores do not, and file objects keep some back."""
    puts = [event for side, event in acts if side == "put"]
    return any(given(event).data is not None for event in puts) and not any(
        event.call.startswith("file.") for event in puts)


def _container(channel, acts, places, order, share):
    """The Container of a channel, with its first changes. Of several puts at one time it shows later which was first:
    then all is replayed in that order."""
    rank = next((RANKS[event.call][0] for _side, event in acts if event.call in RANKS), "")
    times = {id(event): _when(side, event) for side, event in acts}
    for _attempt in range(2 * share):
        made = Container(_name(channel, order), rank, channel[0] in STREAMS)
        flow = _replayed(made, sorted(acts, key=lambda act: times[id(act[1])]), places, share)
        if not flow.wrong:
            break
        for first, second in flow.wrong:
            times[id(first)] = min(times[id(first)], times[id(second)] - 1e-9)
    return made


def _replayed(made, acts, places, share):
    """The Flow, after the Container was filled with its first changes."""
    puts, gets = ({id(event): event for side, event in acts if side == kind} for kind in ("put", "get"))
    flow = Flow(made, places, puts, gets)
    for _side, event in acts:
        if len(made.changes) >= share:
            break
        if flow.leaving.pop(id(event), None):
            _leave(flow, event)
        elif id(event) in flow.coming:
            _leave_before(flow, event)
            _come(flow, event)
    made.more = len(flow.coming) + sum(taken(event) is not None for event in flow.leaving.values())
    return flow


def _when(side, event):
    """When it acted at the latest, of a call that took something and did not wait, at the earliest."""
    return event.start if side == "get" and not event.waited else event.end


def _leave_before(flow, put):
    """What calls took that had begun before the put was over: they had no reason to wait for it."""
    for get in [get for get in flow.leaving.values() if get.start < put.end]:
        got = taken(get)
        if got and (sum(one.size for one in flow.inside) >= got.size if flow.made.stream else any(
                same(one, got) for one in flow.inside)):
            _leave(flow, flow.leaving.pop(id(get)))


def _name(channel, order):
    """ "message queue /jobs", "pipe", "socket, stream 2" """
    kind, name = channel
    if kind in STREAMS or kind == "packets":  # their names are numbers that nobody knows
        same_kind = [other for other in order if other[0] == kind]
        name = str(same_kind.index(channel) + 1) if len(same_kind) > 1 else ""
    elif isinstance(name, tuple):
        name = ":".join(map(str, name))
    kinds = {"MessageQueue": _("message queue"), "pipe": _("pipe"), "fifo": "FIFO", "socket": _("socket, a stream"),
             "packets": _("socket, messages"), "at": _("socket at"), "terminal": _("terminal")}
    kind = kind.rpartition(".")[2]
    return f"{kinds.get(kind, kind)} {name}".strip()


def _come(flow, event):
    """Something is put in: into its place in the order of leaving."""
    made, inside, message = flow.made, flow.inside, given(flow.coming.pop(id(event)))
    flow.born[id(message)] = event
    ahead = [one for one in inside if one.rank >= message.rank] if made.rank == "priority" else inside
    inside.insert(len(ahead), message)
    made.changes.append(Change(event.process, message, True, list(inside), flow.places[id(event)]))
    if made.stream:
        inside[:] = [_joined(inside)]


def _leave(flow, event):
    """Something is taken out; what it was tells that it had come before."""
    got = taken(event)
    if got is None:
        return
    message = (_part if flow.made.stream else _which)(flow, got, event)
    if not flow.made.stream and flow.made.rank != "type":
        _leave_in_order(flow, message, event)
    flow.made.changes.append(Change(event.process, message, False, list(flow.inside), flow.places[id(event)]))
    flow.inside.remove(message)


def _leave_in_order(flow, message, event):
    """What was ahead and was taken in the same time left before, though its call may have been over later."""
    for ahead in flow.inside[:flow.inside.index(message)]:
        for get in [get for get in flow.leaving.values() if get.start < event.end]:
            got = taken(get)
            if got and got.data is not None and same(ahead, got):
                _leave(flow, flow.leaving.pop(id(get)))
                break
        else:
            first, second = flow.born.get(id(message)), flow.born.get(id(ahead))
            if first and second and ahead.rank == message.rank and first.start < second.end:
                flow.wrong.append((first, second))


def _which(flow, got, event):
    """The message that was taken: the first that it can have been, also of those that were put in meanwhile."""
    meanwhile = [put for put in flow.coming.values() if put.start < event.end]
    known = any(same(given(put), got) for put in meanwhile)
    while not (found := [one for one in flow.inside if same(one, got)]):
        if known:
            _come(flow, meanwhile.pop(0))
        else:  # calls that were not recorded put it in
            flow.inside.insert(0, got)
    return found[0]


def _part(flow, got, event):
    """The first bytes of a stream, cut off from those that stay."""
    while sum(one.size for one in flow.inside) < got.size and flow.coming:
        _come(flow, next(iter(flow.coming.values())))
    rest = flow.inside.pop() if flow.inside else Message(b"", 0)
    flow.inside.append(got)
    if rest.size > got.size:
        left = rest.data[got.size:] if type(rest.data) is bytes else None
        flow.inside.append(Message(left, rest.size - got.size))
    return got


def _joined(pieces):
    """What is in a stream, as one piece."""
    datas = [piece.data for piece in pieces]
    whole = b"".join(datas) if all(type(data) is bytes for data in datas) else None
    return Message(whole, sum(piece.size for piece in pieces))


def _sentence(trace, found):
    """The picture in words."""
    head = _("contents in {experiment}").format(experiment=trace.experiment or _("objects"))
    if trace.dropped:
        return head + ": " + _("not known, for not all calls were kept")
    return head + ". " + " ".join(map(_told, found)) if found else head + ": " + _("nothing was put in anywhere")


def _told(container):
    """An object's changes in words."""
    lines = []
    for change in container.changes[:TOLD]:
        left = [str(one) for one in change.inside if change.came or one is not change.message]
        words = _("{process} puts in {message}; inside: {inside}") if change.came else (
            _("{process} takes out {message}; inside: {inside}"))
        lines.append(words.format(process=change.process, message=change.message,
                                  inside=", ".join(left) or _("nothing")))
    more = container.more + len(container.changes[TOLD:])
    lines += [_("… and {more} more").format(more=more)] if more else []
    return f"{container.name}: {'. '.join(lines)}."
