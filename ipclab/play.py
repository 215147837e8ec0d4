"""The experiment's first process: a program's surroundings, then the reader's function, then a script's end."""
import atexit
import gc
import io
import linecache
import os
import pickle
import resource
import signal
import sys
import threading
import types

from . import files, hidden, record


def play(request, folder, writer, log_fd, output, tasks):
    """Run the request's function in this process, which the supervisor has just forked. Does not return."""
    code = 1
    try:
        run = record.Run(writer, path=f"/proc/{os.getppid()}/fd/{log_fd}", supervisor=os.getppid(), folder=folder,
                         tasks=tasks)
        _surround(request, folder, output, tasks)
        record.kinds[request["file"]] = record.MAIN
        writer.note("birth", os.getpid(), 0)
        code = _run(request["pickled"], run)
    except BaseException as error:  # a mistake of ours, or a machine that lacks something
        writer.note("failed", f"{type(error).__name__}: {error}", getattr(error, "errno", None))
    finally:
        os._exit(code)


def _surround(request, folder, output, tasks):
    """What a program finds when a shell starts it: a group of its own, descriptors 0 to 2, default signals."""
    os.setpgid(0, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.closerange(3, max(os.sysconf("SC_OPEN_MAX"), 1 << 16))
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (1, resource.getrlimit(resource.RLIMIT_CORE)[1] or 1)
                       if resource.getrlimit(resource.RLIMIT_CORE)[1] else (0, 0))
    _limit_processes(tasks + record.LIMIT * 3 // 2)
    if dict(os.environ) != request["environ"]:
        os.environ.clear()
        os.environ.update(request["environ"])
    sys.path[:] = request["path"]
    linecache.cache.update(request["sources"])
    sys.stdin = sys.__stdin__ = _stream(0, "<stdin>", "strict")
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>", "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>", "backslashreplace")
    sys.argv = [""]
    sys.modules["__main__"] = types.ModuleType("__main__")


def _limit_processes(number):
    """A bound that the kernel keeps, for programs whose forks are not recorded; it does not bind root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == resource.RLIM_INFINITY or soft > number:
        resource.setrlimit(resource.RLIMIT_NPROC, (number, hard))


def _stream(fd, name, errors):
    """A standard stream that sends each line at once, as on a terminal; with the names that the interpreter gives."""
    mode = "w" if fd else "r"
    raw = files.FileIO(fd, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedWriter(raw) if fd else io.BufferedReader(raw)
    stream = io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=fd > 0)
    stream.mode = mode
    return stream


def _run(pickled, run):
    """The exit code of the reader's function, in every process that returns from it."""
    try:
        function, params = pickle.loads(pickled)
        record.start(run)
        function(**params)
        code = 0
    except SystemExit as error:
        code = _code(error.code)
    except BaseException as error:
        code = _uncaught(error)
    return _end(code)


def _code(given):
    """sys.exit's argument as an exit status, as the interpreter takes it."""
    if given is None:
        return 0
    if isinstance(given, int):
        return given & 0xFF
    hidden.say(str(given) + "\n")
    return 1


def _uncaught(error):
    hidden.tell(error)
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _flushed(code):
    """The exit code after the last of what was printed has gone out: where it cannot, 120, as the interpreter's."""
    for stream, failed in ((sys.stdout, 120), (sys.stderr, code)):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            code = failed
    return code


def _end(code):
    """What the interpreter does at a script's end: wait for threads, atexit, flush, and go."""
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        gc.collect()  # unfinished files write their buffers
    except SystemExit as error:
        code = _code(error.code)
    except BaseException as error:
        code = _uncaught(error)
    code = _flushed(code)
    record.note("leave", code)
    record.stop()  # what follows is ours
    if code == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code
