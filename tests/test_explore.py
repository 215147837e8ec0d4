"""explore() without a browser: what may be chosen, what stands where nobody chooses, and a kernel at work."""
import ast
import asyncio
import os
import subprocess
import sys
import time

import ipywidgets
import nbformat
import psutil
import pytest
from person import Kernel
from pipe_cell import EXPERIMENT
from remains import wait_for

from ipclab.controls import control, label_of, read_choices, samples, tidy
from ipclab.explore import FRAME, Explorer
from ipclab.twin import MOST, cases, label, spread


def experiment(blocking=True, n=3, delay=0.2, mode="a"):
    pass


def read(**choices):
    return read_choices(experiment, choices)


@pytest.mark.parametrize("given, kind, start", [
    ({"blocking": [True, False]}, ipywidgets.ToggleButtons, True),
    ({"blocking": False}, ipywidgets.ToggleButtons, False),
    ({"n": [1, 2, 3]}, ipywidgets.ToggleButtons, 3),
    ({"n": (7, 8, 9, 10)}, ipywidgets.ToggleButtons, 7),
    ({"n": {"one": 1, "three": 3}}, ipywidgets.ToggleButtons, 3),
    ({"n": range(20)}, ipywidgets.SelectionSlider, 3),
    ({"n": ["a long option " * 3, "another long option"]}, ipywidgets.SelectionSlider, "a long option " * 3),
    ({"n": (1, 9)}, ipywidgets.IntSlider, 3),
    ({"n": (4, 9)}, ipywidgets.IntSlider, 4),
    ({"n": (0, 1 << 16, 4096)}, ipywidgets.IntSlider, 3),
    ({"delay": (0, 0.5)}, ipywidgets.FloatSlider, 0.2),
    ({"delay": (0.5, 2.0, 0.5)}, ipywidgets.FloatSlider, 0.5),
    ({"mode": "b"}, ipywidgets.Text, "b"),
    ({"mode": ipywidgets.Textarea("c")}, ipywidgets.Textarea, "c"),
])
def test_abbreviations_become_controls_that_start_with_the_default(given, kind, start):
    [widget] = map(control, read(**given))
    assert type(widget) is kind
    assert widget.value == start and type(widget.value) is type(start)


def test_controls_are_labelled_by_their_parameters():
    assert [control(choice).description for choice in read(blocking=True, n=(1, 9))] == ["blocking", "n"]


def test_one_is_not_taken_for_true():
    [choice] = read(n=[True, 1, 2])
    assert choice.value is True  # the default, 3, is not among them
    [choice] = read_choices(lambda n=1: None, {"n": [True, 1]})
    assert choice.value == 1 and choice.value is not True


@pytest.mark.parametrize("given, error, words", [
    ({"dealy": (0, 1)}, TypeError, r"no parameter 'dealy'; it has: blocking, n, delay, mode"),
    ({"n": 3}, TypeError, r"n=3 is not a choice; give one of: .*slider"),
    ({"n": None}, TypeError, "not a choice"),
    ({"n": []}, ValueError, "nothing to choose from"),
    ({"n": {}}, ValueError, "nothing to choose from"),
    ({"n": (5, 1)}, ValueError, "low < high"),
    ({"n": (1, 5, 0)}, ValueError, "step above 0"),
    ({"delay": (0.0, float("nan"))}, ValueError, "low < high"),
    ({"delay": (0.0, float("inf"))}, ValueError, "low < high"),
])
def test_what_is_no_choice_is_an_error_that_says_what_is(given, error, words):
    with pytest.raises(error, match=words):
        read(**given)


def test_a_parameter_without_default_needs_a_choice():
    def needs(fd, n=1):
        pass

    with pytest.raises(TypeError, match="needs a choice for its parameter 'fd'"):
        read_choices(needs, {"n": [1, 2]})


@pytest.mark.parametrize("limits, step, form", [
    ((0.0, 0.5), 0.02, ".2f"), ((0.0, 1.0), 0.02, ".2f"), ((0.0, 3.0), 0.1, ".1f"), ((0.0, 0.001), 2e-5, ".5f"),
    ((0.0, 100.0), 2.0, ".0f"), ((0, 2.5), 0.1, ".1f")])
def test_a_float_slider_has_some_dozens_of_positions_and_shows_their_digits(limits, step, form):
    [widget] = map(control, read(delay=limits))
    assert widget.step == pytest.approx(step) and widget.readout_format == form
    assert 20 <= (widget.max - widget.min) / widget.step <= 70


def test_values_are_as_a_person_would_write_them():
    assert tidy(0.1 + 0.2) == 0.3 and tidy(7) == 7 and tidy("x") == "x"
    assert [label_of(value) for value in ("x", 3, b"x", os.read, True)] == ["x", "3", "b'x'", "read", "True"]


def test_a_slider_is_shown_at_three_values_its_start_among_them():
    assert [value for _label, value in samples(read(delay=(0, 0.5))[0])] == [0.0, 0.2, 0.5]
    assert [value for _label, value in samples(read(n=(3, 9))[0])] == [3, 6, 9]


def test_outcomes_vary_one_parameter_at_a_time():
    shown, left = cases(read(blocking=[True, False], n=(1, 9)))
    assert [label(case) for case in shown] == [
        "blocking=True, n=3", "blocking=False, n=3", "blocking=True, n=1", "blocking=True, n=9"]
    assert left == {}


def test_one_parameter_keeps_its_order():
    assert [case["n"] for case in cases(read(n=[1, 3, 2]))[0]] == [1, 3, 2]


def test_outcomes_are_few_and_what_is_left_out_is_counted():
    shown, left = cases(read(n=range(100)))
    assert len(shown) == MOST and left == {"n": 100 - MOST}
    assert shown[0] == {"n": 0} and shown[-1] == {"n": 99}
    shown, left = cases(read(n=range(100), delay=(0, 1.0), blocking=True, mode=list("abcdef")))
    assert len(shown) <= MOST and len(shown) + sum(left.values()) == 1 + 99 + 2 + 1 + 5
    assert set(left) == {"n", "delay", "mode"}
    assert cases([]) == ([{}], {})


def test_spread_keeps_the_ends():
    assert spread(list(range(9)), 3) == [0, 4, 8] and spread([1, 2], 5) == [1, 2] and spread([1, 2], 1) == [1]


def test_without_ipython_the_outcomes_are_run_at_once(tmp_path):
    (tmp_path / "script.py").write_text(EXPERIMENT + """
outcomes = explore(read_from_pipe, blocking=[True, False])
print([(case, trace.output.strip(), trace.params["blocking"]) for case, trace in outcomes.traces])
print(outcomes.trace is outcomes.traces[0][1])
html = outcomes._repr_mimebundle_()["text/html"]
print(sorted(outcomes._repr_mimebundle_()), html.count("<svg"), html.count('role="img"'))
print(outcomes)
import sys
print([name for name in ("ipywidgets", "matplotlib", "numpy") if name in sys.modules])
""")
    lines = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, text=True, check=True, capture_output=True,
                           env=os.environ | {"PYTHONPATH": os.getcwd()}).stdout.splitlines()
    first, second = ast.literal_eval(lines[0])
    assert first == ({"blocking": True}, "b'xxx'", True) and second[::2] == ({"blocking": False}, False)
    assert second[1] in ("Resource temporarily unavailable", "b'xxx'")  # the writer may be the first
    assert lines[1] == "True"
    assert lines[2].startswith("['text/html', 'text/plain'] 2 ")
    assert lines[3].startswith("blocking=True: read_from_pipe:") and lines[4].startswith("blocking=False: ")
    assert lines[-1] == "[]", "the outcomes need no widgets"


@pytest.mark.parametrize("tool", [
    ["papermill", "test.ipynb", "out.ipynb"], ["nbconvert", "--to", "notebook", "--execute", "test.ipynb"],
    ["pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "test.ipynb"]])
def test_tools_without_a_person_get_the_outcomes(tool, tmp_path):
    check = "assert type(explorer).__name__ == 'Twin' and len(explorer.traces) == 2\nexplorer"
    cells = [EXPERIMENT, "explorer = explore(read_from_pipe, blocking=[True, False])", check]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "test.ipynb")
    result = subprocess.run([sys.executable, "-m", *tool], cwd=tmp_path, text=True, capture_output=True,
                            env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def kernel():
    with Kernel() as kernel:
        kernel.run(EXPERIMENT)
        yield kernel


def test_a_person_gets_the_widget_and_the_figure(kernel):
    bundle = kernel.run("explore(read_from_pipe, blocking=[True, False])")
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "image/svg+xml", "text/plain"}
    assert 'role="img"' in bundle["text/html"] and "<svg" in bundle["text/html"]
    assert bundle["text/plain"].startswith("read_from_pipe: ")


def test_a_wrong_parameter_is_an_error_of_the_cell(kernel):
    assert kernel.run("explore(read_from_pipe, dealy=(0, 1))")["error"].startswith("TypeError: read_from_pipe() has no")
    assert "look" in kernel.run("explore(read_from_pipe, look='poster')")["error"]


def test_the_environment_chooses_the_look(kernel):
    kernel.run("os.environ['IPCLAB_LOOK'] = 'projector'")
    assert 'viewBox="0 0 1280 ' in kernel.run("explore(read_from_pipe)")["image/svg+xml"]
    kernel.run("del os.environ['IPCLAB_LOOK']")
    assert 'viewBox="0 0 1280 ' not in kernel.run("explore(read_from_pipe)")["image/svg+xml"]


def test_trace_is_the_newest_and_waited_for(kernel):
    kernel.run("explorer = explore(read_from_pipe, blocking=[True, False], delay=(0.0, 1.0))")
    assert kernel.run("explorer.trace.output")["text/plain"] == repr("b'xxx'\n")
    for cell in ("explorer.controls['delay'].value = 0.3; %s", "%s"):  # in the change's own cell, and in the next
        found = kernel.run(cell % "explorer.trace.params['delay'], explorer.trace.seconds >= 0.3")
        assert found["text/plain"] == "(0.3, True)"


def test_the_last_of_several_changes_wins(kernel):
    kernel.run("explorer = explore(read_from_pipe, delay=(0.0, 2.0)); explorer")
    slider = kernel.model(description="delay")
    for value in (2.0, 1.5, 1.0, 0.5, 0.04):
        kernel.set(slider, value=value)
    kernel.pictures(lambda html: "sleep(0.04)" in html and "exit 0" in html, seconds=1.0)
    assert kernel.run("explorer.trace.params['delay']")["text/plain"] == "0.04"


def test_a_long_run_is_drawn_while_it_goes(kernel):
    kernel.run("explorer = explore(read_from_pipe, delay=(0.0, 2.0)); explorer")
    kernel.set(kernel.model(description="delay"), value=1.0)
    seen = kernel.pictures(lambda html: "sleep(1.0)" in html and "exit 0" in html)
    times = [at for at, _html in seen]
    assert len(times) >= 8, "ten a second were meant"
    assert all("<svg" in html for _at, html in seen), "no frame is without a picture"


def test_what_fails_is_said_in_the_pictures_place(kernel):
    kernel.run("big = None\ndef uses(n=1):\n    return big\nexplorer = explore(uses, n=(1, 5)); explorer")
    kernel.run("import threading; big = threading.Lock()")
    kernel.set(kernel.model(description="n"), value=2)
    [(_at, html)] = kernel.pictures(lambda html: 'role="alert"' in html)
    assert "TypeError" in html and "big" in html
    kernel.run("big = None")
    kernel.set(kernel.model(description="n"), value=3)
    assert "<svg" in kernel.pictures(lambda html: "<svg" in html)[-1][1], "the next change draws again"


def test_a_run_that_ends_just_before_it_is_drawn_is_drawn_to_its_end_and_let_go(tmp_path):
    """The loop looks for news, and only then does the run end; what it does next is to draw the run so far."""
    def waits(path, n=1):
        while not os.path.exists(path):
            pass

    async def moments():
        explorer = Explorer(waits, read_choices(waits, {"path": str(tmp_path / "go"), "n": (1, 5)}), 20.0, "screen",
                            None, asyncio.get_running_loop())

        def end():
            (tmp_path / "go").touch()
            wait_for(explorer._run.done, "the run's end")

        asyncio.get_running_loop().call_later(0, end)
        time.sleep(2 * FRAME)  # now both are due, and end() comes first
        while explorer.panel.picture is None:
            await asyncio.sleep(0)
        assert "exit 0" in explorer.panel.picture.svg
        explorer.controls["n"].value = 2
        while explorer.panel.trace.params["n"] != 2 or not explorer._run.done():
            await asyncio.sleep(0.01)
        assert 'role="alert"' not in explorer.panel._image.value

    asyncio.run(asyncio.wait_for(moments(), 20))


def test_200_changes_leave_no_memory_and_no_process(kernel):
    kernel.run("explorer = explore(read_from_pipe, blocking=[True, False]); explorer")
    buttons, process = kernel.model(description="blocking"), psutil.Process(kernel.manager.provisioner.pid)

    def change(times):
        for k in range(times):
            kernel.set(buttons, index=1 - k % 2)
            kernel.pictures(lambda html, sign=f"set_blocking(3, {bool(k % 2)})": sign in html)
        kernel.run("explorer.trace")
        return process.memory_info().rss

    before, fds = change(60), process.num_fds()
    assert change(200) - before < 4 << 20
    assert process.num_fds() <= fds + 1
    assert len(process.children(recursive=True)) <= 3, "the stage and at most a run that is being cleared away"
