"""What of the course works on this machine, what does not, and what to do about it: `python -m ipclab doctor`.

Found out by trying, not by guessing. Each check runs in a process of its own with a deadline, so that one that hangs,
crashes or leaves children is itself a finding. Standard library only: it has to work where the course does not.
"""
import json
import os
import select
import shutil
import signal
import sys
import textwrap
import time
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from .say import _, ngettext


class Check(NamedTuple):
    """A thing to try. `attempt()` yields Findings, and whatever it raises is one; `so`: what a failure means for the
    course; `fatal`: without it nothing of the course runs."""

    title: str
    attempt: Callable
    so: str = ""
    fatal: bool = False


class Finding(NamedTuple):
    """What came of it. `state`: "ok", "limited" or "missing"; `found`: on this machine; `so`: what that means for the
    course, where it is not what the Check says; `do`: what helps."""

    state: str
    found: str
    so: str = ""
    do: str = ""


MARKS = {"ok": "+", "limited": "!", "missing": "x"}


def doctor(checks=None, deadline=15.0):
    """Print what the checks (default: all) find; the exit status: 1 where the course cannot run at all, else 0.
    deadline: seconds for each check."""
    states, fatal = [], 0
    for check in checks or all_checks():
        for finding in examine(check, deadline):
            show(check, finding)
            states.append(finding.state)
            fatal += check.fatal and finding.state == "missing"
    show_sum(states, fatal)
    return int(fatal > 0)


def all_checks():
    from . import doctor_ipc, doctor_kernel, doctor_tools
    return doctor_kernel.CHECKS + doctor_ipc.CHECKS + doctor_tools.CHECKS


def examine(check, deadline):
    """The Findings of a check that runs in a process of its own, [Finding]; that process, and its children in the same
    session, are gone afterwards. deadline: seconds."""
    sys.stdout.flush()
    answers, answer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        report(check, answer)
    os.close(answer)
    text = read_line(answers, time.monotonic() + deadline)
    end(pid)
    silent = Finding("missing", _("no answer; it had {n:g} s").format(n=deadline))
    return [Finding(*fields) for fields in json.loads(text)] if text else [silent]


def report(check, answer):
    """Write the check's Findings to the descriptor as JSON, and exit; what it prints goes nowhere."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    try:
        findings = list(check.attempt())
    except BaseException as error:
        findings = [Finding("missing", f"{type(error).__name__}: {error}")]
    with open(answer, "wb") as file:
        file.write(json.dumps(findings).encode() + b"\n")
    os._exit(0)


def read_line(fd, deadline):
    """The bytes up to the first newline in the pipe; b"" where none comes by the deadline (of time.monotonic).

    Not up to the pipe's end: a child that a check has left behind would keep that open."""
    text = b""
    with open(fd, "rb", buffering=0) as file:
        while not text.endswith(b"\n"):
            if not select.select([file], [], [], max(0, deadline - time.monotonic()))[0]:
                return b""
            chunk = file.read(65536)
            if not chunk:
                return b""
            text += chunk
    return text


def end(pid):
    """Kill the process and its session, and wait for it."""
    for kill in (os.killpg, os.kill):  # the group first; by number alone where it died before it had a group
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass
    os.waitpid(pid, 0)


def show(check, finding):
    """Print a finding: mark, state and title in columns, and what follows from it below."""
    words = {"ok": _("ok"), "limited": _("limited"), "missing": _("missing")}
    state = f"{MARKS[finding.state]} {words[finding.state]}"
    lines(pad(state, 10) + pad(check.title, 24), finding.found)
    so = finding.so or check.so
    if so and finding.state != "ok":
        lines(" " * 34 + _("so: "), so)
    if finding.do:
        lines(" " * 34 + _("do: "), finding.do)


def lines(head, text):
    """Print the text behind the head, wrapped to the terminal, later lines below the text's first."""
    room = max(30, min(shutil.get_terminal_size((110, 24)).columns, 120) - width(head))
    first, *rest = textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False) or [""]
    say(head + first)
    for line in rest:
        say(" " * width(head) + line)


def pad(text, columns):
    return text + " " * max(1, columns - width(text))


def width(text):
    """Columns of a terminal that the text takes; East Asian letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def say(line):
    """Print the line, with ? for letters that the output cannot show."""
    encoding = sys.stdout.encoding or "ascii"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)


def show_sum(states, fatal):
    """Print the last line. states: of all findings; fatal: how many things are missing that all of the course needs."""
    say("")
    if fatal:
        text = ngettext("The course cannot run here: {n} thing that all of it needs is missing (see above).",
                        "The course cannot run here: {n} things that all of it needs are missing (see above).", fatal)
        lines("", text.format(n=fatal))
    else:
        text = _("The course runs on this machine: {ok} ok, {limited} limited, {missing} missing.")
        lines("", text.format(**{state: states.count(state) for state in MARKS}))
