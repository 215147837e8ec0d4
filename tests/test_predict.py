"""predict() without a browser: what stands on paper, what a run decides, what is kept; and the chapters' questions."""
import ast
import json
import multiprocessing
import os
import sys

import pytest
from chapters import NOTEBOOKS, sources, surroundings

from ipclab import predict, predictions, state
from ipclab.predict import Prediction, contradiction

OPTIONS = {1: "`one`", 2: ("two", "You counted twice."), 3: ("three", "You counted three times.")}


def print_number(number=1):
    print(number)


def number(trace):
    return int(trace.output)


@pytest.fixture(autouse=True)
def a_new_notebook(monkeypatch, tmp_path):
    """No question has been asked, and the student's file is a new one."""
    monkeypatch.setattr(sys.modules["ipclab.predict"], "_asked", {})
    monkeypatch.setattr(state, "_here", {})
    monkeypatch.setenv("IPCLAB_STATE", str(tmp_path / "state"))
    for name in ("IPCLAB_ANSWERS", "IPCLAB_LOOK", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def html(shown):
    return shown._repr_mimebundle_()["text/html"]


def test_on_paper_the_question_stands_alone():
    prediction = predict("What does `print_number` print?", OPTIONS, number, print_number)
    assert isinstance(prediction, Prediction)
    assert repr(prediction) == "Question 1. What does print_number print?\n  1. one\n  2. two\n  3. three"
    assert "<code>print_number</code>" in html(prediction) and "<li><code>one</code></li>" in html(prediction)
    assert "counted" not in html(prediction) + repr(prediction)


@pytest.mark.parametrize("given, right", [(1, 0), (2, 1), (3, 2), (4, None)])
def test_the_run_decides(given, right):
    verdict = predict("How many?", OPTIONS, number, print_number, number=given).verdict()
    assert (verdict.outcome, verdict.right) == (given, right)
    assert verdict.trace.output == f"{given}\n"


def test_a_run_that_contradicts_every_option_is_told_so():
    verdict = predict("How many?", OPTIONS, number, print_number, number=4).verdict()
    assert contradiction(verdict) == "This run contradicts every option. What came out: `4`"


def test_a_run_that_gives_no_outcome_contradicts_too():
    verdict = predict("How many?", OPTIONS, number, print_number, number="none").verdict()
    assert verdict.right is None and "ValueError" in contradiction(verdict)


def test_the_answers_stand_at_the_end():
    predict("First?", OPTIONS, number, print_number)
    predict("Second?", OPTIONS, number, print_number, number=2)
    predict("Third?", OPTIONS, number, print_number, number=4)
    assert repr(predictions()).splitlines() == [
        "Answers",
        "1. First?", "   ✔ 1. one", "   Not 2: You counted twice.", "   Not 3: You counted three times.",
        "2. Second?", "   ✔ 2. two", "   Not 3: You counted three times.",
        "3. Third?", "   ✘ This run contradicts every option. What came out: 4"]
    assert html(predictions()).count("<li") == 3


def test_the_answers_stand_nowhere(monkeypatch):
    predict("First?", OPTIONS, number, print_number)
    monkeypatch.setenv("IPCLAB_ANSWERS", "none")
    assert predictions()._repr_mimebundle_() == {"text/plain": "", "text/html": ""}


def test_another_place_for_the_answers_is_an_error(monkeypatch):
    monkeypatch.setenv("IPCLAB_ANSWERS", "front")
    with pytest.raises(ValueError, match="'front'; it may be: end, none"):
        predictions()


def test_a_cell_that_is_run_again_asks_no_second_question():
    predict("First?", OPTIONS, number, print_number)
    predict("Second?", OPTIONS, number, print_number, number=2)
    again = predict("First, in other words?", OPTIONS, number, print_number)
    assert again.number == 1
    assert [texts[0] for texts in predictions().items] == ["First, in other words?", "Second?"]


@pytest.mark.parametrize("options, more, error, words", [
    ({1: "one"}, {}, ValueError, "two options or more"),
    ({1: "one", 2: ("two", "idea", "more")}, {}, ValueError, "option 2: give its text"),
    ({1: "one", 2: 2.0}, {}, ValueError, "option 2: give its text"),
    (OPTIONS, {"numbr": 1}, TypeError, "no parameter 'numbr'"),
    (OPTIONS, {"look": "cinema"}, ValueError, "look 'cinema' is unknown"),
])
def test_what_cannot_be_asked_is_an_error(options, more, error, words):
    with pytest.raises(error, match=words):
        predict("?", options, number, print_number, **more)


def test_what_is_kept_is_in_the_students_file(tmp_path):
    assert state.keep("predictions", "one", {"right": True}) is None
    file = tmp_path / "state" / "answers.json"
    assert json.loads(file.read_text()) == {"predictions": {"one": {"right": True}}}
    assert file.stat().st_mode & 0o077 == 0, "nobody else is to read it"
    state._here.clear()
    assert state.recall("predictions", "one") == {"right": True}
    assert state.recall("predictions", "two", 7) == 7


def keep_many(writer, n):
    for k in range(n):
        state.keep("predictions", f"{writer}/{k}", k)


def test_kernels_that_write_at_once_lose_nothing(tmp_path):
    writers = [multiprocessing.get_context("spawn").Process(target=keep_many, args=(w, 25)) for w in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = json.loads((tmp_path / "state" / "answers.json").read_text())["predictions"]
    assert len(kept) == 100
    assert sorted(os.listdir(tmp_path / "state")) == ["answers.json", "answers.json.lock"]


def test_a_file_that_cannot_be_written_is_told_and_the_kernel_remembers(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("IPCLAB_STATE", str(tmp_path / "file" / "below"))
    assert "could not be kept" in state.keep("predictions", "one", 1)
    assert state.recall("predictions", "one") == 1


def test_a_kernel_that_holds_the_lock_does_not_hold_up_the_others(monkeypatch, tmp_path):
    state.keep("predictions", "one", 1)
    monkeypatch.setattr(state, "PATIENCE", 0.05)
    with state._locked(str(tmp_path / "state" / "answers.json.lock")):
        assert "another program holds" in state.keep("predictions", "two", 2)


@pytest.mark.parametrize("text", ["{", "[1]", '{"predictions": 1}', "\udcff"])
def test_a_damaged_file_is_put_aside(tmp_path, text):
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "answers.json").write_bytes(text.encode("utf8", "surrogateescape"))
    assert state.recall("predictions", "one") is None
    assert state.keep("predictions", "one", 1) is None
    assert json.loads((folder / "answers.json").read_text()) == {"predictions": {"one": 1}}
    [aside] = folder.glob("answers.json.damaged-*")
    assert aside.read_bytes() == text.encode("utf8", "surrogateescape")


def test_a_file_kept_elsewhere_by_a_link_stays_there(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "answers.json").symlink_to(tmp_path / "mine.json")
    state.keep("predictions", "one", 1)
    assert (tmp_path / "state" / "answers.json").is_symlink()
    assert json.loads((tmp_path / "mine.json").read_text()) == {"predictions": {"one": 1}}


@pytest.mark.parametrize("base, folder", [("/some/where", "/some/where/ipclab"),
                                          ("relative", "/students/one/.local/state/ipclab")])
def test_the_file_is_where_xdg_says(monkeypatch, base, folder):
    monkeypatch.delenv("IPCLAB_STATE")
    monkeypatch.setenv("HOME", "/students/one")
    monkeypatch.setenv("XDG_STATE_HOME", base)
    assert state.folder() == folder


@pytest.mark.parametrize("notebook, cell, source", [
    pytest.param(notebook, cell, source, id=f"{notebook.stem}-{cell}")
    for notebook in NOTEBOOKS for cell, source in sources(notebook, "predict").items()])
def test_a_run_agrees_with_one_of_a_chapters_options(notebook, cell, source):
    prediction = eval(source, surroundings(notebook))
    verdict = prediction.verdict()
    assert verdict.right is not None, contradiction(verdict)
    wrong = [option for k, option in enumerate(prediction.options) if k != verdict.right]
    assert all(option.idea for option in wrong), "a wrong option says what idea leads to it"


def runs(source):
    """(experiment, its arguments) of each predict, run and explore of a cell, as text."""
    for node in ast.walk(ast.parse(source)):
        called = getattr(getattr(node, "func", None), "id", None)
        if called in ("predict", "run", "explore"):
            words = [ast.unparse(keyword) for keyword in node.keywords if keyword.arg != "timeout"]
            yield node.args[3 if called == "predict" else 0].id, sorted(words)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_questions_come_before_their_pictures(notebook):
    seen = []
    for cell, source in sources(notebook).items():
        new = list(runs(source))
        assert not source.startswith("predict(") or new[0] not in seen, f"{cell}: its run was shown before"
        seen += new


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_there_are_questions_and_the_last_cell_answers_them(notebook):
    assert 3 <= len(sources(notebook, "predict")) <= 8
    assert list(sources(notebook).values())[-1] == "predictions()"
