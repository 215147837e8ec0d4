"""From a run's log, output and its supervisor's report to a Trace."""
import os

from . import log
from .trace import Event, Leftover, Process, Stuck, Trace, call_text
from .values import restore

MOST_EVENTS = 100_000
MOST_BYTES = 1 << 20  # of what was printed: so much of its head, and of its tail

WAITS = {"os.wait": (0, 1), "os.waitpid": (0, 1), "os.wait3": (0, 1), "os.wait4": (0, 1)}
BIRTHS = ("_posixsubprocess.fork_exec", "os.posix_spawn", "os.posix_spawnp")
EXECS = ("os.execv", "os.execve")


def trace(log_fd, output_fd, report, name, source, params, timeout):
    """The Trace of what is there now; `report` is the supervisor's, or None while the run goes on."""
    lanes = log.read(log_fd)
    notes = _notes(lanes)
    start = report["start"] if report else min((note[0] for note in notes), default=0)
    events, dropped = _events(lanes, start, _pids(lanes, notes))
    processes = _processes(notes, events, start)
    if report:
        _ends(processes, events, notes, report, start)
    names = _named(processes, notes)
    for event in events:
        event.process = names.get(event.pid, str(event.pid))
    result = Trace(name, events, list(processes.values()), stdout=_printed(output_fd), source=source, params=params,
                   timeout=timeout, dropped=dropped)
    result.output = "".join(_text(event) for event in events if event.call == "print")
    if report:
        _tell(result, report, events, names)
    return result


def _notes(lanes):
    """All notes of all lanes, (when, word, ...), in order of time."""
    notes = [(values[0], values[1], thread, *values[2:]) for thread, (entries, _over) in lanes.items()
             for kind, values in entries if kind == log.NOTE]
    return sorted(notes, key=lambda note: note[0])


def _pids(lanes, notes):
    """{thread id: pid}: a lane says whose it is, a process's first thread by its birth."""
    pids = {note[2]: note[3] for note in notes if note[1] in ("lane", "birth", "program")}
    return {thread: pids.get(thread, thread) for thread in lanes}


def _events(lanes, start, pids):
    """(events in order of start, how many calls are not among them)."""
    events, dropped = [], 0
    for thread, (entries, overwritten) in lanes.items():
        dropped += overwritten
        events += _lane_events(entries, thread, pids[thread], start)
    events.sort(key=lambda pair: pair[0].start)
    if len(events) > MOST_EVENTS:
        dropped += len(events) - MOST_EVENTS
        events = events[:MOST_EVENTS // 2] + events[-MOST_EVENTS // 2:]
    indexes = {id(event): index for index, (event, _outer) in enumerate(events)}
    for event, outer in events:
        event.inside = indexes.get(id(outer)) if outer else None
    return [event for event, _outer in events], dropped


def _lane_events(entries, thread, pid, start):
    """[(event, the event inside whose call it was made, or None)] of one lane, in its order."""
    found, stack = [], []
    for kind, values in entries:
        if kind == log.BEGIN:
            event = _begun(values, thread, pid, start)
            found.append((event, stack[-1][1] if stack else None))
            stack.append((values[0], event))
        elif kind == log.END:
            depth = next((i for i in range(len(stack) - 1, -1, -1) if stack[i][0] == values[0]), None)
            if depth is not None:
                _finish(stack[depth][1], values, start)
                del stack[depth:]
    return found


def _begun(values, thread, pid, start):
    stamp, call, args, keywords, on, line, via, file = values
    return Event("", pid, thread, call, restore(tuple(args)), start=(stamp - start) / 1e9, line=line, via=via,
                 keywords=restore(keywords or {}), on=restore(on), waited=None, file=file)


def _finish(event, values, start):
    _stamp, began, ended, result, error, waited = values
    event.start, event.end, event.waited = (began - start) / 1e9, (ended - start) / 1e9, waited / 1e9
    event.result = restore(result)
    if error:
        event.error, event.errno, event.message = error


def _processes(notes, events, start):
    """{pid: Process} in order of birth, names still to be given."""
    processes = {}

    def add(pid, parent, when, **more):
        if pid not in processes:
            processes[pid] = Process("", pid, parent or None, start=max(0.0, (when - start) / 1e9), **more)

    births = [(int(event.start * 1e9) + start, "started", event.pid, event.result, event)
              for event in events if event.call in BIRTHS and isinstance(event.result, int)]
    for when, word, thread, *rest in sorted([*notes, *births], key=lambda note: note[0]):
        if word == "birth":
            add(rest[0], rest[1], when)
        elif word == "started":
            add(rest[0], thread, when, program=_argv(rest[1]), recorded=False)
        elif word == "program" and rest[0] in processes:
            processes[rest[0]].recorded = True
        elif word == "traceback" and thread in processes:
            processes[thread].traceback = rest[0]
    _execs(processes, events, notes)
    return processes


def _argv(event):
    """The argument list of the event that started a program."""
    words = event.args[0] if event.call.endswith("fork_exec") else event.args[1]
    return [os.fsdecode(word) if isinstance(word, (str, bytes)) else str(word) for word in words]


def _execs(processes, events, notes):
    """An exec that succeeded never returned: from there on the process is another program."""
    programs = {note[3] for note in notes if note[1] == "program"}
    for event in events:
        if event.call in EXECS and event.end is None and event.pid in processes:
            process = processes[event.pid]
            process.program = _argv(event)
            process.recorded = event.pid in programs


def _named(processes, notes):
    """Give each process the last name it gave itself, or "parent" and "child N"; {pid: name}."""
    given = {note[2]: note[3] for note in notes if note[1] == "name"}
    count = 0
    for process in processes.values():
        if process.parent is not None and process.pid not in given:
            count += 1
        process.name = given.get(process.pid) or (f"child {count}" if process.parent else "parent")
    return {pid: process.name for pid, process in processes.items()}


def _ends(processes, events, notes, report, start):
    """How each process ended: as whoever waited for it saw, else as it said itself; and when: as it said itself, just
    before, else when it was waited for, which may be much later."""
    for when, word, thread, *rest in notes:
        if word == "leave" and thread in processes and rest[0] >= 0:
            _ended(processes[thread], rest[0] << 8, (when - start) / 1e9)
    for event in events:
        if event.pid in processes and event.call == "os._exit" and event.end is None and event.args:
            _ended(processes[event.pid], (event.args[0] & 0xFF) << 8, event.start)
    for event in events:
        for pid, status in _waited(event):
            if pid in processes:
                _ended(processes[pid], status, processes[pid].end or event.end)
    for pid, (status, when) in report["ended"].items():
        if pid in processes:
            _ended(processes[pid], status, processes[pid].end or (when - start) / 1e9)


def _waited(event):
    """[(pid, wait status)] that a call of the wait family returned."""
    if event.call in WAITS and isinstance(event.result, tuple) and event.result[0] > 0:
        yield event.result[0], event.result[1]
    if event.call == "os.waitid" and isinstance(event.result, dict):
        code, status = event.result["si_code"], event.result["si_status"]
        if code in (1, 2, 3):  # CLD_EXITED, CLD_KILLED, CLD_DUMPED (sigaction(2))
            yield event.result["si_pid"], status << 8 if code == 1 else status


def _ended(process, status, when):
    if not (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
        return  # stopped or continued
    process.end = when
    process.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    process.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def _tell(result, report, events, names):
    """What only the supervisor knows."""
    result.timed_out, result.seconds = report["timed_out"], (report["end"] - report["start"]) / 1e9
    result.leftovers = [Leftover(*left) for left in report["leftovers"]]
    result.notes += report["notes"]
    for process in result.processes:
        if process.pid in report["stuck"]:
            process.stuck = _stuck(process, report["stuck"], events, names)


def _stuck(process, snapshots, events, names):
    """What a process waits in: its last call where that was recorded, else what the kernel says."""
    seen = snapshots[process.pid]
    mine = [e for e in events if e.pid == process.pid and e.thread == process.pid and e.end is None
            and e.call not in EXECS and e.call != "os._exit"]
    if not seen:
        return Stuck("?", _short(call_text(mine[-1])) if mine else None)
    call = _short(call_text(mine[-1])) if mine else seen["call"] and f"{seen['call']}()"
    if seen["state"] == "Z":
        return None
    fd = seen["fd"] if seen["fd"] in seen["fds"] else None
    if mine and fd not in (mine[-1].on, *mine[-1].args[:1]):
        fd = None  # the call waits in the kernel for something that it was not given
    target, flags = seen["fds"].get(fd, (None, 0))
    return Stuck(seen["state"], call, fd, target, [] if target is None else _holders(target, flags, snapshots, names))


def _short(text):
    return text if len(text) <= 80 else text[:77] + "…)"


def _holders(target, flags, snapshots, names):
    """[(process, fd)] that have the other end of a pipe or FIFO open: writing for a reader, reading for a writer."""
    waits_to_read = flags & 3 == 0
    wanted = (1, 2) if waits_to_read else (0, 2)
    return [(names.get(pid, str(pid)), fd) for pid, seen in snapshots.items() if seen
            for fd, (other, mode) in sorted(seen["fds"].items()) if other == target and mode & 3 in wanted]


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
