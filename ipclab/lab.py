"""JupyterLab on the course, with the course's settings, whatever else is configured on the machine.

`python -m ipclab lab` is what `make lab` runs. Any other JupyterLab shows the course too: the settings are in
assets/lab, which JUPYTER_CONFIG_PATH may name (jupyter_core's documentation: "Common directories and file locations").
"""
import os
import pathlib
import sys

from .say import _
from .translate import build_all, languages

COURSE = pathlib.Path(__file__).resolve().parent.parent


def lab(arguments):
    """Become JupyterLab (execve(2); does not return) on the notebooks in all languages. arguments: list of JupyterLab's
    own options, which win over the course's. SystemExit where the package is installed without the course's notebooks
    beside it."""
    if not (COURSE / "assets" / "lab").is_dir():
        raise SystemExit(_("The notebooks are not here: run this in a copy of the course's repository."))
    build_all()
    command = [sys.executable, "-m", "jupyterlab", *options(arguments), *arguments]
    os.execve(sys.executable, command, environment(os.environ))


def options(arguments):
    """The course's options of JupyterLab, but for those that the arguments name themselves: [str]. It opens on
    the notebooks in the language of IPCLAB_LANGUAGE."""
    language = os.environ.get("IPCLAB_LANGUAGE", "en")
    folder = f"build/{language}" if language in languages() else "notebooks"
    ours = {
        "--ServerApp.ip": "127.0.0.1",
        "--ServerApp.root_dir": COURSE,
        "--FileContentsManager.preferred_dir": COURSE / folder,
        "--LabApp.default_url": f"/lab/tree/{folder}",
        "--ServerApp.kernel_websocket_connection_class": "ipclab.prompt.PromptConnection",
    }
    if os.geteuid() == 0:
        ours["--ServerApp.allow_root"] = True
    given = {argument.split("=")[0] for argument in arguments}
    return [f"{option}={value}" for option, value in ours.items() if option not in given]


def environment(variables):
    """The variables (a mapping) as JupyterLab gets them: the course's settings first, kernels of this Python only,
    and a layout of windows of the course's own, so that another project's tabs do not open here."""
    ours = dict(variables)
    ours.pop("JUPYTER_NO_CONFIG", None)
    settings = [str(COURSE / "assets" / "lab"), *filter(None, [ours.get("JUPYTER_CONFIG_PATH")])]
    ours["JUPYTER_CONFIG_PATH"] = os.pathsep.join(settings)
    ours["JUPYTER_PATH"] = os.path.join(sys.prefix, "share", "jupyter")
    ours.setdefault("JUPYTERLAB_WORKSPACES_DIR", str(COURSE / "build" / "lab" / "workspaces"))
    return ours
