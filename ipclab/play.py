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
import traceback
import types

from . import files, log, record

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def play(request, folder, log_fd, output, tasks):
    """Run the request's function in this process, which the supervisor has just forked. Does not return."""
    code = 1
    try:
        writer = log.Writer(log_fd)
        run = record.Run(writer, path=f"/proc/{os.getppid()}/fd/{log_fd}", supervisor=os.getppid(), folder=folder,
                         tasks=tasks)
        _surround(request, folder, output, tasks)
        record.kinds[request["file"]] = record.MAIN
        writer.note("birth", os.getpid(), 0)
        code = _run(request["pickled"], run)
    except BaseException:
        os.write(output, traceback.format_exc().encode())  # a mistake of ours, or a machine that lacks something
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
    _limit_processes(tasks + 2 * record.LIMIT)
    if dict(os.environ) != request["environ"]:
        os.environ.clear()
        os.environ.update(request["environ"])
    sys.path[:] = request["path"]
    linecache.cache.update(request["sources"])
    sys.stdin = open(0, closefd=False)
    sys.stdout = sys.__stdout__ = _stream(1, "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "backslashreplace")
    sys.argv = [""]
    sys.modules["__main__"] = types.ModuleType("__main__")


def _limit_processes(number):
    """A bound that the kernel keeps, for programs whose forks are not recorded; it does not bind root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == resource.RLIM_INFINITY or soft > number:
        resource.setrlimit(resource.RLIMIT_NPROC, (number, hard))


def _stream(fd, errors):
    """A standard stream that sends each line at once, as on a terminal."""
    raw = files.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, line_buffering=True)


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
    print(given, file=sys.stderr)
    return 1


def _uncaught(error):
    """Tell of the exception as the interpreter would, the recorder's own frames left out."""
    trace = _without_ours(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, trace))
    record.note("traceback", text[-20_000:])
    try:
        if sys.excepthook is sys.__excepthook__:
            sys.stderr.write(text)
        else:
            sys.excepthook(type(error), error, trace)
    except Exception:
        pass  # the experiment has closed its stderr; the trace keeps the text
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _without_ours(trace):
    if trace is None:
        return None
    rest = _without_ours(trace.tb_next)
    if trace.tb_frame.f_code.co_filename.startswith(_HERE):
        return rest
    return types.TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


def _end(code):
    """What the interpreter does at a script's end: wait for threads, atexit, flush, and go."""
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        gc.collect()  # unfinished files write their buffers
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except SystemExit as error:
        code = _code(error.code)
    except BaseException as error:
        code = _uncaught(error)
    record.note("leave", code)
    if code == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code
