"""A chapter on one page: its findings, their pictures as far as there is room, the limits of the machine it ran on.

A finding stands in a cell whose id ends in "-finding", and its picture is the first one above it; what the machine
says of its limits is printed by the cells whose ids begin with "limits". See CONTRIBUTING.md.
"""
import bisect
import re
from typing import NamedTuple

from . import paper, press
from .say import _
from .timeline import svg_size

SHEETS = ("style.css", "card.css")  # in assets/handout


class Finding(NamedTuple):
    """What a section found: a sentence (Markdown), its picture as nbformat's output or None, and whether the section
    is an extra one."""

    sentence: str
    picture: dict | None
    extra: bool


def card(book, notebook, language):
    """The HTML, one page on paper, of an executed notebook. paper.Failed where not even the findings fit on a page."""
    found, made = findings(book), {}
    order = sorted((place for place, finding in enumerate(found) if finding.picture), key=lambda place: (
        found[place].extra, place > 0, _height(found[place].picture)))  # the smallest program's comes first

    def too_long(pictures):
        shown = {*order[:pictures]}
        cut = [finding if place in shown else finding._replace(picture=None) for place, finding in enumerate(found)]
        made[pictures] = paper.page(_sheet(book, notebook, cut), notebook, language, sheets=SHEETS)
        return press.pages(made[pictures]) > 1

    room = bisect.bisect_left(range(len(order) + 1), True, key=too_long) - 1
    if room < 0:
        raise paper.Failed(_("{n} findings do not fit on one page").format(n=len(found)))
    return made[room]


def findings(book):
    """[Finding] of an executed notebook, in order."""
    found, picture = [], None
    for cell in book.cells:
        if cell.cell_type == "code":
            picture = picture or next((one for one in cell.outputs if "image/svg+xml" in one.get("data", {})), None)
        elif cell.id.endswith("-finding") and (bold := re.match(r"\*\*.+?\*\*", cell.source, re.DOTALL)):
            found.append(Finding(bold[0], picture, "extra" in cell.metadata.get("tags", [])))
            picture = None
    return found


def _height(output):
    """How high a picture is, for one that is as wide as all others."""
    wide, high = svg_size(output["data"]["image/svg+xml"])
    return high / wide


def _sheet(book, notebook, found):
    """The notebook of a card: title, findings with their pictures, limits."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    cells = [new_markdown_cell(f"# {paper.title(book, notebook.stem)}\n\n{paper.opening(book)}")]
    for finding in found:
        cells.append(new_markdown_cell(finding.sentence))
        cells += [_shown([finding.picture])] if finding.picture else []
    for cell in (cell for cell in book.cells if cell.id.startswith("limits")):
        cells.append(cell if cell.cell_type == "markdown" else _shown(cell.outputs))
    return new_notebook(cells=cells)


def _shown(outputs):
    """A cell of which only these outputs are seen."""
    from nbformat.v4 import new_code_cell

    return new_code_cell("", outputs=outputs, metadata={"tags": ["remove-input"]})
