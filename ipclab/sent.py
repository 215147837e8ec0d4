"""Which call sent the signal that a process took, by a handler, a sigwait, a read of a signalfd, or by its end.

replay.py notes here what sent signals and what took them. Of several senders the first counts if it was over before
the next began: standard signals that are pending already are merged into it, and queued ones come out in order. What
the kernel sends has no call: a child's end (SIGCHLD), a timer, or a key that is typed at a terminal's other end.
"""
import signal
from dataclasses import dataclass

from . import descriptors as tables
from .calls import act, number
from .linux import siginfos

LATE = 2e-3  # seconds by which the end of a process may be seen earlier or later than it took effect
TIMERS = {"signal.alarm": [signal.SIGALRM], "signal.setitimer": [signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF]}
TIMER = "timer"  # stands for the sender that is no call
KEYS = {b"\x03": signal.SIGINT, b"\x1c": signal.SIGQUIT, b"\x1a": signal.SIGTSTP}  # termios(3): VINTR, VQUIT, VSUSP
CALLS_SEND = ("SI_USER", "SI_QUEUE", "SI_TKILL", 0, -1, -6)  # si_code where a call sent it
ENDED = ("CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", 1, 2, 3)  # si_code of SIGCHLD where a child has ended
FORGOTTEN, SENT, TAKEN = range(3)  # in this order at one time


@dataclass(slots=True)
class Note:
    """Something that happened to a signal of a process at a time. `what` is the sender (Event or TIMER) or the taker
    (Event or Process); `value` is what sigqueue sent; `info` what the taker was told (a dict); `maybe` marks a sender
    that may have meant another process or thread."""

    time: float
    order: int
    pid: int
    number: int
    what: object = None
    value: int | None = None
    info: dict | None = None
    maybe: bool = False


def signal_number(value):
    """The number of a signal given by number or by name."""
    return getattr(signal, value).value if isinstance(value, str) else value


# What the replay notes: (world, event, what names the target or the signal)

def kill(world, event, target):
    """A call that sends. A process group's members are not known: any process may be meant."""
    value = event.args[2] if event.call == "linux.sigqueue" else None
    one = act(event) == "kill" and target > 0
    for pid in [target] if one else list(world.tables):
        _send(world, event, pid, event.args[1], value, maybe=not one)


def kill_by_pidfd(world, event, fd):
    kind, pid = tables.end_of(world, event, fd).name
    if kind == "pid":
        _send(world, event, pid, event.args[1])


def kill_thread(world, event, _thread):
    _send(world, event, event.pid, event.args[1], maybe=_takers(world, event.pid) > 1)


def _takers(world, pid):
    """How many threads of the process take signals themselves."""
    return len({event.thread for event in world.takes if event.pid == pid})


def _send(world, event, pid, given, value=None, maybe=False):
    world.signals.append(Note(event.start, SENT, pid, signal_number(given), event, value, maybe=maybe))


def type_keys(world, event, fd):
    """Keys written into a terminal's other end: signals for the processes before the terminal, whoever they are."""
    for key, sent in KEYS.items():
        if isinstance(event.args[1], bytes) and key in event.args[1]:
            for pid in set(world.tables) - {event.pid}:
                _send(world, event, pid, sent, maybe=True)


def arm(world, event, which):
    """alarm(2) and setitimer(2): from then on a timer may send."""
    sent = TIMERS[event.call][0 if event.call == "signal.alarm" else which]
    world.signals.append(Note(event.start, FORGOTTEN, event.pid, sent, TIMER))


def forget(world, event, given):
    """A new action, or a signal that is blocked from now on: what was sent before has been dealt with."""
    if event.call == "signal.pthread_sigmask" and event.args[0] != "SIG_BLOCK":
        return
    for each in given if isinstance(given, (list, tuple)) else [given]:
        world.signals.append(Note(event.start, FORGOTTEN, event.pid, signal_number(each)))


def handle(world, event, given):
    """A handler has begun to run."""
    world.signals.append(Note(event.start, TAKEN, event.pid, signal_number(given), event))


def take(world, event, result):
    """A call of the sigwait family has come back with a signal; `result` is its number, or what it tells of it."""
    info = result if isinstance(result, dict) else None
    given = info["si_signo"] if info else result
    if given is not None:
        world.signals.append(Note(event.end, TAKEN, event.pid, signal_number(given), event, info=info))


def read(world, event):
    """A read of a signalfd: 128 bytes a signal."""
    for info in siginfos(event.result) if isinstance(event.result, bytes) else ():
        world.signals.append(Note(event.end, TAKEN, event.pid, int(info.si_signo), event, info=info._asdict()))


def end(world, process):
    """A process that a signal has ended."""
    world.signals.append(Note(process.end + LATE, TAKEN, process.pid, process.signal, process))


# Who it was

def senders(world):
    """(sender, taker) of the signals whose sender is sure: an Event, a Process by its end, or TIMER; an Event, or a
    Process by its end."""
    waiting, timers, children = {}, set(), {}
    for note in sorted(world.signals, key=lambda note: (note.time, note.order)):
        key = note.pid, note.number
        if note.order == SENT:
            waiting.setdefault(key, []).append(note)
        elif note.order == FORGOTTEN:
            waiting.pop(key, None)
            timers |= {key} if note.what == TIMER else set()
        elif (sender := _sender(world, note, waiting, timers, children)) is not None:
            yield sender, note.what


def _sender(world, note, waiting, timers, children):
    """Who sent what was taken, None where that is not sure; what is dealt with is taken out of `waiting`."""
    key = note.pid, note.number
    pending = waiting.get(key, [])
    if note.info and note.info["si_code"] not in CALLS_SEND:
        return _child(world, note, children) if note.number == signal.SIGCHLD else None
    meant = [sent for sent in pending if _fits(sent, note)]
    queued = note.info is not None and note.number >= signal.SIGRTMIN
    waiting[key] = [sent for sent in pending if queued and sent not in meant[:1]]
    if not pending:
        return TIMER if key in timers else _child(world, note, children) if note.number == signal.SIGCHLD else None
    sure = meant and (len(meant) == 1 or not any(sent.maybe for sent in meant) and _over_before(*meant[:2]))
    return meant[0].what if sure and _another(meant[0].what, note.what) else None


def _fits(sent, note):
    """Does what the taker was told fit the sender?"""
    if note.info is None:
        return True
    return sent.what.pid == note.info["si_pid"] and sent.value == note.info.get("si_value", sent.value)


def _over_before(first, second):
    return first.what.end is not None and first.what.end < second.what.start


def _another(sender, taker):
    """Is the taker another process than the sender, or another thread of it?"""
    return (sender.pid, sender.thread) != (taker.pid, getattr(taker, "thread", taker.pid))


def _child(world, note, children):
    """The child whose end SIGCHLD tells of: named, or the first of those that have ended since the last time."""
    since = children.get(note.pid, 0.0)
    ended = sorted((process for process in world.processes.values() if process.parent == note.pid
                    and process.end is not None and since < process.end <= note.time + LATE),
                   key=lambda process: process.end)
    if note.info:
        child = world.processes.get(number(note.info, "si_pid"))
        return child if child in ended and note.info["si_code"] in ENDED else None
    if ended:
        children[note.pid] = ended[-1].end
    return ended[0] if len(ended) == 1 or ended and ended[0].end + LATE < ended[1].end else None
