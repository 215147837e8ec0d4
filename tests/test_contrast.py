"""Contrast AA in the pictures, in every look, computed from what they paint: axe-core judges no text over shapes."""
import pytest
from contrast import SVG, colour, contrast, painted
from traces import at_random, read_from_pipe

from ipclab.look import LOOKS
from ipclab.timeline import timeline

GROUND = {"page", "band", "rule", "gap"}  # what only guides the eye: names, times and bars say it all
TEXT, SIGN = 4.5, 3.0  # https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast


def pictures(look):
    """Pictures of every kind of call and end, whole and at a step."""
    for whole in [read_from_pipe(), *(at_random(seed, 1 + seed % 4, (3, 8, 30)[seed % 3]) for seed in range(24))]:
        for step in {None, len(whole.events) // 2 or None}:
            yield timeline(whole, look, step=step).svg


def kinds(element):
    return set(element.get("class").split())


def worst(inks, grounds):
    return min(contrast(ink, ground) for ink in inks for ground in grounds)


def best(inks, ground):
    """Of a shape's edge and fill one is enough."""
    return max(contrast(ink, ground) for ink in inks)


@pytest.mark.parametrize("look", LOOKS)
def test_every_text_stands_out_from_what_lies_under_it(look):
    seen = set()
    for svg in pictures(look):
        for element, inks, under in painted(svg):
            if element.tag == SVG + "text":
                seen |= kinds(element)
                assert worst(inks, under[0]) >= TEXT, (element.attrib, under)
    assert seen >= {"n", "h", "x", "w", "dl", "bad", "onrun", "onwait", "later"}


@pytest.mark.parametrize("look", LOOKS)
def test_every_sign_stands_out_from_what_is_beside_it(look):
    """But for what is dimmed: at that step it has not happened yet, and its label keeps its contrast."""
    seen = set()
    for svg in pictures(look):
        for element, inks, under in painted(svg):
            if element.tag != SVG + "text" and not kinds(element) & (GROUND | {"later"}):
                seen |= kinds(element)
                assert any(best(inks, spot[0]) >= SIGN for spot in under), (element.attrib, under)
    assert seen >= {"run", "wait", "fail", "hand", "many", "cross", "life", "mark", "pole", "birth", "wake", "dead",
                    "now"}


@pytest.mark.parametrize("look", LOOKS)
def test_hatch_and_dots_stand_out_from_their_ground(look):
    colours = LOOKS[look].colours
    assert contrast(colour(colours["stripe"]), colour(colours["wait"])) >= SIGN
    assert contrast(colour(colours["dot"]), colour(colours["hand"])) >= SIGN


def test_a_text_that_is_too_pale_would_be_found():
    svg = timeline(read_from_pipe(), "screen").svg.replace("fill:#1A1A1A", "fill:#8A8A8A")
    pale = [element for element, inks, under in painted(svg) if element.tag == SVG + "text"
            and worst(inks, under[0]) < TEXT]
    assert len(pale) > 5
