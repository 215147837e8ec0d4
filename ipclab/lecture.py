"""A chapter as slides for the hall: a copy in build/lecture, made from the one source, for jupyterlab-slideshow.

The copy differs from its notebook in what a lecture needs: sections tagged `extra` are no slides, pictures are drawn
for the back row, and letters have at least 1/40 of the slide's height, whatever the projector's resolution.
"""
import json
import sys

from . import paper
from .handout import found, spoken
from .say import _
from .translate import COURSE

LOOK = 'import os\n\nos.environ["IPCLAB_LOOK"] = "projector"\nos.environ["IPCLAB_LANGUAGE"] = "{language}"'
SIZES = {"--jp-code-font-size": "2.6vh", "--jp-content-font-size0": "2.6vh", "--jp-content-font-size1": "2.9vh",
         "--jp-content-font-size2": "3.2vh", "--jp-content-font-size3": "3.6vh", "--jp-content-font-size4": "4vh",
         "--jp-content-font-size5": "4.6vh", "--jp-widgets-font-size": "2.6vh", "--jp-ui-font-size1": "2.6vh"}
STYLES = {  # by jupyterlab-fonts, which jupyterlab-slideshow brings; ":root" is the notebook's window
    ":root": SIZES | {"&.jp-Deck": {"left": "8px !important", "right": "8px !important"}},  # no room for side bars
    ".jp-Notebook, .jp-WindowedPanel-outer": {"overflow-x": "hidden !important"},
    ".ipclab-figure svg": {"max-width": "100% !important"},
}


def lecture(words, language="en", extra=False, folder=COURSE / "build" / "lecture"):
    """The command: writes the slides of the notebooks that the words name (all without any), and says where they are;
    the exit status."""
    try:
        jobs = [(notebook, one) for notebook in found(words) for one in spoken(language)]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for notebook, one in jobs:
        name = notebook.name if one == "en" else f"{notebook.stem}.{one}.ipynb"
        text = json.dumps(slides(notebook, one, extra), ensure_ascii=False, indent=1)
        paper.write(folder, {name: text.encode()})
        print(_("slides: {file}").format(file=folder / name))
    return 0


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
