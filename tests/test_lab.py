"""`python -m ipclab lab`, which `make lab` runs: the course's settings hold in a real JupyterLab and a real browser,
whatever else is configured for this user."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

import pytest
from browser import Page, chromium, end, free_port, server_url, until

from ipclab.lab import COURSE, environment, options

pytestmark = pytest.mark.browser

OVERRIDES = json.loads((COURSE / "assets" / "lab" / "labconfig" / "default_setting_overrides.json").read_text())
CELL = """
import ipywidgets, sys, threading
button, said = ipywidgets.Button(description="say"), ipywidgets.HTML("nothing")
def say(_): said.value = f"{threading.current_thread().name} of {sys.prefix}"
button.on_click(say)
ipywidgets.VBox([button, said])
"""


def clean_environment(folder):
    """The variables of a user whose Jupyter has settings, and a kernel named python3, that would spoil the course."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "IPCLAB"))}
    kernel = folder / "data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Another Python", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_lab_config.py").write_text("c.ServerApp.ip = '0.0.0.0'\n")
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
              "IPYTHONDIR": "ipython", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_PATH": "data"}
    paths = {key: str(folder / place) for key, place in places.items()}
    return {**kept, **paths, "JUPYTER_NO_CONFIG": "", "PYTHONPATH": str(COURSE)}


@contextlib.contextmanager
def started(folder, *more):
    """JupyterLab as a reader starts it, but for the browser: {"url", "token", "process", "log"}."""
    log = folder / "server.log"
    command = [sys.executable, "-m", "ipclab", "lab", "--no-browser", f"--ServerApp.port={free_port()}", *more]
    process = subprocess.Popen(command, cwd=COURSE, env=clean_environment(folder), stdin=subprocess.DEVNULL,
                               stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True)
    try:
        token = until(lambda: process.poll() is not None or token_of(folder), "the server's own file", 60)
        assert process.poll() is None, log.read_text()
        url = until(lambda: server_url(folder, token), "JupyterLab to answer", 60)
        yield {"url": url, "token": token, "process": process, "log": log}
    finally:
        end(process)


def token_of(folder):
    for file in (folder / "runtime").glob("jpserver-*.json"):
        with contextlib.suppress(ValueError, KeyError):
            return json.loads(file.read_text())["token"]
    return None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    root = folder / "notebooks"
    with started(folder, f"--ServerApp.root_dir={root}", f"--FileContentsManager.preferred_dir={root}",
                 "--LabApp.expose_app_in_browser=True") as server:
        yield server | {"folder": folder}


@pytest.fixture(scope="module")
def page(server):
    with chromium(server["folder"] / "profile", (1280, 720)) as driver:
        page = Page(driver, server, server["folder"] / "notebooks")
        page.open(CELL)
        yield page


def ask(server, path, token=True):
    """What the server's REST interface answers, as Python's values."""
    headers = {"Authorization": f"token {server['token']}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(server["url"] + path, headers=headers), timeout=20) as answer:
        return json.load(answer)


@pytest.mark.parametrize("plugin", OVERRIDES)
def test_the_settings_are_known_and_in_force(server, plugin):
    answer = ask(server, f"/lab/api/settings/{plugin}")
    defaults = {name: answer["schema"]["properties"][name]["default"] for name in OVERRIDES[plugin]}
    assert defaults == OVERRIDES[plugin] and answer["settings"] == {}


def test_it_listens_on_this_machine_alone_and_wants_a_token(server):
    [file] = (server["folder"] / "runtime").glob("jpserver-*.json")
    assert json.loads(file.read_text())["hostname"] == "127.0.0.1"
    assert len(server["token"]) >= 32 and server["token"] in server["log"].read_text()
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, "/api/contents", token=False)
    assert refused.value.code == 403


def test_the_only_kernel_is_this_environments(server):
    kernels = ask(server, "/api/kernelspecs")["kernelspecs"]
    assert [spec["spec"]["display_name"] for spec in kernels.values()] == ["Python 3 (ipykernel)"]


def test_widgets_answer_in_the_main_thread_of_this_python(page):
    page.all(".widget-button")[0].click()
    said = until(lambda: (text := page.all(".widget-html-content")[0].text) != "nothing" and text, "the answer")
    assert said == f"MainThread of {sys.prefix}"


def test_nothing_pops_up_over_the_picture(page):
    assert page.js("return window.jupyterapp.restored.then(() => true)")
    assert page.all(".Toastify__toast") == [] and page.all(".jp-Dialog") == []


def test_the_state_of_widgets_is_saved_with_the_notebook(page):
    page.js("return window.jupyterapp.commands.execute('docmanager:save')")
    saved = until(lambda: json.loads((page.folder / "test.ipynb").read_text())["metadata"].get("widgets"), "the state")
    [states] = [part["state"] for part in saved.values()]
    assert "ButtonModel" in {state["model_name"] for state in states.values()}


def test_it_opens_on_the_notebooks(tmp_path):
    given = dict(option.split("=", 1) for option in options([]))
    assert given["--LabApp.default_url"] == "/lab/tree/notebooks"
    assert pathlib.Path(given["--FileContentsManager.preferred_dir"]) == COURSE / "notebooks"
    with started(tmp_path) as server:
        assert "/lab/tree/notebooks?token=" in server["log"].read_text()
        assert "notebooks" in [entry["name"] for entry in ask(server, "/api/contents")["content"]]
        server["process"].send_signal(signal.SIGTERM)
        assert server["process"].wait(20) == 0


def test_own_options_win():
    assert "--ServerApp.ip=127.0.0.1" in options([])
    assert not any("ServerApp.ip" in option for option in options(["--ServerApp.ip=::1"]))


def test_root_alone_is_allowed_to_be_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not any("allow_root" in option for option in options([]))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--ServerApp.allow_root=True" in options([])


def test_own_settings_come_behind_the_courses():
    paths = environment({"JUPYTER_CONFIG_PATH": "/mine", "JUPYTER_NO_CONFIG": "1"})
    assert paths["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(COURSE / "assets" / "lab"), "/mine"]
    assert "JUPYTER_NO_CONFIG" not in paths
