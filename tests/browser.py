"""A real JupyterLab in a real Chromium, for tests and benches: both are started here, and are gone afterwards.

Everything lives in one temporary directory: settings, kernels' connection files, the browser's profile. The server
listens on 127.0.0.1 only, at a free port, with a token made for it. Nothing is downloaded: browser and driver are
the system's, found on PATH.
"""
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import nbformat
import psutil
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = {"chromium": "chromium", "chromedriver": "chromium-driver"}
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-features=Translate,OptimizationHints,MediaRouter")

# JupyterLab draws the cells that are out of view when the browser is idle: on a busy machine, two in three seconds.
IDLE = """window.requestIdleCallback = work => setTimeout(() => work({didTimeout: true, timeRemaining: () => 50}));
window.cancelIdleCallback = clearTimeout;"""

# A cell has run before it is on the page and its widgets in it; and a box holds the places of its children before them.
DRAWN = """const kind = 'application/vnd.jupyter.widget-view+json';
const areas = window.jupyterapp.shell.currentWidget.content.widgets.flatMap(cell => cell.model.outputs ?? []);
const told = areas.flatMap(area => [...Array(area.length).keys()].filter(n => area.get(n).data[kind])).length;
const there = document.querySelectorAll('.jp-Notebook .jp-OutputArea-output > .jupyter-widgets').length;
return told === there && !document.querySelector('.widget-box > :empty');"""


def need_tools():
    """RuntimeError with the line that installs them, where the browser or its driver is missing."""
    missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if missing:
        raise RuntimeError(f"these tests need a browser: sudo apt-get install {' '.join(missing)}")


def until(condition, what, seconds=30.0):
    """The first true value of condition(), asked again and again; AssertionError naming `what` if there is none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


@contextlib.contextmanager
def lab(course=True, size=(1280, 720)):
    """A Page of a fresh JupyterLab, with the course's settings or, where `course` is False, with its own defaults:
    then widget callbacks run in threads, and the server's messages wait for one another (see ipclab/prompt.py)."""
    need_tools()
    with tempfile.TemporaryDirectory(prefix="lab") as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        server = stack.enter_context(jupyter_server(folder, course))
        driver = stack.enter_context(chromium(folder / "profile", size))
        yield Page(driver, server, folder / "notebooks")


@contextlib.contextmanager
def jupyter_server(folder, course):
    """JupyterLab on folder/notebooks: {"url", "token", "process"}; at the end it and all it started are ended."""
    (folder / "notebooks").mkdir()
    token, log = secrets.token_hex(16), folder / "server.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={free_port()}", f"--IdentityProvider.token={token}",
               f"--ServerApp.root_dir={folder / 'notebooks'}", "--LabApp.expose_app_in_browser=True"]
    if course:
        command.append("--ServerApp.kernel_websocket_connection_class=ipclab.prompt.PromptConnection")
    process = subprocess.Popen(command, cwd=folder, env=environment(folder, course), stdin=subprocess.DEVNULL,
                               stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True)
    try:
        url = until(lambda: process.poll() is None and server_url(folder, token), "JupyterLab to answer", 60)
        yield {"url": url, "token": token, "process": process, "log": log}
    finally:
        end(process)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder, course):
    """The environment of a server that sees no settings but the course's, or next to none."""
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (folder / "config" / "labconfig").mkdir(parents=True)
    (folder / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps({} if course else quiet))
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
              "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "IPCLAB"))}
    return kept | {key: str(folder / place) for key, place in places.items()} | {
        "PYTHONPATH": path, "JUPYTER_CONFIG_PATH": str(ROOT / "assets" / "lab") if course else ""}


def server_url(folder, token):
    """Where the server answers ("http://127.0.0.1:port"), or None as long as it does not."""
    for file in (folder / "runtime").glob("jpserver-*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            url = f"http://127.0.0.1:{json.loads(file.read_text())['port']}"
            with urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5):
                return url
    return None


def end(process):
    """Ends a process and all its descendants, those too that have a session of their own, as kernels have."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        process.send_signal(signal.SIGTERM)
        alive = psutil.wait_procs(family, timeout=5)[1]
        for member in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(alive, timeout=5)
    process.wait(10)


@contextlib.contextmanager
def chromium(profile, size):
    """Headless Chromium under selenium, with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1] + 139}"):
        options.add_argument(flag)
    service = Service(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(60)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": IDLE})
        yield driver
    finally:
        driver.quit()


class Page:
    """One notebook at a time, open in JupyterLab in the browser."""

    def __init__(self, driver, server, folder):
        self.driver, self.server, self.folder = driver, server, folder

    def open(self, *cells, name="test.ipynb"):
        """Shows a notebook of the cells (source text)."""
        self.show(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), name)

    def show(self, book, name, patience=60):
        """Writes the notebook under that name, opens it and runs it; returns when every cell has run, within so many
        seconds, and every widget is there. What was open before ends with its kernel."""
        self.js("return window.jupyterapp?.serviceManager.sessions.shutdownAll()")
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}  # or JupyterLab asks for one
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, self.folder / name)
        self.driver.get(f"{self.server['url']}/doc/tree/{name}?token={self.server['token']}")
        until(lambda: self.js("return !!window.jupyterapp"), "JupyterLab to load", 60)
        until(self._ready, "the kernel", 60)
        self.js("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        code = sum(cell.cell_type == "code" for cell in book.cells)
        until(lambda: self._errors() or self._ready() and self._have_run() == code, "all cells to run", patience)
        assert not self._errors(), self._errors()
        until(lambda: self.js(DRAWN), "all widgets to be there")

    def _ready(self):
        return self.js("""const panel = window.jupyterapp.shell.currentWidget;
            return panel?.sessionContext?.session?.kernel?.status === 'idle' && panel.content?.widgets.length > 0;""")

    def _errors(self):
        return self.js("""return window.jupyterapp.shell.currentWidget.content.widgets.flatMap(
            cell => cell.model.outputs?.toJSON() ?? []).filter(output => output.output_type === 'error').map(
            output => output.ename + ': ' + output.evalue);""")

    def _have_run(self):
        """How many cells have run; asked of the model, for JupyterLab takes cells that are out of view off the page."""
        return self.js("""return window.jupyterapp.shell.currentWidget.content.widgets.filter(
            cell => cell.model.executionCount && cell.model.executionState !== 'running').length;""")

    def js(self, code, *args):
        return self.driver.execute_script(code, *args)

    def all(self, selector):
        """The elements that match a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def keys(self, *keys):
        """Types the keys at what has the focus."""
        webdriver.ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def focus(self, selector, index=0):
        self.js("document.querySelectorAll(arguments[0])[arguments[1]].focus()", selector, index)

    def kernel(self):
        """The psutil.Process of the notebook's kernel."""
        children = psutil.Process(self.server["process"].pid).children()
        [kernel] = [p for p in children if p.status() != psutil.STATUS_ZOMBIE and "ipykernel_launcher" in p.cmdline()]
        return kernel

    def shot(self, path):
        self.driver.save_screenshot(str(path))

    def watch(self, selector):
        """From now on notes each key, each change of the element's content as it has been painted, and each frame."""
        self.js(WATCH, selector)

    def seen(self):
        """What was noted: {"keys": [ms], "drawn": [ms], "frames": [[ms, pictures to be seen, y of what is below]]}."""
        return self.js("return {keys: seen.keys, drawn: seen.drawn, frames: seen.frames}")

    def press(self, key, seconds=10.0):
        """Presses the key and waits for the picture it makes; the milliseconds between, as the page saw them."""
        before = self.js("return seen.drawn.length")
        self.keys(key)
        until(lambda: self.js("return seen.drawn.length") > before, f"a picture after {key!r}", seconds)
        return self.js("return seen.drawn[arguments[0]] - seen.keys.at(-1)", before)


WATCH = """
const box = document.querySelector(arguments[0]), seen = window.seen = {keys: [], drawn: [], frames: []};
window.stopWatching?.();
const painted = new MessageChannel(), key = event => seen.keys.push(event.timeStamp);
painted.port1.onmessage = () => seen.drawn.push(performance.now());   // runs after the frame it was sent from
const change = new MutationObserver(() => requestAnimationFrame(async () => {
    await Promise.all([...box.querySelectorAll('img')].map(image => image.decode().catch(() => 0)));
    painted.port2.postMessage(0);
}));
change.observe(box, {childList: true, subtree: true});
document.addEventListener('keydown', key, true);
let going = true;
const frame = () => {
    const pictures = [...box.querySelectorAll('svg, img')].filter(e => e.getBoundingClientRect().height > 20);
    seen.frames.push([performance.now(), pictures.length, box.getBoundingClientRect().bottom]);
    if (going) requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
window.stopWatching = () => { going = false; change.disconnect(); document.removeEventListener('keydown', key, true); };
"""
