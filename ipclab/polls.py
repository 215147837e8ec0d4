"""The twins of select.poll and select.epoll: their types cannot be subclassed, so proxies stand for the objects."""
import select

from . import record
from .disguise import Both, bound, proxy, wrapped

METHODS = ("register", "modify", "unregister", "poll", "close")


def twins():
    """(original, twin) of the two makers."""
    yield select.poll, _poll(select.poll, type(select.poll()))
    instance = select.epoll()
    instance.close()
    yield select.epoll, _epoll(type(instance))


def _poll(make, kind):
    twin = proxy("select.poll", kind, [name for name in METHODS if hasattr(kind, name)])

    def poll(*args, **keywords):
        return wrapped(twin, make(*args, **keywords))

    return bound(record.function("select.poll", poll, result=lambda args, value: None), make, "select")


def _epoll(kind):
    """A class, as select.epoll is one, so that fromfd() and isinstance() work."""
    twin = proxy("select.epoll", kind, METHODS, _number)

    def make(cls, *args, **keywords):
        return wrapped(cls, kind(*args, **keywords))

    create = record.function("select.epoll", make, on=lambda cls: None, result=lambda args, value: value.fileno())
    body = {"__slots__": (), "__doc__": kind.__doc__, "__module__": "select", "_original": kind,
            "fromfd": classmethod(lambda cls, fd: wrapped(cls, kind.fromfd(fd))), "__enter__": _enter,
            "fileno": lambda self: self._it.fileno(),
            "__exit__": record.function("select.epoll.close", _leave, on=_number, shown=lambda args: ())}
    return type("Both", (Both,), {"__call__": create})("epoll", (twin,), body)


def _number(epoll):
    try:
        return epoll._it.fileno()
    except ValueError:
        return None


def _enter(self):
    self._it.__enter__()
    return self


def _leave(self, *error):
    return self._it.__exit__(*error)
