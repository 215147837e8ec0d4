"""What is usually said is judged by what was observed, and by nothing else."""
import pytest

from ipclab import sayings


@pytest.fixture(autouse=True)
def nothing_judged(monkeypatch):
    monkeypatch.setattr(sayings, "_judged", {})


@pytest.mark.parametrize("cases, verdict", [
    ([True], "✔ a holds"),
    ([False], "✘ a not so"),
    ([("small", True), ("large", True)], "✔ a holds (small; large)"),
    ([("small", False), ("large", False)], "✘ a not so (small; large)"),
    ([("small", True), ("large", False), ("huge", False)], "◐ a holds only in part: yes (small), no (large; huge)"),
])
def test_verdict(cases, verdict):
    sayings.usually_said("a", *cases)
    assert repr(sayings.what_held()) == verdict


def test_a_cell_that_is_run_again_judges_again_in_its_old_place():
    for held in (True, False):
        sayings.usually_said("`first` <one>", held)
        sayings.usually_said("second", True)
    shown = sayings.what_held()
    assert repr(shown) == "✘ first <one> not so\n✔ second holds"
    html = shown._repr_mimebundle_()["text/html"]
    assert html.count("<tr>") == 3 and html.count('<th scope="row"') == 2
    assert "<code>first</code> &lt;one&gt;</th>" in html


@pytest.mark.parametrize("cases, error", [([], ValueError), ([1], TypeError), ([("a", 1)], TypeError),
                                          ([("a", True, 3)], TypeError), ([(1, True)], TypeError)])
def test_what_is_no_observation_is_refused(cases, error):
    with pytest.raises(error):
        sayings.usually_said("a", *cases)


def test_nothing_judged_says_so():
    assert "check cells" in repr(sayings.what_held())
    assert "check cells" in sayings.what_held()._repr_mimebundle_()["text/html"]
