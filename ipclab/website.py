"""The course as web pages: every chapter executed, in every language, under one index that any server or disk can show.

`python -m ipclab site` writes build/site. Pages load nothing and link to each other relatively.
"""
import functools
import html
import shutil
import sys
from typing import NamedTuple

from . import handout, paper
from .say import _
from .translate import COURSE, languages, notebooks

NAMES = {"en": "English", "ko": "한국어"}  # what a language calls itself


def site(folder=COURSE / "build" / "site"):
    """The command; its exit status. The site that was there stays until the new one is whole."""
    part, old = folder.with_name(f"{folder.name}.part"), folder.with_name(f"{folder.name}.old")
    shutil.rmtree(part, ignore_errors=True)
    try:
        course = {language: _chapters(language, part / language) for language in ["en", *languages()]}
    except paper.Failed as error:
        print(error, file=sys.stderr)
        return 1
    paper.write(part, {"index.html": index(course).encode(), ".nojekyll": b""})
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    print(_("the site is in {folder}; begin with index.html").format(folder=folder))
    return 0


class Chapter(NamedTuple):
    """What the index and its neighbours say of a chapter: its page's file, its title and its first sentence."""

    file: str
    title: str
    opening: str


def _chapters(language, folder):
    """Writes the pages of a language; [Chapter] in order."""
    books = {notebook: paper.book(notebook, language) for notebook in notebooks()}
    chapters = [Chapter(f"{notebook.stem}.html", paper.title(book, notebook.stem), paper.opening(book))
                for notebook, book in books.items()]
    for place, (notebook, book) in enumerate(books.items()):
        name = f"{language}/{notebook.stem}"
        try:
            text = handout.page(name, notebook, language, book, {}, "screen", "end",
                                functools.partial(paper.page, links=_links(chapters, place)))
        except paper.Failed as error:
            raise paper.Failed(f"{name}: {error}") from error
        finally:
            handout.progress(name)
        paper.write(folder, {chapters[place].file: text.encode()})
        print(name, flush=True)
    return chapters


def _links(chapters, place):
    """From a chapter's page to the index and its neighbours, as paper.page() takes them."""
    links = [("up", "../index.html", None)]
    if place > 0:
        links.append(("prev", chapters[place - 1].file, f"← {chapters[place - 1].title}"))
    if place + 1 < len(chapters):
        links.append(("next", chapters[place + 1].file, f"{chapters[place + 1].title} →"))
    return links


def index(course):
    """The first page, from {language: [Chapter]}."""
    style = (paper.STYLE / "style.css").read_text()
    name = _("Linux inter-process communication")
    lists = "".join(
        f'<section lang="{language}"><h2>{NAMES.get(language, language)}</h2><ol>'
        + "".join(f'<li><a href="{language}/{file}">{html.escape(title)}</a><br>{html.escape(opening)}</li>'
                  for file, title, opening in chapters)
        + "</ol></section>\n" for language, chapters in course.items())
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{name}</title>\n'
            f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n{lists}</main>\n</body>\n</html>\n")
