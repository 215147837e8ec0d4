"""Recorded runs: made at home, shown where the machine runs no programs, never taken for live ones."""
import errno
import gzip
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient
from person import Kernel
from pipe_cell import EXPERIMENT

from ipclab import lecture, name, recorded, recording
from ipclab.controls import read_choices
from ipclab.run import run
from ipclab.trace import Trace

ROOT, TESTS = pathlib.Path(__file__).parent.parent, pathlib.Path(__file__).parent
LABEL = rf"recorded on {platform.system()} [\d.]+, {os.cpu_count()} processors?, \d{{4}}-\d\d-\d\d"
PREDICT = """predict("What comes out?", {b"xxx\\n": "three", b"xxxx\\n": "four", b"b'xxx'\\n": "these"},
        lambda trace: trace.stdout, read_from_pipe)"""
RUNS = [EXPERIMENT, "size = 3\ndef uses():\n    print(size.real)", "run(uses)",
        "run(read_from_pipe); run(read_from_pipe, n=5)\nrun(read_from_pipe, n=7, timeout=3)",
        "explore(read_from_pipe, blocking=[True, False], delay=(0.0, 0.5, 0.1))",
        "from ipclab import predict, predictions, exercise\n" + PREDICT,
        "exercise(read_from_pipe, [({'n': 9}, b'')], lambda trace: trace.stdout)", "predictions()"]


def book_of(*cells):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return book


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder with the recording of RUNS in it, as beside a notebook."""
    folder = tmp_path_factory.mktemp("hall")
    (folder / f"pipe{recorded.SUFFIX}").write_bytes(recording.record(book_of(*RUNS), "en", lambda done, cells: None))
    return folder


def said(folder, *lines, first="", **environment):
    """What a script of these lines behind the experiment prints, run in the folder: [line]."""
    source = "\n".join([first, EXPERIMENT, "import signal", *lines])
    (folder / "script.py").write_text(source)
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, text=True, capture_output=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": f"{ROOT}:{TESTS}"} | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


CAUGHT = """
def attempt(*args, **params):
    try:
        print(repr(run(*args, **params).output))
    except Exception as error:
        print(type(error).__name__, error, *getattr(error, '__notes__', []))
"""


def keys(folder):
    [head, *lines] = gzip.decompress((folder / f"pipe{recorded.SUFFIX}").read_bytes()).decode().splitlines()
    return json.loads(head), [json.loads(line.partition("\t")[0]) for line in lines]


def test_every_run_of_a_chapter_is_recorded_once(beside):
    head, told = keys(beside)
    runs = [(called, timeout, params) for called, _program, timeout, params in told]
    default = {"blocking": "True", "n": "3", "delay": "0.0"}
    assert runs[0] == ("uses", 5.0, {})
    assert [run[1:] for run in runs[1:4]] == [(5.0, default), (5.0, default | {"n": "5"}), (3.0, default | {"n": "7"})]
    explored = [params for _called, timeout, params in runs if params.get("n") == "3"]
    assert sorted((params["blocking"], params["delay"]) for params in explored) == [
        (blocking, f"0.{tenth}") for blocking in ("False", "True") for tenth in range(6)]
    assert len(runs) == 3 + len(explored), "the prediction's run is one of them; an exercise's is none"


def test_the_machine_is_told_and_neither_its_name_nor_its_users(beside):
    head, _told = keys(beside)
    assert set(head) == {"system", "release", "processors", "machine", "python", "date", "errno", "signal"}
    text = gzip.decompress((beside / f"pipe{recorded.SUFFIX}").read_bytes()).decode()
    assert platform.node() not in re.sub(r'"source".*?"params"', "", text)


def choices(**given):
    return read_choices(lambda blocking=True, n=4, delay=0.2, mode="a": None, given)


def test_all_options_are_recorded_with_as_many_values_of_sliders_as_fit():
    assert [case["n"] for case in recording.cases(choices(n=(1, 6)))] == [1, 2, 3, 4, 5, 6]
    values = [case["delay"] for case in recording.cases(choices(delay=(0, 1.0)))]
    assert values[0] == 0.0 and values[-1] == 1.0 and 0.2 in values and 10 <= len(values) <= 14
    both = recording.cases(choices(blocking=True, n=(1, 99), delay=(0.0, 0.5)))
    assert len({(case["n"], case["delay"]) for case in both}) * 2 == len(both) <= recording.MOST
    assert {case["blocking"] for case in both} == {True, False}


def test_of_very_many_choices_those_near_the_start_are_recorded_first():
    cases = recording.cases(choices(blocking=True, n=list(range(20)), mode=list("abcdef")))
    assert len(cases) == recording.MOST == len({tuple(case.items()) for case in cases})
    start = {"blocking": True, "n": 4, "mode": "a"}
    assert all(sum(case[name] != start[name] for name in start) <= 1 for case in cases[:1 + 1 + 19 + 5])
    assert len(recording.cases(choices(n=list(range(1000))))) == recording.MOST


@pytest.mark.parametrize("refused", ["memfd_create", "socketpair", "process"])
def test_where_the_machine_refuses_the_recorded_run_is_shown_and_says_so(beside, refused):
    printed, output, words, picture, told, kept = said(
        beside, "trace = run(read_from_pipe, n=5)", "print(trace.output.strip())",
        "print(story(trace).splitlines()[0])",
        "print(timeline(trace, look='projector').svg.count('recorded on'))", "print(repr(trace).splitlines()[1])",
        "from ipclab import Trace", "print(Trace.from_json(trace.to_json()) == trace, trace.recorded['python'])",
        first=f"import refuse\nrefuse.refuse({refused!r})")
    assert re.fullmatch(f"read_from_pipe: {LABEL}", printed)
    assert output == "b'xxxxx'" and re.fullmatch(LABEL, words) and re.fullmatch(f"  {LABEL}", told)
    assert picture == "2", "in the picture itself and in its sentence"
    assert kept == f"True {platform.python_version()}"


def test_python_without_linux_imports_all_and_shows_recorded_runs(beside):
    """As on macOS, where the chapter's own imports work."""
    lines = said(beside, "from ipclab import exercise, predict, predictions", CAUGHT, "attempt(read_from_pipe)",
                 "attempt(read_from_pipe, n=6)", first="import not_linux")
    assert re.fullmatch(f"read_from_pipe: {LABEL}", lines[0]) and lines[1] == repr("b'xxx'\n")
    assert lines[2].startswith("RuntimeError programs of this course run on Linux")


def test_a_live_run_always_wins(beside):
    assert said(beside, "trace = run(read_from_pipe)", "print(trace.recorded, 'recorded' in timeline(trace).svg)",
                "print(story(trace).count('recorded'))") == ["None False", "0"]


def test_a_run_that_cannot_begin_in_the_stage_is_recorded_too(beside):
    broken = "import os; from ipclab import twins; twins.install = lambda: setattr(os, 'fork', None); "
    lines = said(beside, "from ipclab import connection", f"broken = {broken!r}",
                 "connection._START = connection._START.replace('from ipclab', broken + 'from ipclab', 1)",
                 "trace = run(read_from_pipe)", "print(trace.output.strip())")
    assert re.fullmatch(f"read_from_pipe: {LABEL}", lines[0]) and lines[1:] == ["b'xxx'"]


def test_what_was_not_recorded_is_an_error_and_not_another_run(beside):
    lines = said(beside, CAUGHT, "attempt(read_from_pipe, n=4)", "attempt(read_from_pipe, n=7)",
                 "attempt(read_from_pipe, delay=0.15)", "attempt(read_from_pipe, m=1)", IPCLAB_RUNS="recorded")
    for line, params in zip(lines, ("n=4, delay=0.0", "n=7, delay=0.0", "n=3, delay=0.15")):
        assert line.startswith('RuntimeError no program is run here, since IPCLAB_RUNS is "recorded" What was recorded')
        assert f"read_from_pipe(blocking=True, {params})" in line and "ipclab lecture" in line
    assert lines[3].startswith("TypeError read_from_pipe() has no parameter 'm'") and "recorded" not in lines[3]


@pytest.mark.parametrize("change, found", [
    ("", True), ("size = 4", False), ("def uses():\n    print(size.imag)", False)])
def test_a_changed_program_is_another(beside, change, found):
    given = "size = 3\ndef uses():\n    print(size.real)\nreal = 'an attribute of this name is no variable'"
    lines = said(beside, CAUGHT, given, change, "attempt(uses)", IPCLAB_RUNS="recorded")
    assert ("'3\\n'" in lines[-1]) is found and lines[-1].startswith("RuntimeError") is not found


def test_without_a_recording_the_error_says_how_to_make_one(tmp_path):
    lines = said(tmp_path, CAUGHT, "attempt(read_from_pipe)", first="import refuse\nrefuse.refuse('memfd_create')")
    assert lines[0].startswith("PermissionError [Errno 1]") and "`python -m ipclab lecture`" in lines[0]


def test_a_recorded_run_is_never_recorded_as_a_live_one(beside, tmp_path):
    told = {"IPCLAB_RUNS": "recorded", "IPCLAB_RECORD": str(tmp_path / "runs")}
    lines = said(beside, CAUGHT, "attempt(read_from_pipe)", **told)
    assert lines[0].startswith("RuntimeError no program is run here") and not (tmp_path / "runs").exists()


def test_another_value_of_the_switch_is_an_error(monkeypatch):
    monkeypatch.setenv("IPCLAB_RUNS", "canned")
    with pytest.raises(ValueError, match="IPCLAB_RUNS is 'canned'; it may be: live, recorded"):
        run(lambda: None)


def test_numbers_of_errors_and_signals_are_this_machines():
    def fails():  # inside, so that the run need not import this module, with all that tests need
        r, _w = os.pipe()
        os.set_blocking(r, False)
        try:
            os.read(r, 1)
        except BlockingIOError:
            pass
        if os.fork() == 0:
            name("killed")
            os.kill(os.getpid(), signal.SIGUSR1)
        os.wait()

    trace = run(fails, timeout=20)
    [read], killed = trace.calls("os.read"), trace.process("killed")
    assert (read.errno, killed.signal) == (errno.EAGAIN, signal.SIGUSR1)
    read.errno, killed.signal = 35, 30  # as another system has them
    machine = {"errno": {"35": "EAGAIN"}, "signal": {"30": "SIGUSR1"}, "system": "X"}
    found = recorded._trace(machine, trace.to_json())
    assert found.recorded == {"system": "X"}
    assert found.calls("os.read")[0].errno == errno.EAGAIN and found.process("killed").signal == signal.SIGUSR1


@pytest.fixture(scope="module")
def hall(beside):
    """A kernel with a person before it, on a machine that makes no stage."""
    with Kernel(beside) as kernel:
        kernel.run(EXPERIMENT + "import refuse; refuse.refuse('process')\nfrom ipclab import predict, exercise")
        yield kernel


def test_the_same_controls_show_recorded_runs(hall):
    bundle = hall.run("explorer = explore(read_from_pipe, blocking=[True, False], delay=(0.0, 0.5)); explorer")
    assert re.search(LABEL, bundle["text/plain"]) and re.search(LABEL, bundle["image/svg+xml"])
    hall.set(hall.model(description="blocking"), index=1)
    [*_others, (_at, html)] = hall.pictures(lambda html: "set_blocking(3, False)" in html)
    assert re.search(f"{LABEL}[;<\"]", html), "as chosen, so without another value"


def test_a_slider_shows_the_nearest_and_says_which(hall):
    hall.run("explorer = explore(read_from_pipe, blocking=[True, False], delay=(0.0, 0.5)); explorer")
    hall.set(hall.model(description="delay"), value=0.28)
    [*_others, (_at, html)] = hall.pictures(lambda html: "sleep(0.3)" in html)
    assert re.search(rf"{LABEL}, with delay=0\.3 \(chosen: delay=0\.28\)", html)
    assert hall.run("explorer.trace.params['delay'], explorer.trace.recorded['chosen']")["text/plain"] == (
        "(0.3, {'delay': 0.28})")


def test_a_choice_that_was_not_recorded_says_so(hall):
    hall.run("explorer = explore(read_from_pipe, n=[3, 5, 6]); explorer")
    buttons = hall.model(description="n")
    hall.set(buttons, index=2)
    [*_others, (_at, html)] = hall.pictures(lambda html: 'role="alert"' in html)
    assert "<svg" not in html and "read_from_pipe(blocking=True, n=6, delay=0.0)" in html
    assert hall.run("explorer.trace")["error"].startswith("PermissionError"), "not the trace of another choice"
    hall.set(buttons, index=1)
    hall.pictures(lambda html: "b&#x27;xxxxx&#x27;" in html or "b'xxxxx'" in html)


def test_a_prediction_is_decided_by_a_recorded_run_that_is_labelled(hall):
    hall.run(PREDICT.replace("predict(", "ballot = predict(", 1) + "\nballot.lecture.value = True; ballot")
    hall.press(hall.model(description="Reveal"))
    until = time.monotonic() + 20
    while hall.run("ballot.verdict is not None")["text/plain"] != "True":
        assert time.monotonic() < until, "no run decided"
    assert hall.run("ballot.verdict.right")["text/plain"] == "2"
    assert re.search(LABEL, hall.run("ballot.figure.value")["text/plain"])


def test_an_exercise_needs_a_live_machine(hall):
    text = hall.run("exercise(read_from_pipe, [({}, b\"b'xxx'\\n\")], lambda trace: trace.stdout).result.sentences()")
    assert "Not checked: an exercise runs what you wrote" in text["text/plain"]
    assert "Done" not in text["text/plain"] and "Operation not permitted" in text["text/plain"]


def test_a_cell_that_fails_is_told_and_the_slides_are_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lecture, "slides", lambda *_args: book_of("1 / 0"))
    assert lecture.lecture(["01"], record=True, folder=tmp_path) == 1
    assert "ZeroDivisionError" in (errors := capsys.readouterr().err) and "Nothing was recorded." in errors
    assert [file.suffix for file in tmp_path.iterdir()] == [".ipynb"]


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """A chapter's slides with their recording beside them: the notebook's path."""
    folder = tmp_path_factory.mktemp("chapter")
    assert lecture.lecture(["02"], record=True, folder=folder) == 0
    [notebook] = folder.glob("*.ipynb")
    return notebook


def test_a_whole_chapter_goes_on_in_a_hall_that_runs_no_programs(chapter, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{TESTS}")
    recording_of = chapter.with_name(chapter.stem + recorded.SUFFIX)
    assert recording_of.stat().st_size < 2_000_000
    book = nbformat.read(chapter, 4)
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    book.cells.insert(0, nbformat.v4.new_code_cell("import refuse\nrefuse.refuse('process', 'memfd_create')"))
    NotebookClient(book, timeout=300, resources={"metadata": {"path": chapter.parent}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [html for output in outputs if "<svg" in (html := output.get("data", {}).get("text/html", ""))]
    svgs = [svg for html in pictures for svg in html.split("<svg")[1:]]
    assert len(svgs) > 20 and all(re.search(LABEL, svg.partition(">")[2]) for svg in svgs), "each picture, visibly"
    exercises = [cell for cell in book.cells if cell.source.startswith("exercise(")]
    assert exercises and all("Not checked" in str(cell.outputs) for cell in exercises)


def test_a_trace_that_was_kept_before_there_were_recordings_is_read():
    data = json.loads(run(lambda: None).to_json())
    del data["recorded"]
    assert Trace.from_json(json.dumps(data)).recorded is None
