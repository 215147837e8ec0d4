"""Contrast AA in the pictures, in every look, computed from what they paint: axe-core judges no text over shapes."""
import pytest
from contrast import SIGN, clear, colour, contrast, judged
from traces import at_random, read_from_pipe

from ipclab.look import LOOKS
from ipclab.timeline import timeline


def pictures(look):
    """Pictures of every kind of call and end, whole and at a step."""
    for whole in [read_from_pipe(), *(at_random(seed, 1 + seed % 4, (3, 8, 30)[seed % 3]) for seed in range(24))]:
        for step in {None, len(whole.events) // 2 or None}:
            yield timeline(whole, look, step=step).svg


@pytest.mark.parametrize("look", LOOKS)
def test_every_text_and_sign_stands_out_from_what_is_under_or_beside_it(look):
    assert clear(pictures(look)) >= {
        "n", "h", "x", "w", "dl", "bad", "onrun", "onwait", "later",
        "run", "wait", "fail", "hand", "many", "cross", "life", "mark", "pole", "birth", "wake", "dead", "now"}


@pytest.mark.parametrize("look", LOOKS)
def test_hatch_and_dots_stand_out_from_their_ground(look):
    colours = LOOKS[look].colours
    assert contrast(colour(colours["stripe"]), colour(colours["wait"])) >= SIGN
    assert contrast(colour(colours["dot"]), colour(colours["hand"])) >= SIGN


def test_a_text_that_is_too_pale_would_be_found():
    svg = timeline(read_from_pipe(), "screen").svg.replace("fill:#1A1A1A", "fill:#8A8A8A")
    assert len(judged(svg)[1]) > 5
