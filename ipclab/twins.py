"""What is recorded: the modules, one entry each, and the few calls that need more than a note.

`install()` puts the twins under every name that the originals have, once, in a process of ipclab's own, before
anything of the reader's is imported. They do nothing until record.start().
"""
import _posixsubprocess
import _signal
import _socket
import builtins
import errno
import fcntl
import mmap
import os
import posix
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass

from . import files, guards, programs, record

try:
    import posix_ipc
    import sysv_ipc
except ImportError:  # a program's Python may lack them; it cannot call them then
    posix_ipc = sysv_ipc = None


@dataclass
class Module:
    """A module to record: `label` stands before its calls' names, `functions` names those that are calls (None: all
    that are built in but for `but`), `types` maps classes written in C to what Event.on is for their instances."""

    module: object
    label: str
    functions: tuple | None = None
    but: tuple = ()
    types: dict | None = None


NO_CALLS = ("fspath", "strerror", "WIFCONTINUED", "WIFEXITED", "WIFSIGNALED", "WIFSTOPPED", "WEXITSTATUS", "WTERMSIG",
            "WSTOPSIG", "WCOREDUMP", "major", "minor", "makedev", "cpu_count", "putenv", "unsetenv", "register_at_fork",
            "waitstatus_to_exitcode", "error")


def modules():
    """The table. A new module is one entry."""
    yield Module(posix, "os", but=NO_CALLS)
    yield Module(_socket, "socket", ("socketpair", "close", "getaddrinfo", "gethostbyname", "getnameinfo", "sethostname"))
    yield Module(select, "select", ("select",))
    yield Module(fcntl, "fcntl")
    yield Module(_signal, "signal", but=("default_int_handler", "valid_signals", "strsignal"))
    yield Module(time, "time", ("sleep",))
    yield Module(_posixsubprocess, "_posixsubprocess")
    yield Module(mmap, "mmap", (), types={"mmap": None})
    if posix_ipc:
        yield Module(posix_ipc, "posix_ipc", types=dict.fromkeys(IPC_TYPES, _name))
    if sysv_ipc:
        yield Module(sysv_ipc, "sysv_ipc", types=dict.fromkeys(IPC_TYPES, _identifier))


IPC_TYPES = ("MessageQueue", "Semaphore", "SharedMemory")
NOT_METHODS = ("__enter__", "__exit__", "closed", "fileno", "size", "tell")
OPERATORS = ("__getitem__", "__setitem__")
SOCKET_METHODS = ("bind", "connect", "connect_ex", "listen", "getpeername", "getsockname", "getsockopt", "setsockopt",
                  "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "send", "sendall",
                  "sendto", "sendmsg", "setblocking", "settimeout", "shutdown", "accept", "detach")
ALWAYS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "fork_exec", "wait", "wait3", "wait4", "waitpid", "waitid",
          "_exit", "abort", "execv", "execve", "mkfifo", "mknod")  # births, ends and objects, whoever makes them


def _name(instance):
    return instance.name


def _identifier(instance):
    return instance.id


def install():
    """Replace the originals by their twins, everywhere."""
    twins = {}  # id of the original: (original, twin); the original is kept so that its id stays its own
    for module in modules():
        for name, original, twin in [*_functions(module), *_types(module)]:
            twins[id(original)] = original, twin
    for original, twin in _others():
        twins[id(original)] = original, twin
    _replace(twins)
    _socket_methods()
    os.register_at_fork(after_in_child=record.born)
    _errnos()


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
            twin = record.function(call, inner, always=name in ALWAYS, result=_RESULTS.get(call))
            yield name, original, record.bound(twin, original, module.module.__name__)


def _types(module):
    for name, on in (module.types or {}).items():
        original = getattr(module.module, name)
        methods = [method for method, value in vars(original).items() if callable(value)
                   and (not method.startswith("_") or method in OPERATORS) and method not in NOT_METHODS]
        if module.label != "mmap":
            methods += [method for method in ("__enter__", "__exit__") if method in vars(original)]
        call = module.label if name == module.label else f"{module.label}.{name}"
        made = record.subclass(call, original, methods, on, guards.making(call))
        yield name, original, made


def _others():
    """The twins that no table can tell: files, print, polls, and Python functions that stand for one call."""
    yield open, files.open
    yield files.Original, files.FileIO
    yield print, record.bound(record.function("print", print), print, "builtins")
    for name, instance in (("poll", select.poll()), ("epoll", select.epoll())):
        yield from _poll(name, instance)
    for name in ("signal", "getsignal", "pthread_sigmask", "sigpending", "sigwait"):
        original = getattr(signal, name)
        inner = _HANDLERS[name](original) if name in _HANDLERS else original
        yield original, record.bound(record.function(f"signal.{name}", inner), original, "signal")
    pair = socket.socketpair
    yield pair, record.bound(record.function("socket.socketpair", pair), pair, "socket")


def _poll(name, instance):
    """Poll objects cannot be subclassed: what makes one gives a proxy, select.epoll a class of proxies."""
    kind = type(instance)
    methods = [method for method in ("register", "modify", "unregister", "poll", "close") if hasattr(kind, method)]
    twin = record.proxy(f"select.{name}", kind, methods)
    if name == "poll":
        maker = record.function("select.poll", lambda: twin(select_poll()), result=lambda home, value: None)
        select_poll = select.poll
        yield select.poll, record.bound(maker, select.poll, "select")
        return
    instance.close()
    create = record.function("select.epoll", lambda cls, *args, **keywords: type.__call__(cls, kind(*args, **keywords)),
                             on=lambda cls: None, result=lambda cls, value: value.fileno())
    meta = type("Both", (record.Both,), {"__call__": create})
    body = {"__slots__": (), "__doc__": kind.__doc__, "__module__": "select", "_original": kind, "__qualname__": "epoll",
            "fromfd": classmethod(lambda cls, fd: type.__call__(cls, kind.fromfd(fd))),
            "__enter__": _enter, "__exit__": lambda self, *error: self.close()}
    yield kind, meta("epoll", (twin,), body)


def _enter(self):
    if self.closed:
        raise ValueError("I/O operation on closed epoll object")
    return self


def _installing(original):
    def install(number, handler):
        return _given(original(number, record.handler(handler)))

    return install


def _getting(original):
    return lambda number: _given(original(number))


def _given(handler):
    """The student's own handler, of the function that stands in for it."""
    return getattr(handler, "given", handler)


_HANDLERS = {"signal": _installing, "getsignal": _getting}
_RESULTS = {}


def _socket_methods():
    """socket.socket is a class written in Python: its methods are replaced in place, so that subclasses keep theirs."""
    cls = socket.socket
    for name in SOCKET_METHODS:
        original = getattr(cls, name)
        inner = guards.bound_to_path(original) if name == "bind" else original
        result = _accepted if name == "accept" else None
        setattr(cls, name, record.dressed(record.function(f"socket.{name}", inner, on=_file_number, result=result),
                                          original, name))
    cls._real_close = record.function("socket.close", cls._real_close, on=_file_number)
    make = cls.__init__
    made = record.dressed(record.function("socket.socket", make, on=lambda self: None, result=_made), make)

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        (made if fileno is None else make)(self, family, type, proto, fileno)

    cls.__init__ = record.dressed(__init__, make)


_fileno = _socket.socket.fileno


def _file_number(sock):
    return _fileno(sock)


def _made(sock, value):
    return _fileno(sock)


def _accepted(sock, value):
    return _fileno(value[0]), record.values.plain(value[1])


def _replace(twins):
    """Put the twins where the originals stand: in every module but ipclab's own, and in os.supports_fd and its kin."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "ipclab" or not hasattr(module, "__dict__") or name == "_io":
            continue
        for key, value in list(vars(module).items()):
            if id(value) in twins:
                setattr(module, key, twins[id(value)][1])
    builtins.open = files.open
    for functions in (os.supports_fd, os.supports_dir_fd, os.supports_effective_ids, os.supports_follow_symlinks):
        for original in list(functions):
            if id(original) in twins:
                functions.remove(original)
                functions.add(twins[id(original)][1])


def _errnos():
    """posix_ipc and sysv_ipc raise exceptions without an errno; this is what they mean (their documentation)."""
    if not posix_ipc:
        return
    record.errnos.update({
        posix_ipc.BusyError: errno.EAGAIN, posix_ipc.ExistentialError: errno.ENOENT,
        posix_ipc.PermissionsError: errno.EACCES, posix_ipc.SignalError: errno.EINTR,
        sysv_ipc.BusyError: errno.EAGAIN, sysv_ipc.ExistentialError: errno.ENOENT,
        sysv_ipc.PermissionsError: errno.EACCES, sysv_ipc.NotAttachedError: errno.EINVAL,
        sysv_ipc.InternalError: errno.EIO})
