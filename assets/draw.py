"""Draws the diagrams that open the chapters: one a mechanism, all in one style. `make assets` writes them beside this,
and those in other languages into folders of their own.

A diagram is a function that returns SVG elements; its name is the file's. Sizes are pixels at full size. The parts are
the field's: processes with their descriptors, the kernel below them, what the kernel keeps, and the calls between.
"""
import os
import pathlib
from html import escape

from ipclab.say import _
from ipclab.translate import languages

WIDTH = 760
INK, PAPER, PALE, LINE = "#1a1a1a", "#ffffff", "#eef3f8", "#5b6770"
BLUE, ORANGE = "#0072B2", "#B45F00"  # AA on white and on the pale ground
STYLE = f"""text{{font-family:'DejaVu Sans','Noto Sans CJK KR',NanumGothic,sans-serif;font-size:16px;fill:{INK}}}
.call,.fd{{font-family:'DejaVu Sans Mono','Noto Sans Mono CJK KR',monospace}}
.small{{font-size:14px}} .title{{font-weight:bold}} .closed{{text-decoration:line-through;fill:{LINE}}}"""


def text(x, y, words, anchor="start", classes=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{classes}">{escape(words)}</text>'


def box(x, y, width, height, title, fill=PAPER, dashed=False):
    """A box with a title in its upper left corner."""
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return [f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{LINE}" '
            f'stroke-width="1.5"{dash}/>', text(x + 14, y + 26, title, classes="title")]


def process(x, y, title, descriptors):
    """A process with its descriptors: [(number, what it is, whether it is open)]."""
    parts = box(x, y, 220, 40 + 30 * len(descriptors), title)
    for row, (number, what, is_open) in enumerate(descriptors):
        words = f"{number}  {what}" + ("" if is_open else "  " + _("closed"))
        parts.append(text(x + 24, y + 58 + 30 * row, words, classes="fd" if is_open else "fd closed"))
    return parts


def arrow(points, colour):
    """A bent line through the points, with a head at its end."""
    path = " L".join(f"{x} {y}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="3" marker-end="url(#head-{colour[1:]})"/>'


def tube(x, y, width, cells):
    """What the kernel keeps in order: a row of cells, text or None for room that is free."""
    parts, size = [], width / len(cells)
    for place, content in enumerate(cells):
        left = x + place * size
        parts.append(f'<rect x="{left:.1f}" y="{y}" width="{size:.1f}" height="40" fill="{PAPER if content else PALE}" '
                     f'stroke="{LINE}"/>')
        if content:
            parts.append(text(round(left + size / 2, 1), y + 26, content, "middle", "call"))
    return parts


def picture(height, title, parts):
    """The whole SVG text."""
    heads = "".join(f'<marker id="head-{colour[1:]}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" '
                    f'markerHeight="5" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
                    for colour in (BLUE, ORANGE))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title><style>{STYLE}</style>'
            f'<defs>{heads}</defs><rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>{"".join(parts)}</svg>\n')


def anonymous_pipe():
    parts = process(20, 16, "parent", [(3, "r", False), (4, "w", True)])
    parts += process(520, 16, "child", [(3, "r", True), (4, "w", False)])
    parts += box(20, 190, 720, 120, _("kernel"), PALE)
    parts += tube(220, 226, 320, [None, None, None, "o", "l", "l", "e", "h"])
    parts += [arrow([(130, 116), (130, 246), (216, 246)], BLUE), arrow([(544, 246), (630, 246), (630, 116)], ORANGE),
              text(142, 164, 'write(4, "hello")', classes="call"), text(618, 164, "read(3, …)", "end", "call"),
              text(380, 290, _("pipe:[inode], room for 65536 bytes"), "middle", "small")]
    return picture(322, _("Parent and child share a pipe in the kernel: the parent writes at descriptor 4, the child "
                          "reads at descriptor 3, and each has closed the other end."), parts)


DIAGRAMS = [anonymous_pipe]


def main():
    for language in ["en", *languages()]:
        os.environ["IPCLAB_LANGUAGE"] = language
        folder = pathlib.Path(__file__).parent / ("" if language == "en" else language)
        folder.mkdir(exist_ok=True)
        for diagram in DIAGRAMS:
            (folder / f"{diagram.__name__}.svg").write_text(diagram(), encoding="utf8")


if __name__ == "__main__":
    main()
