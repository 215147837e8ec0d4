"""Handouts: `python -m ipclab handout 01 -p NAME=VALUE` runs a chapter as a teacher wants it and writes HTML and PDF.

All that can be wrong with the words of the command is said before anything runs; a file is written only when all of
its chapter has come through, so that no half handout lies about.
"""
import argparse
import pathlib
import sys
import time

from . import card, paper, press
from .look import LOOKS
from .parameters import chosen, parameters
from .say import _
from .translate import COURSE, languages, notebooks

ANSWERS = ("end", "none")


def handout(words):
    """The command; its exit status: 0, or 1 where a chapter failed. SystemExit(2) with a sentence for wrong words."""
    parser = _parser()
    told = parser.parse_args(words)
    if told.card and told.solutions:
        parser.error(_("a card has no room for solutions: leave out one of --card and --solutions"))
    try:
        if told.list:
            return listed(found(told.notebooks))
        jobs = [(notebook, language, paper.book(notebook, language)) for notebook in found(told.notebooks)
                for language in spoken(told.language)]
        values = [chosen(parameters(book), told.values) for _notebook, _language, book in jobs]
    except ValueError as error:
        parser.error(str(error))
    done = [_made(*job, value, told) for job, value in zip(jobs, values, strict=True)]
    return 0 if all(done) else 1


def _parser():
    parser = argparse.ArgumentParser("python -m ipclab handout", description=_(
        "Run chapters with chosen parameters, and write each as HTML (one file that needs no network) and as PDF."))
    add = parser.add_argument
    add("notebooks", nargs="*", metavar=_("NOTEBOOK"), help=_("a chapter's number or name; without any, all of them"))
    add("-p", "--parameter", dest="values", action="append", default=[], metavar=_("NAME=VALUE"),
        help=_("another value for one of the chapter's parameters"))
    add("--list", action="store_true", help=_("say which parameters there are, and write nothing"))
    add("--answers", choices=ANSWERS, default="end", help=_("where the questions' answers stand (default: end)"))
    add("--solutions", action="store_true", help=_("print the solutions of the exercises at the end"))
    add("--language", default="en", help=_("en, one that the course is translated into, or all (default: en)"))
    add("--card", action="store_true",
        help=_("one page a chapter: its findings, their pictures, this machine's limits"))
    add("--look", choices=list(LOOKS), help=_("how the pictures are drawn (default: print, on a card: card)"))
    add("--output", type=pathlib.Path, default=COURSE / "build" / "handouts", metavar=_("FOLDER"),
        help=_("where to write (default: build/handouts)"))
    return parser


def found(words):
    """The notebooks that the words name, by number, name or path, all without any: [Path]. ValueError for another."""
    every = notebooks()
    return [_one(word, every) for word in words] or every


def _one(word, every):
    name = pathlib.Path(word).name.removesuffix(".ipynb")
    for notebook in every:
        number, _underscore, topic = notebook.stem.partition("_")
        if name in (notebook.stem, topic) or name.isdecimal() and number.isdecimal() and int(name) == int(number):
            return notebook
    raise ValueError(_("there is no notebook {word}; there are: {names}").format(
        word=word, names=", ".join(notebook.stem for notebook in every)))


def spoken(word):
    """The languages meant, [str]. ValueError for one that the course does not speak."""
    known = ["en", *languages()]
    if word not in [*known, "all"]:
        raise ValueError(_("there is no translation into {language}; there are: {known}").format(
            language=word, known=", ".join(known)))
    return known if word == "all" else [word]


def listed(every):
    """Prints the parameters of the notebooks with their defaults and what is said about them."""
    for notebook in every:
        known = parameters(paper.book(notebook))
        wide = max((len(f"{name}={value!r}") for name, value, _comment in known), default=0)
        print(notebook.stem if known else f"{notebook.stem}: " + _("no parameters"))
        for name, value, comment in known:
            print(f"  {f'{name}={value!r}':{wide}}   {comment}".rstrip())
    return 0


def _made(notebook, language, book, values, told):
    """Makes one handout and says so; False, with the reason, where that failed."""
    name = notebook.stem + ".card" * told.card + ("" if language == "en" else f".{language}")
    begun = time.monotonic()
    look = told.look or ("card" if told.card else "print")
    make = card.card if told.card else paper.solved if told.solutions else paper.page
    try:
        html = page(name, notebook, language, book, values, look, told.answers, make)
        progress(name, _("PDF"))
        pdf = press.pdf(html)
        paper.write(told.output, {f"{name}.html": html.encode(), f"{name}.pdf": pdf})
    except (paper.Failed, OSError) as error:
        progress(name)
        print(f"{name}: {error}\n" + _("Nothing was written."), file=sys.stderr)
        return False
    progress(name)
    print(_("{name}: {html} and {pdf}, in {seconds:.0f} s").format(
        name=name, html=told.output / f"{name}.html", pdf=f"{name}.pdf", seconds=time.monotonic() - begun), flush=True)
    return True


def page(name, notebook, language, book, values, look, answers, make=paper.page):
    """The HTML of a notebook after a run, as text, made by make(book, notebook, language); progress is shown.
    paper.Failed where a cell fails."""
    def count(place, cells):
        progress(name, _("cell {place} of {cells}").format(place=place + 1, cells=cells))

    told = {"IPCLAB_LOOK": look, "IPCLAB_LANGUAGE": language, "IPCLAB_ANSWERS": answers}
    done = paper.executed(book, values, count, **told)
    with paper.environment(**told):
        return make(done, notebook, language)


def progress(name, what=None):
    """How far it is, in one line of a terminal that is written over; without `what` that line is cleared."""
    if sys.stderr.isatty():
        text = f"{name}: {what}" if what else ""
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
