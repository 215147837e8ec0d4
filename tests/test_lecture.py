"""Slides in a real browser: the chapter with its live controls, by keyboard, without network.

The hall's wall has 1280x720 pixels here; letters have at least 1/40 of its height, 18 pixels.
"""
import json
import pathlib
import shutil

import nbformat
import pytest
from browser import lab, until
from selenium.webdriver.common.keys import Keys

from ipclab.lecture import lecture, slides
from ipclab.translate import languages, notebooks

pytestmark = pytest.mark.browser

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "notebooks" / "01_anonymous_pipe.ipynb"
HEIGHT = 720
LETTERS = """return [...document.querySelectorAll('.jp-deck-mod-visible :is(%s)')].filter(e => e.textContent.trim()
    && e.getBoundingClientRect().height).map(e => [parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement ?
    e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1), e.textContent]);"""
TEXT = ".ipclab-figure text, .cm-line, p, li, .ipclab button, .ipclab label, .widget-readout"


def test_sections_tagged_extra_are_no_slides():
    for extra in (False, True):
        cells = slides(CHAPTER, extra=extra).cells
        types = {cell.metadata["slideshow"]["slide_type"] for cell in cells if "extra" in cell.metadata.get("tags", [])}
        assert (types == {"skip"}) is not extra
    source = json.loads(CHAPTER.read_text())
    assert len(cells) == len(source["cells"]) + 1, "all are there, and the cell that chooses the look"


def test_the_slides_are_written_beside_nothing_else(tmp_path, capsys):
    assert lecture(["01"], folder=tmp_path) == 0
    assert [file.name for file in tmp_path.iterdir()] == [CHAPTER.name] and CHAPTER.name in capsys.readouterr().out
    book = nbformat.read(tmp_path / CHAPTER.name, 4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") for cell in book.cells)
    assert "](../../assets/anonymous_pipe.svg)" in "".join(cell.source for cell in book.cells)
    assert lecture(["77"], folder=tmp_path) == 2


def up_to_the_first_control():
    """The slides up to the first control, run in seconds."""
    book = slides(CHAPTER)
    last = next(place for place, cell in enumerate(book.cells) if cell.source.startswith("explore("))
    book.cells = book.cells[:last + 1]
    return book


@pytest.fixture(scope="module")
def page():
    """The slides, run, begun at the first one."""
    book = up_to_the_first_control()
    with lab(size=(1280, HEIGHT)) as page:
        begin(page, book, "slides.ipynb")
        yield page


def begin(page, book, name):
    """Opens the slides under that name, runs them, and begins at the first one."""
    page.show(book, name, patience=180)
    start(page)


def start(page):
    """Begins as a lecturer does who has no mouse: the first cell, then the command palette."""
    page.js("""const notebook = window.jupyterapp.shell.currentWidget.content;
        notebook.activeCellIndex = 0; notebook.mode = 'command'; notebook.activate();""")
    page.js("window.jupyterapp.commands.execute('apputils:activate-command-palette')")
    until(lambda: page.all(".lm-CommandPalette-input"), "the command palette")
    page.keys("Start Deck")
    until(lambda: page.all(".lm-CommandPalette-item.lm-mod-active[data-command='deck:start']"), "the command")
    page.keys(Keys.ENTER)
    until(lambda: page.all(".jp-Deck .jp-deck-mod-visible"), "the first slide")


def at(page):
    return page.js("return window.jupyterapp.shell.currentWidget.content.activeCell.model.id")


def go_on(page, cell):
    """Space, until the slide with that cell; the cells come by on the way, [str]."""
    seen = [at(page)]
    while seen[-1] != cell and len(seen) < 60:
        page.keys(Keys.SPACE)
        until(lambda: at(page) != seen[-1], "the next slide")
        seen.append(at(page))
    assert seen[-1] == cell
    return seen


def small(page):
    return [letters for letters in page.js(LETTERS % TEXT) if letters[0] < HEIGHT / 40]


def picture(page):
    return page.js("return document.querySelector('.jp-deck-mod-visible .ipclab-picture svg')?.textContent ?? ''")


def test_slides_go_by_keyboard_and_a_control_is_live(page):
    book = up_to_the_first_control()
    control = book.cells[-1].id
    seen = go_on(page, control)
    skipped = {cell.id for cell in book.cells if cell.metadata["slideshow"]["slide_type"] == "skip"}
    assert not skipped & {*seen} and len(seen) == len(book.cells) - len(skipped)
    before = until(lambda: picture(page), "the picture")
    assert "set_blocking(3, True)" in before
    page.focus(".jp-deck-mod-visible .ipclab button")
    page.keys(Keys.TAB, Keys.ENTER)  # space is the slides'
    until(lambda: "set_blocking(3, False)" in picture(page), "the picture of the other choice")
    assert at(page) == control, "the key was the control's, not the slides'"


def test_a_slider_has_the_arrow_keys(page):
    go_on(page, up_to_the_first_control().cells[-1].id)
    page.focus(".jp-deck-mod-visible .ipclab .noUi-handle")
    page.keys(Keys.HOME)
    until(lambda: "sleep(0.0)" in picture(page), "the picture without delay")
    page.keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    until(lambda: "sleep(0.04)" in picture(page), "the picture of the third delay")


def test_letters_can_be_read_from_the_back_row(page):
    shown = page.js(LETTERS % TEXT)
    assert len(shown) > 20 and small(page) == []


def test_nothing_is_beyond_the_edges(page):
    edges = page.js("""return [...document.querySelectorAll('.jp-deck-mod-visible .ipclab-figure svg')].map(
        e => [e.getBoundingClientRect().left, e.getBoundingClientRect().right, innerWidth]);""")
    assert edges and all(0 <= left and right <= width for left, right, width in edges)


WRONG = """const wrong = [], seen = [...document.querySelectorAll('.jp-deck-mod-visible')], least = arguments[0];
const name = e => e.tagName + '.' + (e.className.baseVal ?? e.className);
for (const cell of seen) {
    const words = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const e = words.currentNode.parentElement, text = words.currentNode.textContent.trim(), svg = e.ownerSVGElement;
        const range = document.createRange();
        range.selectNodeContents(words.currentNode);
        if (!text || e.closest('style, script, title') || range.getBoundingClientRect().width < 2) continue;
        const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
        const size = parseFloat(getComputedStyle(e).fontSize) * scale;
        if (size < least) wrong.push(`${size} px: ${text.slice(0, 60)}`);
    }
    for (const image of cell.querySelectorAll('img')) if (!image.naturalWidth) wrong.push(`no image: ${image.alt}`);
    for (const e of cell.querySelectorAll('.jp-InputPlaceholder'))
        if (e.getBoundingClientRect().height) wrong.push(`hidden source: ${e.textContent}`);
    for (const e of [cell, ...cell.querySelectorAll('*')]) {
        const {left, right, width} = e.getBoundingClientRect();
        if (width && (left < -1 || right > innerWidth + 1)) wrong.push(`${name(e)} from ${left} to ${right}`);
    }
}
for (const e of document.querySelectorAll('.jp-Deck, .jp-Deck *'))
    if (e.clientWidth && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
        wrong.push(`${name(e)} scrolls sideways: ${e.scrollWidth} > ${e.clientWidth}`);
const outer = document.querySelector('.jp-Deck .jp-WindowedPanel-outer'), top = outer.getBoundingClientRect().top;
const first = Math.min(...seen.map(cell => cell.getBoundingClientRect().top)) - top + outer.scrollTop;
const last = Math.max(...seen.map(cell => cell.getBoundingClientRect().bottom)) - top + outer.scrollTop;
if (first < -1 || last > outer.scrollHeight + 1) wrong.push(`from ${first} to ${last} of ${outer.scrollHeight}`);
return wrong;"""


def pytest_generate_tests(metafunc):
    """The shortest chapter's slides, in Korean; with --every-chapter all in every language, a minute or two each."""
    if "slides_of" in metafunc.fixturenames:
        every = [(chapter, language) for chapter in notebooks() for language in ["en", *languages()]]
        cases = every if metafunc.config.getoption("--every-chapter") else [(notebooks()[0], "ko")]
        metafunc.parametrize("slides_of", cases, ids=[f"{chapter.stem}-{language}" for chapter, language in cases])


def test_every_slide_can_be_read_from_the_back_row(slides_of):
    """Letters, images, nothing to be moved sideways, no source of a question, all within the scroll bar's reach."""
    book = slides(*slides_of)
    shown = [cell.id for cell in book.cells if cell.metadata["slideshow"]["slide_type"] != "skip"]
    with lab(size=(1280, HEIGHT)) as page:
        shutil.copytree(ROOT / "assets", page.folder / "assets")
        begin(page, book, "build/lecture/slides.ipynb")
        found, seen = {}, [at(page)]
        while seen[-1] != shown[-1]:
            found[seen[-1]] = page.js(WRONG, HEIGHT / 40)
            page.keys(Keys.SPACE)
            until(lambda: at(page) != seen[-1] and page.all(".jp-deck-mod-visible.jp-mod-active"), "the next slide")
            seen.append(at(page))
    assert seen == shown and {cell: wrong for cell, wrong in found.items() if wrong} == {}
