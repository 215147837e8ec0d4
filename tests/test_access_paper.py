"""Accessibility of what is on paper and on the web: handouts, their PDF, the site; in a real browser, offline."""
import nbformat
import pypdf
import pytest
from access import check, check_sentences, is_sentence
from browser import ROOT, chromium
from traces import read_from_pipe

from ipclab import paper, website
from ipclab.timeline import timeline

pytestmark = pytest.mark.chapters

CHAPTER = ROOT / "notebooks" / "01_anonymous_pipe.ipynb"


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A browser without network."""
    with chromium(tmp_path_factory.mktemp("profile"), (1280, 900)) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
        yield driver


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_handout(offline, made, language):
    offline.get(handout(made, language, "html").as_uri())
    assert offline.execute_script("return document.documentElement.lang") == language
    assert check(offline, ["html"]) >= 300
    check_sentences(offline, ["main"], language, least=20)


def handout(made, language, kind):
    """The file of that kind, with answers and solutions or, in Korean, without."""
    [file] = made[{"en": "told", "ko": "most"}[language]][0].glob(f"*.{kind}")
    return file


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_picture_of_the_pdf_has_its_sentence(made, language):
    root = pypdf.PdfReader(handout(made, language, "pdf")).trailer["/Root"]
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
