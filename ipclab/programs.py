"""Following exec: a Python program that a recorded process starts goes on in the same run's log.

exec drops maps, so the new program maps the log anew, from /proc/SUPERVISOR/fd/N: no descriptor has to be handed over,
which the student would see, and which programs in between would keep. It learns the place from the environment, by a
sitecustomize of ours that cleans up behind itself. Other programs run as they are: birth, exec and end are all we see.
"""
import json
import os
import re
from collections.abc import Mapping
from itertools import count, takewhile

from . import files, record

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot")
VARIABLE = "IPCLAB_BOOT"


def followed(call, original):
    """The call that starts a program, so that a Python program is followed; any other call as it is."""
    how = {"os.execv": _execv, "os.execve": _execve, "os.posix_spawn": _spawn, "os.posix_spawnp": _spawn,
           "_posixsubprocess.fork_exec": _fork_exec}.get(call)
    return how(original) if how else original


def _execv(execv):
    import posix

    execve = posix.execve

    def follow(*given):
        if record.run and len(given) == 2 and is_followed(*given):
            return execve(*given, dict(with_boot(_environment())))
        return execv(*given)

    return follow


def _execve(execve):
    def follow(path, argv, env):
        if record.run and isinstance(env, Mapping) and not isinstance(path, int) and is_followed(path, argv):
            env = dict(with_boot(env.items()))
        return execve(path, argv, env)

    return follow


def _spawn(spawn):
    def follow(path, argv, env, **keywords):
        if record.run and (env is None or isinstance(env, Mapping)) and is_followed(path, argv):
            env = dict(with_boot(_environment() if env is None else env.items()))
        return spawn(path, argv, env, **keywords)

    return follow


ENV, PREEXEC = 5, 21  # the places of two of fork_exec's arguments


def _fork_exec(fork_exec):
    def follow(*given):
        if record.run and len(given) > PREEXEC and any(is_followed(path, given[0]) for path in given[1]):
            given, env, preexec = list(given), given[ENV], given[PREEXEC]
            if env is None and preexec is not None:  # which may change what is inherited
                given[PREEXEC] = lambda: (preexec(), _put_boot())
            else:
                pairs = _environment() if env is None else [entry.split(b"=", 1) for entry in env]
                given[ENV] = [key + b"=" + value for key, value in with_boot(pairs)]
        return fork_exec(*given)

    return follow


def _environment():
    """The environment that a program inherits, as (name, value) pairs of bytes: the C library's, which os.putenv
    changes and os.environ does not show (environ(7))."""
    import ctypes

    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    entries = takewhile(bool, (environ[index] for index in count())) if environ else ()
    return [entry.split(b"=", 1) for entry in entries if b"=" in entry]


def _put_boot():
    for key, value in with_boot(_environment()):
        if key in (b"PYTHONPATH", VARIABLE.encode()):
            os.putenv(key, value)


def is_followed(path, argv):
    """Whether what stands at the path is run by a CPython, itself or by a script's first line, that starts our
    sitecustomize: -E, -I and -S are programs that want none."""
    try:
        real = os.path.realpath(os.fsdecode(path))
        if re.match(r"python[\d.]*t?$", os.path.basename(real)):
            return os.access(real, os.X_OK) and not _isolated(argv)
        with files.original_open(real, "rb") as file:
            head = file.read(120)
    except (OSError, TypeError, ValueError) as error:
        record.values.let_through(error)
        return False
    first = head.split(b"\n")[0]
    return first.startswith(b"#!") and b"python" in first and not _isolated(first.split()[1:])


def _isolated(argv):
    """Whether an interpreter's options (python3(1)) say to ignore PYTHONPATH or the site module."""
    words = iter([os.fsencode(word) for word in argv][1:])
    for word in words:
        letters = word[1:].split(b"c")[0].split(b"m")[0]
        if word[:1] != b"-" or word[:2] in (b"-", b"--", b"-c", b"-m"):
            return False
        if word in (b"-W", b"-X"):
            next(words, None)
        elif word[:2] not in (b"-W", b"-X") and set(letters) & set(b"EIS"):
            return True
    return False


def with_boot(pairs):
    """The environment ((name, value) pairs of str or bytes) with what lets a Python program go on in the log."""
    pairs = [tuple(pair) for pair in pairs]
    convert = os.fsencode if any(isinstance(name, bytes) for name, _value in pairs) else str
    names = convert("PYTHONPATH"), convert(VARIABLE)
    old = next((value for name, value in pairs if name == names[0]), None)
    boot = json.dumps({"pythonpath": None if old is None else os.fsdecode(old), **record.run.told})
    path = BOOT if not old else BOOT + os.pathsep + os.fsdecode(old)
    kept = [(name, value) for name, value in pairs if name not in names]
    return [*kept, (names[0], convert(path)), (names[1], convert(boot))]


def boot():
    """Called by the new program's sitecustomize: clean up, and record from here on."""
    told = json.loads(os.environ.pop(VARIABLE))
    path = told.pop("pythonpath")
    if path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = path
    from . import log, twins

    fd = os.open(told["path"], os.O_RDWR | os.O_CLOEXEC)
    try:
        writer = log.Writer(fd)
    finally:
        os.close(fd)
    twins.install()
    record.start(record.Run(writer, **told))
    record.note("program", os.getpid(), os.getppid())
