"""The course as web pages: every chapter executed, in every language, under one index that any server or disk can show.

`python -m ipclab site` writes build/site. Pages load nothing and link to each other relatively.
"""
import html
import shutil
import sys

from . import handout, paper
from .say import _
from .translate import COURSE, languages, notebooks

NAMES = {"en": "English", "ko": "한국어"}  # what a language calls itself


def site(folder=COURSE / "build" / "site"):
    """The command; its exit status. The site that was there stays until the new one is whole."""
    part, old = folder.with_name(f"{folder.name}.part"), folder.with_name(f"{folder.name}.old")
    shutil.rmtree(part, ignore_errors=True)
    try:
        titles = {language: _chapters(language, part / language) for language in ["en", *languages()]}
    except paper.Failed as error:
        print(error, file=sys.stderr)
        return 1
    paper.write(part, {"index.html": index(titles).encode(), ".nojekyll": b""})
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    print(_("the site is in {folder}; begin with index.html").format(folder=folder))
    return 0


def _chapters(language, folder):
    """Writes the pages of a language; {file's name: title}."""
    titles = {}
    for notebook in notebooks():
        book, name = paper.book(notebook, language), f"{language}/{notebook.stem}"
        try:
            text = handout.page(name, notebook, language, book, {}, "screen", "end", back="../index.html")
        except paper.Failed as error:
            raise paper.Failed(f"{name}: {error}") from error
        finally:
            handout.progress(name)
        paper.write(folder, {f"{notebook.stem}.html": text.encode()})
        titles[f"{notebook.stem}.html"] = paper.title(book, notebook.stem)
        print(name, flush=True)
    return titles


def index(titles):
    """The first page, from {language: {file's name: title}}."""
    style = (paper.STYLE / "style.css").read_text()
    name = _("Linux inter-process communication")
    lists = "".join(
        f'<section lang="{language}"><h2>{NAMES.get(language, language)}</h2><ol>'
        + "".join(f'<li><a href="{language}/{file}">{html.escape(title)}</a></li>' for file, title in chapters.items())
        + "</ol></section>\n" for language, chapters in titles.items())
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{name}</title>\n'
            f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n{lists}</main>\n</body>\n</html>\n")
