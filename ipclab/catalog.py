"""What the package itself says, in other languages: `locale/ko/LC_MESSAGES/ipclab.po`, and the .mo that gettext reads.

Both are committed, so that any way of installing the package has them; the tests compare them with each other and with
the source. Babel, which reads and writes them, is for those who translate; readers need the standard library alone.
"""
import ast
import gettext
import io
import pathlib
import re

PACKAGE = pathlib.Path(__file__).resolve().parent
DATED = ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Language-Team", "Report-Msgid-Bugs-To",
         "Generated-By")  # headers that would change from one machine or day to another
VALUE = re.compile(r"\{[^{}]*\}")
COUNTERS = "개|번|초|줄|바이트|단계|가지"  # may follow a value at once: its last sound does not matter to them


def file_of(language, kind="po"):
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"ipclab.{kind}"


def _files():
    """What speaks: the package, and what draws the diagrams."""
    return [*sorted(PACKAGE.rglob("*.py")), *sorted((PACKAGE.parent / "assets").glob("*.py"))]


def said():
    """[(text, or pair of texts for one and many, file)] of all that the package says, in the order of its files."""
    return [(_text(node), str(file.relative_to(PACKAGE.parent))) for file in _files() for node in _sayings(file)
            if _text(node)]


def unreadable():
    """["file:line"] where the package says what is not written down there, and so cannot be translated."""
    return [f"{file.name}:{node.lineno}" for file in _files() for node in _sayings(file) if _text(node) is None]


def _sayings(file):
    """The calls of _() and ngettext() in a file, in order."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext")]
    return sorted(calls, key=lambda node: (node.lineno, node.col_offset))


def _text(call):
    words = [arg.value for arg in call.args[:1 if call.func.id == "_" else 2]
             if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if call.func.id == "_":
        return words[0] if words else None
    return tuple(words) if len(words) == 2 else None


def refresh(language):
    """Bring the language's .po up to date with the source, and its .mo with that. Texts that have changed a little keep
    their old words, marked fuzzy; those that nobody says any more go."""
    from babel.messages.catalog import Catalog

    catalog, now = read(language), Catalog()
    for text, file in said():
        now.add(text, locations=[(file, 0)])
    catalog.update(now)
    file_of(language).parent.mkdir(parents=True, exist_ok=True)
    file_of(language).write_text(_po(catalog), encoding="utf8")
    compile_mo(language)


def read(language):
    """The language's words, a babel Catalog; an empty one where there is no file yet."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    if not file_of(language).exists():
        return Catalog(locale=language, project="ipclab", version="", fuzzy=False, header_comment="")
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language)


def _po(catalog):
    """The .po file's text, without what would change from day to day."""
    from babel.messages.pofile import write_po

    file = io.BytesIO()
    write_po(file, catalog, width=110, ignore_obsolete=True, include_previous=True, include_lineno=False)
    lines = file.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(tuple(f'"{header}:' for header in DATED)))


def compiled(language):
    """What the .mo would hold, made from the .po: bytes. Fuzzy words are left out."""
    from babel.messages.mofile import write_mo

    file = io.BytesIO()
    write_mo(file, read(language))
    return file.getvalue()


def compile_mo(language):
    file_of(language, "mo").write_bytes(compiled(language))


def problems(language):
    """What is missing, stale or wrong in the package's words in that language: [a sentence]."""
    words = {message.id: message for message in read(language) if message.id}
    now = dict(said())
    found = [f"{file}: no words for {text!r}" for text, file in now.items() if not _done(words.get(text))]
    found += [f"nobody says {text!r} any more" for text in words if text not in now]
    found += [f"{message.id!r}: {why}" for message in words.values() if _done(message)
              for why in _faults(message, language)]
    if not found and not _same_mo(language):
        found = ["the .mo is not what the .po says"]
    return found


def _done(message):
    """Whether a message (or None) has all its words, and nothing fuzzy about them."""
    return message is not None and not message.fuzzy and all(_tuple(message.string))


def _tuple(words):
    return words if isinstance(words, tuple) else (words,)


def _faults(message, language):
    """What is wrong with the words of one text: its values, or (Korean) a particle that a value would decide."""
    for string in _tuple(message.string):
        if not any(sorted(VALUE.findall(string)) == sorted(VALUE.findall(text)) for text in _tuple(message.id)):
            yield "the values in braces differ"
        if language == "ko" and re.search(rf"}}(?!{COUNTERS})[가-힣]", string):
            yield "a particle right behind a value, which would have to know how the value sounds"


def _same_mo(language):
    """Whether the committed .mo says what the .po says; only the header (of Babel's version) may differ."""
    if not file_of(language, "mo").exists():
        return False
    with file_of(language, "mo").open("rb") as file:
        committed = dict(gettext.GNUTranslations(file)._catalog)
    fresh = dict(gettext.GNUTranslations(io.BytesIO(compiled(language)))._catalog)
    return {**committed, "": ""} == {**fresh, "": ""}
