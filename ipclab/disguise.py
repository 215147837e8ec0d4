"""How a twin looks like its original: functions, classes written in C, and types that cannot be subclassed."""
import types
from importlib import import_module

from . import values
from .record import function


class Home:
    """What a twin of a function is bound to, as a built-in function is to its module. Being bound, it can stand in a
    class without becoming a method; pickled, it is found again by its module and name."""

    def __init__(self, module):
        self.module = module

    def __reduce__(self):
        return import_module, (self.module,)

    def __repr__(self):
        return f"<module {self.module!r} (recorded)>"


def dressed(twin, original, name=None):
    """The twin with the original's name and documentation."""
    twin.__name__ = twin.__qualname__ = name or getattr(original, "__name__", twin.__name__)
    twin.__doc__ = getattr(original, "__doc__", None)
    if module := getattr(original, "__module__", None):
        twin.__module__ = module
    return twin


def bound(twin, original, module):
    """The twin of a function of a module."""
    dressed(twin, original).__module__ = module
    return types.MethodType(twin, Home(module))


class Both(type):
    """Of a twin of a class: instances of the original are its instances too, and making one is a call."""

    def __instancecheck__(cls, instance):
        return type.__instancecheck__(cls, instance) or (
            "_original" in cls.__dict__ and isinstance(instance, cls._original))

    def __subclasscheck__(cls, other):
        return type.__subclasscheck__(cls, other) or ("_original" in cls.__dict__ and issubclass(other, cls._original))

    def __setattr__(cls, name, value):
        if "_original" in cls.__dict__:
            raise TypeError(f"cannot set {name!r} attribute of immutable type '{cls.__module__}.{cls.__name__}'")
        type.__setattr__(cls, name, value)


def subclass(call, original, methods, on=None, make=None, shown=None):
    """The twin of a class written in C: a subclass, with the same name and repr.

    `methods` are {name: (call, what else record.function takes)} of those to record, `on(instance)` gives Event.on,
    `make(cls, args, keywords)` may stand between a call of the class and its making, of which `shown(args)` are kept.
    """
    on = on or (lambda instance: None)
    create = function(call, make or type.__call__, on=lambda cls: None, shown=shown,
                      result=lambda args, value: values.plain(on(value)))
    body = {"__slots__": (), "__doc__": original.__doc__, "__module__": original.__module__, "_original": original,
            "__repr__": same_repr(original)}
    for name, (label, rest) in methods.items():
        method = getattr(original, name)
        body[name] = dressed(function(label, method, on=on, **rest), method, name)
    return type("Both", (Both,), {"__call__": create})(original.__name__, (original,), body)


def same_repr(original):
    """A __repr__ that says the original's full name, where C code takes it from the type."""
    bare, full = f"<{original.__name__} ", f"<{original.__module__}.{original.__name__} "

    def __repr__(self):
        text = original.__repr__(self)
        return full + text[len(bare):] if text.startswith(bare) else text

    return __repr__


def proxy(call, original, methods, number=None):
    """The twin of a C type that cannot be subclassed: a class whose instances pass everything on to one of it.

    Not to be instantiated by a call; `wrapped(cls, instance)` makes one. `number(instance)` gives Event.on.
    """
    number = number or (lambda instance: None)

    def __getattr__(self, name):
        return getattr(self._it, name)

    def __new__(cls, *args, **keywords):
        raise TypeError(f"cannot create '{original.__module__}.{original.__name__}' instances")

    body = {"__slots__": ("_it", "__weakref__"), "__getattr__": __getattr__, "__new__": __new__, "_original": original,
            "__doc__": original.__doc__, "__module__": original.__module__, "__repr__": lambda self: repr(self._it)}
    for name in methods:
        method = getattr(original, name)
        body[name] = dressed(function(f"{call}.{name}", _passing_on(method), on=number), method, name)
    return Both(original.__name__, (), body)


def _passing_on(method):
    return lambda self, *args, **keywords: method(self._it, *args, **keywords)


def wrapped(cls, instance):
    """An instance of a proxy's class (or of one below it) around an instance of the original."""
    made = object.__new__(cls)
    made._it = instance
    return made
