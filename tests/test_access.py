"""Accessibility of what readers get, in a real browser: the notebook in every look, slides, handouts, the site; and
chapter 01 from its first control to its last by keyboard alone."""
import subprocess
import sys
import time

import nbformat
import pypdf
import pytest
from access import check, check_sentences, is_sentence
from browser import ROOT, chromium, lab, until
from test_lecture import go_on, start, up_to_the_first_control
from traces import read_from_pipe
from walk import Walk

from ipclab import paper, website
from ipclab.timeline import timeline

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
def papers(tmp_path_factory):
    """The folder of the handouts in both languages, made while other tests use the browser: a function that waits."""
    folder = tmp_path_factory.mktemp("handouts")
    command = [sys.executable, "-m", "ipclab", "handout", "01", "--language", "all", "--output", folder]
    making = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def made():
        said, _nothing = making.communicate(timeout=240) if making.returncode is None else ("", None)
        assert making.returncode == 0, said
        return folder

    yield made
    making.kill()


@pytest.fixture(scope="module")
def room(papers):
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
    until(lambda: opened(page), "every part to be open")


def opened(page):
    return page.js("""const every = (selector, full) => [...document.querySelectorAll(selector)].every(full);
        return every('.ipclab-part', e => e.innerText.trim())
            && every('.ipclab-ballot', e => e.querySelector('svg'))
            && every('.ipclab-tutor', e => e.querySelector('ol li') && e.querySelectorAll('[role=alert]')[1]);""")


def test_the_chapter_by_keyboard_alone(room):
    show(room, paper.book(CHAPTER), IPCLAB_LOOK="screen")
    room.js("""const book = window.jupyterapp.shell.currentWidget.content;
        book.activeCellIndex = 0; book.mode = 'command'; book.activeCell.node.focus();""")
    walk = Walk(room)
    walk.forwards()
    walk.backwards()
    assert opened(room), "the keyboard has opened everything"


@pytest.mark.parametrize("look, language", [("screen", "en"), ("projector", "en"), ("print", "ko")])
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


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A browser without network."""
    with chromium(tmp_path_factory.mktemp("profile"), (1280, 900)) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
        yield driver


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_handout(offline, papers, language):
    offline.get(handout(papers(), language, "html").as_uri())
    assert offline.execute_script("return document.documentElement.lang") == language
    assert check(offline, ["html"]) >= 300
    check_sentences(offline, ["main"], language, least=20)


def handout(folder, language, kind):
    return folder / f"{CHAPTER.stem}{'' if language == 'en' else f'.{language}'}.{kind}"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_picture_of_the_pdf_has_its_sentence(papers, language):
    root = pypdf.PdfReader(handout(papers(), language, "pdf")).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == language
    told = [str(node.get("/Alt", "")) for node in structure(root["/StructTreeRoot"]) if node.get("/S") == "/Figure"]
    assert len(told) > 20
    for sentence in told:
        assert is_sentence(sentence, language), sentence


def structure(node):
    """The elements of a PDF's structure, from the root down."""
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from structure(one)
    elif isinstance(node, dict):
        yield node
        yield from structure(node.get("/K", []))


def test_the_site(offline, tmp_path, monkeypatch):
    picture = timeline(read_from_pipe(), "screen")
    output = nbformat.v4.new_output("execute_result", picture._repr_mimebundle_(), execution_count=1)
    cells = [nbformat.v4.new_markdown_cell("# A chapter\n\n## Its question\n\n| a | b |\n|---|---|\n| 1 | `2` |"),
             nbformat.v4.new_code_cell("timeline(trace)  # a comment", outputs=[output], execution_count=1)]
    monkeypatch.setattr(paper, "executed", lambda *_words, **_told: nbformat.v4.new_notebook(cells=cells))
    assert website.site(tmp_path / "site") == 0
    for file, language in (("index.html", "en"), (f"en/{CHAPTER.name}", "en"), (f"ko/{CHAPTER.name}", "ko")):
        offline.get((tmp_path / "site" / file.replace(".ipynb", ".html")).as_uri())
        assert offline.execute_script("return document.documentElement.lang") == language
        assert check(offline, ["html"]) >= 3
