"""Following exec: a Python program that a recorded process starts goes on in the same run's log.

exec drops maps, so the new program maps the log anew, from /proc/SUPERVISOR/fd/N: no descriptor has to be handed over,
which the student would see, and which programs in between would keep. It learns the place from the environment, by a
sitecustomize of ours that cleans up behind itself. Other programs run as they are: birth, exec and end are all we see.
"""
import json
import os
import re

from . import record

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

    def follow(path, argv, /):
        if not (record.run and is_python(path)):
            return execv(path, argv)
        return execve(path, argv, with_boot(dict(os.environb)))

    return follow


def _execve(execve):
    def follow(path, argv, env):
        python = bool(record.run) and not isinstance(path, int) and is_python(path)
        return execve(path, argv, with_boot(env) if python else env)

    return follow


def _spawn(spawn):
    def follow(path, argv, env, **keywords):
        return spawn(path, argv, with_boot(env) if record.run and is_python(path) else env, **keywords)

    return follow


def _fork_exec(fork_exec):
    def follow(args, executables, close_fds, keep, cwd, env, *rest):
        if record.run and any(is_python(path) for path in executables):
            pairs = [entry.split(b"=", 1) for entry in env] if env is not None else os.environb.items()
            env = [key + b"=" + value for key, value in with_boot(dict(pairs)).items()]
        return fork_exec(args, executables, close_fds, keep, cwd, env, *rest)

    return follow


def is_python(path):
    """Whether what stands at the path is run by a CPython: itself, or a script whose first line names one."""
    try:
        real = os.path.realpath(os.fsdecode(path))
        if re.match(r"python[\d.]*t?$", os.path.basename(real)):
            return os.access(real, os.X_OK)
        with record.values._io.open(real, "rb") as file:
            head = file.read(120)
    except (OSError, TypeError, ValueError):
        return False
    return head.startswith(b"#!") and b"python" in head.split(b"\n")[0]


def with_boot(env):
    """The environment (dict of str or bytes) with what lets a Python program go on in the log."""
    binary = any(isinstance(key, bytes) for key in env)
    convert = os.fsencode if binary else str
    old = env.get(convert("PYTHONPATH"))
    boot = json.dumps({"pythonpath": None if old is None else os.fsdecode(old), **record.run.told})
    path = BOOT if not old else BOOT + os.pathsep + os.fsdecode(old)
    return {**env, convert(VARIABLE): convert(boot), convert("PYTHONPATH"): convert(path)}


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
