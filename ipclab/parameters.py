"""The values of a notebook that a teacher may vary: the cell tagged `parameters`, read and checked without running it.

Each is an assignment of a literal with a comment behind it. Another value has to be of the same type, for a word that
is no number would show only deep in a run, if at all.
"""
import ast
from typing import NamedTuple

from .say import _

BOOLEANS = {"true": True, "false": False}


class Parameter(NamedTuple):
    """`value` is the default, `comment` what the notebook says about it, "" for nothing."""

    name: str
    value: object
    comment: str


def parameters(book):
    """The notebook's parameters, [Parameter] in order; `book` is a notebook as nbformat reads it."""
    source = "\n".join(cell.source for cell in book.cells if is_parameters(cell))
    lines = source.encode().splitlines()  # ast counts bytes
    return [Parameter(node.targets[0].id, ast.literal_eval(node.value),
                      lines[node.end_lineno - 1][node.end_col_offset:].decode().strip().lstrip("# "))
            for node in ast.parse(source).body if isinstance(node, ast.Assign)]


def is_parameters(cell):
    return "parameters" in cell.metadata.get("tags", [])


def chosen(known, words):
    """{name: value} of the words NAME=VALUE. ValueError that says what is wrong: the form, the name or the value."""
    by_name, values = {parameter.name: parameter for parameter in known}, {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(_("{word}: write it as NAME=VALUE").format(word=word))
        if name not in by_name:
            names = ", ".join(by_name) or _("none")
            raise ValueError(_("there is no parameter {name}; there are: {names}").format(name=name, names=names))
        values[name] = read(by_name[name], text)
    return values


def read(parameter, text):
    """The value that the text stands for, of the type of the parameter's default. ValueError where it is none."""
    kind = type(parameter.value)
    try:
        if kind is str:
            return text
        value = BOOLEANS[text.strip().lower()] if kind is bool else ast.literal_eval(text.strip())
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or value in (float("inf"), float("-inf")):
            raise ValueError
    except (ValueError, SyntaxError, KeyError, TypeError, OverflowError, MemoryError, RecursionError):
        raise ValueError(_("{name}={text}: {name} is {kind}, such as {value!r}").format(
            name=parameter.name, text=text, kind=_kind(kind), value=parameter.value)) from None
    return value


def _kind(kind):
    """The type in the words of who does not program."""
    return {int: _("a whole number"), float: _("a number"), bool: _("true or false")}.get(kind, kind.__name__)


def replaced(source, values):
    """The source of the cell with other values, all else as it stands."""
    lines = source.encode().splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.Assign) and node.targets[0].id in values:
            first, last, value = node.value.lineno - 1, node.value.end_lineno - 1, values[node.targets[0].id]
            start, end = lines[first][:node.value.col_offset], lines[last][node.value.end_col_offset:]
            lines[first:last + 1] = [start + repr(value).encode() + end]
    return b"\n".join(lines).decode()
