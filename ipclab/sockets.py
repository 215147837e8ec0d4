"""socket.socket is a class written in Python: its methods are replaced in place, so that its subclasses keep theirs."""
import _socket
import socket

from . import guards, record
from .disguise import dressed

METHODS = ("bind", "connect", "connect_ex", "listen", "getpeername", "getsockname", "getsockopt", "setsockopt", "recv",
           "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "send", "sendall", "sendto", "sendmsg",
           "setblocking", "settimeout", "shutdown", "accept", "detach", "dup", "set_inheritable")
_fileno = _socket.socket.fileno


def _number(sock):
    return _fileno(sock)


def _accepted(args, value):
    return _fileno(value[0]), record.values.plain(value[1])


def _made(args, value):
    return _fileno(value)


_INNER = {"bind": guards.bound_to_path}
_RESULTS = {"accept": _accepted, "dup": _made}


def install():
    """Replace the methods, once."""
    cls = socket.socket
    for name in METHODS:
        original = getattr(cls, name)
        inner = _INNER[name](original) if name in _INNER else original
        shown = record.values.sizes if "_into" in name else None
        twin = record.function(f"socket.{name}", inner, on=_number, result=_RESULTS.get(name), shown=shown)
        setattr(cls, name, dressed(twin, original, name))
    cls._real_close = dressed(record.function("socket.close", cls._real_close, on=_number), cls._real_close)
    cls.__init__ = _making(cls.__init__)
    cls.__repr__ = _quiet(cls.__repr__)


def _quiet(original):
    """repr() asks the kernel for the addresses, which nobody has called for. A frame of ours between says so."""

    def __repr__(self):
        return original(self)

    return dressed(__repr__, original)


def _making(make):
    """__init__ makes a socket, but for one of a descriptor that is there, such as that of accept()."""

    def making(self, *args, **keywords):
        make(self, *args, **keywords)
        return self

    made = record.function("socket.socket", making, on=lambda self: None, result=_made)

    def __init__(self, *args, **keywords):
        there = args[3] if len(args) > 3 else keywords.get("fileno")
        (made if there is None else make)(self, *args, **keywords)

    __init__.__code__ = __init__.__code__.replace(co_filename="<ipclab>")
    __init__.__wrapped__ = make
    return dressed(__init__, make)
