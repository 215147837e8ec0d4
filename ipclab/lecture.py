"""A chapter as slides for the hall: a copy in build/lecture, made from the one source, for jupyterlab-slideshow.

The copy differs from its notebook in what a lecture needs: sections tagged `extra` are no slides, pictures are drawn
for the back row, and letters have at least 1/40 of the slide's height, whatever the projector's resolution.
"""
import json
import sys

from . import paper, recording
from .handout import found, progress, spoken
from .recorded import SUFFIX
from .say import _
from .translate import COURSE

LOOK = 'import os\n\nos.environ["IPCLAB_LOOK"] = "projector"\nos.environ["IPCLAB_LANGUAGE"] = "{language}"'
SIZES = {"--jp-code-font-size": "2.6vh", "--jp-content-font-size0": "2.6vh", "--jp-content-font-size1": "2.9vh",
         "--jp-content-font-size2": "3.2vh", "--jp-content-font-size3": "3.6vh", "--jp-content-font-size4": "4vh",
         "--jp-content-font-size5": "4.6vh", "--jp-widgets-font-size": "2.6vh", "--jp-ui-font-size1": "2.6vh"}
WRAP = {"white-space": "break-spaces !important", "overflow-wrap": "anywhere", "flex-shrink": "1 !important"}
STYLES = {  # by jupyterlab-fonts, which jupyterlab-slideshow brings; ":root" is the notebook's window
    ":root": SIZES | {"&.jp-Deck": {"left": "0 !important", "right": "0 !important", "overflow": "hidden !important"}},
    ".jp-Notebook, .jp-WindowedPanel-outer": {"overflow-x": "hidden !important"},
    ".jp-WindowedPanel-viewport": {"padding": "0 !important"},
    ".jp-OutputArea-output.jp-RenderedHTMLCommon": {"padding-right": "0 !important"},  # room for pictures
    ".jp-MarkdownOutput, .jp-OutputArea-output pre": {"padding-right": "88px !important"},  # the arrows' corner
    ".cm-content": WRAP,  # CodeMirror looks, and measures anew
    ".jp-InputPlaceholder": {"display": "none !important"},  # what stands for the source of a question
    ".ipclab-figure svg": {"max-width": "100% !important"},
}


def lecture(words, language="en", extra=False, record=False, folder=COURSE / "build" / "lecture"):
    """The command: writes the slides of the notebooks that the words name (all without any), and says where they are;
    with `record` their runs too, beside them (recording.py); the exit status."""
    try:
        jobs = [(notebook, one) for notebook in found(words) for one in spoken(language)]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    status = 0
    for notebook, one in jobs:
        name = notebook.name if one == "en" else f"{notebook.stem}.{one}.ipynb"
        book = slides(notebook, one, extra)
        paper.write(folder, {name: json.dumps(book, ensure_ascii=False, indent=1).encode()})
        print(_("slides: {file}").format(file=folder / name), flush=True)
        if record and not _recorded(book, one, folder, name.removesuffix(".ipynb") + SUFFIX):
            status = 1
    return status


def _recorded(book, language, folder, name):
    """Runs the slides and keeps their runs in the file, says so, and shows how far it is; False where a cell fails."""
    def count(place, cells):
        progress(name, _("cell {place} of {cells}").format(place=place + 1, cells=cells))

    try:
        data = recording.record(book, language, count)
    except paper.Failed as error:
        progress(name)
        print(f"{name}: {error}\n" + _("Nothing was recorded."), file=sys.stderr)
        return False
    paper.write(folder, {name: data})
    progress(name)
    print(_("recorded runs: {file}, {size} KB").format(file=folder / name, size=len(data) // 1000 + 1), flush=True)
    return True


def slides(notebook, language="en", extra=False):
    """The notebook (a Path) as a dict, as slides; with its `extra` sections if wanted."""
    book = paper.book(notebook, language)
    first = next(place for place, cell in enumerate(book.cells) if cell.cell_type == "code")
    book.cells.insert(first, _look(language))
    for cell in book.cells:
        if "extra" in cell.metadata.get("tags", []) and not extra:
            cell.metadata["slideshow"] = {"slide_type": "skip"}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif language == "en":  # build/lecture is one deeper than notebooks; a translation's links suit build/ko
            cell.source = cell.source.replace("](../", "](../../")
    book.metadata["@deathbeds/jupyterlab-fonts"] = {"styles": STYLES}
    return book


def _look(language):
    """The cell that has everything drawn for the projector; it is no slide, and runs with all the others."""
    from nbformat.v4 import new_code_cell

    metadata = {"slideshow": {"slide_type": "skip"}}
    return new_code_cell(LOOK.format(language=language), id="ipclab-look", metadata=metadata)
