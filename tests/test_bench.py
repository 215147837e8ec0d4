"""The benchmark: every combination finishes with the right bytes, what cannot be measured says why, pictures and JSON
say all, and nothing is left, however it ends. No test looks at a duration."""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import pytest
import remains
import sysv_ipc

from ipclab import family, folders
from ipclab.bench import compiled, curves, dots, loops, measure, mechanisms, objects, select, table, to_json
from ipclab.look import LOOKS

ROOT = pathlib.Path(__file__).resolve().parent.parent
FEW = "pipe", "sysv_queue", "shm_semaphore_in_place"
FACTS = {"of", "mechanism", "label", "spelling", "size", "placement", "cores", "waits", "unit", "values", "median",
         "low", "high", "to_C", "lost", "why"}
KINDS = {"label": str, "values": list, "why": str | None, "median": float | None, "to_C": float | None, "lost": float}


def child(code, *, env=(), **options):
    """A fresh interpreter that runs the code from the course's folder."""
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, env={**os.environ, **dict(env)}, **options)


def said(code, **options):
    """What it prints; AssertionError where it fails."""
    process = child(code, **options)
    out, _none = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out


def command(*words, code=0):
    """What the command prints and writes where errors go, ended with that exit status."""
    done = subprocess.run([sys.executable, "-m", "ipclab", "bench", *words], cwd=ROOT, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def check(rows, rounds):
    """Every row is whole: measured in each round with all its messages, or too large for its mechanism."""
    assert rows
    for row in rows:
        assert {*row} == FACTS and all(isinstance(row[name], KINDS[name]) for name in KINDS if name in row), row
        if row["size"] and mechanisms.too_large(row["mechanism"], row["size"]):
            assert row["why"] and row["values"] == [] and row["median"] is None, row
            continue
        assert row["why"] is None and len(row["values"]) == rounds, row
        assert 0 < row["low"] <= row["median"] <= row["high"], row
        assert row["lost"] == 0 or (row["mechanism"], row["of"]) == ("udp", "throughput") and row["lost"] < 1, row


def test_every_combination_that_blocks_finishes():
    names = [name for name in mechanisms.MECHANISMS if mechanisms.waits(name) != "spins"]
    rows = measure(*names, sizes=64, placements="one core", rounds=1, seconds=1)
    check(rows, 1)
    assert {row["mechanism"] for row in rows} == {*names}
    assert {row["spelling"] for row in rows} == {"textbook", "tuned", "C", "usual"}


def test_every_combination_that_spins_finishes():
    check(measure("shm_spin", "shm_spin_in_place", sizes=[64], rounds=1, seconds=1), 1)


def test_the_smallest_message_and_one_that_comes_in_parts():
    check(measure("pipe", "unix", "udp", "sysv_queue", "shm_eventfd", "mapped_file_in_place", "memcpy",
                  sizes=[1, 1 << 20], placements="one core", rounds=1, seconds=1), 1)


def test_a_message_of_a_stream_is_taken_whole_however_it_comes():
    parts = [b"ab", b"cdef", b"ghijk", b"l", b"mno"]
    take, buffer = (lambda into: _stored(parts.pop(0), into) if parts else 0), memoryview(bytearray(6))
    drain = loops.of_parts(None, b"", take, buffer).drain
    assert drain(2) == (2, b"ghijkl") and parts == [b"mno"]
    with pytest.raises(EOFError):
        drain(1)


def _stored(part, into):
    into[:len(part)] = part
    return len(part)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this machine has one processor")
def test_each_process_on_a_core_of_its_own():
    rows = measure(*FEW, "signals", sizes=64, placements="two cores", rounds=1, seconds=1)
    check(rows, 1)
    assert all(row["cores"][0] != row["cores"][1] for row in rows)


WRONG = """
from ipclab.bench import host, loops, {book}
from ipclab.bench.host import Job
{patch}
try:
    print(host.measured(Job("pipe", "{book}", {of!r}, 64, [min(os.sched_getaffinity(0))] * 2, 9, {path!r})))
except RuntimeError as error:
    print("refused:", error)
"""
OTHER_BYTES = """
def pipe(end, message):
    return loops.of_calls(lambda: os.write(end[1], b"?" * 64), lambda: os.read(end[0], 64))
textbook.pipe = pipe"""
NO_ANSWER = """
host.DEADLINE = 0.2
textbook.pipe = lambda end, message: loops.of_calls(lambda: None, lambda: os.read(end[0], 64))"""
DIES = """
textbook.pipe = lambda end, message: os.kill(os.getpid(), 9)"""


@pytest.mark.parametrize("of", mechanisms.OF)
@pytest.mark.parametrize("patch, error", [(OTHER_BYTES, "other bytes arrived"), (NO_ANSWER, "not done within 0.2 s"),
                                          (DIES, "a process was ended"), ("", None)])
def test_a_wrong_measurement_is_none(of, patch, error, tmp_path):
    code = "import os" + WRONG.format(book="textbook", patch=patch, of=of, path=str(tmp_path / "one"))
    nothing, still_open = os.pipe()  # the measuring process ends with its input
    with open(nothing), open(still_open):
        out = said(code, stdin=nothing)
    assert f"refused: {error}" in out if error else "'arrived': 9" in out, out


def test_the_loops_in_c_compile_without_a_warning(tmp_path):
    subprocess.run([shutil.which("cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-DSLOTS=4",
                    "-DWINDOW=64", compiled.SOURCE, "-o", tmp_path / "loops.so"], check=True)


PRINTED = "import json; from ipclab.bench import measure; print(json.dumps(measure(*{names}, sizes=64, rounds=1," \
          " of='round trip', seconds=0.5)))"


def test_without_a_compiler_c_says_so(tmp_path):
    rows = json.loads(said(PRINTED.format(names=["pipe"]), env={"PATH": str(tmp_path)}))
    for row in rows:
        assert ("no C compiler" in row["why"] and row["to_C"] is None) if row["spelling"] == "C" else row["values"], row


def test_a_compiler_that_fails_is_told(tmp_path):
    (tmp_path / "cc").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    (tmp_path / "cc").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    rows = json.loads(said(PRINTED.format(names=["pipe"]), env={"PATH": path}))
    assert {row["why"] for row in rows if row["spelling"] == "C"} == {"the C compiler failed: broken"}


def test_on_one_processor_across_is_left_out():
    one = min(os.sched_getaffinity(0))
    rows = json.loads(said(f"import os; os.sched_setaffinity(0, [{one}]); " + PRINTED.format(names=["pipe"])))
    for row in rows:
        alone = row["placement"] == "two cores"
        assert ("one core only" in row["why"]) if alone else row["cores"] == [one, one] and row["values"], row


def test_an_ordinary_user_measures_too():
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        said("import ipclab.bench.rounds", **user)
    except (PermissionError, AssertionError) as refusal:
        pytest.skip(f"another user may not read this Python or this folder: {refusal}")
    rows = json.loads(said(PRINTED.format(names=["posix_queue", "shm_semaphore", "mapped_file"]), **user))
    check(rows, 1)


# Nothing is left

@pytest.fixture
def place():
    """A folder with a short name, in which the measuring process has its own."""
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        yield pathlib.Path(folder)


def left(place, names):
    """What is there of measurements whose folders had these names."""
    found = [*place.iterdir()]
    found += [name for name in os.listdir("/dev/shm") if any(one in name for one in names)]
    for key in (key for name in names for key in objects.queue_keys(f"{name}/one")):
        with contextlib.suppress(sysv_ipc.ExistentialError):
            found.append(sysv_ipc.MessageQueue(key).id)
    return found + working(place)


def working(place):
    """The pids of the processes that work in the folder or below."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd").startswith(str(place)):
                found.append(int(pid))
    return found


BUSY = "from ipclab.bench import measure; measure('sysv_queue', 'posix_queue', 'shm_semaphore', 'fifo', 'queue'," \
       " 'mapped_file', 'shm_spin', 'udp', sizes=64, seconds=60)"


def killed(place, who, wait):
    """Start a measurement, kill `who` after so many seconds, and give the folders' names."""
    process = child(BUSY, env={"TMPDIR": str(place)})
    names = [one.name for one in remains.wait_for(lambda: [*place.iterdir()], "the folder")]
    time.sleep(wait)
    host = family.children(process.pid)
    at_work = [pid for one in host for pid in family.children(one)]
    for pid in {"caller": [process.pid], "host": host, "both": [process.pid, *host], "worker": at_work[:1]}[who]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if who == "worker":
        process.send_signal(signal.SIGINT)  # it would go on
    process.communicate(timeout=30)
    return names


@pytest.mark.parametrize("who", ["caller", "host", "worker"])
def test_nothing_is_left_when_one_is_killed(place, who):
    for _time in range(4):
        names = killed(place, who, random.uniform(0, 0.6))
        remains.wait_for(lambda: not left(place, names), f"{left(place, names)} to go")


def test_what_is_left_when_both_are_killed_at_once_is_swept(place):
    for _time in range(4):
        names = killed(place, "both", random.uniform(0, 0.6))
        remains.wait_for(lambda: not working(place), "the processes to end")
        folders.sweep(str(place))
        assert left(place, names) == []


def test_no_descriptor_stays_and_nothing_heavy_is_imported():
    out = said("import sys, os; from ipclab.bench import host, measure; before = os.listdir('/proc/self/fd'); "
               "measure('pipe', sizes=64, rounds=1, seconds=0.1); print(before == os.listdir('/proc/self/fd'), "
               "{'matplotlib', 'IPython'} & {*sys.modules})")
    assert out == "True set()\n"


INTERRUPTED = """
import os, signal
from ipclab.bench import command, rounds
measured, one = [], rounds.{what}
def until(*told):
    one(*told)
    measured.append(told)
    if len(measured) == {after}:
        os.kill(os.getpid(), signal.SIGINT)
rounds.{what} = until
print("status", command.bench(["pipe", "sysv_queue", "--size", "64", "--of", "round trip", "--placement", "one core",
                               "--seconds", "1"]))
"""


def test_ctrl_c_keeps_what_was_measured(place):
    out = said(INTERRUPTED.format(what="_one", after=9), env={"TMPDIR": str(place)})  # of 6 combinations
    assert out.endswith("status 0\n") and len(re.findall("^pipe|^System V queue", out, re.MULTILINE)) == 2, out
    assert "interrupted in round 2 of 5" in out and [*place.iterdir()] == []


def test_ctrl_c_before_anything_was_measured(place):
    assert said(INTERRUPTED.format(what="_try", after=3), env={"TMPDIR": str(place)}).endswith("status 130\n")
    assert [*place.iterdir()] == []


# What is shown

@pytest.fixture(scope="module")
def rows():
    here = {"sizes": [64, 4096], "placements": "one core", "rounds": 2, "seconds": 1}
    return [*measure("pipe", **here), *measure("fifo", "unix", "shm_semaphore", "connection", "memcpy", "signals",
                                               "shm_spin_in_place", spellings="tuned", **here)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("of", mechanisms.OF)
@pytest.mark.parametrize("draw", [dots, curves])
def test_a_picture_says_all(rows, draw, of, look):
    picture = draw(rows, of=of, look=look)
    root = ElementTree.fromstring(picture.svg)
    assert float(root.get("viewBox").split()[2]) == LOOKS[look].width
    written = " ".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    core = min(os.sched_getaffinity(0))
    for words in ("to the other process", f"Both processes on core {core}", "median of rounds (2)", "from the least to",
                  "pipe · blocks", "spinning, in place · spins", "copied · blocks", "Copied: into the memory",
                  "logarithmic", "multiprocessing"):
        assert words in written, words
    assert ("less is faster" if of == "round trip" else "more is faster") in written
    assert "shared memory, semaphore, copied, blocks, Python, tuned, 64 B: " in str(picture)


def test_print_needs_no_colour(rows):
    colours = {*re.findall("#[0-9a-f]{6}", dots(rows, of="round trip", look="print").svg.lower())}
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours), colours


def test_a_picture_shows_one_thing(rows):
    with pytest.raises(ValueError, match="say which of: 'round trip', 'throughput'"):
        dots(rows)
    with pytest.raises(ValueError, match="nothing was measured"):
        curves(rows, of="round trip", placement="two cores")
    with pytest.raises(ValueError, match="nothing was measured"):
        curves([])


def test_the_table_has_a_row_for_each(rows):
    shown = table(select(rows, of="round trip"))
    assert shown.heads == ["round trip, one core", "Python, textbook", "Python, tuned", "C", "multiprocessing",
                           "tuned / C"]
    names = [name for name, _cells in shown.rows]
    assert "pipe · 64 B · blocks" in names and "shared memory, spinning, in place · 4 KiB · spins" in names


def test_json_has_all_rounds(rows):
    told = json.loads(to_json(rows))
    assert told["rows"] == rows and {"release", "python", "processors", "load", "date"} <= {*told["machine"]}
    check(told["rows"], 2)


def test_the_ratio_is_that_of_single_rounds(rows):
    [tuned], [c] = (select(rows, mechanism="pipe", spelling=one, size=64, of="round trip") for one in ("tuned", "C"))
    each = [own / other for own, other in zip(tuned["values"], c["values"])]
    assert tuned["to_C"] == pytest.approx(sum(each) / 2) and c["to_C"] == 1


def test_the_command_writes_what_it_is_asked_for(tmp_path):
    out = command("pipe", "udp", "--size", "64", "--size", "64K", "--rounds", "1", "--seconds", "1", "--of",
                  "throughput", "--json", str(tmp_path / "all.json"), "--charts", str(tmp_path), "--placement",
                  "one core")
    assert "throughput, one core" in out and "not measured: UDP, 64 KiB" in out and "65507" in out
    assert {file.name for file in tmp_path.iterdir()} == {
        "all.json", "dots-throughput-one-core-64.svg", "dots-throughput-one-core-65536.svg",
        "curves-throughput-one-core.svg"}
    check(json.loads((tmp_path / "all.json").read_text())["rows"], 1)


@pytest.mark.parametrize("words, error", [
    (["pip"], "'pip' is unknown; there are: pipe, fifo"), (["--size", "0"], "1 to 1048576 bytes"),
    (["--size", "2M"], "1 to 1048576 bytes"), (["--size", "x"], "x is no size"), (["--rounds", "0"], "one round"),
    (["--charts", "/dev/null/charts"], "/dev/null/charts: Not a directory"), (["--frequency"], "--frequency")])
def test_a_word_that_is_none_is_told(words, error):
    assert error in command(*words, code=2)


def test_the_list_names_all():
    assert [line.split()[0] for line in command("--list").splitlines()] == [*mechanisms.MECHANISMS]
