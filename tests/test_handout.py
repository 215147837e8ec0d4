"""Handouts: the chapter, with its parameters at both ends, becomes HTML and PDF; what is wrong writes nothing."""
import io
import json
import os
import pathlib
import re
import subprocess
import sys

import nbformat
import pypdf
import pytest

from ipclab import handout, pages, paper, press
from ipclab.parameters import Parameter, chosen, parameters, read, replaced

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "notebooks" / "01_anonymous_pipe.ipynb"
CORNERS = {
    "least": ["-p", "message=x", *"-p writer_delay=0 -p write_size=1 -p read_size=1 -p workers=1".split()],
    "most": ["--answers", "none", "--language", "ko", "-p", "message=" + "가" * 33,
             *"-p writer_delay=0.5 -p write_size=4096 -p read_size=65536 -p workers=8".split()],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{corner: (its folder, CompletedProcess)}, both made at the same time."""
    folders = {corner: tmp_path_factory.mktemp(corner) for corner in CORNERS}
    running = {corner: subprocess.Popen(
        [sys.executable, "-m", "ipclab", "handout", "01", *words, "--output", folders[corner]], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE) for corner, words in CORNERS.items()}
    said = {corner: process.communicate(timeout=240) for corner, process in running.items()}
    return {corner: (folders[corner], subprocess.CompletedProcess([], running[corner].returncode, *said[corner]))
            for corner in CORNERS}


@pytest.fixture(scope="module")
def html(made):
    return next(made["least"][0].glob("*.html")).read_text()


@pytest.fixture(scope="module")
def pdf(made):
    return pypdf.PdfReader(next(made["least"][0].glob("*.pdf")))


@pytest.mark.parametrize("corner", CORNERS)
def test_both_ends_of_the_parameters_come_through(made, corner):
    folder, done = made[corner]
    assert done.returncode == 0, done.stderr
    assert sorted(file.suffix for file in folder.iterdir()) == [".html", ".pdf"] and CHAPTER.stem in done.stdout
    text = next(folder.glob("*.html")).read_text()
    assert re.search({"least": r"workers.{,60}?1\b", "most": r"workers.{,60}?8\b"}[corner], text)


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


def test_a_question_stands_without_its_code(html):
    """The code tells what idea leads to each wrong answer."""
    cells = json.loads(CHAPTER.read_text())["cells"]
    hidden = [cell for cell in cells if "remove-input" in cell["metadata"].get("tags", [])]
    text = re.sub(r"<[^>]+>", "", html)
    firsts = {"".join(cell["source"]).splitlines()[0] for cell in hidden}
    assert firsts and not firsts & {*text.splitlines()}


def test_the_text_of_the_pdf_can_be_searched(pdf):
    texts = [page.extract_text() for page in pdf.pages]
    assert "Anonymous pipe" in texts[0] and f"1 / {len(texts)}" in texts[0]
    whole = "\n".join(texts)
    assert "os.write(w, message.encode())" in whole, "code"
    assert "os.fork() → child" in whole, "what stands in pictures"
    assert pdf.metadata.title == "Anonymous pipe"


def test_korean_in_the_pdf_can_be_searched(made):
    [file] = made["most"][0].glob("*.pdf")
    assert file.name == f"{CHAPTER.stem}.ko.pdf"
    assert "가가가" in "".join(page.extract_text() for page in pypdf.PdfReader(file).pages)


@pytest.mark.parametrize("words, said", [
    (["-p", "colour=red"], "there is no parameter colour"),
    (["-p", "workers=abc"], "workers is a whole number"),
    (["-p", "workers=2.5"], "workers is a whole number"),
    (["-p", "writer_delay=soon"], "writer_delay is a number"),
    (["-p", "workers"], "NAME=VALUE"),
    (["77"], "there is no notebook 77; there are: 01_anonymous_pipe"),
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


def test_the_site_is_one_index_of_all_languages(tmp_path, monkeypatch):
    monkeypatch.setattr(handout, "page", lambda *words, **more: f"<a href='{more['back']}'>{words[0]}</a>")
    folder = tmp_path / "site"
    assert pages.site(folder) == 0 and pages.site(folder) == 0, "a second time, over the first"
    index = (folder / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert "en/01_anonymous_pipe.html" in links and all((folder / link).is_file() for link in links)
    assert paper.loaded(index) == [] and [file.name for file in tmp_path.iterdir()] == ["site"]
