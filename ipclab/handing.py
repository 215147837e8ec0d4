"""Handing an experiment over to the stage: its parameters checked, pickled with what it uses, its source beside it."""
import dis
import functools
import inspect
import linecache
import os
import pickle
import sys
import types

from .say import _

LARGEST = 1 << 20  # bytes of all that is handed over, pickled


def check(experiment, timeout, params):
    """TypeError for an experiment that is no function, and for an unknown or missing parameter, named; TypeError or
    ValueError for a deadline that is none."""
    if not isinstance(experiment, types.FunctionType):
        raise TypeError(_("run() takes a function, not {kind}: run(experiment, name=value), without calling the "
                          "experiment").format(kind=type(experiment).__name__))
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(_("timeout is a number of seconds, not {kind}").format(kind=type(timeout).__name__))
    if not 0 < timeout <= 3600:
        raise ValueError(_("timeout is a number of seconds above 0, up to 3600, not {given}").format(given=timeout))
    _check_params(experiment, params)


def _check_params(experiment, params):
    parameters = inspect.signature(experiment).parameters.values()
    by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in by_name]
    for given in params:
        if given not in names and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            has = ", ".join(names) or _("none")
            raise TypeError(_("{function}() has no parameter {name!r}; its parameters are: {names}").format(
                function=experiment.__name__, name=given, names=has))
    for p in parameters:
        if p.default is p.empty and p.name not in params and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise TypeError(_("{function}() needs a value for {name!r}: run({function}, {name}=...)").format(
                function=experiment.__name__, name=p.name))


def request(experiment, timeout, params):
    """What the stage needs to know of a run, as bytes. TypeError where something cannot be handed over, by name."""
    return pickle.dumps({
        "pickled": _pickled(experiment, params), "timeout": float(timeout), "environ": dict(os.environ),
        "path": [os.path.abspath(folder) for folder in sys.path], "file": experiment.__code__.co_filename,
        "sources": _sources(experiment)})


def _pickled(experiment, params):
    import cloudpickle

    try:
        pickled = cloudpickle.dumps((experiment, params))
    except Exception as error:
        culprit = _culprit(experiment, params, lambda value: _size(value) is None)
        raise TypeError(_("{function}() uses {culprit}, which cannot be handed to another process: {error}").format(
            function=experiment.__name__, culprit=culprit, error=error)) from None
    if len(pickled) > LARGEST:
        culprit = _culprit(experiment, params, lambda value: (_size(value) or 0) > LARGEST // 2)
        raise TypeError(_("{function}() uses {culprit}, which is too large to be handed over at each run ({size:.1f} "
                          "MiB, of at most {most}): make it inside the experiment").format(
            function=experiment.__name__, culprit=culprit, size=len(pickled) / (1 << 20), most=LARGEST >> 20))
    return pickled


def _size(value):
    """Bytes of the value, pickled; None where it cannot be."""
    import cloudpickle

    try:
        return len(cloudpickle.dumps(value))
    except Exception:
        return None


def _culprit(experiment, params, is_it):
    """The name of the parameter or variable that is to blame, as a text."""
    texts = {"parameter": _("the parameter {name!r}"), "variable": _("the variable {name!r}"),
             "global": _("the global {name!r}")}
    for kind, name, value in uses(experiment, params):
        if not isinstance(value, types.FunctionType) and is_it(value):
            return texts[kind].format(name=name)
    return _("a value")


def uses(experiment, params):
    """(kind, name, value) of all that the experiment is given and uses, by way of other functions too."""
    yield from (("parameter", name, value) for name, value in params.items())
    for function in functions(experiment):
        yield from (("global", name, function.__globals__[name]) for name in _global_names(function.__code__)
                    if name in function.__globals__)
        cells = zip(function.__code__.co_freevars, function.__closure__ or ())
        yield from (("variable", name, value) for name, cell in cells for value in _contents(cell))
        yield from (("parameter", name, value) for name, value in (function.__kwdefaults__ or {}).items())
        defaults = function.__defaults__ or ()
        names = function.__code__.co_varnames[:function.__code__.co_argcount]
        yield from (("parameter", name, value) for name, value in zip(names[-len(defaults):], defaults))


def functions(experiment):
    """The experiment and the functions of the reader's that it uses, directly or by way of one another."""
    found = [experiment]
    for function in found:
        cells = [value for cell in function.__closure__ or () for value in _contents(cell)]
        named = [function.__globals__.get(name) for name in _global_names(function.__code__)]
        found += [value for value in [*cells, *named] if isinstance(value, types.FunctionType)
                  and value not in found and (value.__module__ == experiment.__module__ or value in cells)]
    return found


def _contents(cell):
    try:
        return [cell.cell_contents]
    except ValueError:
        return []  # not yet assigned


@functools.lru_cache(200)
def _global_names(code):
    """The names that the code and the functions defined in it look up outside."""
    names = {step.argval for step in dis.get_instructions(code)  # co_names has attributes too
             if step.opname.startswith("LOAD_") and step.opname.endswith(("_GLOBAL", "_GLOBALS", "_NAME"))}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names |= _global_names(inner)
    return names


def source(experiment):
    """(file, first line, text) of the experiment, or None where it cannot be had."""
    return _source(experiment.__code__)


@functools.lru_cache(200)
def _source(code):
    try:
        lines, first = inspect.getsourcelines(code)
        return code.co_filename, first, "".join(lines)
    except (OSError, TypeError):
        return None


def _sources(experiment):
    """linecache's entries for the files of the experiment and of the reader's functions that it uses."""
    files = {function.__code__.co_filename for function in functions(experiment)}
    found = {}
    for file in files:
        if not os.path.exists(file) and (lines := linecache.getlines(file)):
            found[file] = (sum(map(len, lines)), None, lines, file)
    return found
