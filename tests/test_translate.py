"""The course in other languages: nothing missing, stale or left over, the same programs, Korean in every picture."""
import copy
import gettext
import json
import os
import pathlib
import re
import subprocess
import sys

import nbformat
import pytest
import traces

from ipclab import catalog, entries, prose, translate
from ipclab.lab import COURSE, options
from ipclab.timeline import timeline

pytestmark = pytest.mark.chapters

LANGUAGES = translate.languages()
each_language = pytest.mark.parametrize("language", LANGUAGES)
each_notebook = pytest.mark.parametrize("notebook", translate.notebooks(), ids=lambda path: path.stem)


@each_language
def test_nothing_is_missing_stale_or_left_over(language):
    todo = translate.all_problems(language)
    help = f"`make translate ARGS='--update {language}'` writes down what is to be done"
    assert not todo, "\n".join(["", *todo, help])


def test_the_package_says_nothing_that_cannot_be_translated():
    assert catalog.unreadable() == [], "write the text itself into _() or ngettext()"


@each_language
@each_notebook
def test_the_programs_are_the_same(notebook, language):
    english, other = json.loads(notebook.read_text()), translate.translated(notebook, language)
    other["cells"] = [cell for cell in other["cells"] if cell["id"] != "ipclab-language"]
    assert [cell["id"] for cell in other["cells"]] == [cell["id"] for cell in english["cells"]]
    for one, two in zip(english["cells"], other["cells"]):
        assert (one["cell_type"], one["metadata"]) == (two["cell_type"], two["metadata"])
        if one["cell_type"] == "code":
            assert prose.skeleton("".join(one["source"])) == prose.skeleton(two["source"]), one["id"]


@each_language
@each_notebook
def test_every_relative_link_leads_somewhere(notebook, language):
    book = nbformat.from_dict(translate.translated(notebook, language))
    nbformat.validate(book)
    links = [target for cell in book.cells if cell.cell_type == "markdown"
             for _open, target in entries.LINK.findall(cell.source) if ":" not in target]
    places = [pathlib.Path(os.path.normpath(COURSE / "build" / language / link)) for link in links]
    built = {COURSE / "build" / language / chapter.name for chapter in translate.notebooks()}
    assert links and all(place in built or place.exists() for place in places), places


@pytest.mark.parametrize("look", ["screen", "projector", "print"])
def test_korean_in_a_picture_is_text_in_a_korean_font(look, monkeypatch):
    monkeypatch.setenv("IPCLAB_LANGUAGE", "ko")
    picture = timeline(traces.read_from_pipe(), look=look)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg)
    assert "대기" in texts and "깨움" in texts
    assert "호출" in picture.sentence and re.search("[가-힣]", picture.sentence)
    families = re.findall(r"font-family:([^;}]*)|font:[^;}]*px ([^;}]*)", picture.svg)
    assert families and all("CJK KR" in "".join(family) or "Nanum" in "".join(family) for family in families)


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_diagrams_are_those_that_the_script_draws(language, monkeypatch):
    monkeypatch.setenv("IPCLAB_LANGUAGE", language)
    monkeypatch.syspath_prepend(COURSE / "assets")
    import draw

    for diagram in draw.DIAGRAMS:
        file = COURSE / "assets" / ("" if language == "en" else language) / f"{diagram.__name__}.svg"
        assert file.read_text(encoding="utf8") == diagram(), "make assets draws them again"


def test_the_lab_opens_on_the_readers_language(monkeypatch):
    monkeypatch.setenv("IPCLAB_LANGUAGE", "ko")
    assert "--LabApp.default_url=/lab/tree/build/ko" in options([])
    monkeypatch.setenv("IPCLAB_LANGUAGE", "xx")
    assert "--LabApp.default_url=/lab/tree/notebooks" in options([])


# What the tools promise, on a small course

MARKDOWN = "# Title\n\nSee [the man page](../assets/page.md) and [the other chapter](02_other.ipynb)."
CODE = """def experiment(text="a label"):
    name("writer")                  # the child writes
    print(f"{text!r} has", len(text), "letters\\n")

predict("How many letters"
        " are there?", {"os.read": "six", "EOF": ("five", "wrong")}, lambda trace: trace.calls("os.read"))"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one notebook, translated by nobody; its package has all its words."""
    (tmp_path / "notebooks" / "i18n" / "ko").mkdir(parents=True)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page.md").write_text("page")
    write(tmp_path, MARKDOWN, CODE)
    monkeypatch.setattr(catalog, "problems", lambda language: [])
    return tmp_path


def write(course, markdown, code):
    cells = [nbformat.v4.new_markdown_cell(markdown, id="intro"), nbformat.v4.new_code_cell(code, id="code")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), course / "notebooks" / "01_a.ipynb")


def notebook(course):
    return course / "notebooks" / "01_a.ipynb"


def words(course):
    return course / "notebooks" / "i18n" / "ko" / "01_a.md"


def fill(course, markdown="# 제목\n\n[매뉴얼](../assets/page.md), [다른 장](02_other.ipynb)", code=None):
    """The file of words as a translator would leave it."""
    code = code or {"the child writes": "자식: 쓰는 쪽", "{text!r} has": "{text!r} 길이", "letters": "글자",
                    "How many letters are there?": "몇 글자일까요?", "six": "여섯", "five": "다섯", "wrong": "틀림"}
    pairs = "\n\n".join(f"> {english}\n{other}" for english, other in code.items())
    words(course).write_text(f"<!-- cell: intro {entries.mark(MARKDOWN)} -->\n{markdown}\n\n"
                             f"<!-- cell: code -->\n{pairs}\n")


def problems(course):
    return translate.all_problems("ko", course)


def test_what_is_missing_is_said_per_cell(course):
    todo = "\n".join(problems(course))
    assert "notebooks/i18n/ko/01_a.md: cell intro: not translated" in todo
    assert "cell code: no words for 'the child writes'" in todo and "'How many letters are there?'" in todo
    assert "a label" not in todo and "'writer'" not in todo, "labels may be translated, names may not"
    fill(course)
    assert problems(course) == []


def test_update_writes_the_english_where_the_words_are_to_stand(course):
    translate.update(notebook(course), "ko")
    assert f"<!-- English:\n{MARKDOWN}\n-->" in words(course).read_text()
    assert "> the child writes\n" in words(course).read_text()
    before = words(course).read_text()
    translate.update(notebook(course), "ko")
    assert words(course).read_text() == before and len(problems(course)) == 8


def test_update_keeps_what_is_translated(course):
    fill(course)
    before = words(course).read_text()
    translate.update(notebook(course), "ko")
    assert words(course).read_text() == before


def test_what_is_stale_is_said_until_it_has_been_revised(course):
    fill(course)
    write(course, MARKDOWN + " New.", CODE.replace("child writes", "child reads"))
    assert "its English has changed" in problems(course)[0]
    assert any("no words for 'the child reads'" in problem for problem in problems(course))
    assert any("no text 'the child writes' any more" in problem for problem in problems(course))
    translate.update(notebook(course), "ko")
    assert " New.\n-->\n# 제목" in words(course).read_text() and "the child writes" not in words(course).read_text()
    assert "stands there to be revised by" in problems(course)[0]
    revised = entries.TO_DO.sub("", words(course).read_text()).replace("reads", "reads\n자식: 읽는 쪽")
    words(course).write_text(revised)
    assert problems(course) == []


def test_what_is_left_over_is_said(course):
    fill(course)
    words(course).write_text(words(course).read_text() + "\n<!-- cell: gone 01234567 -->\n옛날\n")
    words(course).with_name("02_gone.md").write_text("")
    assert [problem.split(": ", 1)[1] for problem in problems(course)] == [
        "cell gone: the notebook has no such cell any more; take its entry out",
        "there is no such notebook any more; take the file out"]


def test_a_lost_link_or_heading_is_said(course):
    fill(course, markdown="제목\n\n[매뉴얼](../assets/page.md)")
    assert "headings, links, tables" in problems(course)[0]


@pytest.mark.parametrize("bad", ["{text} 길이", "길이", "{text!r} {len(text)}", "{text!r"])
def test_a_translation_does_not_change_the_program(course, bad):
    assert prose.replaced(CODE, {"{text!r} has": "길이는 {text!r}"}) == CODE.replace("{text!r} has", "길이는 {text!r}")
    with pytest.raises(ValueError, match="the program itself"):
        prose.replaced(CODE, {"{text!r} has": bad})


def test_the_same_text_has_the_same_words_in_all_cells(course):
    """A label that one cell makes and another compares."""
    cells = [nbformat.v4.new_code_cell(f'mode {sign} "as in C"', id=id) for id, sign in {"a": "=", "b": "=="}.items()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook(course))
    words(course).write_text("<!-- cell: a -->\n> as in C\nC처럼\n")
    [problem] = problems(course)
    assert "cells a, b: 'as in C' has not the same words in all of them" in problem


def test_the_source_keeps_its_form():
    other = prose.replaced(CODE, {"How many letters are there?": "글자가 몇 개일까요? " * 8 + '"끝"', "letters": "글자",
                                  "the child writes": "자식: 쓰는 쪽"})
    assert '    name("writer")                  # 자식: 쓰는 쪽\n' in other and '"글자\\n"' in other
    first, second = other.splitlines()[4:]
    assert first.startswith('predict("') and second.startswith(" " * 8 + '"') and r'\"끝\""' in second


def test_text_in_three_quotes_and_cells_that_are_not_python():
    source = 'exercise(sort, [({"text": "in"}, "out\\n")], len, hints=["""Write it.\n\nThen run it."""])'
    assert prose.needed(source) == ["Write it.\n\nThen run it."]
    entry = entries._pair(prose.needed(source)[0], "쓰십시오.\n\n실행하십시오.")
    expected = source.replace("Write it", "쓰십시오").replace("Then run it", "실행하십시오")
    assert prose.replaced(source, entries.pairs(entry)) == expected
    assert prose.texts("%%bash\necho 'hello there'") == []


def test_links_are_right_where_the_notebook_is_built(course):
    fill(course)
    [file] = translate.build("ko", course)
    book = json.loads(file.read_text())
    assert book["cells"][0]["source"].endswith("[매뉴얼](../../assets/page.md), [다른 장](02_other.ipynb)")
    assert book["cells"][1]["source"].endswith('os.environ["IPCLAB_LANGUAGE"] = "ko"')


def test_solutions_are_translated_beside_the_notebook(course):
    fill(course)
    (course / "notebooks" / "solutions").mkdir()
    (course / "notebooks" / "solutions" / "01_a.py").write_text("def f():\n    return 1    # it is one\n")
    assert ["solutions.py" in problem and "'it is one'" in problem for problem in problems(course)] == [True]
    words(course).write_text(words(course).read_text() + "\n<!-- cell: solutions.py -->\n> it is one\n하나임\n")
    assert problems(course) == []
    translate.build("ko", course)
    assert (course / "build" / "ko" / "solutions" / "01_a.py").read_text().endswith("return 1    # 하나임\n")


def test_what_a_reader_wrote_survives_the_next_build(course):
    fill(course)
    [file] = translate.build("ko", course)
    book = json.loads(file.read_text())
    mine = copy.deepcopy(book)
    mine["cells"][-1]["source"] = "my own code"
    file.write_text(json.dumps(mine))
    assert translate.build("ko", course) == [], "nothing has changed in the course"
    assert json.loads(file.read_text())["cells"][-1]["source"] == "my own code"
    write(course, MARKDOWN, CODE + "\nmore()")
    assert translate.build("ko", course) == [file]
    assert json.loads(file.with_name("01_a.old1.ipynb").read_text()) == mine
    assert json.loads(file.read_text())["cells"][-1]["source"].endswith("more()")


def test_a_course_that_cannot_be_written_to_opens_all_the_same(course, capsys):
    (course / "build").write_text("in the way")
    translate.build_all(course)
    assert "could not be built" in capsys.readouterr().out


# The package's words

@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one module that says three things, and its Korean."""
    folder = tmp_path / "package"
    folder.mkdir()
    monkeypatch.setattr(catalog, "PACKAGE", folder)
    (folder / "a.py").write_text('_("one")\n_("{n} of them")\nngettext("{n} call", "{n} calls", n)\n')
    catalog.refresh("ko")
    return folder


def say(words):
    read = catalog.read("ko")
    for message in read:
        if message.id in words:
            message.string = words[message.id]
    catalog.file_of("ko").write_text(catalog._po(read))


GOOD = {"one": "하나", "{n} of them": "그중 {n}개", ("{n} call", "{n} calls"): ("호출 {n}번",)}


def test_the_packages_words_are_missing_until_they_are_there(package):
    assert sum("no words for" in problem for problem in catalog.problems("ko")) == 3
    say(GOOD)
    assert catalog.problems("ko") == ["the .mo is not what the .po says"]
    catalog.refresh("ko")
    assert catalog.problems("ko") == []
    with catalog.file_of("ko", "mo").open("rb") as file:
        said = gettext.GNUTranslations(file)
    assert (said.gettext("one"), said.ngettext("{n} call", "{n} calls", 2)) == ("하나", "호출 {n}번")


def test_the_packages_words_become_stale(package):
    say(GOOD)
    (package / "a.py").write_text('_("one or two")\n_("{n} of them")\n_(f"{n}")\n')
    todo = "\n".join(catalog.problems("ko"))
    assert "nobody says 'one' any more" in todo and "no words for 'one or two'" in todo
    assert catalog.unreadable() == ["a.py:3"]
    catalog.refresh("ko")
    assert catalog.problems("ko") == ["package/a.py: no words for 'one or two'"]


@pytest.mark.parametrize("bad, why", [("그중 몇 개", "values in braces differ"), ("{n}은 그중에", "a particle"),
                                      ("{m}개", "values in braces differ")])
def test_words_that_would_fail_or_read_badly(package, bad, why):
    say({**GOOD, "{n} of them": bad})
    catalog.refresh("ko")
    assert [why in problem for problem in catalog.problems("ko")] == [True]


def test_the_commands_are_said_in_korean():
    env = {**os.environ, "IPCLAB_LANGUAGE": "ko", "PYTHONPATH": str(COURSE)}
    done = subprocess.run([sys.executable, "-m", "ipclab", "--help"], env=env, capture_output=True, text=True)
    assert "프로세스 간 통신" in done.stdout and done.returncode == 0


def test_the_readmes_name_each_other():
    assert "(README.ko.md)" in (COURSE / "README.md").read_text()
    assert "(README.md)" in (COURSE / "README.ko.md").read_text()
    english, korean = [(set(re.findall(r"\bmake [a-z-]+|python -m ipclab \w+", text)), text.count("\n## "))
                       for text in ((COURSE / name).read_text() for name in ("README.md", "README.ko.md"))]
    assert korean == english, "commands that one README names and the other does not, or sections"


def test_the_built_notebooks_are_not_committed():
    assert "/build/" in pathlib.Path(COURSE / ".gitignore").read_text()
