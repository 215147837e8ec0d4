"""Every check cell can fail: made false, it turns the suite red. (That they hold is for nbval to see.)"""
import ast
import json
import pathlib
import re
import subprocess
import sys

import pytest
from ahead import ahead

pytestmark = pytest.mark.chapters

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class Opposite(ast.NodeTransformer):
    """Every `assert claim` says that the claim does not hold."""

    def visit_Assert(self, node):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return node


def is_check(cell):
    return any(tag.startswith("row:") for tag in cell["metadata"].get("tags", []))


def falsified(notebook):
    """(the notebook with every claim turned round and without its pictures, how many check cells it has)."""
    checks = 0
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and is_check(cell):
            checks += 1
            cell["source"] = ast.unparse(Opposite().visit(ast.parse(source)))
        elif re.match(r"(explore|timeline|story|waits|pages|chart|contents)\(", source):
            cell["source"] = "pass"
    return notebook, checks


@pytest.fixture(scope="module")
def tested(request, tmp_path_factory):
    """A function from a notebook's path to what nbval says of its opposite: a CompletedProcess, number of checks."""
    def work(path):
        folder = tmp_path_factory.mktemp(path.stem)
        notebook, checks = falsified(json.loads(path.read_text()))
        (folder / "false.ipynb").write_text(json.dumps(notebook))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, "--nbval",
                   "--nbval-current-env", "--nbval-cell-timeout=60", folder / "false.ipynb"]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder), checks

    with ahead(request, "path", work) as outcome:
        yield outcome


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_false_claim_fails(path, tested):
    done, checks = tested(path)
    assert done.returncode == 1, done.stdout
    assert re.search(rf"\b{checks} failed", done.stdout), done.stdout
    assert done.stdout.count("AssertionError") >= checks, done.stdout
