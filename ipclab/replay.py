"""What every call of a trace did to which kernel object: the events replayed in order of time.

descriptors.py keeps the tables; here calls are told by calls.py what they do, and what is not a descriptor is
followed too: addresses of sockets, names of queues and semaphores, signals and ends of processes.
"""
from dataclasses import dataclass
from errno import EOWNERDEAD

from . import descriptors as tables
from . import sent
from .calls import CALLS, EXEC, act, amount, number, peeks
from .sent import LATE

STREAMS = ("pipe", "fifo", "socket", "terminal")  # channels that keep no boundaries
BYTES = ("pipe", "fifo", "socket", "packets")  # channels whose level is counted in bytes, not in messages or units
# at least so much fits in (a page half full counts)
ROOM = {"pipe": 32768, "fifo": 32768, "socket": 2048, "packets": 2048}
LOCK_UN = 8  # flock(2)
OTHER = {"put": "get", "get": "put"}
LOCAL = {"", "0.0.0.0", "127.0.0.1", "localhost", "::", "::1"}  # names of this machine's own address


@dataclass(slots=True)
class Wait:
    """A call that waited for what others do on the other `side` of the channel: `any` one such call is enough, or
    only the `end` of all of them."""

    event: object
    side: str
    channel: object
    any: bool = False
    end: bool = False


def follow(trace):
    """The World of descriptors after all events of the trace."""
    world = tables.World({process.pid: process for process in trace.processes},
                         takes=[event for event in trace.events if act(event) == "take"])
    for _time, order, _place, what in sorted(_happenings(trace)):
        if order == 1:
            try:
                _called(world, what)
            except (TypeError, ValueError, IndexError, KeyError, AttributeError):
                pass  # a call made in a way that the table does not expect: it only gets no arrow
        elif order == 0:
            tables.birth(world, what.pid, what.parent)
        else:
            _ended(world, what)
    world.certain += sent.senders(world)
    return world


def _happenings(trace):
    """(time, order at that time, a number that no other has, Event or Process): births, calls, ends."""
    processes = list(enumerate(trace.processes))
    return [*((event.start, 1, place, event) for place, event in enumerate(trace.events)
              if event.call in CALLS or event.call.startswith(EXEC)),
            *((process.start, 0, place, process) for place, process in processes),
            *((process.end, 2, place, process) for place, process in processes if process.end is not None)]


def _called(world, event):
    if event.call not in CALLS:
        if not event.error:
            tables.new_program(world, event, event.pid)
            _look_away(world, event.pid)
        return
    call = event.call
    what, where = CALLS[call]
    named = event.result if where == "result" else event.on if where in ("on", "name") else (
        event.args[where] if len(event.args) > where else next(iter(event.keywords.values()), None))
    if where == "name":  # an object that is found by its name or id has one channel, and no descriptor
        named = tables.End(*[(call.rpartition(".")[0], named)] * 2)
    if what in ACTS:
        ACTS[what](world, event, named)
    elif not event.error:
        DOES[what](world, event, named)


def _look_away(world, pid):
    if pid in world.processes and not world.processes[pid].recorded:
        tables.unseen(world, pid)


def _ended(world, process):
    for fd in list(world.tables.get(process.pid, ())):
        tables.drop(world, process.pid, fd, process.end, process)
    world.emptied["put", ("life", process.pid)].append((process.end, process))
    if process.signal is not None:
        sent.end(world, process)


# Giving and taking

def _acted(world, event, side, channel, any=False, end=False, free=None):
    """The call gave to the channel ("put") or took from it ("get"). Time off the processor was no wait where there
    was something to take, or room to give: then another process had the processor. `free` says whether the call could
    go on, where that is not told by what is in the channel."""
    if channel is None:
        return
    level, failed = world.levels[channel], event.error or event.result is False
    size = amount(event) if channel[0] in BYTES else 1
    if failed:
        world.refused[side, channel].append(event)
    elif not peeks(event):
        world.acts[side, channel].append(event)
        world.levels[channel] += size if side == "put" else -size
    if event.waited and event.end is not None and event.result is not False:
        room = world.rooms.get(channel, ROOM.get(channel[0], 1))
        could_go_on = level > 0 and any if side == "get" else level + size <= room
        world.waits += [] if (could_go_on if free is None else free) else [Wait(event, side, channel, any, end)]


def _put(world, event, named):
    end = tables.end_of(world, event, named)
    _acted(world, event, "put", end.put)
    if end.name == tables.TYPING:
        sent.type_keys(world, event, named)


def _get(world, event, named):
    channel = tables.end_of(world, event, named).get
    if channel and channel[0] == "signals":
        sent.read(world, event)
    else:
        _acted(world, event, "get", channel, any=True)


def _gather(world, event, named):
    """A file object's read: up to the end of the file where no size is given."""
    whole = event.call == "file.read" and event.args[:1] in ((), (-1,), (None,))
    _acted(world, event, "get", tables.end_of(world, event, named).get, end=whole)


def _drain(world, event, named):
    _acted(world, event, "get", tables.end_of(world, event, named).get, end=True)


def _send_to(world, event, fd):
    _acted(world, event, "put", ("at", _address(event.args[-1])))


def _own(world, event, named):
    """A mutex is taken. One that died with its owner is taken too, and the owner's end may be what ended the wait."""
    if event.errno != EOWNERDEAD:
        return _acted(world, event, "get", named.get, any=True)
    acts = world.acts["get", named.get]
    before = [take for take in acts if take.end is not None and take.end <= event.end]
    owner = world.processes.get(max(before, key=lambda take: take.end).pid) if before else None
    if event.waited and owner is not None and owner.end is not None and owner.end >= event.start - LATE:
        world.certain.append((owner, event))
    acts.append(event)


def _lock(world, event, fd):
    """A lock is given back by LOCK_UN and taken by the rest."""
    name = tables.end_of(world, event, number(fd, "fd")).name
    _acted(world, event, "put" if event.args[1] & LOCK_UN else "get", name and ("lock", name))


def _ready(world, event, result):
    """A select or poll that found one descriptor ready for reading; it takes nothing."""
    lists = result if event.call == "select.select" else (result, [], [])
    if event.waited and len(lists[0]) == 1 and not any(lists[1:]):
        channel = tables.end_of(world, event, number(lists[0][0], "fd")).get
        world.waits += [Wait(event, "get", channel, True)] if channel and world.levels[channel] <= 0 else []


def _open(world, event, path):
    """The opening of a FIFO for reading and that for writing wait for one another, as long as nobody has opened the
    other side, or is about to; one for both never waits (fifo(7))."""
    if not event.error:
        sides, fifo = tables.open_file(world, event, path)
        own = event.pid, number(event.result, "fd")
        for side in sides if fifo else ():
            free = len(sides) > 1 or bool(world.holders[OTHER[side], fifo] - {own})
            _acted(world, event, side, ("door", fifo), any=True, free=free)


# Sockets with addresses

def _address(value):
    """What tells one address from another: a path, or host and port, this machine having many names."""
    if isinstance(value, (tuple, list)):
        return ("" if value[0] in LOCAL else value[0], value[1])
    return value


def _bind(world, event, named):
    """A socket's address, by bind or by getsockname (which tells the port that was chosen)."""
    fd, address = event.on, _address(event.args[0] if event.args else named)
    end = tables.end_of(world, event, fd)
    if address and (end.get is None or end.get[0] == "at"):
        tables.hold(world, event.pid, fd, tables.End(end.put, ("at", address), address))


def _connect(world, event, fd):
    address = _address(event.args[0])
    _acted(world, event, "put", ("accept", address))
    if not event.error:
        tables.hold(world, event.pid, fd, tables.End(("at", address), tables.end_of(world, event, fd).get, address))
        _met(world, address, 0, event, fd)


def _accept(world, event, fd):
    address = tables.end_of(world, event, fd).name
    _acted(world, event, "get", address and ("accept", address), any=True)
    new = number(event.result, "fd")
    if address and new is not None:
        tables.hold(world, event.pid, new, tables.NOTHING)
        _met(world, address, 1, event, new)


def _met(world, address, side, event, fd):
    """Pair a connect with its accept, as long as the order leaves no doubt which belong together."""
    calling = world.calling.setdefault(address, ([], []))
    calling[side].append((event, fd))
    connects, accepts = calling
    if len(accepts) > 1 or len(connects) > 1 and not (connects[-2][0].end or 1e9) <= connects[-1][0].start:
        world.calling[address] = ([None] * 9, [None] * 9)  # never again: those who wait there are mixed up
    elif connects and accepts:
        one, other = tables.channel(world, "socket"), tables.channel(world, "socket")
        (client, near), (server, far) = connects.pop(0), accepts.pop(0)
        tables.hold(world, client.pid, near, tables.End(one, other, address))
        tables.hold(world, server.pid, far, tables.End(other, one, address))


def _shutdown(world, event, fd):
    """An end of giving without a close."""
    put = tables.end_of(world, event, fd).put
    if put and event.args[0] in (1, 2):
        world.emptied["put", put].append((event.start, event))


# Processes and signals

def _spawn(world, event, child):
    tables.spawn(world, event, child)
    _look_away(world, number(child, "pid"))


def _reap(world, event, result):
    """A wait for a child's end."""
    child, status = world.processes.get(number(result, "si_pid")), result[1] if isinstance(result, tuple) else 0
    ended = child is not None and child.end is not None and child.end >= event.start - LATE and status & 255 != 127
    if event.waited and ended:
        world.certain.append((child, event))


def _pidfd(world, event, pid):
    """A descriptor of a process: what poll() waits for on it is the process's end."""
    tables.hold(world, event.pid, number(event.result, "fd"), tables.End(get=("life", pid), name=("pid", pid)))


def _signalfd(world, event, fd):
    tables.hold(world, event.pid, fd, tables.End(get=("signals", event.pid)))


ACTS = {"put": _put, "get": _get, "gather": _gather, "drain": _drain, "send to": _send_to, "own": _own,
        "lock": _lock, "connect": _connect, "handle": sent.handle}
DOES = {"ready": _ready, "open": _open, "bind": _bind, "accept": _accept, "shutdown": _shutdown, "spawn": _spawn,
        "reap": _reap, "kill": sent.kill, "killpg": sent.kill, "kill by pidfd": sent.kill_by_pidfd,
        "kill thread": sent.kill_thread, "take": sent.take, "forget": sent.forget,
        "arm": sent.arm, "pidfd": _pidfd, "signalfd": _signalfd, "birth": tables.fork, "forkpty": tables.forkpty,
        "openpty": tables.openpty, "pipe": tables.pipe,
        "pair": tables.pair, "eventfd": tables.eventfd, "mkfifo": tables.mkfifo, "dup": tables.dup, "dup2": tables.dup2,
        "fcntl": tables.fcntl, "inherit": tables.inherit, "close": tables.close, "closerange": tables.closerange,
        "nothing": lambda world, event, named: None}
