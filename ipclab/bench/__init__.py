"""How fast each mechanism is on this machine: `python -m ipclab bench`, and measure() for a notebook.

Two real processes exchange messages, in Python as a textbook prints it, in Python tuned, and in C. (bench/bench.py, of
`make bench`, measures something else: what the course's own engine costs.) The measuring process imports no pictures.
"""
import importlib

_HOMES = {"measure": "rounds", "select": "show", "table": "show", "to_json": "show", "dots": "picture",
          "curves": "picture"}
__all__ = list(_HOMES)


def __getattr__(name):
    """The public function of that name, from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ipclab.bench' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
