"""What is recorded: the modules, one entry each, and the few calls that need more than a note.

`install()` puts the twins under every name that the originals have, once, in a process of ipclab's own, before
anything of the reader's is imported. They do nothing until record.start().
"""
import _multiprocessing
import _posixsubprocess
import _signal
import _socket
import builtins
import fcntl
import mmap
import os
import posix
import select
import socket
import sys
import time
import types
from dataclasses import dataclass

from . import files, guards, handlers, hidden, kernel, linux, polls, programs, record, sockets
from .disguise import bound, subclass

try:
    import posix_ipc
    import sysv_ipc
except ImportError:  # a program's Python may lack them; it cannot call them then
    posix_ipc = sysv_ipc = None


@dataclass
class Module:
    """A module to record: `label` stands before its calls' names, `functions` names those that are calls (None: all
    that are built in but for `but`), `types` maps classes written in C to what Event.on is for their instances, `home`
    is the functions' __module__ where that is not the module's name."""

    module: object
    label: str
    functions: tuple | None = None
    but: tuple = ()
    types: dict | None = None
    home: str | None = None


NO_CALLS = ("fspath", "strerror", "WIFCONTINUED", "WIFEXITED", "WIFSIGNALED", "WIFSTOPPED", "WEXITSTATUS", "WTERMSIG",
            "WSTOPSIG", "WCOREDUMP", "major", "minor", "makedev", "cpu_count", "putenv", "unsetenv", "register_at_fork",
            "waitstatus_to_exitcode", "error")


def modules():
    """The table. A new module is one entry."""
    yield Module(posix, "os", but=NO_CALLS)
    yield Module(_socket, "socket", SOCKET_FUNCTIONS)
    yield Module(select, "select", ("select",))
    yield Module(fcntl, "fcntl")
    yield Module(_signal, "signal", but=("default_int_handler", "valid_signals", "strsignal"), home="signal")
    yield Module(time, "time", ("sleep",))
    yield Module(_posixsubprocess, "_posixsubprocess")
    yield Module(mmap, "mmap", (), types={"mmap": None})
    yield Module(_multiprocessing, "multiprocessing", (), types={"SemLock": _semaphore})
    yield Module(linux, "linux", LINUX_FUNCTIONS, types={"Mutex": _name})
    yield Module(kernel, "kernel", tuple(kernel.__all__))
    if posix_ipc:
        yield Module(posix_ipc, "posix_ipc", types=dict.fromkeys(IPC_TYPES, _name))
    if sysv_ipc:
        yield Module(sysv_ipc, "sysv_ipc", types=dict.fromkeys(IPC_TYPES, _identifier))


SOCKET_FUNCTIONS = ("socketpair", "close", "getaddrinfo", "gethostbyname", "getnameinfo", "sethostname")
LINUX_FUNCTIONS = ("sigqueue", "sigwaitinfo", "sigtimedwait", "signalfd", "read", "write", "mprotect", "mincore",
                   "pagemap", "process_vm_readv", "unshare")
IPC_TYPES = ("MessageQueue", "Semaphore", "SharedMemory")
NOT_METHODS = ("closed", "fileno", "size", "tell")
OPERATORS = ("__getitem__", "__setitem__")
HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class whose attributes may be set
WITH = (("__enter__", "acquire"), ("__enter__", "lock"), ("__exit__", "close"), ("__exit__", "release"),
        ("__exit__", "unlock"))  # what `with` does, as the last tells
ALWAYS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "fork_exec", "wait", "wait3", "wait4", "waitpid", "waitid",
          "_exit", "abort", "execv", "execve", "mkfifo", "mknod")  # births, ends and objects, whoever makes them


def _without_environment(args):
    """Of fork_exec: the environment is long, and stands nowhere else in a trace."""
    return tuple("…" if index == 5 and value is not None else value for index, value in enumerate(args))


def _where(args):
    """Of a call that asks about memory: where that is. What is in it marshal would read, and so bring its pages in."""
    try:
        return f"<{len(args[0])} bytes at {linux.address(args[0]):#x}>", *args[1:]
    except (TypeError, ValueError, IndexError, BufferError):  # no memory, or none any more: the call will say so
        return tuple(map(record.values.plain, args))


SHOWN = {"_posixsubprocess.fork_exec": _without_environment, "os.readv": record.values.sizes,
         "os.preadv": record.values.sizes}
SHOWN |= dict.fromkeys(("linux.Mutex", "linux.mprotect", "linux.mincore", "linux.pagemap", "kernel.region"), _where)


def _name(instance):
    return instance.name


def _identifier(instance):
    return instance.id


def _semaphore(instance):
    """One that had its name only until it was made is told by where it lies, which a forked child has as well."""
    return instance.name or f"at {instance.handle:#x}"


def install():
    """Replace the originals by their twins, everywhere."""
    twins = {}  # id of the original: (original, twin); the original is kept so that its id stays its own
    for module in modules():
        for name, original, twin in [*_functions(module), *_types(module)]:
            twins[id(original)] = original, twin
    for original, twin in _others():
        twins[id(original)] = original, twin
    _replace(twins)
    sockets.install()
    hidden.install()
    os.register_at_fork(after_in_child=record.born)


def _functions(module):
    names = module.functions
    if names is None:
        names = [name for name, value in vars(module.module).items()
                 if type(value) is type(len) and (name == "_exit" or not name.startswith("_"))]
    for name in names:
        original = getattr(module.module, name, None)
        if original is not None and name not in module.but:
            call = f"{module.label}.{name}"
            inner = guards.guarded(call, programs.followed(call, original))
            twin = record.function(call, inner, always=name in ALWAYS, shown=SHOWN.get(call))
            yield name, original, bound(twin, original, module.home or module.module.__name__)


def _types(module):
    for name, on in (module.types or {}).items():
        original = getattr(module.module, name)
        call = module.label if name == module.label else f"{module.label}.{name}"
        methods = {method: (f"{call}.{method}", {}) for method, value in vars(original).items() if callable(value)
                   and (not method.startswith("_") or method in OPERATORS) and method not in NOT_METHODS}
        methods |= {method: (f"{call}.{meant}", WITHOUT) for method, meant in WITH
                    if method in vars(original) and meant in methods}
        yield name, original, subclass(call, original, methods, on, guards.making(call), SHOWN.get(call))


WITHOUT = {"shown": lambda args: (), "result": lambda args, value: None}  # what `with` passes on and gives is its own


def _others():
    """The twins that no table can tell: files, print, polls, and Python functions that stand for one call."""
    yield open, files.open
    yield files.Original, files.FileIO
    original = print
    yield print, files.printing(lambda *words, **keywords: original(*words, **keywords))
    yield from polls.twins()
    yield from handlers.twins()
    yield socket.socketpair, bound(record.function("socket.socketpair", socket.socketpair), socket.socketpair, "socket")


def _replace(twins):
    """Put the twins where the originals stand: in every module but ipclab's own, and in os.supports_fd and its kin."""
    recorded = [entry.module for entry in modules()]
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] == "ipclab" and module not in recorded
        if not ours and hasattr(module, "__dict__"):
            for space in [module, *_classes(module, name)]:
                _replace_in(space, twins)
    builtins.open = files.open
    for functions in (os.supports_fd, os.supports_dir_fd, os.supports_effective_ids, os.supports_follow_symlinks):
        for original in list(functions):
            if id(original) in twins:
                functions.remove(original)
                functions.add(twins[id(original)][1])


def _classes(module, name):
    """The classes that a module defines, whose attributes can be set: selectors keeps select.epoll so."""
    return [value for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == name and value.__flags__ & HEAP]


def _replace_in(space, twins):
    """In a module or class, and in what its functions take by default: subprocess keeps os.waitpid so."""
    for key, value in list(vars(space).items()):
        if id(value) in twins:
            setattr(space, key, twins[id(value)][1])
        elif type(value) is types.FunctionType and value.__defaults__:
            if any(id(default) in twins for default in value.__defaults__):
                value.__defaults__ = tuple(twins.get(id(default), (0, default))[1] for default in value.__defaults__)
