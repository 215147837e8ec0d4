"""Recorded runs: what run() and explore() show on a machine that cannot run programs, always told as recorded.

A recorded run stands in for another only if program, parameters and deadline are the same; a slider may take the
nearest value, and then says so. The runs of a chapter are in NAME.runs.json.gz beside its slides (recording.py makes
it): a line about the machine, then a line a run, which is what tells it from others, a tab, and its trace.
"""
import errno
import functools
import inspect
import json
import math
import os
import pathlib
import re
import signal
import types

from . import handing
from .say import _, ngettext

SUFFIX = ".runs.json.gz"


def label(trace):
    """ "recorded on Linux 6.18, 2 processors, 2026-11-20", and at which value where that is not the one that was
    chosen; empty for a live run."""
    if not (made := trace.recorded):
        return ""
    n, release = made["processors"], re.match(r"\d+(\.\d+)?", made["release"])
    text = ngettext("recorded on {system} {release}, {n} processor, {date}",
                    "recorded on {system} {release}, {n} processors, {date}", n).format(
        system=made["system"], release=release[0] if release else made["release"], n=n, date=made["date"])
    if not (chosen := made.get("chosen")):
        return text
    return _("{recorded}, with {nearest} (chosen: {chosen})").format(
        recorded=text, nearest=_listed({name: trace.params[name] for name in chosen}), chosen=_listed(chosen))


def _listed(values):
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def allow_live():
    """RuntimeError where only recorded runs are wanted: IPCLAB_RUNS is "recorded". ValueError for another value."""
    wanted = os.environ.get("IPCLAB_RUNS", "live")
    if wanted not in ("live", "recorded"):
        raise ValueError(_("IPCLAB_RUNS is {given!r}; it may be: live, recorded").format(given=wanted))
    if wanted == "recorded":
        raise RuntimeError(_("no program is run here, since IPCLAB_RUNS is \"recorded\""))


def going_on():
    """The file to which this process adds its runs, if they are recorded (IPCLAB_RECORD; see recording.py), or None."""
    return os.environ.get("IPCLAB_RECORD")


def instead(experiment, timeout, params, near, error):
    """The recorded Trace for a run that could not be made because of the error; the error again, with a note, where
    there is none. `near` is {parameter: what its slider spans}, for which the nearest value will do."""
    if going_on():  # recorded anew, a recorded run would tell another machine and date than its own
        raise error
    recordings, (*program, wanted) = _recordings(), key(experiment, timeout, params)
    runs = recordings.get(tuple(program), {})
    best = min(runs, key=lambda texts: _distance(dict(texts), wanted, near), default=None)
    if best is None or _distance(dict(best), wanted, near) == math.inf:
        error.add_note(_advice(experiment, wanted, recordings))
        raise error
    trace = _trace(*runs[best])
    chosen = {name: value for name, value in _values(experiment, params).items() if dict(best)[name] != wanted[name]}
    trace.recorded |= {"chosen": chosen} if chosen else {}
    return trace


def _advice(experiment, wanted, recordings):
    if not recordings:
        return _("No recorded run stands beside this notebook either. `python -m ipclab lecture` makes the slides of a "
                 "chapter and records its runs, on a machine that can run them.")
    call = f"{experiment.__name__}({', '.join(f'{name}={text}' for name, text in wanted.items())})"
    return _("What was recorded beside this notebook has no run of {call} as it stands here. `python -m ipclab "
             "lecture` records again, on a machine that can run it.").format(call=call)


def _distance(recorded, wanted, near):
    """How far apart the parameters are, as a part of what their sliders span; inf where another one differs."""
    if recorded.keys() != wanted.keys() or any(recorded[name] != wanted[name] for name in wanted.keys() - near.keys()):
        return math.inf
    try:
        return sum(abs(float(recorded[name]) - float(wanted[name])) / span for name, span in near.items())
    except ValueError:  # recorded with something else than a number
        return math.inf


def key(experiment, timeout, params):
    """What tells a run from others: [name, program, deadline, {parameter: text}], in JSON's terms."""
    return [experiment.__name__, _program(experiment), float(timeout),
            {name: _text(value) for name, value in _values(experiment, params).items()}]


def _program(experiment):
    """What makes a run what it is, besides parameters: the source of the reader's functions and the values of the
    variables that they use."""
    sources = sorted(_source(function) for function in handing.functions(experiment))
    variables = sorted(f"{name}={_text(value)}" for _kind, name, value in handing.uses(experiment, {})
                       if not callable(value) and not isinstance(value, types.ModuleType))
    return json.dumps([sources, variables])


def _source(function):
    known = handing.source(function)
    return known[2] if known else function.__code__.co_code.hex()


def _values(experiment, params):
    """All parameters of the call, defaults too."""
    defaults = {p.name: p.default for p in inspect.signature(experiment).parameters.values()
                if p.default is not p.empty}
    return defaults | params


def _text(value):
    """What tells one value from another in any process: its source or, without addresses, its repr()."""
    return _source(value) if isinstance(value, types.FunctionType) else re.sub(r" at 0x[0-9a-f]+", "", repr(value))


class Replay:
    """A recorded run in the shape of a run.Run that has ended: `fileno()` is readable at once."""

    def __init__(self, trace):
        self._trace = trace
        self._end, other = os.pipe()
        os.close(other)

    def fileno(self):
        return self._end

    def done(self):
        return True

    def trace(self):
        return self._trace

    def wait(self):
        self.cancel()
        return self._trace

    def cancel(self):
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    __del__ = cancel


def _recordings():
    """{(name, program, deadline): {parameters: (machine, trace's text)}} of the files beside the notebook, which is
    where its kernel works."""
    files = sorted(pathlib.Path.cwd().glob(f"*{SUFFIX}"))
    return _read(tuple((file, file.stat().st_mtime_ns) for file in files))


@functools.lru_cache(1)
def _read(files):
    import gzip  # seldom needed, and the first cell is felt by every reader

    found = {}
    for file, _changed in files:
        head, *lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        machine = json.loads(head)
        for line in lines:
            told, _tab, trace = line.partition("\t")
            *program, texts = json.loads(told)
            found.setdefault(tuple(program), {})[tuple(texts.items())] = machine, trace
    return found


def _trace(machine, text):
    """The trace, with this machine's numbers of errors and signals: EAGAIN is 11 on Linux, 35 on macOS."""
    from .trace import Trace

    trace = Trace.from_json(text)
    trace.recorded = {name: value for name, value in machine.items() if name not in ("errno", "signal")}
    for event in trace.events:
        event.errno = _here(event.errno, machine["errno"], errno)
    for process in trace.processes:
        process.signal = _here(process.signal, machine["signal"], signal)
    return trace


def _here(number, names, module):
    name = names.get(str(number))
    return int(getattr(module, name, number)) if name else number
