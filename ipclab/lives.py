"""The processes of a run: births, names, programs, ends and what they were stuck in, from notes, events and /proc.

Process ids are used again, within a long run too: a process is told by its pid and the time.
"""
import os
import signal
from bisect import bisect_right, insort

from . import wakers
from .trace import Process, call_text
from .waiting import Stuck, told_apart

WAITS = ("os.wait", "os.waitpid", "os.wait3", "os.wait4")
FORKS = ("os.fork", "os.forkpty")
STARTS = ("_posixsubprocess.fork_exec", "os.posix_spawn", "os.posix_spawnp")
EXECS = ("os.execv", "os.execve")


class Failed(Exception):
    """The experiment's first process could not begin: (reason, errno or None)."""


class Family:
    """All processes of a run: `processes` in order of birth, `owner(pid, when)` finds the one that had a pid."""

    def __init__(self, parts, start):
        self.start, self.processes, self._by_pid = start, [], {}
        births = _births(parts, start)
        for when, (word, *rest) in sorted(births, key=lambda birth: birth[0]):
            if word == "started":
                self._started(*rest)
            elif word == "birth" or rest[0] not in self._by_pid:
                self._born(*rest)

    def owner(self, pid, when):
        """The process that had the pid at that time (ns); one of which nothing else is known is added."""
        lives = self._by_pid.get(pid)
        if not lives:
            return self._born(pid, 0, when)
        return lives[max(0, bisect_right(lives, when, key=lambda life: life[0]) - 1)][1]

    def known(self, pid, when):
        """As owner, but None where nothing is known of the pid."""
        return self.owner(pid, when) if pid in self._by_pid else None

    def _born(self, pid, parent, when):
        process = Process("", pid, parent or None, start=max(0.0, (when - self.start) / 1e9))
        self.processes.append(process)
        insort(self._by_pid.setdefault(pid, []), (when, process), key=lambda life: life[0])
        return process

    def _started(self, event):
        """A program started by a call that is fork and exec in one: what it ran itself may have noted its birth."""
        process = self.known(event.result, self.start + int(event.end * 1e9))
        if process is None or process.start < event.start:
            process = self._born(event.result, event.pid, self.start + int(event.start * 1e9))
        process.program, process.recorded = argv(event), False

    def follow(self, parts, events, report):
        """Give the processes their programs, tracebacks, names and ends."""
        notes = sorted(((note, part) for part in parts for note in part.notes), key=lambda pair: pair[0][0])
        special = [event for event in events if event.call in _SPECIAL]
        _execs(special)
        for note, part in notes:
            self._note(self.owner(part.pid, note[0]), *note)
        self._name()
        self._own_ends(special)
        if report:
            self._seen_ends(report)
            self._stuck(report, events)

    def _note(self, process, when, word, *rest):
        if word == "failed":
            raise Failed(*rest)
        if word == "program":
            process.recorded = True
        elif word == "name":
            process.name = rest[0]
        elif word == "traceback":
            process.traceback = rest[0]
        elif word == "leave" and rest[0] >= 0:
            _end(process, rest[0] << 8, (when - self.start) / 1e9)

    def _name(self):
        """Processes that gave themselves no name are "parent" and "child N"."""
        count = 0
        for process in self.processes:
            if not process.name and process.parent:
                count += 1
            process.name = process.name or (f"child {count}" if process.parent else "parent")

    def _own_ends(self, events):
        """Ends as the processes themselves saw them: just before, or in the call that waited."""
        for event in events:
            if event.call == "os._exit" and event.end is None and event.args and type(event.args[0]) is int:
                _end(event.process, (event.args[0] & 0xFF) << 8, event.start)
        for event in events:
            for pid, status in waited(event):
                if process := self.known(pid, self.start + int(event.end * 1e9)):
                    _end(process, status, event.end)

    def _seen_ends(self, report):
        for pid, status, when in report["ended"]:
            if process := self.known(pid, when):
                _end(process, status, (when - self.start) / 1e9)

    def _stuck(self, report, events):
        """What those waited in that the deadline ended: each one that did not end by itself meanwhile. Nothing is known
        of one that was born while the others were looked at."""
        seen = dict(report["stuck"])
        stuck = {id(process): pid for pid in seen if (process := self.known(pid, report["end"]))}
        waiting = in_calls(event for event in events if id(event.process) in stuck)
        told = wakers.stucks({pid: one for pid, one in seen.items() if one}, self._names(report["end"]),
                             report.get("whole", False), waiting)
        deadline = (report["end"] - self.start) / 1e9
        for process in self.processes:
            if id(process) in stuck and process.exit_code is None:
                if process.signal is None:  # a parent that was being killed took its status along
                    _end(process, signal.SIGKILL, deadline)
                unseen = Stuck("?", *waiting.get(process.pid, ())[:1])
                process.stuck = told.get(process.pid) if seen[process.pid] else unseen
            elif seen and process.signal == signal.SIGKILL and process.end >= deadline:
                process.stuck = Stuck("?")

    def _names(self, when):
        return told_apart({pid: self.owner(pid, when).name for pid in self._by_pid})


def in_calls(events):
    """{pid: (text, what it was given to act on)} of the calls in which first threads are: see wakers.stucks."""
    return {event.pid: (_short(call_text(event)), (event.on, *event.args[:1])) for event in events
            if event.end is None and event.thread == event.pid and event.call not in EXECS and event.call != "os._exit"}


def _births(parts, start):
    """[(when, (word, ...))] of all that tells of a birth: ("birth" or "program", pid, parent, when it said so) by the
    process itself, dated by the fork that made it, or ("started", event). One killed at once says nothing itself."""
    events = [event for part in parts for event in part.events]
    forks = {}  # {pid: [(when it was forked, by whom)]}
    for event in sorted((e for e in events if e.call in FORKS and e.end is not None), key=lambda event: event.start):
        if child := _forked(event.result):
            forks.setdefault(child, []).append((start + int(event.start * 1e9), event.pid))
    found = [(start + int((event.end or event.start) * 1e9), ("started", event)) for event in events
             if event.call in STARTS and type(event.result) is int]
    for when, word, *ids in sorted(note for part in parts for note in part.notes if note[1] in ("birth", "program")):
        mine = [fork for fork in forks.get(ids[0], ()) if fork[0] <= when] if word == "birth" else []
        if mine:  # who forked it may be gone by now: its own word would be its new parent
            forks[ids[0]].remove(mine[-1])
            ids[1] = mine[-1][1]
        found.append((mine[-1][0] if mine else when, (word, *ids, when)))
    return found + [(when, ("birth", pid, parent, when)) for pid, left in forks.items() for when, parent in left]


def _forked(result):
    """The child's pid that a fork returned; 0 in the child."""
    return result[0] if isinstance(result, (tuple, list)) else result or 0


_SPECIAL = {*WAITS, "os.waitid", *EXECS, "os._exit"}


def argv(event):
    """The argument list of the event that started a program."""
    words = event.args[0] if event.call.endswith("fork_exec") else event.args[1]
    return [os.fsdecode(word) if isinstance(word, (str, bytes)) else str(word) for word in words]


def _execs(events):
    """An exec that succeeded never returned: from there on the process is another program."""
    for event in events:
        if event.call in EXECS and event.end is None:
            event.process.program, event.process.recorded = argv(event), False  # a note says if it is recorded


def waited(event):
    """[(pid, wait status)] that a call of the wait family returned."""
    if event.call in WAITS and isinstance(event.result, tuple) and event.result[0] > 0:
        yield event.result[0], event.result[1]
    if event.call == "os.waitid" and isinstance(event.result, dict):
        code, status = event.result["si_code"], event.result["si_status"]
        if code in (1, 2, 3):  # CLD_EXITED, CLD_KILLED, CLD_DUMPED (sigaction(2))
            yield event.result["si_pid"], status << 8 if code == 1 else status


def _end(process, status, when):
    """Note how a process ended: whoever waited for it knows, and the first to tell of it knows best when."""
    if os.WIFEXITED(status) or os.WIFSIGNALED(status):  # else it was stopped or continued
        process.end = when if process.end is None else min(process.end, when)
        process.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        process.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def _short(text):
    return text if len(text) <= 80 else text[:77] + "…)"
