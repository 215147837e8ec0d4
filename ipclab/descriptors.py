"""Descriptors, followed through the processes of a trace: what each is of, who holds it, and when it is let go.

Each process has a table of descriptors, copied at its birth, thinned by an exec, emptied at its end. An entry says
which channel it gives to and which it takes from. A channel is one direction of flow: a pipe has one, a socket pair
two, a message queue or a semaphore one. The functions here do to the tables what the calls of calls.py do.
"""
from collections import defaultdict
from dataclasses import dataclass, field
from os import O_CLOEXEC, O_RDWR, O_WRONLY
from posixpath import normpath

from .calls import number

DUPFD, SETFD, DUPFD_CLOEXEC, SETPIPE_SZ = 0, 2, 1030, 1031  # fcntl(2): F_DUPFD and so on


@dataclass(slots=True, frozen=True)
class End:
    """What a descriptor is of: the channels that it gives to and takes from, and the name it was opened or bound by."""

    put: object = None
    get: object = None
    name: object = None


NOTHING = End()
TYPING = "keys"  # the name of a pseudo-terminal's end at which one types


@dataclass(slots=True)
class World:
    """What is known at one moment of the replay, and what was seen on the way there.

    `tables` are {pid: {descriptor: [End, inheritable]}}, `holders` the (pid, descriptor) of each (side, channel), and
    `emptied` the (time, call or process) that let go of the last. `acts` are the calls that gave to a channel (side
    "put") or took from it ("get"), `refused` those that failed, `waits` those that waited. `levels` are what is in a
    channel, given and not taken: bytes, messages or units; `rooms` what fits at least, where a program set that.
    `unseen` are (side, channel) that a program holds whose calls are not recorded. `signals` are notes of sent.py,
    `takes` the calls of the trace that take signals, `certain` pairs (giver, taker) known without search, `fifos`
    channels by path. `calling` are connects and accepts at an address that are not paired yet.
    """

    processes: dict
    tables: dict = field(default_factory=dict)
    holders: dict = field(default_factory=lambda: defaultdict(set))
    emptied: dict = field(default_factory=lambda: defaultdict(list))
    acts: dict = field(default_factory=lambda: defaultdict(list))
    refused: dict = field(default_factory=lambda: defaultdict(list))
    levels: dict = field(default_factory=lambda: defaultdict(int))
    rooms: dict = field(default_factory=dict)
    waits: list = field(default_factory=list)
    unseen: set = field(default_factory=set)
    signals: list = field(default_factory=list)
    takes: list = field(default_factory=list)
    certain: list = field(default_factory=list)
    fifos: dict = field(default_factory=dict)
    calling: dict = field(default_factory=dict)
    made: int = 0


def end_of(world, event, fd):
    """The End that a descriptor of the event's process is of; an End stands for itself."""
    if isinstance(fd, End):
        return fd
    entry = world.tables.get(event.pid, {}).get(fd) if type(fd) is int else None
    return entry[0] if entry else NOTHING


def hold(world, pid, fd, end, kept=False):
    """The process now has the descriptor; `kept` over an exec."""
    world.tables.setdefault(pid, {})[fd] = [end, kept]
    for side, channel in (("put", end.put), ("get", end.get)):
        if channel is not None:
            world.holders[side, channel].add((pid, fd))


def drop(world, pid, fd, time, by):
    """The descriptor is closed, at that time, by that call or that process's end."""
    end, _kept = world.tables.get(pid, {}).pop(fd, (NOTHING, None))
    for side, channel in (("put", end.put), ("get", end.get)):
        holders = world.holders[side, channel]
        if channel is not None and (pid, fd) in holders:
            holders.discard((pid, fd))
            if not holders:
                world.emptied[side, channel].append((time, by))


def channel(world, kind):
    """A new channel."""
    world.made += 1
    return kind, world.made


# Births and programs

def birth(world, pid, parent):
    """A child has copies of its parent's descriptors."""
    if pid not in world.tables:
        world.tables[pid] = {}
        for fd, (end, kept) in world.tables.get(parent, {}).items():
            hold(world, pid, fd, end, kept)


def fork(world, event, child):
    if number(child, "pid") is not None:
        birth(world, number(child, "pid"), event.pid)


def spawn(world, event, child):
    """A child with a new program; what subprocess makes its standard descriptors stands in its arguments."""
    pid, passed, standard = number(child, "pid"), (), {}
    fork(world, event, child)
    if pid is None:
        return
    if event.call.endswith("fork_exec") and len(event.args) > 11:
        passed, standard = event.args[3] or (), {0: event.args[6], 1: event.args[9], 2: event.args[11]}
    table = dict(world.tables[pid])
    new_program(world, event, pid, passed)
    for fd, source in standard.items():
        if source in table:
            hold(world, pid, fd, table[source][0], True)


def new_program(world, event, pid, passed=()):
    """An exec: what is not inheritable is closed. What a program does whose calls are not recorded, nobody knows."""
    for fd, (_end, kept) in list(world.tables.get(pid, {}).items()):
        if not kept and fd not in passed:
            drop(world, pid, fd, event.start, event)


def unseen(world, pid):
    """From now on nobody knows what the process does with what it holds."""
    for end, _kept in world.tables.get(pid, {}).values():
        world.unseen |= {("put", end.put), ("get", end.get)}


# What calls do: (world, event, what names the object)

def _pair_of(result):
    """The two descriptors of a result such as (3, 4) or two socket objects, [] where it is no such pair."""
    both = [number(item, "fd") for item in result] if isinstance(result, (tuple, list)) and len(result) == 2 else []
    return both if None not in both else []


def pipe(world, event, result):
    flow, kept = channel(world, "pipe"), event.call == "os.pipe2" and not event.args[0] & O_CLOEXEC
    for fd, end in zip(_pair_of(result), (End(get=flow), End(put=flow)), strict=False):
        hold(world, event.pid, fd, end, kept)


def pair(world, event, result):
    """A pair of sockets: streams, or of a type that keeps messages apart (socket(2))."""
    asked = event.args[1] if len(event.args) > 1 else event.keywords.get("type", "SOCK_STREAM")
    kind = "socket" if asked == "SOCK_STREAM" or type(asked) is int and asked & 15 == 1 else "packets"
    one, other = channel(world, kind), channel(world, kind)
    for fd, end in zip(_pair_of(result), (End(one, other), End(other, one)), strict=False):
        hold(world, event.pid, fd, end)


def forkpty(world, event, result):
    """A child whose standard descriptors are a terminal; its parent has the terminal's other end."""
    keys, screen = channel(world, "terminal"), channel(world, "terminal")
    fork(world, event, result)
    for fd in range(3):
        hold(world, number(result, "pid"), fd, End(screen, keys), True)
    hold(world, event.pid, result[1], End(keys, screen, TYPING), True)


def openpty(world, event, result):
    keys, screen = channel(world, "terminal"), channel(world, "terminal")
    for fd, end in zip(_pair_of(result), (End(keys, screen, TYPING), End(screen, keys)), strict=False):
        hold(world, event.pid, fd, end)


def eventfd(world, event, fd):
    flow = channel(world, "eventfd")
    hold(world, event.pid, fd, End(flow, flow))


def mkfifo(world, event, path):
    world.fifos[normpath(str(path))] = channel(world, "fifo")


def open_file(world, event, path):
    """A file or a FIFO, by its path; the sides ("put", "get") that it was opened for, and the FIFO's channel."""
    if type(path) is int:  # a file object on a descriptor that is known
        return (), None
    path, sides = normpath(str(path)), _sides(event)
    fd, fifo = number(event.result, "fd"), world.fifos.get(path)
    if fd is not None:
        hold(world, event.pid, fd, End(*(fifo if side in sides else None for side in ("put", "get")), path))
    return sides, fifo


def _sides(event):
    """The sides that os.open's flags or open's mode ask for."""
    given = event.args[1] if len(event.args) > 1 else event.keywords.get("mode", event.keywords.get("flags", "r"))
    if isinstance(given, str):
        return ("put", "get") if "+" in given else ("get",) if "r" in given else ("put",)
    return ("put", "get") if given & O_RDWR else ("put",) if given & O_WRONLY else ("get",)


def dup(world, event, fd, new=None, kept=False):
    table, new = world.tables.get(event.pid, {}), number(event.result, "fd") if new is None else new
    if fd in table and new is not None and new != fd:
        end = table[fd][0]
        drop(world, event.pid, new, event.start, event)
        hold(world, event.pid, new, end, kept)


def dup2(world, event, fd):
    kept = event.args[2] if len(event.args) > 2 else event.keywords.get("inheritable", True)
    dup(world, event, fd, event.args[1] if len(event.args) > 1 else event.keywords["fd2"], bool(kept))


def fcntl(world, event, fd):
    command = event.args[1]
    if command in (DUPFD, DUPFD_CLOEXEC):
        dup(world, event, fd, kept=command == DUPFD)
    elif command == SETFD:
        world.tables[event.pid][fd][1] = not event.args[2] & 1
    elif command == SETPIPE_SZ:
        end = end_of(world, event, fd)
        world.rooms[end.put or end.get] = event.result // 2


def inherit(world, event, fd):
    world.tables[event.pid][fd][1] = bool(event.args[-1])


def close(world, event, fd):
    drop(world, event.pid, number(fd, "fd"), event.start, event)


def closerange(world, event, low):
    for fd in [fd for fd in world.tables.get(event.pid, {}) if low <= fd < event.args[1]]:
        drop(world, event.pid, fd, event.start, event)
