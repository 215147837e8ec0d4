"""Every chapter in the other languages, run from top to bottom: its checks hold, and turned round they fail.

(That it runs in English, with what it printed before, is for nbval to see.)
"""
import ast
import copy

import nbclient
import nbformat
import pytest
from ahead import ahead

from ipclab import translate

pytestmark = pytest.mark.chapters

each_translation = pytest.mark.parametrize(
    "translation", [(notebook, language) for notebook in translate.notebooks() for language in translate.languages()],
    ids=lambda case: f"{case[0].stem}-{case[1]}")
OPPOSITE = "-opposite"  # what the id of a cell ends with in which the claims of the cell before are turned round


class Opposite(ast.NodeTransformer):
    """Every `assert claim` says that the claim does not hold."""

    def visit_Assert(self, node):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return node


def is_check(cell):
    return any(tag.startswith("row:") for tag in cell.metadata.get("tags", []))


def opposite(cell):
    """A cell with the opposite of each claim of a check cell; that it fails ends no run."""
    made = copy.deepcopy(cell)
    made.source = ast.unparse(Opposite().visit(ast.parse(cell.source)))
    made.id, made.metadata.tags = cell.id + OPPOSITE, ["raises-exception"]
    return made


@pytest.fixture(scope="module")
def executed(request, tmp_path_factory):
    """A function from (notebook's path, language) to the translated notebook with its opposites, executed."""
    def work(case):
        book = nbformat.from_dict(translate.translated(*case))
        book.cells = [one for cell in book.cells for one in ([cell, opposite(cell)] if is_check(cell) else [cell])]
        folder = str(tmp_path_factory.mktemp(case[0].stem))
        return nbclient.NotebookClient(book, timeout=60, resources={"metadata": {"path": folder}}).execute()

    tmp_path_factory.getbasetemp()  # made here, for two threads that make it at once disturb each other
    with ahead(request, "translation", work) as outcome:
        yield outcome


def first_words(source):
    """What the print() calls of a cell begin with, where that is a plain text."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.args[0].value for call in calls if getattr(call.func, "id", "") == "print" and call.args
            and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)]


@each_translation
def test_the_notebook_runs_and_its_checks_hold(translation, executed):
    book = executed(translation)
    checks = [cell for cell in book.cells if is_check(cell)]
    printed = {cell.id: "".join(output.get("text", "") for output in cell.outputs) for cell in checks}
    said = [(cell.id, words) for cell in checks for words in first_words(cell.source)]
    assert len(said) > 5 and all(words in printed[cell] for cell, words in said)
    pictures = [output.data["image/svg+xml"] for cell in book.cells for output in cell.get("outputs", [])
                if "image/svg+xml" in output.get("data", {})]
    assert pictures and not any(">waiting<" in svg for svg in pictures), "the pictures are in English"


@each_translation
def test_a_false_claim_fails(translation, executed):
    book = executed(translation)
    failures = {cell.id.removesuffix(OPPOSITE): [output.ename for output in cell.outputs if "ename" in output]
                for cell in book.cells if cell.id.endswith(OPPOSITE)}
    assert len(failures) == sum(map(is_check, book.cells)) > 5
    assert {cell: names for cell, names in failures.items() if names != ["AssertionError"]} == {}
