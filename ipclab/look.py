"""The one place of sizes and colours: three looks, the palette, the width of text and the style sheet.

The palette is Okabe and Ito's, told apart by readers who are colour-blind; colour never says anything alone:
waiting is hatched, a failed call is crossed out, a handler is dotted, and print has no colour at all.
"""
import functools
import os
import unicodedata
from dataclasses import dataclass, field

from .say import _

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7")
WIDE = 0.62  # em: the width of one character, on the safe side of every monospaced font; CJK takes two


@dataclass(frozen=True)
class Look:
    """Sizes in user units of the SVG (pixels at full size) and colours.

    `bars` and `lanes` are how many of them a picture has at most, `rows` how many rows of labels a lane has, as long as
    the picture is not higher than `height`. `label` and `name` are the longest text of a bar and of a lane, in
    characters, `small` the size of what stands under the lanes, `gap` the least room between two boundaries of time.
    `smallest` is how small a picture may be drawn where the room that it has is too low for it.
    """

    width: int = 1000
    height: int = 820
    font: float = 12.5
    small: float = 11.5
    bar: int = 20
    bars: int = 120
    rows: int = 10
    lanes: int = 30
    label: int = 38
    name: int = 18
    gap: int = 14
    line: float = 1.0
    smallest: float = 0.8
    colours: dict = field(default_factory=dict)


COLOUR = {"ink": "#1A1A1A", "muted": "#595959", "rule": "#C9CED3", "page": "#FFFFFF", "lane": "#F6F8FA",
          "run": BLUE, "run edge": "#00507D", "on run": "#FFFFFF",
          "wait": "#FFF3D6", "wait edge": "#9A6A00", "stripe": "#B87700",
          "fail": "#FFFFFF", "fail edge": "#B34700", "fail ink": "#933B00",
          "hand": "#F3DCE8", "hand edge": "#8F4169", "dot": "#A8507F", "many": "#D6E8F4",
          "arrow": "#00805D", "deadline": "#933B00"}
PAPER = {"ink": "#000000", "muted": "#3D3D3D", "rule": "#B0B0B0", "page": "#FFFFFF", "lane": "#FFFFFF",
         "run": "#4A4A4A", "run edge": "#000000", "on run": "#FFFFFF",
         "wait": "#FFFFFF", "wait edge": "#000000", "stripe": "#8C8C8C",
         "fail": "#FFFFFF", "fail edge": "#000000", "fail ink": "#000000",
         "hand": "#FFFFFF", "hand edge": "#000000", "dot": "#5A5A5A", "many": "#DDDDDD",
         "arrow": "#000000", "deadline": "#000000"}
LOOKS = {
    "screen": Look(colours=COLOUR),
    "projector": Look(width=1280, height=720, font=20, small=20, bar=28, bars=44, rows=6, lanes=12, label=32, name=14,
                      gap=20, line=1.8, smallest=0.96, colours=COLOUR),
    "print": Look(width=860, height=760, font=11.5, small=10.5, bar=18, bars=100, gap=12, colours=PAPER),
    "card": Look(width=460, height=420, font=10.5, small=9.5, bar=16, bars=40, rows=6, lanes=8, label=26, name=10,
                 gap=10, colours=PAPER),  # a third of a sheet
}


def look_named(name):
    """The Look of that name. ValueError, naming the looks, where there is none."""
    if name not in LOOKS:
        raise ValueError(_("look {name!r} is unknown; there are: {looks}").format(name=name, looks=", ".join(LOOKS)))
    return LOOKS[name]


def chosen_look(given):
    """The name of the look that is asked for: the one given, else the environment's IPCLAB_LOOK, else "screen".
    ValueError as of look_named()."""
    name = given or os.environ.get("IPCLAB_LOOK", "screen")
    look_named(name)
    return name


@functools.lru_cache(4096)
def columns(text):
    """How many columns the text takes in a monospaced font: two for Korean and other wide characters."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def text_width(text, font):
    """An upper bound of the width of the text, in the unit of the font's size."""
    return columns(text) * WIDE * font


def cut(text, most):
    """The text in at most so many columns, ended by … where something was left out."""
    if columns(text) <= most:
        return text
    room = most - 1
    for at, character in enumerate(text):
        room -= columns(character)
        if room < 0:
            return text[:at] + "…"
    return text


FONTS = {"code": "'DejaVu Sans Mono','Noto Sans Mono','Liberation Mono',Menlo,Consolas,'Noto Sans Mono CJK KR',"
                 "'Noto Sans CJK KR','NanumGothicCoding','Malgun Gothic','Apple SD Gothic Neo',monospace",
         "words": "'Noto Sans','DejaVu Sans','Segoe UI',Helvetica,Arial,'Noto Sans CJK KR','NanumGothic',"
                  "'Malgun Gothic','Apple SD Gothic Neo',sans-serif"}
STYLE = """\
#ID text{{font:{font}px {code};fill:{ink};white-space:pre}}
#ID .n{{font-family:{words};font-weight:600}}
#ID .w,#ID .x{{font-family:{words};fill:{muted}}}
#ID .x{{font-size:{small}px}}
#ID .page{{fill:{page}}}
#ID .band{{fill:{lane}}}
#ID .dl{{font-family:{words};fill:{deadline}}}
#ID .h{{paint-order:stroke;stroke:{lane};stroke-width:{halo};stroke-linejoin:round}}
#ID .onwait{{paint-order:stroke;stroke:{wait};stroke-width:{halo};stroke-linejoin:round}}
#ID .onhand{{paint-order:stroke;stroke:{hand};stroke-width:{halo};stroke-linejoin:round}}
#ID .onrun{{fill:{onrun}}}
#ID .bad{{fill:{failink}}}
#ID rect.b{{stroke-width:{line}}}
#ID .run{{fill:{run};stroke:{runedge}}}
#ID .wait{{fill:url(#IDw);stroke:{waitedge}}}
#ID .fail{{fill:{fail};stroke:{failedge}}}
#ID .hand{{fill:url(#IDh);stroke:{handedge}}}
#ID .gap{{fill:{lane}}}
#ID .side{{stroke:{handedge};stroke-width:{bold};fill:none}}
#ID .many{{fill:{many};stroke:{runedge}}}
#ID .plain{{fill:{page};stroke:{ink}}}
#ID .gone{{fill:none;stroke:{muted};stroke-dasharray:3 3}}
#ID .wire{{fill:none;stroke:{runedge};stroke-width:{line}}}
#ID .cross{{stroke:{failedge};fill:none;stroke-width:{bold}}}
#ID .life{{stroke:{muted};stroke-width:{bold};fill:none}}
#ID .unseen{{stroke-dasharray:2 4}}
#ID .mark{{fill:{ink};stroke:none}}
#ID .pole,#ID .rule{{stroke:{rule};stroke-width:{line};fill:none}}
#ID .pole{{stroke:{muted};stroke-opacity:.75}}
#ID .birth{{stroke:{muted};stroke-width:{line};stroke-dasharray:3 2;fill:none}}
#ID .wake{{stroke:{arrow};stroke-width:{bold};fill:none}}
#ID .tip{{fill:{arrow};stroke:none}}
#ID .want{{stroke:{waitedge};stroke-width:{bold};stroke-dasharray:5 3;fill:none}}
#ID .wanted{{fill:{waitedge};stroke:none}}
#ID .dead{{stroke:{deadline};stroke-width:{bold};stroke-dasharray:6 4}}
#ID .now{{stroke:{ink};stroke-width:{strong};fill:none}}
#ID .later{{opacity:.25}}
#ID text.later{{opacity:1;fill:{muted}}}"""
PATTERNS = """\
<pattern id="IDw" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
<rect width="7" height="7" fill="{wait}"/><rect width="1.6" height="7" fill="{stripe}"/></pattern>\
<pattern id="IDh" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="{hand}"/>\
<circle cx="2" cy="2" r="1.2" fill="{dot}"/></pattern>"""


@functools.lru_cache
def style(name):
    """The style sheet and the patterns of the look, with ID where the picture's own id is to stand."""
    look = LOOKS[name]
    values = {key.replace(" ", ""): colour for key, colour in look.colours.items()} | FONTS
    sizes = {"font": look.font, "small": look.small, "halo": look.font / 4, "line": look.line,
             "bold": look.line * 1.6, "strong": look.line * 2.4}
    return f"<style>{STYLE.format(**values, **sizes)}</style><defs>{PATTERNS.format(**values)}</defs>"
