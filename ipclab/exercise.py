"""exercise(): the student's few lines, run on real processes in several cases, against what was to come out.

An exercise that is not finished says so, and raises nothing: a notebook with open exercises runs to its end. Where a
person sits, hints and a solution stand below (tutor.py); on paper there is room to write. Solutions stand apart, in
notebooks/solutions/*.py, as functions of the same names.
"""
import ast
import pathlib
from dataclasses import dataclass, field

from .explore import live
from .look import chosen_look
from .markup import CROSS, RIGHT, TICK, WRONG, paragraph, picture, plain, said, shorten
from .say import _, ngettext
from .twin import label

COURSE = pathlib.Path(__file__).resolve().parent.parent
ROOM = 9  # lines to write on, on paper


@dataclass
class Result:
    """How many of the cases came out as expected, and of the first that did not: its parameters, what was `expected`,
    what was `seen`, what else there is to say (`why`, sentences), and its trace (None where it could not run).
    `unable` says why this machine runs no programs, if it does not: a recorded run is none of the student's."""

    passed: int
    total: int
    case: dict = field(default_factory=dict)
    expected: object = None
    seen: object = None
    why: list = field(default_factory=list)
    trace: object = None
    unable: str = ""

    @property
    def done(self):
        return self.passed == self.total

    def sentences(self):
        """The result in words: the verdict first."""
        if self.done:
            text = ngettext("Done: {n} case came out as expected.", "Done: all {n} cases came out as expected.",
                            self.total)
            return [f"{TICK} {text.format(n=self.total)}"]
        if self.unable:
            text = _("Not checked: an exercise runs what you wrote, and this machine runs no programs.")
            return [f"{CROSS} {text}", self.unable]
        name = label(self.case)
        head = _("Not yet. Case {n} of {total}: {case}") if name else _("Not yet. Case {n} of {total}")
        expected = _("What was expected: {value}").format(value=f"`{shorten(repr(self.expected))}`")
        happened = _("What happened: {value}").format(value=f"`{shorten(repr(self.seen))}`")
        head = head.format(n=self.passed + 1, total=self.total, case=f"`{name}`")
        return [f"{CROSS} {head}", expected, *([] if self.trace is None else [happened]), *self.why]


def exercise(function, cases, outcome, hints=(), *, timeout=2.0, look=None):
    """Run the student's function in each case and say whether it does what it should.

    `cases` are pairs of the parameters (a dict) and the outcome to be expected; `outcome` is a function of the Trace.
    A case that the deadline ended (`timeout` seconds) or in which a process raised something has not passed, and the
    first that has not is told, and drawn. `hints` are texts, given one at a time. `look` is as in explore(). The
    answer's `result` is the Result. ValueError where there is no case, or for an unknown look.
    """
    look = chosen_look(look)
    cases = list(cases)
    if not cases:
        raise ValueError(_("an exercise needs a case or more"))
    result = check(function, cases, outcome, timeout)
    if live():
        from .tutor import Tutor

        return Tutor(function, result, list(hints), look)
    return Sheet(result)


def check(function, cases, outcome, timeout):
    """The Result of the cases, run one after another up to the first that has not passed."""
    for passed, (case, expected) in enumerate(cases):
        result = _attempt(function, case, expected, outcome, timeout)
        if result is not None:
            result.passed, result.total = passed, len(cases)
            return result
    return Result(len(cases), len(cases))


def _attempt(function, case, expected, outcome, timeout):
    """None for a case that passed, else its Result."""
    from .run import run_live

    try:
        trace = run_live(function, timeout, case)
    except (TypeError, ValueError) as error:  # it cannot be run as it stands
        return Result(0, 0, case, expected, why=[str(error)])
    except (OSError, RuntimeError) as error:
        return Result(0, 0, case, expected, unable=str(error))
    try:
        seen = outcome(trace)
    except Exception as error:
        seen = error
    why = troubles(trace)
    return None if seen == expected and not why else Result(0, 0, case, expected, seen, why, trace)


def troubles(trace):
    """What went wrong in a run whatever its exercise: waits that the deadline ended, exceptions. Sentences."""
    found = [_("{process} raised {error}").format(process=process.name, error=_last_line(process.traceback))
             for process in trace.processes if process.traceback]
    if trace.timed_out:
        found.append(_("The deadline of {seconds:g} s ended it.").format(seconds=trace.timeout))
        stuck = [process for process in trace.processes if process.stuck]
        found += [f"{process.name} {process.stuck}" for process in stuck[:5]]
        if len(stuck) > 5:
            found.append(_("… and {more} more").format(more=len(stuck) - 5))
    return found


def _last_line(traceback):
    return traceback.strip().splitlines()[-1]


class Sheet:
    """The exercise on paper: room to write, as long as it is not done."""

    def __init__(self, result):
        self.result = result

    def __repr__(self):
        return "\n".join(map(plain, self.result.sentences()))

    def _repr_mimebundle_(self, **_kwargs):
        line = '<div style="border-bottom:1px solid #767676;height:2em"></div>'
        room = f'<div class="ipclab-room" style="break-inside:avoid" aria-hidden="true">{line * ROOM}</div>'
        return {"text/plain": repr(self), "text/html": said(repr(self), RIGHT) if self.result.done else room}


def result_html(result, look):
    """The result as HTML: the verdict, what was expected, what happened, and the timeline of the case that failed."""
    head, *rest = result.sentences()
    colour = RIGHT if result.done else WRONG
    drawn = picture(result.trace, look) if result.trace is not None else ""
    return said(head, colour, alert=True) + "".join(map(paragraph, rest)) + drawn


def solution(name):
    """The source of the function of that name in the course's solutions, or None. The notebook's own surroundings are
    looked through first: the working directory and those above it."""
    here = pathlib.Path.cwd()
    for folder in (*(part / way for part in (here, *here.parents) for way in ("solutions", "notebooks/solutions")),
                   COURSE / "notebooks" / "solutions"):
        for file in sorted(folder.glob("*.py")):
            if (found := _definition(file, name)) is not None:
                return found
    return None


def _definition(file, name):
    """The source of a function in a file of Python, with what is said above it in comments; None if it is not there."""
    text = file.read_text(encoding="utf8")
    try:
        nodes = ast.parse(text).body
    except SyntaxError:
        return None
    return next((ast.get_source_segment(text, node) for node in nodes
                 if isinstance(node, ast.FunctionDef) and node.name == name), None)
