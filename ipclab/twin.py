"""What stands for explore() where nobody can move a control: the outcomes side by side, one picture a choice.

One parameter is varied at a time, the others stay at their start, and there are at most eight pictures: what was
left out is said.
"""
import time
from html import escape

from . import recorded
from .controls import label_of, samples
from .run import finished
from .say import ngettext
from .timeline import timeline

MOST = 8  # pictures
PATIENCE = 120.0  # seconds in which more outcomes are recorded


class Twin:
    """The runs of an experiment for a sample of its choices, made at once, so that an error stops the cell.

    `traces` are (choices, Trace) pairs, `choices` being a dict by parameter; `trace` is that of the start.
    """

    def __init__(self, experiment, choices, timeout, look, picture=None):
        self._choices = choices
        sampled, self.left_out = cases(choices)
        self.traces = [(case, finished(experiment, timeout, case)) for case in sampled]
        start = {choice.name: choice.value for choice in choices}
        self.trace = next((trace for case, trace in self.traces if case == start), self.traces[0][1])
        self._pictures = [(picture or timeline)(trace, look=look) for _case, trace in self.traces]
        if recorded.going_on():
            _record(experiment, choices, sampled, timeout)

    def __repr__(self):
        lines = [f"{title}: {picture.sentence}".removeprefix(": ") for title, picture in self._pairs()]
        return "\n".join(lines + self._rest())

    def _pairs(self):
        return [(label(case, self._choices), picture) for (case, _trace), picture in zip(self.traces, self._pictures)]

    def _rest(self):
        """A line that says how many choices are not shown, if any."""
        n, names = sum(self.left_out.values()), ", ".join(self.left_out)
        text = ngettext("… and {n} more choice of {names}", "… and {n} more choices of {names}", n)
        return [text.format(n=n, names=names)] if n else []

    def _repr_mimebundle_(self, **_kwargs):
        figures = "".join(figure(title, picture) for title, picture in self._pairs())
        rest = "".join(f"<p>{escape(line)}</p>" for line in self._rest())
        return {"text/html": f'<div class="ipclab-outcomes">{figures}{rest}</div>', "text/plain": repr(self)}


def _record(experiment, choices, done, timeout):
    """Runs more cases than those that were done, for the recording, as many as there is time for."""
    from .recording import cases as every

    until = time.monotonic() + PATIENCE
    for case in every(choices):
        if case not in done and time.monotonic() < until:
            finished(experiment, timeout, case)


def figure(label, picture):
    """One outcome in HTML, with what was chosen above it; not to be cut by the end of a page."""
    caption = f"<figcaption><code>{escape(label)}</code></figcaption>" if label else ""
    return (f'<figure style="margin:0 0 1em;break-inside:avoid">{caption}'
            f'{picture._repr_mimebundle_()["text/html"]}</figure>')


def label(case, choices=()):
    """What was chosen, as it would be written in a call: blocking=True, delay=0.2."""
    labels = {(choice.name, repr(value)): text for choice in choices for text, value in choice.options}
    return ", ".join(f"{name}={labels.get((name, repr(value))) or label_of(value)}" for name, value in case.items())


def cases(choices):
    """The choices to be shown, a list of dicts by parameter, at most MOST; and how many more there would have been,
    by parameter. With one parameter they keep its order; with several the start comes first.
    """
    start = {choice.name: choice.value for choice in choices}
    varied = {choice.name: [start | {choice.name: value} for _label, value in samples(choice)] for choice in choices}
    shown = [] if len(varied) == 1 else [start]
    room = MOST if len(varied) == 1 else max(1, (MOST - 1) // max(1, len(varied)))
    left = {}
    for name, line in varied.items():
        others = [case for case in line if case not in shown]
        taken = spread(others, min(room, MOST - len(shown)))
        shown += taken
        if len(others) > len(taken):
            left[name] = len(others) - len(taken)
    return shown, left


def spread(items, room):
    """At most `room` of the items, the first and the last among them, the others evenly between."""
    if len(items) <= room:
        return items
    if room < 2:
        return items[:room]
    return [items[round(k * (len(items) - 1) / (room - 1))] for k in range(room)]
