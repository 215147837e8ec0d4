"""Handouts: the chapter, with its parameters at both ends, becomes HTML and PDF; what is wrong writes nothing."""
import functools
import html as markup
import io
import json
import os
import pathlib
import re
import sys

import chapters
import nbformat
import pypdf
import pytest
from corners import CORNERS

from ipclab import handout, paper, press, website
from ipclab.markup import TICK, plain
from ipclab.parameters import Parameter, chosen, parameters, read, replaced
from ipclab.say import _
from ipclab.translate import solutions

pytestmark = pytest.mark.chapters

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "notebooks" / "01_anonymous_pipe.ipynb"


@pytest.fixture(scope="module")
def html(made):
    return next(made["least"][0].glob("*.html")).read_text()


@pytest.fixture(scope="module")
def pdf(made):
    return next(made["least"][0].glob("*.pdf"))


@functools.cache
def pages_of(file):
    """The text of each page, extracted once: it takes long."""
    return [page.extract_text() for page in pypdf.PdfReader(file).pages]


@pytest.mark.parametrize("corner", CORNERS)
def test_both_ends_of_the_parameters_come_through(made, corner):
    folder, done = made[corner]
    assert done.returncode == 0, done.stderr
    assert sorted(file.suffix for file in folder.iterdir()) == [".html", ".pdf"] and CHAPTER.stem in done.stdout
    text = next(folder.glob("*.html")).read_text()
    assert re.search({"told": r"workers.{,60}?3\b", "least": r"workers.{,60}?1\b",
                      "most": r"workers.{,60}?8\b"}[corner], text)


def test_the_page_needs_no_network(html):
    assert paper.loaded(html) == []
    assert {address for address in re.findall(r"https?://[^\s\"'<]+", html)} <= {"http://www.w3.org/2000/svg"}
    assert html.count("<svg") > 20 and "data:image/svg+xml;base64," in html and "<script" not in html


def test_pictures_are_for_black_and_white(html):
    colours = {colour.lower() for style in re.findall(r"<svg.*?</svg>", html, re.DOTALL)
               for colour in re.findall(r"#[0-9a-fA-F]{6}\b", style)}
    assert colours and {colour for colour in colours if len({colour[1:3], colour[3:5], colour[5:]}) > 1} == set()


def test_the_values_stand_where_the_defaults_did(html):
    text = re.sub(r"<[^>]+>", "", html)
    assert re.search(r"message = (&#39;|')x\1\s+# what the first program sends", text), "as chosen, with its comment"
    assert "# Parameters" not in text, "papermill's own cell"


def bare(text):
    """The text without what a PDF may lose or add: spaces, and the ends of its lines."""
    return re.sub(r"\s+", "", text)


def texts(folder):
    """All that stands in a handout, or would be read aloud: of the HTML with its attributes, and of the PDF."""
    source = next(folder.glob("*.html")).read_text()
    tags = re.sub(r"<style.*?</style>", "", source, flags=re.DOTALL)
    return {"text": bare(markup.unescape(re.sub(r"<[^>]+>", "", tags))), "source": bare(markup.unescape(tags)),
            "pdf": bare("".join(pages_of(next(folder.glob("*.pdf")))))}


def questions(language, folder):
    """The chapter's questions in that language."""
    file = folder / "chapter.ipynb"
    nbformat.write(paper.book(CHAPTER, language), file)
    names = chapters.surroundings(file)
    return [eval(source, names) for source in chapters.sources(file, "predict").values()]


def pieces(text):
    """The parts of a text between its code, which PDFs set in another type, that are long enough to be its own."""
    return [bare(part) for part in text.split("`")[::2] if len(part) > 15]


def answers(text, heading, asked):
    """Where the answers begin, None where there are none."""
    tags = "(<[^>]+>|1\\.)*"  # in HTML; in PDF the number
    found = re.search(re.escape(heading) + tags + re.escape(bare(plain(asked[0].question)))[:12], text)
    return found and found.start()


def ideas(asked):
    return [part for question in asked for option in question.options for part in pieces(option.idea)]


@pytest.mark.parametrize("corner", CORNERS)
def test_a_question_stands_without_its_code(made, corner):
    """The code tells which outcome each answer stands for, what idea leads to it, and an exercise's hints."""
    said = texts(made[corner][0])
    for text in said.values():
        assert not re.search(r"(?<!\w)(predict|exercise|predictions)\(", text) and "os.environ[" not in text
    assert bare("timeline(run(read_from_pipe, delay=writer_delay))") in said["text"], "other code is there"


def test_the_answers_stand_at_the_end(made, tmp_path):
    said, asked = texts(made["told"][0]), questions("en", tmp_path)
    assert len(ideas(asked)) > 10
    for text in (said["text"], said["pdf"]):
        last = answers(text, "Answers", asked)
        assert all(0 < text.find(f"Question{n}.{bare(plain(question.question))[:12]}") < last
                   for n, question in enumerate(asked, 1))
        told = [idea for idea in ideas(asked) if idea in text]  # that of a right option is not told
        assert len(told) > len(asked) and min(map(text.find, [*told, TICK])) > last
        assert text.count(TICK) == len(asked)


@pytest.mark.parametrize("corner, language", [("least", "en"), ("most", "ko")])
def test_no_answer_stands_anywhere(made, corner, language, tmp_path):
    asked = questions(language, tmp_path)
    with paper.environment(IPCLAB_LANGUAGE=language):
        heading = bare(_("Answers"))
    for text in texts(made[corner][0]).values():
        assert all(part in text for question in asked for part in pieces(question.question)), "the questions are there"
        assert [idea for idea in ideas(asked) if idea in text] == [] and TICK not in text
        assert answers(text, heading, asked) is None


def test_solutions_are_printed_for_who_wants_them(made):
    code = [bare(line) for line in solutions(CHAPTER, "en").splitlines() if "dup2" in line]
    told, least = texts(made["told"][0]), texts(made["least"][0])
    for kind in ("text", "pdf"):
        assert all(line in told[kind] for line in code) and not any(line in least[kind] for line in code)
    assert code


def test_answers_and_solutions_begin_a_page(made):
    firsts = [text.lstrip() for text in pages_of(next(made["told"][0].glob("*.pdf")))]
    assert all(sum(text.startswith(heading) for text in firsts) == 1 for heading in ("Answers", "Solutions"))


def test_the_text_of_the_pdf_can_be_searched(pdf):
    texts = pages_of(pdf)
    assert "Anonymous pipe" in texts[0] and f"1 / {len(texts)}" in texts[0]
    whole = "\n".join(texts)
    assert "os.write(w, message.encode())" in whole, "code"
    assert "os.fork() → child" in whole, "what stands in pictures"
    assert pypdf.PdfReader(pdf).metadata.title == "Anonymous pipe"


def test_korean_in_the_pdf_can_be_searched(made):
    [file] = made["most"][0].glob("*.pdf")
    assert file.name == f"{CHAPTER.stem}.ko.pdf"
    assert "가가가" in "".join(pages_of(file))


@pytest.mark.parametrize("words, said", [
    (["-p", "colour=red"], "there is no parameter colour"),
    (["-p", "workers=abc"], "workers is a whole number"),
    (["-p", "workers=2.5"], "workers is a whole number"),
    (["-p", "writer_delay=soon"], "writer_delay is a number"),
    (["-p", "workers"], "NAME=VALUE"),
    (["77"], "there is no notebook 77; there are: 00_processes, 01_anonymous_pipe"),
    (["--language", "xx"], "there is no translation into xx"),
    (["--answers", "perhaps"], "perhaps"),
])
def test_what_is_wrong_is_said_and_nothing_is_run_or_written(words, said, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(paper, "executed", None)
    with pytest.raises(SystemExit) as stopped:
        handout.handout([*(["01"] if words[0] != "77" else []), *words, "--output", str(tmp_path / "out")])
    assert stopped.value.code == 2 and said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def small(*sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{place}") for place, source in enumerate(sources)]
    cells[0].metadata["tags"] = ["parameters"]
    return nbformat.v4.new_notebook(cells=cells)


def test_an_error_names_its_cell_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(paper, "book", lambda *_: small("x = 1  # what it divides by", "print(1)", "print(1 / x)"))
    assert handout.handout(["01", "-p", "x=0", "--output", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "cell-2" in said and "print(1 / x)" in said and "ZeroDivisionError: division by zero" in said
    assert "cell-1" not in said and not (tmp_path / "out").exists()


def test_the_kernel_is_of_this_python_whatever_is_installed(tmp_path, monkeypatch):
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "another", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    heard, before = [], dict(os.environ)
    book = small("x = 1", "import os, sys\nprint(os.path.realpath(sys.prefix), os.environ['IPCLAB_LOOK'], x)")
    done = paper.executed(book, {"x": 5}, lambda *told: heard.append(told), IPCLAB_LOOK="print")
    assert done.cells[1].outputs[0].text.split() == [os.path.realpath(sys.prefix), "print", "5"]
    assert done.cells[0].source == "x = 5" and heard and dict(os.environ) == before


def test_parameters_are_read_without_running():
    book = small('a = "#1"   # a word\nb = 2\nc = (1,\n     2)  # two\nd = True')
    assert parameters(book) == [("a", "#1", "a word"), ("b", 2, ""), ("c", (1, 2), "two"), ("d", True, "")]
    other = replaced(book.cells[0].source, {"a": "é", "c": (3,)})
    assert other == "a = 'é'   # a word\nb = 2\nc = (3,)  # two\nd = True"
    assert chosen(parameters(book), ["a=1=2", "d=false"]) == {"a": "1=2", "d": False}


@pytest.mark.parametrize("default, text, value", [
    (1, "2", 2), (1, "-3", -3), (0.5, "1", 1.0), (0.5, "1e-3", 0.001), (True, "False", False), ([1], "[2, 3]", [2, 3]),
    (1, "True", None), (1, "1e9", None), (0.5, "1e999", None), (0.5, "nan", None), (True, "1", None),
    ([1], "(2,)", None), (1, "__import__('os')", None), (1, "", None), (1, "(" * 500, None),
])
def test_a_value_has_its_defaults_type(default, text, value):
    parameter = Parameter("x", default, "")
    if value is None:
        with pytest.raises(ValueError, match="such as"):
            read(parameter, text)
    else:
        assert read(parameter, text) == value and type(read(parameter, text)) is type(value)


def test_the_list_says_defaults_and_what_they_are(capsys):
    assert handout.handout(["01", "--list"]) == 0
    said = capsys.readouterr().out
    for cell in json.loads(CHAPTER.read_text())["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            assert [line.split(" = ")[0] for line in cell["source"]] == re.findall(r"^  (\w+)=", said, re.MULTILINE)
    assert "workers=3" in said and "children that report by closing the pipe" in said


@pytest.mark.parametrize("word", ["1", "01", CHAPTER.stem, "anonymous_pipe", f"notebooks/{CHAPTER.name}"])
def test_a_notebook_is_found_by_number_name_or_path(word):
    assert handout.found([word]) == [CHAPTER]


@pytest.mark.parametrize("html, found", [
    ('<img src="https://example.org/a.png">', ["https://example.org/a.png"]),
    ('<link rel="stylesheet" href="style.css">', ["style.css"]),
    ("<style>a{background:url('b.png')}</style>", ["b.png"]),
    ('<p style="background:url(c.png)">', ["c.png"]), ('<style>@import "d.css";</style>', ["d.css"]),
    ('<a href="https://example.org">a link</a><img src="data:image/png;base64,"><use href="#x">', []),
    ("<pre>url(e.png) src=&quot;f.png&quot;</pre>", []),
])
def test_what_a_page_would_load_is_found(html, found):
    assert paper.loaded(html) == found


def test_files_are_written_whole_or_not_at_all(tmp_path):
    paper.write(tmp_path, {"a": b"old", "b": b"old"})
    with pytest.raises(TypeError):
        paper.write(tmp_path, {"a": b"new", "b": None})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_a_halo_becomes_a_ground_on_paper():
    svg = ('<svg id="t1"><style>#t1 text{font:10px A,B;fill:#000}\n'
           '#t1 .h{paint-order:stroke;stroke:#EEEEEE;stroke-width:3}</style>'
           '<text class="h" x="20" y="50">abcd</text><text class="x" x="1" y="2">no</text></svg>')
    made = press.simpler(f"<p>{svg}</p>")
    assert "paint-order" not in made and "font-size:10px;font-family:A,B" in made
    assert re.findall(r"<rect[^>]*>", made) == ['<rect x="19.0" y="41.8" width="26.1" height="10.6" fill="#EEEEEE"/>']
    assert re.sub("<rect[^>]*>", "", made).count("<text") == 2


def test_no_figure_and_no_code_is_cut():
    code = "x" * 300
    figure = '<figure style="break-inside:avoid"><svg width="600" height="500"><text y="20">top</text>' \
             '<text y="480">bottom</text></svg></figure>'
    style = (paper.STYLE / "style.css").read_text()
    html = f'<style>{style}</style><div class="input"><pre>{code}</pre></div>{figure * 3}'
    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(press.pdf(html))).pages]
    assert all(text.count("top") == text.count("bottom") for text in texts)
    assert "".join(texts).replace("\n", "").count("x") == 300


def printed(*cells):
    """The texts of the pages of a handout with these cells: Markdown, or code that begins with def."""
    new = {True: nbformat.v4.new_code_cell, False: nbformat.v4.new_markdown_cell}
    book = nbformat.v4.new_notebook(cells=[new[text.startswith("def ")](text) for text in cells])
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(press.pdf(paper.page(book, CHAPTER)))).pages]


def test_a_heading_is_not_parted_from_its_program():
    program = "def program():\n" + "    step()\n" * 14
    parted = [paragraphs for paragraphs in range(20, 34, 2)
              if not any("Heading" in page and "program()" in page for page in printed(
                  "filler\n\n" * paragraphs, "## Heading\n\nIt is short.", program))]
    assert parted == []


def test_no_word_of_code_is_parted():
    line = "**{} `POLLIN`: bytes to read. `POLLOUT`: room to write. `POLLHUP`: all write ends are closed. `POLLERR`.**"
    pages = printed("\n\n".join(line.format("x" * length) for length in range(1, 31)))
    assert "".join(pages).count("POLLERR") == 30


def test_a_chapter_is_named_by_its_heading_and_its_first_sentence():
    text = "# The *first* `pipe`\n\nIt [carries](pipe.html) `bytes`,\nfor 2.5 seconds. Then it ends.\n\n- no"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert paper.title(book, "x") == "The first pipe"
    assert paper.opening(book) == "It carries bytes, for 2.5 seconds."
    book.cells[0].source = "# Title\n\n![a diagram](a.svg)\n\nNo end"
    assert paper.opening(book) == ""
    book.cells[0].source = "# Title\n\n**Bold** is first. No more."
    assert paper.opening(book) == "Bold is first."


def test_the_site_is_one_index_of_all_languages(tmp_path, monkeypatch):
    """With a second chapter, of which nothing knows."""
    books = [small("x = 1"), small("x = 2")]
    for book, number in zip(books, ("One & <only>", "Two")):
        book.cells.insert(0, nbformat.v4.new_markdown_cell(f"# {number}\n\nIt is {number}. More."))
    files = [tmp_path / "01_one.ipynb", tmp_path / "02_two.ipynb"]
    monkeypatch.setattr(website, "notebooks", lambda: files)
    monkeypatch.setattr(paper, "book", lambda notebook, _language="en": books[files.index(notebook)])
    monkeypatch.setattr(paper, "executed", lambda book, *_words, **_told: book)
    folder = tmp_path / "site"
    assert website.site(folder) == 0 and website.site(folder) == 0, "a second time, over the first"
    index = (folder / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert links == ["en/01_one.html", "en/02_two.html", "ko/01_one.html", "ko/02_two.html"]
    assert paper.loaded(index) == [] and index.count("It is One &amp; &lt;only&gt;.") == 2 and "More" not in index
    assert sorted(file.name for file in tmp_path.iterdir()) == ["site"]
    for link in links:
        page = (folder / link).read_text()
        assert all((folder / link).parent.joinpath(other).is_file() for other in re.findall(r'href="([^"]+)"', page))
    first, second = ((folder / "ko" / f"{file.stem}.html").read_text() for file in files)
    assert 'href="02_two.html"' in first and 'href="01_one.html"' in second and "모든 장" in first
    assert second.count("← One &amp; &lt;only&gt;") == 2 and "<only>" not in second, "above and below"
