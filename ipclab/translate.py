"""The notebooks in other languages, built from the English ones and the files of words (entries.py).

The English notebook is the source, and the program is in it alone; the other language's words are put in their places
when `build/ko/NAME.ipynb` is built.
"""
import hashlib
import json
import os
import pathlib

from .entries import LINK, SOLUTIONS, TO_DO, entries, pairs, problems, solutions_of, update, words_of
from .prose import replaced
from .say import _

COURSE = pathlib.Path(__file__).resolve().parent.parent


def languages(course=COURSE):
    """The languages that the course is translated into: ["ko"]."""
    return sorted(folder.name for folder in (course / "notebooks" / "i18n").glob("*") if folder.is_dir())


def notebooks(course=COURSE):
    """The English notebooks, [Path]."""
    return sorted((course / "notebooks").glob("*.ipynb"))


def translated(notebook, language, course=COURSE):
    """The notebook in that language, as a dict; what has no words yet stays English."""
    book, known = json.loads(notebook.read_text(encoding="utf8")), entries(words_of(notebook, language))
    for cell in book["cells"]:
        source, (_hash, text) = "".join(cell["source"]), known.get(cell["id"], (None, ""))
        if cell["cell_type"] == "code":
            cell.update(source=replaced(source, pairs(text)), outputs=[], execution_count=None)
        else:
            words = TO_DO.sub("", text).strip() or source
            cell["source"] = _moved(words, notebook.parent, course / "build" / language)
    first = next((k for k, cell in enumerate(book["cells"]) if cell["cell_type"] == "code"), 0)
    book["cells"].insert(first, _language_cell(language))
    book["metadata"]["ipclab"] = {"language": language, "built": _fingerprint(book)}
    return book


def _language_cell(language):
    """The cell by which the package, too, speaks the language in this notebook's kernel."""
    source = f'import os\n\nos.environ["IPCLAB_LANGUAGE"] = "{language}"'
    metadata = {"jupyter": {"source_hidden": True}, "slideshow": {"slide_type": "skip"}, "tags": ["remove-input"]}
    return {"cell_type": "code", "id": "ipclab-language", "metadata": metadata, "source": source, "outputs": [],
            "execution_count": None}


def _moved(markdown, here, there):
    """The Markdown with its relative links, right for `here`, made right for `there`. Other chapters are there too."""
    def target(match):
        path, hash, part = match[2].partition("#")
        if not path or ":" in path or path.startswith("/") or not (here / path).exists() or "/" not in path:
            return match[0]
        return match[1] + os.path.relpath((here / path).resolve(), there) + hash + part
    return LINK.sub(target, markdown)


def _fingerprint(book):
    """A hash of what stands in the cells, whoever wrote the file."""
    text = "\0".join("".join(cell["source"]) for cell in book["cells"])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_all(course=COURSE):
    """Build all languages before the lab opens, which it does in any case."""
    for language in languages(course):
        try:
            build(language, course)
        except (OSError, ValueError) as error:  # a course that is read-only, say
            print(_("{language}: the notebooks could not be built: {error}").format(language=language, error=error))


def build(language, course=COURSE):
    """Write build/LANGUAGE/*.ipynb; [Path] of those that were written. One that would not change stays as it is, with
    what its reader has done in it; one that the reader has worked in is kept under another name."""
    folder, written = course / "build" / language, []
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks(course):
        book, file = translated(notebook, language, course), folder / notebook.name
        _build_solutions(notebook, language, folder)
        if _built_from(file) == book["metadata"]["ipclab"]["built"]:
            continue
        _keep_the_readers(file)
        file.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", encoding="utf8")
        written.append(file)
    return written


def solutions(notebook, language):
    """The text of the exercises' solutions with its comments in that language, "" where there are none."""
    if not solutions_of(notebook).exists():
        return ""
    text = solutions_of(notebook).read_text(encoding="utf8")
    return replaced(text, pairs(entries(words_of(notebook, language)).get(SOLUTIONS, (None, ""))[1]))


def _build_solutions(notebook, language, folder):
    """The solutions, where an exercise in the folder looks for them."""
    if text := solutions(notebook, language):
        (folder / "solutions").mkdir(exist_ok=True)
        (folder / "solutions" / f"{notebook.stem}.py").write_text(text, encoding="utf8")


def _built_from(file):
    """The fingerprint that the built notebook had when it was built; None where there is none."""
    return _read(file).get("metadata", {}).get("ipclab", {}).get("built")


def _read(file):
    try:
        return json.loads(file.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}


def _keep_the_readers(file):
    """Move a built notebook whose cells were changed since out of the way of the new one."""
    book = _read(file)
    if book and _fingerprint(book) != _built_from(file):
        numbers = (file.with_name(f"{file.stem}.old{n}.ipynb") for n in range(1, 1000))
        file.rename(next(name for name in numbers if not name.exists()))


def main(update_language=None, course=COURSE):
    """The command: brings a language's words up to date if asked to, builds all, and says what is to be done; the exit
    status: 1 where something is."""
    if update_language:
        from .catalog import refresh

        for notebook in notebooks(course):
            update(notebook, update_language)
        refresh(update_language)
    for language in languages(course):
        build(language, course)
        print(_("{language}: the notebooks are in {folder}").format(language=language, folder=f"build/{language}"))
    todo = [problem for language in languages(course) for problem in all_problems(language, course)]
    for problem in todo:
        print(problem)
    if todo and not update_language:
        print(_("--update puts what is to be translated into its files"))
    return int(bool(todo))


def all_problems(language, course=COURSE):
    """What is to be done about the language's notebooks and files, each with its file's name; and about the package."""
    from .catalog import problems as in_the_package

    stems = {notebook.stem for notebook in notebooks(course)}
    found = [f"{words_of(notebook, language).relative_to(course)}: {problem}" for notebook in notebooks(course)
             for problem in problems(notebook, language)]
    found += [f"{file.relative_to(course)}: there is no such notebook any more; take the file out"
              for file in sorted((course / "notebooks" / "i18n" / language).iterdir()) if file.stem not in stems]
    return found + [f"ipclab: {problem}" for problem in in_the_package(language)]
