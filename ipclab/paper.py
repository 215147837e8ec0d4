"""A notebook run with chosen parameters, and made into a page: HTML that needs nothing but itself.

papermill runs it, in a kernel of this very Python, whatever kernels are installed; nbconvert makes the page, by the
template and the style sheet in assets/handout (press.py prints it). Nothing is fetched: what a page would have to load
from elsewhere is an error.
"""
import base64
import contextlib
import datetime
import mimetypes
import os
import pathlib
import platform
import re
import tempfile
from html.parser import HTMLParser

from . import parameters
from .say import _
from .translate import COURSE, solutions, translated

STYLE = COURSE / "assets" / "handout"
TIMEOUT = 300  # seconds for a cell
LOADS = {"src", "srcset", "poster", "data", "xlink:href", "background"}  # attributes that load what they name


class Failed(Exception):
    """The notebook did not come through: the text says in which cell and why."""


def book(notebook, language="en"):
    """The notebook (a Path) in that language, as nbformat has it."""
    import nbformat

    if language == "en":
        return nbformat.read(notebook, as_version=4)
    found = nbformat.from_dict(translated(notebook, language))
    found.cells = [cell for cell in found.cells if cell.id != "ipclab-language"]  # see `told`
    return found


def executed(book, values, progress, **told):
    """The notebook as it is after a run with these values of parameters; `progress(done, all)` hears of each cell, and
    `told` are variables of the kernel's environment. Failed where a cell fails."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    begun = []

    def begin(cell, cell_index):
        begun.append(cell)
        progress(cell_index, len(book.cells))

    with environment(**told):
        try:
            done = papermill.execute_notebook(book, None, values, kernel_name="python3", language="python",
                                              progress_bar=False, cwd=COURSE / "notebooks", on_cell_start=begin,
                                              **_kernel())
        except (papermill.PapermillExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise Failed(_why(begun[-1] if begun else None, error)) from error
    return _as_chosen(done, values)


def _why(cell, error):
    """Which cell failed, at which line if that is known, and how."""
    what = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else str(error)
    if cell is None:
        return what
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    text = _("error in cell {cell}:\n{source}\n{what}")
    return text.format(cell=cell.get("id", "?"), source=source, what=what.strip())


def _kernel():
    """What has papermill start a kernel of this Python, which does not talk about its own set-up."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class Kernel(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _no_others(self):  # then "python3" is this Python: jupyter_client's own, not what someone installed as that
            return KernelSpecManager(kernel_dirs=[])

    return {"kernel_manager_class": Kernel, "extra_arguments": ["--log-level=CRITICAL"], "execution_timeout": TIMEOUT}


@contextlib.contextmanager
def environment(**told):
    """For a while these variables, this course's package, and no IPython settings of the user's."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="ipython") as folder:
        path = os.pathsep.join([str(COURSE), *filter(None, [before.get("PYTHONPATH")])])
        os.environ.update(told, PYTHONPATH=path, IPYTHONDIR=folder)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _as_chosen(book, values):
    """The notebook with the values in its own cell of parameters, instead of in one put in by papermill."""
    book.cells = [cell for cell in book.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for cell in book.cells:
        if parameters.is_parameters(cell):
            cell.source = parameters.replaced(cell.source, values)
    return book


def title(book, name):
    """The notebook's first heading."""
    found = re.search(r"^# +(.+)$", _prose(book), re.MULTILINE)
    return _bare(found[1]) if found else name


def opening(book):
    """The first sentence below the notebook's first heading, "" where there is none."""
    paragraph = re.search(r"^# .+\n+((?![\s#>|!]|[*+-] ).+\n?(?:.+\n?)*)", _prose(book), re.MULTILINE)
    text = " ".join(_bare(paragraph[1]).split()) if paragraph else ""
    return re.match(r"(?:.+?[.?!](?=\s|$))?", text)[0]


def _prose(book):
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def _bare(markdown):
    """A line of Markdown as a page's title has it: without emphasis, code and links."""
    return re.sub(r"[*`]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)).strip()


def solved(book, notebook, language="en"):
    """As page(), with the solutions of the exercises below, one below the other."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    _imports, *pieces = re.split(r"\n{3,}", solutions(notebook, language).strip())
    if pieces:
        heading = new_markdown_cell(f"## {_('Solutions')}", metadata={"tags": ["solutions"]})
        book.cells += [heading, *map(new_code_cell, pieces)]
    return page(book, notebook, language)


def page(book, notebook, language="en", links=(), sheets=("style.css",)):
    """The executed notebook as the text of one HTML page; `notebook` is its file's path, `links` to other pages are
    (rel, href, text), the text None for that of the index, `sheets` are style sheets. Failed where it would load
    something."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    hidden = {"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": {"remove-input"}}}  # a question's code
    exporter = HTMLExporter(
        config=Config(hidden), template_name=STYLE.name, extra_template_basedirs=[str(STYLE.parent)],
        exclude_input_prompt=True, exclude_output_prompt=True, exclude_anchor_links=True, language_code=language)
    told = {"title": title(book, notebook.stem), "language": language,
            "style": "\n".join((STYLE / sheet).read_text() for sheet in sheets), "note": _note(),
            "links": [(rel, href, text or _("All chapters")) for rel, href, text in links]}
    text, _resources = exporter.from_notebook_node(book, {"page": told})
    text = _with_images(text, notebook.parent if language == "en" else COURSE / "build" / language)
    text = re.sub(r'(href="[^":#]+)\.ipynb(["#])', r"\1.html\2", text)  # the other chapters are pages too
    if found := loaded(text):
        raise Failed(_("the page would load {what}, which is not in it").format(what=", ".join(found)))
    return text


def _with_images(html, folder):
    """The page with the images of the course in it; their addresses are relative to the folder, there or not."""
    def embedded(match):
        file = pathlib.Path(os.path.normpath(folder / match[2]))
        if not file.is_relative_to(COURSE) or not file.is_file():
            return match[0]
        kind, data = mimetypes.guess_type(file)[0], base64.b64encode(file.read_bytes()).decode()
        return f"{match[1]}data:{kind};base64,{data}"

    return re.sub(r'(<img\b[^>]*\bsrc=")([^":]+)', embedded, html)  # nbconvert embeds none from outside the folder


def _note():
    """What made the pictures, for who reads them on paper."""
    return _("Every picture and every output was made by running these programs: {date}, Linux {kernel}, "
             "Python {python}.").format(date=datetime.date.today().isoformat(), kernel=platform.release(),
                                        python=platform.python_version())


def loaded(html):
    """What the page would load from elsewhere, [str]."""
    reader = _Loads()
    reader.feed(html)
    return reader.found


class _Loads(HTMLParser):
    """Collects what is neither in the page itself nor a link that the reader would have to follow."""

    def __init__(self):
        super().__init__()
        self.found, self._style = [], False

    def handle_starttag(self, tag, attributes):
        self._style = tag == "style"
        for name, value in attributes:
            if name in LOADS or name == "href" and tag not in ("a", "area"):
                self._add(value or "")
            elif name == "style":
                self.handle_data(value or "", css=True)

    def handle_data(self, data, css=False):
        if css or self._style:
            for address in re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", data):
                self._add("".join(address))

    def _add(self, address):
        if not address.strip().startswith(("data:", "#")):
            self.found.append(address)


def write(folder, files):
    """Writes {name: bytes} into the folder, each whole or not at all, and none before all are on the disk."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {folder / name: folder / f".{name}.part" for name in files}
    try:
        for file, part in parts.items():
            part.write_bytes(files[file.name])
        for file, part in parts.items():
            part.replace(file)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
