"""A trace in sentences: what a timeline draws, for screen readers, for print, and to check what one thought one saw.

A sentence for each wait and what ended it, each failure, handler, birth and end; calls that neither waited nor failed
are told together, runs of alike ones as one. Then what the deadline found, what was left behind, what was printed.
"""
import html

from .bars import births, horizon, lanes
from .calls import EXEC, act, byte_count, program
from .labels import bar_label, bytes_text, call_name, counts
from .objects import arrows
from .proc import signal_name
from .recorded import label
from .say import _, ngettext
from .scale import seconds_text
from .sent import TIMER
from .trace import Process, errno_name

BARS = 60  # about so many calls or runs of calls are told
LINES = 12  # of output


class Story(str):
    """The sentences, one a line."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.splitlines())
        return {"text/html": f'<ol class="ipclab-story">{items}</ol>', "text/plain": str(self)}


def story(trace, via=True):
    """The trace (a Trace, also of a run that still goes on) as a Story; without libraries' calls if `via` is False."""
    givers = {id(arrow.taker): arrow.giver for arrow in arrows(trace)}
    names = {process.pid: process.name for process in trace.processes}
    born = births(trace)
    told = [item for process in trace.processes for item in _births_and_ends(trace, process, born, givers)]
    told += [item for lane in lanes(trace, BARS, via) for item in _lane(trace, lane, names, givers)]
    lines = [text for _time, text in sorted(told, key=lambda item: item[0])]
    return Story("\n".join([*filter(None, [label(trace)]), *lines, *_after(trace)]))


def summary(trace, drawn=None):
    """One sentence: how many calls and processes, how long, and what mattered most. `drawn` are its arrows if known."""
    many = ngettext("{n} call", "{n} calls", len(trace.events)).format(n=len(trace.events))
    who = ngettext("{n} process", "{n} processes", len(trace.processes)).format(n=len(trace.processes))
    head = _("{experiment}: {calls}, {processes}, {seconds}").format(
        experiment=trace.experiment or _("timeline"), calls=many, processes=who, seconds=seconds_text(horizon(trace)))
    stuck = [f"{process.name} {process.stuck}" for process in trace.processes if process.stuck]
    origin = list(filter(None, [label(trace)]))
    return "; ".join([head, *origin, *(stuck[:3] or _longest_wait(arrows(trace) if drawn is None else drawn))])


def _longest_wait(drawn):
    """The longest wait of which is known what ended it, as a list of a sentence or none."""
    known = [arrow for arrow in drawn if not isinstance(arrow.taker, Process) and arrow.taker.waited
             and act(arrow.taker) not in ("reap", "handle")]
    longest = max(known, key=lambda arrow: arrow.taker.waited, default=None)
    return [_waited(longest.taker, longest.giver)] if longest else []


def _births_and_ends(trace, process, born, givers):
    """(time, sentence) of a process's birth, program and end."""
    parent = next((other.name for other in trace.processes if other.pid == process.parent), None)
    if parent:
        yield born[process.pid], _("{parent} started {child}").format(parent=parent, child=process.name)
    if process.program and not process.recorded:
        yield born[process.pid], _("{process} is the program {program}, whose calls are not recorded").format(
            process=process.name, program=str(process.program[0]))
    if process.end is not None and not process.stuck:
        yield process.end, _end(process, givers.get(id(process)))
    if process.traceback:
        yield (horizon(trace) if process.end is None else process.end), _("{process} raised {error}").format(
            process=process.name, error=process.traceback.strip().splitlines()[-1])


def _end(process, giver):
    if process.signal is None:
        return _("{process} ended, exit code {code}").format(process=process.name, code=process.exit_code)
    name = signal_name(process.signal)
    if giver is None:
        return _("{process} was ended by {signal}").format(process=process.name, signal=name)
    return _("{process} was ended by {signal}; sender: {giver}").format(
        process=process.name, signal=name, giver=giver.process)


def _lane(trace, lane, names, givers):
    """(time, sentence) of what one process did; plain calls in a row share a sentence."""
    plain = []
    for bar in lane.bars:
        text = _particular(trace, bar, givers)
        if text is None:
            plain.append(bar)
            continue
        yield from _plain(trace, lane, plain, names)
        plain = []
        yield bar.end if bar.waiting else bar.start, text
    yield from _plain(trace, lane, plain, names)


def _plain(trace, lane, bars, names):
    if bars:
        calls = ", ".join(_call_or_run(trace, bar, names) for bar in bars)
        yield bars[0].start, _("{process} called {calls}").format(process=lane.process.name, calls=calls)


def _call_or_run(trace, bar, names):
    """A plain bar in words; several different calls with how many of each."""
    several = counts(trace, bar)
    if len(several) == 1:
        return bar_label(trace, bar, names)
    return ", ".join(f"{call} × {n}" if n > 1 else call for call, n in several)


def _particular(trace, bar, givers):
    """The sentence of a bar that has one of its own, None for plain calls."""
    event = trace.events[bar.members[0]]
    if event.call == "handler":
        return _handled(trace, event, len(bar.members), givers.get(id(event)))
    if bar.failed:
        return _failed(event, len(bar.members), givers.get(id(event)))
    if event.call.startswith(EXEC):
        return _("{process} became the program {program}").format(process=event.process, program=program(event))
    if bar.open and bar.waiting:
        return _("{process} did not return from {call}").format(process=event.process, call=f"{call_name(event)}()")
    if not bar.waiting:
        return None
    return _waited(event, givers.get(id(event))) if len(bar.members) == 1 else _waited_often(trace, bar)


def _waited(event, giver):
    """ "reader waited 200 ms in os.read() until writer wrote 5 bytes" """
    seconds, call = seconds_text(event.waited), f"{call_name(event)}()"
    if giver is None:
        return _("{process} waited {seconds} in {call}").format(process=event.process, seconds=seconds, call=call)
    return _("{process} waited {seconds} in {call} until {cause}").format(
        process=event.process, seconds=seconds, call=call, cause=_cause(giver))


def _cause(giver):
    """What ended a wait."""
    if isinstance(giver, Process):
        return _("{process} ended").format(process=giver.name)
    n, what = byte_count(giver), act(giver)
    if n is not None and what in ("put", "send to"):
        return _("{process} wrote {bytes}").format(process=giver.process, bytes=bytes_text(n))
    if n is not None and what in ("get", "gather"):
        return _("{process} read {bytes}").format(process=giver.process, bytes=bytes_text(n))
    return _("{process} called {call}").format(process=giver.process, call=f"{call_name(giver)}()")


def _waited_often(trace, bar):
    event = trace.events[bar.members[0]]
    return _("{process} waited {seconds} in all in {calls}").format(
        process=event.process, seconds=seconds_text(bar.waited), calls=_call_or_run(trace, bar, {}))


def _failed(event, times, giver):
    """ "reader: os.read() failed: EAGAIN, Resource temporarily unavailable" """
    why = ", ".join(part for part in (errno_name(event), event.message) if part)
    if times == 1:
        text = _("{process}: {call} failed: {why}").format(process=event.process, call=f"{call_name(event)}()", why=why)
        return text if not event.waited else f"{text} ({_waited(event, giver)})"
    text = ngettext("{process}: {call} failed {n} time: {why}", "{process}: {call} failed {n} times: {why}", times)
    return text.format(process=event.process, call=f"{call_name(event)}()", n=times, why=why)


def _handled(trace, event, times, giver):
    name = str(event.args[0]) if event.args else "?"
    function = f"{event.args[1]}()" if len(event.args) > 1 else "?"
    text = _("{signal} reached {process}; handler: {function}").format(
        signal=name, process=event.process, function=function)
    if giver == TIMER:
        text += _("; sender: a timer")
    elif giver is not None:
        text += _("; sender: {giver}").format(giver=giver.name if isinstance(giver, Process) else giver.process)
    if event.inside is not None and event.inside < len(trace.events):
        text += _(", during {call}").format(call=f"{call_name(trace.events[event.inside])}()")
    return text if times == 1 else text + " " + _("(× {n})").format(n=times)


def _after(trace):
    """What the deadline found, what was left behind, what is not known, what was printed."""
    for process in trace.processes:
        if process.stuck:
            yield _("At the deadline of {seconds}: {process} {state}").format(
                seconds=seconds_text(trace.timeout), process=process.name, state=process.stuck)
    yield from (_("left behind: {what}").format(what=left) for left in trace.leftovers)
    yield from trace.notes
    if trace.dropped:
        text = ngettext("{n} more call was not kept", "{n} more calls were not kept", trace.dropped)
        yield text.format(n=trace.dropped)
    lines = trace.output.splitlines()
    yield from (_("printed: {line}").format(line=line) for line in lines[:LINES])
    more = len(lines) - LINES
    if more > 0:
        yield ngettext("printed: {n} more line", "printed: {n} more lines", more).format(n=more)
