"""Recording a chapter's runs, for halls whose machine cannot run programs: see recorded.py for what is done with them.

The chapter is run once. Its kernel adds each run to a file (keep); explore() runs more than it shows, all choices of
buttons with a good sample of sliders' values (cases).
"""
import copy
import datetime
import gzip
import itertools
import json
import math
import os
import pathlib
import platform
import signal
import tempfile

from .recorded import going_on, key
from .trace import ERRORS

MOST = 64  # runs that are recorded for one explore()
FINEST = 13  # values of a slider, where its experiment has no other control


def record(book, language, progress):
    """Run the slides (a notebook, which stays as it is) and return their runs as a file, bytes. progress(done, all)
    hears of each cell. paper.Failed where a cell fails."""
    from . import paper

    with tempfile.TemporaryDirectory(prefix="runs") as folder:
        file = pathlib.Path(folder, "runs")
        file.touch()
        paper.executed(copy.deepcopy(book), {}, progress, IPCLAB_RECORD=str(file), IPCLAB_RUNS="live",
                       IPCLAB_ANSWERS="end", IPCLAB_LANGUAGE=language)
        return gzip.compress(json.dumps(_machine()).encode() + b"\n" + file.read_bytes(), 9, mtime=0)


def _machine():
    """What is told of the machine on which runs are recorded: nothing that names it or its user."""
    return {"system": platform.system(), "release": platform.release(), "processors": os.cpu_count(),
            "machine": platform.machine(), "python": platform.python_version(),
            "date": datetime.date.today().isoformat(), "errno": ERRORS,
            "signal": {int(number): number.name for number in signal.Signals}}


def keep(experiment, timeout, params, trace):
    """Adds a finished run to the recording that goes on: the first of its kind."""
    told = json.dumps(key(experiment, timeout, params))
    if told not in _kept:
        _kept.add(told)
        with open(going_on(), "a", encoding="utf8") as file:
            file.write(f"{told}\t{trace.to_json()}\n")


_kept = set()  # what tells those that were


def cases(choices):
    """What is recorded for an explore() of these Choices, dicts by parameter: every combination of all options and of
    as many of each slider's values as are MOST in all; where even three of each are more, first what differs from the
    start in one parameter, and of the others some."""
    start = {choice.name: choice.value for choice in choices}
    for fine in range(FINEST, 2, -1):
        rows = [dict(zip(start, row)) for row in itertools.product(*(_several(choice, fine) for choice in choices))]
        if len(rows) <= MOST:
            return rows
    from .twin import spread

    rows.sort(key=lambda row: sum(row[name] != value for name, value in start.items()) > 1)  # stable
    plain = sum(sum(row[name] != value for name, value in start.items()) <= 1 for row in rows)
    return rows[:min(plain, MOST)] + spread(rows[plain:], max(0, MOST - plain))


def _several(choice, fine):
    """Every option; of a slider about `fine` values, its ends and its start among them."""
    from .controls import samples, tidy
    from .twin import spread

    if choice.kind != "slider":
        return [value for _label, value in samples(choice)]
    low, high, step = choice.limits
    line = [tidy(low + k * step) for k in range(math.floor((high - low) / step + 1e-9) + 1)]
    return sorted({*spread(line, fine), tidy(choice.value)})
