"""exercise() without a browser: what passes and what does not, hints and solutions; and the chapters' own exercises."""
import ast
import os

import pytest
from chapters import NOTEBOOKS, ROOT, SOLUTIONS, sources, surroundings

from ipclab import exercise, name, state
from ipclab.exercise import solution
from ipclab.tutor import Tutor

pytestmark = pytest.mark.chapters

EXERCISES = [pytest.param(notebook, source, id=f"{notebook.stem}-{cell}")
             for notebook in NOTEBOOKS for cell, source in sources(notebook, "exercise").items()]
CASES = [({"n": 1}, b"1\n"), ({"n": 2}, b"4\n")]


@pytest.fixture(autouse=True)
def a_new_student(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "_here", {})
    monkeypatch.setenv("IPCLAB_STATE", str(tmp_path))
    monkeypatch.delenv("IPCLAB_LOOK", raising=False)


def printed(trace):
    return trace.stdout


def square(n=1):
    print(n * n)


def double(n=1):
    print(2 * n)


def same(n=1):
    print(n)


def raise_one(n=1):
    raise ValueError("mine")


def loop(n=1):
    while True:
        pass


def bomb(n=1):
    while True:
        os.fork()


def wait_for_oneself(n=1):
    name("reader")
    r, w = os.pipe()
    os.read(r, 1)


def checked(function, cases=CASES, outcome=printed, timeout=20.0):
    return exercise(function, cases, outcome, ["first", "`second`"], timeout=timeout)


def html(shown):
    return shown._repr_mimebundle_()["text/html"]


def test_all_cases_pass():
    assert repr(checked(square)) == "✔ Done: all 2 cases came out as expected."
    assert "Done" in html(checked(square)) and "ipclab-room" not in html(checked(square))


def test_the_first_case_that_fails_is_told():
    sheet = checked(same)
    assert sheet.result.passed == 1
    assert repr(sheet).splitlines() == ["✘ Not yet. Case 2 of 2: n=2", r"What was expected: b'4\n'",
                                        r"What happened: b'2\n'"]


def test_on_paper_there_is_room_to_write_and_no_hint():
    text = html(checked(double))
    assert text.count("border-bottom") >= 8
    assert "first" not in text and "expected" not in text


def test_an_exception_of_the_program_is_told():
    assert "parent raised ValueError: mine" in repr(checked(raise_one))


def test_an_exception_is_a_failure_whatever_came_out():
    assert not checked(raise_one, [({}, None)], lambda trace: None).result.done


@pytest.mark.parametrize("endless", [loop, bomb, wait_for_oneself])
def test_what_never_ends_is_ended_by_the_deadline(endless, nothing_left):
    sheet = checked(endless, timeout=0.5)
    assert not sheet.result.done and sheet.result.trace.timed_out
    assert "The deadline of 0.5 s ended it." in repr(sheet)
    assert len(sheet.result.why) <= 7, "a fork bomb's processes are not all told"


def test_who_holds_the_other_end_is_told():
    assert "the other end is held open by reader (fd 4)" in repr(checked(wait_for_oneself, timeout=2.0))


def test_an_outcome_that_cannot_be_had_is_a_failure():
    assert "IndexError" in repr(checked(square, outcome=lambda trace: trace.calls("os.pipe")[0]))


def test_what_cannot_be_run_is_a_failure_and_no_exception():
    assert "no parameter 'n'" in repr(checked(lambda: None))
    assert "takes a function" in repr(checked(7))


def test_an_exercise_without_a_case_is_an_error():
    with pytest.raises(ValueError, match="a case or more"):
        checked(square, [])


def tutor(function):
    return Tutor(function, checked(function).result, ["first", "`second`"], "screen")


def test_hints_come_one_at_a_time():
    shown = tutor(double)
    assert (shown.hint.description, shown.told.value) == ("Hint 1 of 2", "")
    shown.hint.click()
    assert "first" in shown.told.value and "second" not in shown.told.value
    shown.hint.click()
    assert "<code>second</code>" in shown.told.value and shown.hint.description == "No more hints"
    shown.hint.click()
    assert shown.told.value.count("<li>") == 2


def renamed(function, name):
    function.__name__ = name
    return function


def test_the_solution_opens_after_an_attempt(monkeypatch):
    def attempt(n=1):
        print(n + 2)

    monkeypatch.setattr("ipclab.tutor.solution", lambda name: f"def {name}: ...")
    first = tutor(renamed(attempt, "double"))
    first.solve.click()
    assert "opens when you have changed the program" in first.solved.value
    again = tutor(attempt)
    again.solve.click()
    assert "opens when" in again.solved.value, "the same program is no new attempt"
    changed = tutor(double)
    changed.solve.click()
    assert "def double: ..." in changed.solved.value


def test_the_solution_is_open_when_the_exercise_is_done():
    done = tutor(square)
    done.solve.click()
    assert "There is no solution of square" in done.solved.value


def test_a_tutor_without_a_file_goes_on(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("IPCLAB_STATE", str(tmp_path / "file" / "below"))
    assert any("could not be kept" in getattr(child, "value", "") for child in tutor(double).widget.children)


@pytest.mark.parametrize("notebook, source", EXERCISES)
def test_a_chapters_exercise_is_not_done_yet(notebook, source):
    sheet = eval(source, surroundings(notebook))
    assert repr(sheet).startswith("✘ Not yet."), repr(sheet)


@pytest.mark.parametrize("notebook, source", EXERCISES)
def test_the_solution_does_it(notebook, source):
    names = surroundings(notebook)
    exec((SOLUTIONS / f"{notebook.stem}.py").read_text(), names)
    sheet = eval(source, names)
    assert sheet.result.done, repr(sheet)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_exercise_has_its_solution_apart(notebook, monkeypatch, tmp_path):
    asked = [ast.parse(source).body[0].value.args[0].id for source in sources(notebook, "exercise").values()]
    assert len(asked) == 3
    solved = ast.parse((SOLUTIONS / f"{notebook.stem}.py").read_text()).body
    assert asked == [node.name for node in solved if isinstance(node, ast.FunctionDef)]
    monkeypatch.chdir(tmp_path)
    for function in asked:
        text = solution(function)
        assert text.startswith(f"def {function}(") and text not in (ROOT / "notebooks" / notebook.name).read_text()
    assert solution("no_such_function") is None
