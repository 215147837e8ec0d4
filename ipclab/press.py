"""A page of paper.py as PDF, set by weasyprint, whose text can be searched and is tagged for screen readers.

weasyprint draws SVG, but not all of it: these functions say the same of our pictures in what it knows.
"""
import re

from .look import columns
from .paper import Failed
from .say import _

LETTER = 0.602  # em: the width of a letter in DejaVu Sans Mono and its kin
HALO = re.compile(r"\.(\w+)\{paint-order:stroke;stroke:(#\w+);[^}]*")
TEXT = re.compile(r"<text\b([^>]*)>([^<]*)</text>")


def pdf(html):
    """The page on paper, as bytes. paper.Failed where weasyprint's libraries are missing."""
    return _set(html).write_pdf(pdf_tags=True)


def pages(html):
    """How many sheets it takes. paper.Failed as for pdf()."""
    return len(_set(html).render().pages)


def _set(html):
    try:
        import weasyprint
    except OSError as error:  # it loads Pango, which is the machine's
        raise Failed(_("the PDF needs Pango (Debian: libpango-1.0-0 and libpangoft2-1.0-0): {error}").format(
            error=error)) from error
    return weasyprint.HTML(string=simpler(html))


def simpler(html):
    """The page with its pictures in the SVG that weasyprint knows."""
    return re.sub(r"<svg\b.*?</svg>", lambda match: _told(_picture(match[0])), html, flags=re.DOTALL)


def _told(svg):
    """The picture with its sentence as its title: there weasyprint looks for what a screen reader is to say."""
    return re.sub(r'(<svg\b[^>]* aria-label="([^"]*)"[^>]*>)', r"\1<title>\2</title>", svg, count=1)


def _picture(svg):
    """A picture without halos (`paint-order`: they would be drawn over their letters), but with a ground behind these,
    and without the shorthand `font`, which would win over the font-family of a more particular rule."""
    grounds, size = dict(HALO.findall(svg)), re.search(r"text\{font:([\d.]+)px ", svg)
    if not size:
        return svg
    svg = HALO.sub(r".\1{", svg).replace(f"font:{size[1]}px ", f"font-size:{size[1]}px;font-family:")
    return TEXT.sub(lambda match: _ground(match, grounds, float(size[1])) + match[0], svg)


def _ground(text, grounds, font):
    """The rectangle behind a text in letters of one width that had a halo, "" for another."""
    told = dict(re.findall(r'([\w-]+)="([^"]*)"', text[1]))
    kinds = told.get("class", "").split()
    colour = next((grounds[kind] for kind in kinds if kind in grounds), None)
    if colour is None or "text-anchor" in told or {"n", "w", "x"} & {*kinds}:
        return ""
    wide = columns(re.sub(r"&#?\w+;", "n", text[2])) * LETTER * font
    return (f'<rect x="{float(told["x"]) - 1:.1f}" y="{float(told["y"]) - 0.82 * font:.1f}" width="{wide + 2:.1f}" '
            f'height="{1.06 * font:.1f}" fill="{colour}"/>')
