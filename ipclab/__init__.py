"""ipclab: real processes, recorded from outside, drawn, told and checked. See README.md.

What a notebook needs is imported when it is first used, since the first cell is felt by every reader, every time.
"""
import importlib

_HOMES = {"run": "run", "name": "record", "timeline": "timeline", "story": "story", "explore": "explore", "Trace": "trace"}
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
