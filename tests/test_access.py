"""Accessibility of what is live, in a real browser: the notebook in every look, slides; and chapter 01 from its first
control to its last by keyboard alone."""
import time

import nbformat
import pytest
from access import check, check_sentences
from browser import ROOT, lab, until
from test_lecture import go_on, start, up_to_the_first_control
from walk import Walk

from ipclab import paper

pytestmark = pytest.mark.browser

CHAPTER = ROOT / "notebooks" / "01_anonymous_pipe.ipynb"
OURS = [".jp-Notebook .jp-MarkdownOutput", ".jp-Notebook .jp-OutputArea-output"]  # the rest is JupyterLab's own
WINDOW = 10_000  # pixels
HEIGHTS = "return [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(e => e.getBoundingClientRect().height)"
ONLY = """[...document.querySelectorAll('.jp-Notebook .jp-Cell')].forEach((cell, place) => {
    cell.style.display = place >= arguments[0] && place < arguments[1] ? '' : 'none'; });
document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0;"""
ALL_TO_BE_SEEN = """const style = document.createElement('style');
style.textContent = '.jp-Notebook .jp-Cell {content-visibility: visible !important} body {height: 100vh}';
document.head.append(style);"""


@pytest.fixture(scope="module")
def room():
    with lab(size=(1280, 720)) as page:
        yield page


def show(page, book, **told):
    """Opens the notebook, with these variables in its kernel's environment, and runs all of it."""
    name = f"{told['IPCLAB_LOOK']}.ipynb"
    first = next(place for place, cell in enumerate(book.cells) if cell.cell_type == "code")
    told |= {"IPCLAB_STATE": str(page.folder.parent / name)}
    book.cells.insert(first, nbformat.v4.new_code_cell(f"import os\nos.environ.update({told})", id="told"))
    page.show(book, name, patience=120)
    page.js(ALL_TO_BE_SEEN)


def check_notebook(page, language="en"):
    """All of the notebook, some cells at a time, in a window in which all of them are to be seen: what is scrolled out
    of view axe-core does not judge, and a page of more than 16 384 pixels Chromium does not draw to its end."""
    until(lambda: at_rest(page), "the last run to be drawn")
    size = {"width": 1280, "height": WINDOW, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        until(lambda: page.js("return innerHeight") == WINDOW and at_rest(page), "the high window")
        check_sentences(page.driver, OURS, language, least=20)
        assert sum(judged(page, *cells) for cells in portions(page.js(HEIGHTS))) >= 300, "too little was to be seen"
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def portions(heights):
    """(first, last + 1) of the cells that a window has room for, one window after the other."""
    first, room = 0, WINDOW - 1000  # JupyterLab's own, and what is between the cells
    for place, height in enumerate(heights):
        assert height < room, f"cell {place} is too high for a window"
        if sum(heights[first:place + 1]) > room:
            yield first, place
            first = place
    yield first, len(heights)


def judged(page, first, last):
    """How many texts axe-core saw in these cells, of which it had nothing to say."""
    page.js(ONLY, first, last)
    until(lambda: at_rest(page), "these cells alone")
    return check(page.driver, OURS)


def at_rest(page):
    """Does nothing move any more?"""
    places = "return [...document.querySelectorAll('.jp-Cell, .ipclab p')].map(e => e.getBoundingClientRect().y).join()"
    before = page.js(places)
    time.sleep(0.3)
    return page.js(places) == before


def open_everything(page):
    """Answers every question, opens every folded part, takes a hint and asks for the solution."""
    page.js("""document.querySelectorAll('.ipclab-ballot').forEach(e => e.querySelector('.ipclab-option').click());
        document.querySelectorAll('.ipclab-tutor button').forEach(e => e.click());
        document.querySelectorAll('.ipclab .widget-toggle-button').forEach(e => {
            if (e.textContent.startsWith('▸')) e.click(); });""")
    until(lambda: opened(page), "every part to be open", 90)  # dozens of runs at once


def opened(page):
    return page.js("""const every = (selector, full) => {
            const all = [...document.querySelectorAll(selector)];
            return all.length && all.every(full); };
        return every('.ipclab-part', e => e.innerText.trim())
            && every('.ipclab-ballot', e => e.querySelector('svg'))
            && every('.ipclab-tutor', e => e.querySelector('ol li') && e.querySelectorAll('[role=alert]')[1]);""")


def test_the_chapter_by_keyboard_alone_and_axe_behind_it(room):
    show(room, paper.book(CHAPTER), IPCLAB_LOOK="screen")
    room.js("""const book = window.jupyterapp.shell.currentWidget.content;
        book.activeCellIndex = 0; book.mode = 'command'; book.activeCell.node.focus();""")
    walk = Walk(room)
    walk.forwards()
    walk.backwards()
    assert opened(room), "the keyboard has opened everything"
    check_notebook(room)


@pytest.mark.parametrize("look, language", [("projector", "en"), ("print", "ko")])
def test_axe_with_everything_open(room, look, language):
    show(room, paper.book(CHAPTER, language), IPCLAB_LOOK=look, IPCLAB_LANGUAGE=language)
    open_everything(room)
    check_notebook(room, language)


def test_axe_on_a_slide_with_a_live_control(room):
    book = up_to_the_first_control()
    show(room, book, IPCLAB_LOOK="projector")
    start(room)
    go_on(room, book.cells[-1].id)
    visible = [".jp-deck-mod-visible .jp-OutputArea-output"]
    assert check(room.driver, visible, layers=True) >= 3  # the deck's; in the notebook all of it was judged
    check_sentences(room.driver, visible, "en", least=1)
