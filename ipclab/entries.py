"""The files of words: `notebooks/i18n/ko/NAME.md` holds the Korean of `notebooks/NAME.ipynb`, cell by cell.

An entry names its cell and, for Markdown, by a hash the English that it translates; the texts of a code cell stand
beside their English. So what is missing, stale or left over shows, and can be said: see `problems`. The exercises'
solutions, which stand apart as Python, count as one more code cell.
"""
import hashlib
import json
import re

from .prose import needed, replaced, texts

HEADING = re.compile(r"^<!-- cell: (\S+?)(?: ([0-9a-f]{8}))? -->$", re.MULTILINE)
TO_DO = re.compile(r"^<!-- English:\n.*?^-->\n?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()([^)\s]+)")
SOLUTIONS = "solutions.py"  # stands for a cell's id


def words_of(notebook, language):
    """The file with the notebook's words in that language, a Path, there or not."""
    return notebook.parent / "i18n" / language / f"{notebook.stem}.md"


def solutions_of(notebook):
    """The file with the solutions of the notebook's exercises, a Path, there or not."""
    return notebook.parent / "solutions" / f"{notebook.stem}.py"


def cells(notebook):
    """(id, kind, source) of the notebook's cells, and of its solutions."""
    for cell in json.loads(notebook.read_text(encoding="utf8"))["cells"]:
        yield cell["id"], cell["cell_type"], "".join(cell["source"])
    if solutions_of(notebook).exists():
        yield SOLUTIONS, "code", solutions_of(notebook).read_text(encoding="utf8")


def mark(source):
    """The hash by which an entry knows its English: 8 hexadecimal digits."""
    return hashlib.sha256(source.strip().encode()).hexdigest()[:8]


def entries(file):
    """{cell's id: (hash or None, text)} of a file of words; empty where there is no file."""
    if not file.exists():
        return {}
    _before, *parts = HEADING.split(file.read_text(encoding="utf8"))
    return {parts[k]: (parts[k + 1], parts[k + 2].strip("\n")) for k in range(0, len(parts), 3)}


def pairs(text):
    """{English: the other language} of a code cell's entry: lines that begin with "> ", and what stands below them."""
    found, english, other = {}, [], []
    for line in [*text.splitlines(), ">"]:
        if line.startswith(">"):
            if other:
                found["\n".join(english)] = "\n".join(other).strip()
                english, other = [], []
            english.append(line[2:])
        elif english:
            other.append(line)
    return {english: words for english, words in found.items() if words}


def problems(notebook, language):
    """What of the notebook is missing, stale or left over in that language: [a sentence that says what to do]."""
    known = entries(words_of(notebook, language))
    found = [text for cell, kind, source in cells(notebook)
             for text in _cell_problems(kind, source, known.pop(cell, None), f"cell {cell}")]
    found += [f"cell {cell}: the notebook has no such cell any more; take its entry out" for cell in known]
    return found + _differences(notebook, language)


def _differences(notebook, language):
    """Literals with words in one cell and others, or none, in another: a program may compare the two."""
    known, said = entries(words_of(notebook, language)), {}
    for cell, kind, source in cells(notebook):
        words = pairs(known[cell][1]) if kind == "code" and cell in known else {}
        for text in texts(source) if kind == "code" else []:
            if not text.comment:
                said.setdefault(text.english, {}).setdefault(words.get(text.english, text.english), cell)
    return [f"cells {', '.join(words.values())}: {english!r} has not the same words in all of them"
            for english, words in said.items() if len(words) > 1]


def _cell_problems(kind, source, entry, cell):
    if kind == "code":
        return list(_code_problems(source, pairs(entry[1]) if entry else {}, cell))
    if not source.strip():
        return []
    if entry is None or not TO_DO.sub("", entry[1]).strip():
        return [f"{cell}: not translated; write it where --update has put its English"]
    if entry[0] != mark(source):
        return [f"{cell}: its English has changed; --update puts it beside the old words, for you to revise them"]
    if TO_DO.search(entry[1]):
        return [f"{cell}: its English stands there to be revised by; take that comment out when it is done"]
    return [] if shape(entry[1]) == shape(source) else [
        f"{cell}: headings, links, tables or code blocks are not those of the English: {shape(source)}"]


def _code_problems(source, words, cell):
    for english in needed(source):
        if english not in words:
            yield f"{cell}: no words for {english!r}"
    for english in words.keys() - {text.english for text in texts(source)}:
        yield f"{cell}: the code has no text {english!r} any more; take it out"
    try:
        replaced(source, words)
    except ValueError as error:
        yield f"{cell}: {error}"


def shape(markdown):
    """What a translation leaves as it is: levels of headings, targets of links (but for the language's own copy of a
    picture, in a folder named by it), rows of tables, blocks of code."""
    return {"headings": re.findall(r"^#+(?= )", markdown, re.MULTILINE),
            "links": sorted(re.sub(r"(?<=/assets/)[a-z]{2}/", "", target) for _open, target in LINK.findall(markdown)),
            "rows": len(re.findall(r"^\|", markdown, re.MULTILINE)), "blocks": markdown.count("```")}


def update(notebook, language):
    """Bring the file of words up to date with the English: an entry for every cell that has prose, in the notebook's
    order; what is to be done stands there as a comment or as English without words. Entries left over are taken out."""
    file, before = words_of(notebook, language), entries(words_of(notebook, language))
    made = [(cell, *_entry(kind, source, before.get(cell))) for cell, kind, source in cells(notebook)]
    parts = [f"<!-- cell: {cell}{hash} -->\n{text}\n" for cell, hash, text in made if text]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts), encoding="utf8")


def _entry(kind, source, entry):
    """(hash with a space before it or "", text) of a cell's entry as it is to stand in the file; no text: no entry."""
    if kind == "code":
        words, texts_now = pairs(entry[1]) if entry else {}, {text.english for text in texts(source)}
        wanted = [*needed(source), *(english for english in words if english in texts_now)]
        return "", "\n\n".join(_pair(english, words.get(english, "")) for english in dict.fromkeys(wanted))
    if not source.strip() or entry and entry[0] == mark(source) and entry[1].strip():
        return f" {mark(source)}", entry[1] if entry else ""
    old = TO_DO.sub("", entry[1]).strip() if entry else ""
    return f" {mark(source)}", f"<!-- English:\n{source.strip().replace('-->', '-- >')}\n-->\n{old}".strip()


def _pair(english, other):
    return "\n".join([*(f"> {line}".rstrip() for line in english.split("\n")), other]).strip()
