"""The words of a timeline, and where they stand: short labels of bars, long ones for hovering, and rows for them.

A label stands at its bar's start, on a pole, in the nearest row in which it crosses nothing: labels further left are
higher, so that the poles of the ones below never run through a text. What finds no room is told by hovering only.
"""
import re
from collections import Counter
from dataclasses import dataclass

from .bars import counts
from .calls import BIRTHS, EXEC, SENDS, act, byte_count, never_returns, number, program, signals_at
from .flags import number_text
from .look import columns, cut
from .proc import signal_name
from .say import _, ngettext
from .scale import seconds_text
from .trace import ITEM, LongBytes, call_text, errno_name, item_text, result_text

VALUE = 16  # characters of an argument in a label
ARGUMENTS = 48  # characters of all arguments in a label
TITLE = 600  # characters of a line of the hover text


@dataclass(slots=True)
class Label:
    """A text at position x of so much width; `row` counts from the bar outwards, None where there is no room."""

    x: float
    width: float
    text: str
    weight: tuple
    row: int | None = None


def place(labels, most):
    """Give each label a row, the weightiest first, in at most `most` rows. Labels are in order of x."""
    chosen = []
    for label in labels:
        label.row = None
    for label in sorted(labels, key=lambda label: label.weight, reverse=True):
        if len(chosen) > 6 * most:
            break
        trial = sorted([*chosen, label], key=lambda label: label.x)
        if max(_rows(trial), default=0) < most:
            chosen = trial
    for label, row in zip(chosen, _rows(chosen), strict=True):
        label.row = row


def _rows(labels):
    """The least row of each label, from right to left: above every label that begins under it."""
    rows = [0] * len(labels)
    for here in range(len(labels) - 1, -1, -1):
        end, after = labels[here].x + labels[here].width, here + 1
        while after < len(labels) and labels[after].x < end:
            rows[here] = max(rows[here], rows[after] + 1)
            after += 1
    return rows


def short(value, most=VALUE):
    """The value in a few characters: b'hello', 'a long te…', <65536 bytes>."""
    if isinstance(value, LongBytes):
        return f"<{len(value)} bytes>"
    thing = re.match(r"<(?:function |built-in \w+ )?(?:[\w.]+<locals>\.)?([^>]*)|SIG[A-Z0-9_+]+$", value) if isinstance(
        value, str) else None
    if thing and (value[0] == "S" or " " in value):
        return cut((thing[1] or value).split(" at 0x")[0].split(",")[0], most)
    if isinstance(value, (bytes, str)):
        text = repr(value[:most])
        quote = text[-1]
        return text if len(value) <= most and len(text) <= most + 4 else cut(text[:-1], most) + "…" * (
            not cut(text[:-1], most).endswith("…")) + quote
    if isinstance(value, (tuple, list)) and len(value) <= 4:
        inner = ", ".join(short(item, most - 4) for item in value)
        text = f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
        return cut(text, most + 8)
    return cut(repr(value), most)


def call_name(event):
    """The call's name without packages: MessageQueue.send for posix_ipc.MessageQueue.send, sigqueue for linux.sigqueue,
    which is the C library's own."""
    return ".".join(event.call.split(".")[-2:]).removeprefix("linux.")


def call_label(event, names):
    """The call in short: os.read(3, 5) → b'hello'. Pids that the table knows are told by name (names: by pid)."""
    if event.call == "handler":
        return " ".join(str(arg) for arg in event.args[:1]) + _(" handler: {function}()").format(
            function=event.args[1] if len(event.args) > 1 else "?")
    if event.call.startswith(EXEC) and not event.error:
        return f"◆ {program(event)}"
    if event.call.endswith(ITEM):
        return item_text(call_name(event), event.args, short) + outcome(event, names)
    args = [number_text(event, place, arg) or short(_signals(arg) if place == signals_at(event) else arg)
            for place, arg in enumerate(event.args)]
    if act(event) in (*SENDS, "reap", "pidfd") and event.args and event.args[0] in names:
        args[0] = names[event.args[0]]
    if act(event) == "take" and event.result is not None:
        args = ["…"]  # the outcome tells more
    elif act(event) == "kill thread":
        args[:1] = ["…"]  # a number that tells nobody anything
    args += [f"{key}={number_text(event, key, value) or short(value)}" for key, value in event.keywords.items()]
    return f"{call_name(event)}({cut(', '.join(args), ARGUMENTS)}){outcome(event, names)}"


def _signals(value):
    """A signal given by number as its name, and those of a list too: Python has no names for most real-time ones."""
    if isinstance(value, (list, tuple)):
        return [_signals(item) for item in value]
    return signal_name(value) if type(value) is int and value > 0 else value


def _taken(result):
    """The signal that a call took, with the value that came with it: SIGRTMIN+1 = 3."""
    if not isinstance(result, dict):
        return str(_signals(result))
    value = result.get("si_value")
    return str(_signals(result["si_signo"])) + ("" if value is None else f" = {value}")


def outcome(event, names=None):
    """What came of the call, in short: " → 5", " → EAGAIN", " …" for one that did not return."""
    if event.error:
        return f" → {errno_name(event)}"
    if event.end is None:
        return "" if never_returns(event) else " …"
    if event.result is None:
        return ""
    if act(event) == "take":
        return f" → {_taken(event.result)}"
    pid = number(event.result, "si_pid") if act(event) in (*BIRTHS, "reap") else None
    if pid not in (names or {}):
        return f" → {number_text(event, '→', event.result) or short(event.result)}"
    rest = event.result[1:] if isinstance(event.result, (tuple, list)) else ()
    return f" → {'(' * bool(rest)}{', '.join([names[pid], *map(short, rest[:1])])}{')' * bool(rest)}"


def fitted(text, most):
    """A label in at most so many columns: where there is room for it, what came of the call stays whole."""
    head, arrow, result = text.rpartition(" → ")
    room = most - columns(arrow + result)
    if columns(text) <= most or room < most / 2:
        return cut(text, most)
    return cut(head, room) + arrow + result


def bar_label(trace, bar, names):
    """The label of a bar: of one call, of so many alike, or of so many different ones."""
    first = trace.events[bar.members[0]]
    if len(bar.members) == 1:
        return call_label(first, names)
    names_of_calls = counts(trace, bar)
    if len(names_of_calls) > 1:
        return ngettext("{n} call", "{n} calls", len(bar.members)).format(n=len(bar.members))
    text = f"{call_name(first)} × {len(bar.members)}"
    total = total_bytes(trace, bar)
    return text + (f" → {errno_name(first)}" if bar.failed else "" if total is None else " → " + bytes_text(total))


def total_bytes(trace, bar):
    """The bytes that the bar's calls gave or took in all, None where there is one that does neither."""
    parts = [byte_count(trace.events[index]) for index in bar.members]
    return None if None in parts else sum(parts)


def bytes_text(n):
    return ngettext("{n} byte", "{n} bytes", n).format(n=n)


def title(trace, bar):
    """The whole of what a bar stands for, in lines: for hovering."""
    first = trace.events[bar.members[0]]
    if len(bar.members) > 1:
        return _title_of_many(trace, bar)
    lines = [f"{first.process}: {call_text(first)}{result_text(first)}", first.message or "", waited_text(first)]
    if first.on is not None:
        lines.append(_("on {object}").format(object=first.on))
    if first.line is not None:
        lines.append(_("line {line}").format(line=first.line) + (f" ({first.file})" if first.file else ""))
    if first.via:
        lines.append(_("via {library}").format(library=first.via))
    return "\n".join(line if len(line) <= TITLE else line[:TITLE] + "…" for line in lines if line)


def _title_of_many(trace, bar):
    events = [trace.events[index] for index in bar.members]
    lines = [f"{events[0].process}: " + ngettext("{n} call", "{n} calls", len(events)).format(n=len(events))]
    lines += [f"{call} × {n}" for call, n in counts(trace, bar)[:12]]
    total = total_bytes(trace, bar) if len(lines) == 2 else None
    lines += [bytes_text(total)] if total is not None else []
    failed = Counter(errno_name(event) for event in events if event.error)
    lines += [f"→ {name} × {n}" for name, n in failed.most_common(5)]
    return "\n".join([*lines, _("waited {waited} of {seconds}").format(
        waited=seconds_text(bar.waited), seconds=seconds_text(bar.end - bar.start))])


def waited_text(event):
    """How long the call took, and how much of that was waiting."""
    if event.end is None:
        return "" if never_returns(event) else _("did not return")
    if not event.waited:
        return _("took {seconds}").format(seconds=seconds_text(event.seconds))
    return _("waited {waited} of {seconds}").format(
        waited=seconds_text(event.waited), seconds=seconds_text(event.seconds))


def end_label(process, trace):
    """What stands at a lane's end: the exit code, the signal, or that the deadline came first; "" while it runs."""
    if process.stuck or process.end is None and trace.timed_out:
        state = process.stuck.state if process.stuck else "S"
        return _("stopped") if state == "T" else _("still running") if state == "R" else _("still waiting")
    if process.signal is not None:
        return signal_name(process.signal)
    return "" if process.exit_code is None else _("exit {code}").format(code=process.exit_code)
