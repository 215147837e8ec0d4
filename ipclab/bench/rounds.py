"""measure(): values of many combinations, taken turn about, so that a busy or slow machine hurts all alike.

A round measures every combination once, every other round in the opposite order. One round before the first finds out
how many messages each can do in its share of the time. Each measurement is two processes of the host's (host.py).
"""
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

from .. import clear, folders
from ..say import _, ngettext
from ..supervise import disk
from . import mechanisms as known
from . import objects, progress

START = ("import sys; sys.path.insert(0, sys.argv.pop(1)); from ipclab.bench.host import main; main()")
FEWEST, MOST, STEP = 4, 200_000, 16  # messages of a measurement; how many times as many the next one may have
LEAST = 0.002  # seconds for the messages of a measurement


def measure(*mechanisms, sizes=known.SIZES, of=known.OF, spellings=("textbook", "tuned", "C"),
            placements=known.PLACEMENTS, rounds=5, seconds=8.0):
    """How long messages take between two real processes: a list of rows, a dict each.

    `mechanisms` (all without any), `of` ("round trip", "throughput"), `spellings` and `placements` ("one core",
    "two cores") are words or lists of words; `sizes` are bytes of a message. `seconds` is about how long all takes.
    What cannot be measured is a row with its reason, `why`. Interrupted, it returns what was measured so far, and says
    so. ValueError for a word that is none; RuntimeError where it is not Linux, or the measuring process has ended.
    """
    _be_linux()
    rows = _rows(_words(mechanisms, known.MECHANISMS), _sizes(sizes), _words(of, known.OF),
                 _words(spellings, known.SPELLINGS), _words(placements, known.PLACEMENTS))
    if rounds < 1 or seconds <= 0:
        raise ValueError(_("it takes at least one round, and some time"))
    _measure_shown(rows, rounds, seconds)
    return [_finished(row, rows) for row in rows]


def _measure_shown(rows, rounds, seconds):
    """Measure the rows, show how far it is, and end where it is interrupted: KeyboardInterrupt if nothing is done."""
    begun, line = time.monotonic(), progress.line()
    try:
        with Host(any(row["spelling"] == "C" for row in rows)) as host:
            _measure(rows, host, rounds, seconds, line)
    except KeyboardInterrupt:
        if not any(row["values"] for row in rows):
            line.done("", cut=False)
            raise
    fewest = min((len(row["values"]) for row in rows if not row["why"]), default=rounds)
    line.done(_summary(rows, rounds, fewest, time.monotonic() - begun), cut=fewest < rounds)


def _be_linux():
    if not hasattr(os, "sched_setaffinity"):
        raise RuntimeError(_("programs of this course run on Linux, and this is {system}").format(
            system=platform.system()))


def _words(given, there):
    """The words as a list, all without any. ValueError for one that there is not."""
    chosen = [given] if isinstance(given, str) else list(given) or list(there)
    for word in chosen:
        if word not in there:
            raise ValueError(_("{word!r} is unknown; there are: {words}").format(word=word, words=", ".join(there)))
    return [word for word in there if word in chosen]


def _sizes(sizes):
    sizes = [sizes] if isinstance(sizes, int) else sorted({*sizes})
    if not sizes or not all(isinstance(size, int) and 1 <= size <= known.LARGEST for size in sizes):
        raise ValueError(_("a message has 1 to {most} bytes").format(most=known.LARGEST))
    return sizes


def _rows(mechanisms, sizes, of, spellings, placements):
    """All combinations that there are, without values."""
    cores = _cores()
    return [{"of": what, "mechanism": mechanism, "label": known.label(mechanism), "spelling": spelling, "size": size,
             "placement": placement, "cores": cores[placement], "waits": known.waits(mechanism),
             "unit": known.unit(mechanism, what), "values": [], "why": _impossible(mechanism, size, cores[placement]),
             "_count": FEWEST, "_each": LEAST, "_lost": []}
            for what in of for placement in placements for mechanism in mechanisms
            if what == "throughput" or mechanism != "memcpy"
            for size in ([None] if mechanism == "signals" else sizes)
            for spelling in known.spellings(mechanism) if spelling in (*spellings, "usual")]


def _impossible(mechanism, size, cores):
    """Why it is not measured, or None."""
    if cores is None:
        return _("this process may run on one core only")
    return known.too_large(mechanism, size) if size else None


def _cores():
    """{placement: the two cores}: two that are no threads of one, if there are; None where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    others = [core for core in allowed if core != allowed[0]]
    apart = [core for core in others if core not in _siblings(allowed[0])] or others
    return {"one core": [allowed[0]] * 2, "two cores": [allowed[0], apart[0]] if apart else None}


def _siblings(core):
    """The logical processors of a core of hardware."""
    try:
        with open(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") as file:
            parts = [part.split("-") for part in file.read().strip().split(",")]
    except OSError:
        return ()
    return [n for part in parts for n in range(int(part[0]), int(part[-1]) + 1)]


def _measure(rows, host, rounds, seconds, line):
    """Put a value of each round into each row that can be measured."""
    for row in rows:
        if row["spelling"] == "C":
            row["why"] = row["why"] or host.without_c
    going, share, end = [row for row in rows if not row["why"]], LEAST, time.monotonic() + seconds
    for number in range(rounds + 1):
        begun = time.monotonic()
        for place, row in enumerate(going if number % 2 else going[::-1]):
            if not row["why"]:
                line.show(_progress(row, number, rounds, place, len(going)))
                _one(row, host, share) if number else _try(row, host)
        if number < rounds and going:
            took, left = (time.monotonic() - begun) / len(going), (end - time.monotonic()) / (rounds - number)
            share = max(LEAST, share + left / len(going) - took)


def _progress(row, number, rounds, place, combinations):
    size = "" if row["size"] is None else _("{n} bytes").format(n=row["size"])
    what = " · ".join(filter(None, [row["label"], row["spelling"], size, row["of"], row["placement"]]))
    done = (number * combinations + place) / ((rounds + 1) * combinations)
    turn = _("round {n} of {all}").format(n=number, all=rounds) if number else _("trying out")
    return f"{done:4.0%}  {turn}: {what}"


def _try(row, host):
    """Find out how long a message takes: more and more of them, until they take some time."""
    while row["_count"] < MOST and not row["why"]:
        if (told := _told(row, host)) and told["seconds"] > LEAST / 2:
            break
        row["_count"] *= STEP


def _one(row, host, share):
    """One measurement, of as many messages as go into its share of the time, as the last one tells."""
    row["_count"] = max(FEWEST, min(MOST, STEP * row["_count"], round(share / row["_each"])))
    if told := _told(row, host):
        arrived = told["arrived"] / told["seconds"]
        row["values"].append({"µs": row["_each"] * 1e6, "MB/s": arrived * (row["size"] or 0) / 1e6,
                              "1/s": arrived}[row["unit"]])
        row["_lost"].append(1 - told["arrived"] / told["sent"])


def _told(row, host):
    """What the host tells of one measurement; None where it failed, which is then the row's reason."""
    job = {name: row[name] for name in ("mechanism", "spelling", "of", "cores")}
    told = host.ask({**job, "size": row["size"] or 0, "count": row["_count"]})
    if "error" in told:
        row["why"], row["values"] = told["error"], []
        return None
    row["_each"] = told["seconds"] / told["sent"]
    return told


def _finished(row, rows):
    """The row with median, least and most, and how it compares with C, round by round."""
    values, lost = row["values"], row["_lost"]
    in_c = next((other["values"] for other in rows if other["spelling"] == "C" and all(
        other[name] == row[name] for name in ("of", "mechanism", "size", "placement"))), [])
    pairs = [(c / own if row["of"] == "throughput" else own / c) for own, c in zip(values, in_c) if own and c]
    return {**{name: value for name, value in row.items() if name[0] != "_"},
            "median": statistics.median(values) if values else None, "low": min(values, default=None),
            "high": max(values, default=None), "to_C": statistics.median(pairs) if pairs else None,
            "lost": statistics.median(lost) if lost else 0.0}


def _summary(rows, rounds, fewest, seconds):
    done = [row for row in rows if row["values"]]
    text = ngettext("{n} combination measured", "{n} combinations measured", len(done)).format(n=len(done))
    if fewest < rounds:
        text += ", " + _("interrupted in round {n} of {all}").format(n=fewest + 1, all=rounds)
    else:
        text += ", " + ngettext("{n} round", "{n} rounds", rounds).format(n=rounds)
    return text + ", " + _("{seconds:.1f} s; load average {load:.1f}").format(
        seconds=seconds, load=os.getloadavg()[0])


class Host:
    """The measuring process, with its private folder, while the `with` lasts. `without_c` is why there is no C."""

    def __init__(self, with_c):
        where = disk(os.environ.get("TMPDIR", ""))
        folders.sweep(where)
        self.folder = folders.new(where)
        os.mkdir(self.folder, 0o700)
        home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, home, self.folder, *["C"] * with_c], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=self.folder)
        except BaseException:
            clear.folder(self.folder)
            raise

    def __enter__(self):
        try:
            self.without_c = self._answer()["C"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def ask(self, job):
        """Its answer to a job. RuntimeError where it has ended."""
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # there is no answer then, either
        return self._answer()

    def _answer(self):
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(_("the measuring process has ended"))
        return json.loads(line)

    def __exit__(self, *_error):
        """End it and everything under it, and remove its folder and what is named after that."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        objects.remove(self.folder)
        clear.folder(self.folder)
