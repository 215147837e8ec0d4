"""The doctor's checks of programs and packages: Python's, the machine's, and at the end the engine itself."""
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

from .doctor import Check, Finding
from .say import _


def python():
    found = f"Python {platform.python_version()} ({sys.executable})"
    if sys.version_info >= (3, 11):
        yield Finding("ok", found)
    else:
        yield Finding("missing", found, do=_("install Python 3.11 or newer, and make the environment again"))


def engine_packages():
    return packages("cloudpickle", "ipywidgets", "ipykernel")


def chapter_packages():
    return packages("jupyterlab", "matplotlib", "posix_ipc", "sysv_ipc")


def packages(*names):
    """Which of them are installed, in one Finding, and one more for each that is not."""
    versions = {name: version(name) for name in names}
    there = [f"{name} {number}" for name, number in versions.items() if number]
    if there:
        yield Finding("ok", ", ".join(there))
    for name, number in versions.items():
        if not number:
            yield Finding("missing", name, do=f"{sys.executable} -m pip install {name}")


def version(name):
    """The installed version, or None where there is none or it cannot be imported."""
    try:
        __import__(name)
        return importlib.metadata.version(name)
    except Exception:
        return None


def subshells():
    """JupyterLab 4.4 and ipykernel 7 can run widget callbacks in threads; the course's settings say not to."""
    if not version("jupyterlab"):
        return
    from .lab import COURSE
    settings = COURSE / "assets" / "lab"
    if settings.is_dir():
        yield Finding("ok", _("for any other JupyterLab: JUPYTER_CONFIG_PATH={path}").format(path=settings))
    else:
        yield Finding("limited", _("not beside the package"), do=_("use a copy of the course's repository"))


def compiler():
    """A C program, compiled and run."""
    name = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if not name:
        yield Finding("missing", _("no C compiler"), do="apt-get install gcc libc6-dev")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program")
        source = b"#include <stdio.h>\nint main(void) { return 7; }\n"
        asked = subprocess.run([name, "-x", "c", "-o", program, "-"], input=source, capture_output=True, timeout=12)
        if asked.returncode or subprocess.run([program], timeout=2).returncode != 7:
            yield Finding("missing", _("{name} compiles nothing").format(name=name), do="apt-get install gcc libc6-dev")
        else:
            yield Finding("ok", name)


def strace():
    if not shutil.which("strace"):
        yield Finding("missing", _("not installed"), do="apt-get install strace")
        return
    asked = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True, timeout=5)
    if asked.returncode:
        yield Finding("limited", asked.stderr.strip().splitlines()[0] if asked.stderr else str(asked.returncode),
                      do=_("in a container: give it SYS_PTRACE"))
    else:
        yield Finding("ok", number(said("strace", "-V")))


def browser():
    """Chromium and its driver, which must be of one version."""
    names = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "chromium-driver": ("chromedriver",)}
    paths = {package: next(filter(shutil.which, commands), None) for package, commands in names.items()}
    missing = [package for package, path in paths.items() if not path]
    if missing:
        yield Finding("missing", ", ".join(missing), do="apt-get install " + " ".join(missing))
        return
    versions = [number(said(path, "--version")) for path in paths.values()]
    if versions[0].split(".")[0] == versions[1].split(".")[0]:
        yield Finding("ok", versions[0])
    else:
        found = _("browser {browser}, driver {driver}").format(browser=versions[0], driver=versions[1])
        yield Finding("limited", found, do=_("install both from one source"))


def korean():
    if not shutil.which("fc-list"):
        yield Finding("limited", _("cannot tell: there is no fc-list"), do="apt-get install fontconfig")
        return
    families = sorted({line.split(",")[0] for line in said("fc-list", ":lang=ko", "family").splitlines() if line})
    if families:
        yield Finding("ok", ", ".join(families[:2]) + (" …" if families[2:] else ""))
    else:
        yield Finding("missing", _("none"), do="apt-get install fonts-nanum")


def engine():
    """One real run: two processes and a pipe."""
    from .run import run
    started = time.monotonic()
    trace = run(experiment())
    first = time.monotonic() - started
    again = run(experiment())
    found = _("two processes and a pipe: {first:.0f} ms, then {again:.1f} ms").format(
        first=first * 1e3, again=(time.monotonic() - started - first) * 1e3)
    wrong = [one for one in (trace, again) if len(one.processes) != 2 or one.timed_out or one.leftovers]
    yield Finding("missing", repr(wrong[0])) if wrong else Finding("ok", found)


def experiment():
    """The function as a reader's notebook would hold it: not of this package, which the recorder looks through."""
    scope = {"__name__": "__main__"}
    exec("import os\n"
         "def send_a_byte():\n"
         "    r, w = os.pipe()\n"
         "    if os.fork() == 0:\n"
         "        os.write(w, b'x')\n"
         "        os._exit(0)\n"
         "    os.read(r, 1)\n"
         "    os.wait()\n", scope)
    return scope["send_a_byte"]


def said(*command):
    """What the command prints, without the last newline."""
    return subprocess.run(command, capture_output=True, text=True, timeout=12).stdout.strip()


def number(text):
    """The first word of the text that begins with a digit, as versions do; the text where there is none."""
    return next((word for word in text.split() if word[0].isdigit()), text or "0")


CHECKS = (
    Check(_("Python"), python, _("the course needs Python 3.11 or newer"), fatal=True),
    Check(_("packages, for all of it"), engine_packages, _("no experiment can run in a notebook"), fatal=True),
    Check(_("packages, for some"), chapter_packages, _("the chapters or commands that use it do not run")),
    Check(_("JupyterLab's settings"), subshells, _("widgets may run in threads of their own: slower pictures")),
    Check(_("C compiler"), compiler, _("examples in C are left out")),
    Check("strace", strace, _("comparisons with strace are left out")),
    Check(_("Chromium and driver"), browser, _("the browser tests cannot run; lessons do not need it")),
    Check(_("Korean fonts"), korean, _("Korean text shows boxes in pictures and on paper")),
    Check(_("a run of the engine"), engine, _("experiments do not run"), fatal=True),
)
