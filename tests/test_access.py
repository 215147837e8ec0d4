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
    page.js("return window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    name = f"{told['IPCLAB_LOOK']}.ipynb"
    first = next(place for place, cell in enumerate(book.cells) if cell.cell_type == "code")
    told |= {"IPCLAB_STATE": str(page.folder.parent / name)}
    book.cells.insert(first, nbformat.v4.new_code_cell(f"import os\nos.environ.update({told})", id="told"))
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, page.folder / name)
    page.driver.get(f"{page.server['url']}/doc/tree/{name}?token={page.server['token']}")
    until(lambda: page.js("return !!window.jupyterapp"), "JupyterLab to load", 60)
    until(page._ready, "the kernel", 60)
    page.js("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    code = sum(cell.cell_type == "code" for cell in book.cells)
    until(lambda: page._errors() or page._ready() and page._have_run() == code, "all cells to run", 120)
    assert not page._errors(), page._errors()
    page.js(ALL_TO_BE_SEEN)


def check_notebook(page, language="en"):
    """The whole notebook in a window as high as itself: what is scrolled out of view axe-core does not judge."""
    until(lambda: at_rest(page), "the last run to be drawn")
    high = page.js("return document.querySelector('.jp-WindowedPanel-inner').scrollHeight") + 300
    size = {"width": 1280, "height": high, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        until(lambda: page.js("return innerHeight") == high and at_rest(page), "the high window")
        check(page.driver, OURS, least=200, layers=True)  # at the lower end of what a browser draws it cannot tell
        check_sentences(page.driver, OURS, language, least=20)
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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


@pytest.mark.parametrize("look, language", [("projector", "en"), ("print", "ko")])
def test_axe_with_everything_open(room, look, language):
    """With everything open. Without the extra sections: of what is higher a browser does not draw the lower end."""
    book = paper.book(CHAPTER, language)
    book.cells = [cell for cell in book.cells if "extra" not in cell.metadata.get("tags", [])]
    show(room, book, IPCLAB_LOOK=look, IPCLAB_LANGUAGE=language)
    open_everything(room)
    check_notebook(room, language)


def test_axe_on_a_slide_with_a_live_control(room):
    book = up_to_the_first_control()
    show(room, book, IPCLAB_LOOK="projector")
    start(room)
    go_on(room, book.cells[-1].id)
    visible = [".jp-deck-mod-visible .jp-OutputArea-output"]
    check(room.driver, visible, least=3, layers=True)  # the deck's; in the notebook all of it was judged
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
    check(offline, ["html"], least=300)
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
        check(offline, ["html"], least=3)
