"""The student's own file: what was predicted and which exercises were tried, kept outside of the notebooks.

It is $XDG_STATE_HOME/ipclab/answers.json (~/.local/state/… where that is unset), or answers.json in $IPCLAB_STATE.
Several kernels write it: each change reads, changes and replaces the file under a lock. A file that cannot be
written is no reason to stop: it is said, and this kernel remembers by itself.
"""
import contextlib
import fcntl
import json
import os
import tempfile
import time

from .say import _

NAME = "answers.json"
PATIENCE = 2.0  # seconds that another kernel may hold the lock
_here = {}  # what this kernel kept, whether or not the file could be written


def folder():
    """The folder of the file, a path. OSError where the user has no home."""
    if chosen := os.environ.get("IPCLAB_STATE"):
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_STATE_HOME", "")
    base = base if os.path.isabs(base) else os.path.expanduser("~/.local/state")  # a relative one is void, says XDG
    if not os.path.isabs(base):
        raise OSError(_("you have no home directory"))
    return os.path.join(base, "ipclab")


def recall(part, key, default=None):
    """What was kept under the key in that part ("predictions", "exercises"), in the file or by this kernel."""
    if key in _here.get(part, {}):
        return _here[part][key]
    with contextlib.suppress(OSError, ValueError):
        return _read(_file()).get(part, {}).get(key, default)
    return default


def keep(part, key, value):
    """Keep the value (JSON's kinds) under the key in that part. None, or why the file could not be written."""
    _here.setdefault(part, {})[key] = value
    try:
        _change(part, key, value)
    except OSError as error:
        return _("This could not be kept in your file: {why}").format(why=error)
    return None


def _file():
    return os.path.realpath(os.path.join(folder(), NAME))  # who keeps it elsewhere by a link goes on doing so


def _change(part, key, value):
    os.makedirs(folder(), mode=0o700, exist_ok=True)
    file = _file()
    with _locked(file + ".lock"):
        data = _sound(file)
        data.setdefault(part, {})[key] = value
        _replace(file, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


@contextlib.contextmanager
def _locked(file):
    """Holds the lock that the file stands for. TimeoutError (an OSError) where another does not let go of it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError(_("another program holds {file}").format(file=file))
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file):
    """The file's parts, {} where there is none. ValueError where it holds something else."""
    try:
        with open(file, encoding="utf8") as stream:
            data = json.load(stream)
    except FileNotFoundError:
        return {}
    if not isinstance(data, dict) or not all(isinstance(part, dict) for part in data.values()):
        raise ValueError("not a file of answers")
    return data


def _sound(file):
    """The file's parts; one that cannot be read is put aside, under a name that is free, and a new one begun."""
    try:
        return _read(file)
    except ValueError:
        os.replace(file, f"{file}.damaged-{time.time_ns()}")
        return {}


def _replace(file, text):
    """The text in the file's place, at once: whoever reads sees the old one or the new one, whole."""
    descriptor, new = tempfile.mkstemp(dir=os.path.dirname(file), prefix=NAME + ".")
    try:
        with open(descriptor, "w", encoding="utf8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, file)
    except BaseException:
        os.unlink(new)
        raise
