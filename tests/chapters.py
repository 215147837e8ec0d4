"""The cells of a notebook, run in this process without their runs: programs defined, questions and exercises built."""
import ast
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = ROOT / "notebooks" / "solutions"


def sources(notebook, call=None):
    """{cell's id: source} of the code cells; of those that only call the function of that name, if it is given."""
    cells = json.loads(notebook.read_text())["cells"]
    code = {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}
    return {id: source for id, source in code.items() if call is None or source.startswith(f"{call}(")}


def surroundings(notebook):
    """The names that a cell finds: what the notebook imports, its parameters and functions; nothing has been run."""
    names = {"__name__": "__main__"}
    for source in sources(notebook).values():
        kept = [node for node in ast.parse(source).body
                if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
                or isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
        exec(compile(ast.Module(kept, []), str(notebook), "exec"), names)
    return names
