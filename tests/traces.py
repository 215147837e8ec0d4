"""Traces written by hand and at random, for the tests of what is made from traces."""
import random

from ipclab.trace import Event, Process, Trace

US = 1e-6
CALLS = ("os.read", "os.write", "os.close", "time.sleep", "posix_ipc.MessageQueue.receive", "print", "os.open")
WORDS = ("hello", "안녕하세요, 긴 문장을 출력합니다", b"x" * 100, "<&>\"'\x00\x1b", ("a", [1, 2, {"k": None}]), 3.5)


def event(process, call, args=(), result=None, start=0.0, end=None, **more):
    """An Event of a Process, with its name and pid; `more` are other fields."""
    return Event(process.name, process.pid, more.pop("thread", process.pid), call, args, result,
                 start=start, end=end, **more)


def trace(events, processes, **more):
    """A Trace of these events, put in order of time."""
    return Trace("experiment", sorted(events, key=lambda e: e.start), processes, **more)


def read_from_pipe():
    """A reader that waits 0.2 s for a writer, as they are in a pipe's first lesson."""
    reader = Process("reader", 100, None, 0, start=0, end=0.2018)
    writer = Process("writer", 101, 100, 0, start=520 * US, end=0.2010)
    return trace([
        event(reader, "os.pipe", (), (3, 4), 10 * US, 18 * US, line=2),
        event(reader, "os.fork", (), 101, 40 * US, 480 * US, line=4),
        event(reader, "os.close", (4,), None, 500 * US, 503 * US, line=11),
        event(reader, "os.read", (3, 5), b"hello", 510 * US, 0.20072, waited=0.2002, line=13),
        event(writer, "os.close", (3,), None, 530 * US, 534 * US, line=6),
        event(writer, "time.sleep", (0.2,), None, 540 * US, 0.20063, waited=0.2, line=7),
        event(writer, "os.write", (4, b"hello"), 5, 0.20065, 0.20069, line=8),
        event(writer, "os._exit", (0,), None, 0.20070, None, waited=None, line=9),
        event(reader, "print", ("hello",), None, 0.20073, 0.200745, line=13),
        event(reader, "os.wait", (), (101, 0), 0.20076, 0.2013, waited=0.0005, line=16),
    ], [reader, writer], output="hello\n", seconds=0.2019)


def at_random(seed, processes=2, each=8, handlers=0.3):
    """Any trace: calls of all kinds, failed, unfinished, nested in handlers, made by libraries; ends of all kinds."""
    dice = random.Random(seed)
    made = [Process(f"process {n}" if n % 3 else f"프로세스 {n}", 1000 + n, 1000 if n else None,
                    start=n * dice.choice([0.0, 1e-5, 0.01])) for n in range(processes)]
    kept = []
    for process in made:
        kept += _calls(dice, process, each)
        last = max((e.end or e.start for e in kept if e.pid == process.pid), default=process.start)
        process.end = dice.choice([last, last + 1e-4, None])
        if process.end is not None:
            process.exit_code, process.signal = dice.choice([(0, None), (3, None), (None, 9), (None, 15)])
    whole = trace(kept, made, seconds=max((e.end or e.start for e in kept), default=0.0))
    whole.timed_out, whole.timeout = dice.random() < 0.2, whole.seconds or 1.0
    whole.dropped = dice.choice([0, 0, 12])
    _interrupt(dice, whole, handlers)
    return whole


def _calls(dice, process, each):
    now, calls = process.start, []
    for place in range(each):
        now += dice.choice([0, 1e-6, 1e-5, 1e-3])
        took = dice.choice([0, 2e-6, 5e-6, 1e-4, 0.05, 0.2])
        failed = dice.random() < 0.1
        failure = {"error": "BlockingIOError", "errno": 11, "message": "Resource temporarily unavailable"}
        calls.append(event(
            process, dice.choice(CALLS), tuple(dice.sample(WORDS, dice.randint(0, 3))),
            dice.choice([None, 5, b"hello"]), now, now + took, waited=took * dice.random() if took >= 1e-4 else 0.0,
            line=place, via=dice.choice([None, None, "subprocess"]), **(failure if failed else {})))
        now += took
    if calls and dice.random() < 0.3:
        calls[-1].end = calls[-1].waited = None
    return calls


def _interrupt(dice, whole, part):
    """Handlers during some part of the long calls."""
    for outer in [e for e in whole.events if e.end and e.end - e.start >= 0.05]:
        if dice.random() < part:
            start = outer.start + (outer.end - outer.start) * 0.3
            whole.events.append(Event(outer.process, outer.pid, outer.thread, "handler", ("SIGUSR1", "on_usr1"),
                                      start=start, end=start + 1e-3))
            whole.events.append(Event(outer.process, outer.pid, outer.thread, "print", ("got it",),
                                      start=start + 1e-4, end=start + 2e-4))
    whole.events.sort(key=lambda e: e.start)
    for place, inner in enumerate(whole.events):
        around = [n for n, e in enumerate(whole.events[:place]) if e.pid == inner.pid and e.end and e.end > inner.end
                  ] if inner.end and (inner.call == "handler" or inner.args == ("got it",)) else []
        inner.inside = around[-1] if around else None
