"""Tables of what was observed: every cell, what was seen for it, and nothing that has to be guessed."""
import re
import xml.etree.ElementTree as ElementTree

import pytest

from ipclab import comparison
from ipclab.look import LOOKS
from ipclab.table import PAPER, Table, room

ROWS = ("pipe", "`TCP` <&>")


def columns(number):
    return {f"property {n}": {row: (f"`text` {n} of {row}", f"seen {n}\n<in> \"{row}\"") for row in ROWS}
            for n in range(number)}


def tables(shown):
    """The HTML's tables, parsed."""
    html = re.sub("<style>.*</style>", "", shown._repr_mimebundle_()["text/html"], flags=re.DOTALL)
    return ElementTree.fromstring(f"<div>{html}</div>").findall("table")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("number", [1, 4, 5, 12])
def test_every_column_is_there_once_with_the_rows_names(look, number):
    found = tables(comparison(columns(number), look=look))
    heads = [head.text for table in found for head in table.findall("thead/tr/th") if head.text]
    assert heads == list(columns(number))
    for table in found:
        assert 2 <= len(table.findall("thead/tr/th")) <= room(look) + 1
        assert ["".join(head.itertext()) for head in table.findall("tbody/tr/th")] == ["pipe", "TCP <&>"]
        assert {head.get("scope") for head in table.iter("th")} == {"col", "row"}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("number", [3, 12])
def test_what_was_seen_is_with_its_cell(look, number):
    cells = [cell for table in tables(comparison(columns(number), look=look)) for cell in table.iter("td")]
    assert len(cells) == 2 * number
    for cell in cells:
        said, title = "".join(cell.itertext()), re.search(r"seen (\d+)\s<in> \"(.+)\"", cell.get("title"))
        assert said.startswith(f"text {title[1]} of {title[2].replace('`', '')}")
        assert cell.get("tabindex") == "0", "the keyboard gets there"
        assert ("seen" in said) is (look in PAPER and number == 3), "paper has no hover, and no room in many columns"


def test_a_cell_with_nothing_seen_is_no_stop_for_the_keyboard():
    [cell, other] = tables(Table(["", "a", "b"], [("row", ["text", ("more", "seen")])]))[0].iter("td")
    assert (cell.get("tabindex"), cell.get("title")) == (None, None) and other.get("tabindex") == "0"


def test_it_is_told_in_words():
    assert repr(comparison(columns(2))).splitlines() == [
        "property 0; property 1", "pipe: text 0 of pipe; text 1 of pipe",
        "TCP <&>: text 0 of `TCP` <&>; text 1 of `TCP` <&>".replace("`", "")]


@pytest.mark.parametrize("wrong", [{}, {"a": {}}, {"a": {"x": ("1", "")}, "b": {"y": ("1", "")}}])
def test_what_is_no_comparison(wrong):
    with pytest.raises(ValueError, match="same rows"):
        comparison(wrong)


def test_an_unknown_look():
    with pytest.raises(ValueError, match="screen, projector, print"):
        comparison(columns(1), look="poster")
