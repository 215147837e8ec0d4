"""What is committed: notebooks as CONTRIBUTING.md says, nothing that belongs to one machine."""
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BUILT = {".git", ".venv", "build", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache"}


def committed():
    """The repository's files, [Path]; in a copy without git all files but those that are built."""
    listed = None
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True)
    if listed and listed.returncode == 0:
        files = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not BUILT.intersection(file.relative_to(ROOT).parts)]
    return sorted(file for file in files if file.is_file() and ".egg-info" not in str(file.relative_to(ROOT)))


def text(file):
    """The file's text, "" for one that is not text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def cells(notebook, kind="code"):
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == kind]


def tags(cell):
    return cell["metadata"].get("tags", [])


def lines(cell):
    return len("".join(cell["source"]).splitlines())


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook in notebooks/: nothing of the course would be tested"


every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@every_notebook
def test_output_is_kept_only_where_it_is_compared(notebook):
    for cell in cells(notebook):
        if "keep_output" not in tags(cell):
            assert not cell["outputs"], f"cell {cell['id']} has output: see CONTRIBUTING.md, Before a commit"
        else:
            assert cell["outputs"], f"cell {cell['id']} is tagged keep_output and has none"
            assert {output["output_type"] for output in cell["outputs"]} == {"stream"}, cell["id"]


@every_notebook
def test_every_check_is_compared(notebook):
    checks = [cell for cell in cells(notebook) if any(tag.startswith("row:") for tag in tags(cell))]
    assert checks, "no check: no cell is tagged row:<id>"
    for cell in checks:
        assert "keep_output" in tags(cell), f"cell {cell['id']}: tag it keep_output"
        assert "assert" in "".join(cell["source"]), f"cell {cell['id']} asserts nothing"


@every_notebook
def test_every_code_cell_has_a_count(notebook):
    """nbval runs a cell that has none, and compares nothing."""
    assert [cell["id"] for cell in cells(notebook) if not cell["execution_count"]] == []


@every_notebook
def test_cell_ids_are_there_once(notebook):
    ids = [cell["id"] for cell in json.loads(notebook.read_text())["cells"]]
    assert len(ids) == len(set(ids))


def test_stripping_changes_nothing(tmp_path):
    copies = [pathlib.Path(shutil.copy(notebook, tmp_path)) for notebook in NOTEBOOKS]
    subprocess.run([sys.executable, "-m", "nbstripout", "--keep-id", "--keep-count", *copies], check=True)
    changed = [copy.name for notebook, copy in zip(NOTEBOOKS, copies) if copy.read_text() != notebook.read_text()]
    assert changed == [], "nbstripout --keep-id --keep-count changes them"


@every_notebook
def test_code_cells_are_short(notebook):
    asking = [cell for cell in cells(notebook) if "remove-input" in tags(cell)]  # questions: folded away, not read
    assert max(map(lines, asking), default=0) <= 12
    lengths = sorted(lines(cell) for cell in cells(notebook) if cell not in asking)
    assert statistics.median(lengths) <= 4
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 15
    assert lengths[-1] <= 25


@every_notebook
def test_no_mathematics_that_needs_the_network(notebook):
    found = [cell["id"] for cell in cells(notebook, "markdown")
             if re.search(r"\$[^$\n`]+\$", re.sub(r"```.*?```|`[^`]*`", "", "".join(cell["source"]), flags=re.DOTALL))]
    assert found == []


@every_notebook
def test_one_cell_has_the_parameters(notebook):
    assert sum("parameters" in tags(cell) for cell in cells(notebook)) <= 1


def test_no_package_registry_is_named():
    hosts = re.compile(r"\b(pypi\.org|pythonhosted\.org|npmjs\.(org|com)|npmjs\.org|(deb|security)\.debian\.org"
                       r"|anaconda\.org|crates\.io|proxy\.golang\.org)\b", re.IGNORECASE)
    assert [file.name for file in committed() if hosts.search(text(file))] == []


def test_no_path_of_a_machine_is_named():
    here = {str(ROOT), str(pathlib.Path.home()), sys.prefix}
    words = [re.escape(path) + r"\b" for path in here if path.count("/") > 1] + [r"/root/[\w.]", r"/home/\w+/"]
    paths = re.compile("|".join(words))
    found = {str(file.relative_to(ROOT)): match[0] for file in committed() if (match := paths.search(text(file)))}
    found.pop("tests/test_repository.py", None)
    assert found == {}
