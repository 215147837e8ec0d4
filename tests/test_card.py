"""A chapter on one page: all its findings, of the pictures as many as fit, and what the machine says of itself."""
import io
import re

import nbformat
import pypdf
import pytest
from traces import read_from_pipe

from ipclab import card, handout, paper, press
from ipclab.timeline import timeline


@pytest.fixture
def drawn(monkeypatch):
    monkeypatch.setenv("IPCLAB_LOOK", "card")
    bundle = timeline(read_from_pipe())._repr_mimebundle_()
    return nbformat.v4.new_output("execute_result", bundle, execution_count=1)


def chapter(sections, picture, words=12, extra=()):
    """A notebook as executed, with so many sections; every other cell of a chapter is there as well."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    printed = nbformat.v4.new_output("stream", name="stdout", text="bytes in a pipe: 65536\n")
    cells = [text("# The pipe\n\nIt carries bytes. It is old.", id="title")]
    for number in range(sections):
        tags = {"tags": ["extra"]} if number in extra else {}
        cells += [text(f"## Question {number}", id=f"s{number}-intro", metadata=tags),
                  code("timeline(trace)", id=f"s{number}-run", outputs=[picture, picture], metadata=tags),
                  text(f"**Finding {number} {'word ' * words}end.** Not so important.", id=f"s{number}-finding",
                       metadata=tags)]
    cells += [text("The limits. (pipe(7))", id="limits-intro"), code("limits()", id="limits", outputs=[printed])]
    return nbformat.v4.new_notebook(cells=cells)


def made(book, tmp_path):
    html = card.card(book, tmp_path / "01_pipe.ipynb", "en")
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(press.pdf(html))).pages]
    return html, " ".join(" ".join(pages).split()), len(pages)


def test_all_findings_one_picture_each_and_the_limits(drawn, tmp_path):
    html, text, pages = made(chapter(4, drawn), tmp_path)
    assert pages == 1 and html.count("<svg") == 4
    assert text.startswith("The pipe It carries bytes.") and "bytes in a pipe: 65536" in text
    assert [int(found) for found in re.findall(r"Finding (\d+)", text)] == [0, 1, 2, 3]
    assert "Question" not in text and "important" not in text and "limits()" not in text
    assert paper.loaded(html) == []


def test_pictures_are_left_out_until_it_is_one_page(drawn, tmp_path):
    html, text, pages = made(chapter(20, drawn, extra=range(3, 18)), tmp_path)
    assert pages == 1 and 5 <= html.count("<svg") < 20
    assert len(re.findall(r"Finding \d", text)) == 20
    shown = [int(number) for number in re.findall(r"Finding (\d+)(?:(?!Finding).)*?<svg", html, re.DOTALL)]
    assert {0, 1, 2, 18, 19} <= {*shown}, "those of extra sections go first"


def test_more_findings_than_a_page_has_room_for(drawn, tmp_path):
    with pytest.raises(paper.Failed, match="9 findings do not fit"):
        made(chapter(9, drawn, words=400), tmp_path)


def test_the_command(drawn, tmp_path, monkeypatch, capsys):
    looks = []

    def executed(*_words, **told):
        looks.append(told["IPCLAB_LOOK"])
        return chapter(2, drawn)

    monkeypatch.setattr(paper, "executed", executed)
    assert handout.handout(["01", "--card", "--language", "all", "--output", str(tmp_path)]) == 0
    assert looks == ["card", "card"]
    assert {file.name for file in tmp_path.iterdir()} == {
        f"01_anonymous_pipe.card{language}.{kind}" for language in ("", ".ko") for kind in ("html", "pdf")}
    with pytest.raises(SystemExit):
        handout.handout(["01", "--card", "--solutions"])
    assert "leave out one of --card and --solutions" in capsys.readouterr().err


@pytest.mark.parametrize("notebook", handout.found([]), ids=lambda path: path.stem)
@pytest.mark.parametrize("language", handout.spoken("all"))
def test_every_chapter_has_what_a_card_is_made_of(notebook, language):
    book = paper.book(notebook, language)
    assert len(card.findings(book)) >= 5
    assert {cell.cell_type for cell in book.cells if cell.id.startswith("limits")} == {"markdown", "code"}
