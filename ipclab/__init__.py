"""ipclab: real processes, recorded from outside, drawn, told and checked. See README.md.

What a notebook needs is imported when it is first used, since the first cell is felt by every reader, every time.
"""
import importlib
import sys
import types

_HOMES = {"run": "run", "name": "record", "timeline": "timeline", "story": "story", "explore": "explore",
          "Trace": "trace", "predict": "predict", "predictions": "predict", "exercise": "exercise",
          "pages": "memory", "contents": "contents", "chart": "chart", "comparison": "table",
          "usually_said": "sayings", "what_held": "sayings", "waits": "waits", "holders": "holders"}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name):
    """The public function of that name, from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ipclab' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_HOMES])


class _Package(types.ModuleType):
    """Importing ipclab/run.py puts the module into the package as `run`, where readers mean the function."""

    def __setattr__(self, name, value):
        if name not in _HOMES or not isinstance(value, types.ModuleType):
            super().__setattr__(name, value)

    def __reduce__(self):
        """An experiment that says ipclab.name travels with the package's name: pickle knows modules by exact type."""
        return importlib.import_module, (self.__name__,)


sys.modules[__name__].__class__ = _Package
