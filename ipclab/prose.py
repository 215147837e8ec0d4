"""The prose in a code cell: its comments, and the words that a reader gets to read when it runs.

Prose is found in the source and replaced in the source, so that the code between stays as it was, to the byte. A text
is known by what stands between its quotes, as it is written there, without white space and newlines at its two ends.
"""
import ast
import functools
import io
import re
import tokenize
import unicodedata
from typing import NamedTuple

# Calls, and which of their arguments are for the reader
SPEAKING = {"print": range(99), "predict": (0, 1, "question", "options"), "exercise": (3, "hints"),
            "usually_said": range(99)}
NAMING = {"name", "process", "calls", "execvp", "system"}  # calls whose texts are the program's, in every language
PIECE = re.compile(r"""(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|"|')(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
                   re.DOTALL)
CORE = re.compile(r"(?P<head>(?:\s|\\n)*)(?P<core>.*?)(?P<tail>(?:\s|\\n)*)", re.DOTALL)
WIDTH = 100  # columns of a text that is written over several lines


class Text(NamedTuple):
    """A piece of prose: `english`, where in the source (`start`, `end` in bytes), and whether it has to be translated
    or may be; `comment` tells comments from literals."""

    english: str
    start: int
    end: int
    needed: bool
    comment: bool = False


def texts(source):
    """The prose of a code cell's source: [Text] in order. None where it is not Python (a cell of a shell's, say)."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = [*_comments(source), *_literals(tree, source)]
    return sorted((text for text in found if re.search(r"[^\W\d_]{2}", _without_values(text.english))), key=_place)


def needed(source):
    """What has to be translated in a code cell, each text once, in order."""
    return list(dict.fromkeys(text.english for text in texts(source) if text.needed))


def replaced(source, words):
    """The source with the texts that `words` (a dict) knows in the other language. ValueError if it would no longer be
    the same program."""
    raw = source.encode()
    for text in reversed(texts(source)):
        if text.english in words:
            segment = raw[text.start:text.end].decode()
            new = _comment(words[text.english]) if text.comment else _written(segment, words[text.english],
                                                                              _column(raw, text.start))
            raw = raw[:text.start] + new.encode() + raw[text.end:]
    result = raw.decode()
    if words and skeleton(source) != skeleton(result):
        raise ValueError("the program itself would change: are the {values} in braces as they were, the quotes closed?")
    return result


def skeleton(source):
    """The program without its comments and texts, to be compared; None where it is not Python."""
    try:
        return ast.dump(_Blank().visit(ast.parse(source)))
    except SyntaxError:
        return None


class _Blank(ast.NodeTransformer):
    """Texts become empty; of an f-string the values stay, in whatever order."""

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node):
        values = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        return ast.JoinedStr(sorted(values, key=ast.dump))


def _place(text):
    return text.start


def _without_values(text):
    return re.sub(r"\{[^{}]*\}|\\.", "", text)


def _comments(source):
    starts = _line_starts(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            (line, column), size = token.start, len(token.string.encode())
            start = starts[line - 1] + len(token.line[:column].encode())
            yield Text(token.string.lstrip("#").strip(), start, start + size, True, True)


def _comment(words):
    return "# " + " ".join(words.split())


def _literals(tree, source):
    """Texts of the literals; what they stand in says whether they have to be translated."""
    starts = _line_starts(source)
    for node, kinds in _within(tree, ()):
        if "naming" in kinds:
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        english = _core(_body(source.encode()[start:end].decode()))["core"]
        yield Text(english, start, end, kinds[-1:] in (("speaking",), ("documentation",)))


def _within(node, kinds):
    """(literal, kinds of what is around it) of every text below the node; bytes are no texts, an f-string is one."""
    for child in ast.iter_child_nodes(node):
        inner = (*kinds, *filter(None, [_kind(node, child)]))
        if isinstance(child, ast.JoinedStr) or isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child, inner
        else:
            yield from _within(child, inner)


def _kind(node, child):
    """What a node makes of the texts in its child: "naming", "speaking", "documentation", "value" or None."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        place = node.args.index(child) if child in node.args else getattr(child, "arg", None)
        return "naming" if name in NAMING else "speaking" if place in SPEAKING.get(name, ()) else "value"
    if isinstance(node, ast.Expr) and isinstance(child, ast.Constant):
        return "documentation"
    return "value" if isinstance(node, ast.Lambda) or isinstance(node, ast.Dict) and child in node.keys else None


@functools.lru_cache(1)
def _line_starts(source):
    """Where each line begins, in bytes, as ast counts."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _column(raw, place):
    return place - (raw.rfind(b"\n", 0, place) + 1)


def _body(segment):
    """What stands between the quotes of a literal, of all its pieces where it has several."""
    return "".join(piece["body"] for piece in PIECE.finditer(segment))


def _core(body):
    return CORE.fullmatch(body)


def _written(segment, words, column):
    """The literal with other words in the quotes that it had; over several lines if it was."""
    pieces = list(PIECE.finditer(segment))
    quote, old = pieces[0]["quote"], _core(_body(segment))
    prefix = max((piece["prefix"] for piece in pieces), key=len)
    if len(quote) == 1:
        words = re.sub(rf"(?<!\\){quote}", rf"\\{quote}", words.replace("\n", r"\n"))
    body = old["head"] + words + old["tail"]
    lines = _lines(body, WIDTH - column) if len(pieces) > 1 and len(quote) == 1 else [body]
    return ("\n" + " " * column).join(f"{prefix}{quote}{line}{quote}" for line in lines)


def _lines(body, width):
    """The text in pieces of at most so many columns, each but the last with the space that it ends with."""
    lines = [""]
    for word in re.split(r"(?<= )(?![^{]*\})", body):
        if _columns(lines[-1] + word) > width and lines[-1]:
            lines.append("")
        lines[-1] += word
    return lines


def _columns(text):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
