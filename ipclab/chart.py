"""chart(): curves through measured points as a Picture, in the same looks as a timeline.

matplotlib draws it, by a Figure of its own: pyplot would keep every figure, and belongs to the main thread. Lines are
told apart by their marks and dashes, not by colour alone.
"""
import io
import re

from .look import FONTS, chosen_look, look_named, text_width
from .say import _

LINES = [("run", "o", "-", 9), ("fail edge", "s", "--", 6), ("arrow", "^", "-.", 7), ("hand edge", "D", ":", 5),
         ("wait edge", "v", (0, (5, 1)), 6)]  # colour by its name in look.py, mark, dashes, size of the mark in points
FONT = [name.strip("' ") for name in FONTS["words"].split(",")[:-1]]
HEIGHT = 0.28  # of the width: what the lines have


def chart(lines, across, up, *, log=False, look=None):
    """Lines through points, as a Picture.

    `lines` is {label: [(x, y), …]}, `across` and `up` say what the axes are, with their units. `log=True` makes both
    axes logarithmic. `look` is as in timeline(). ValueError for no lines, more lines than there are marks, or an
    unknown look.
    """
    look = chosen_look(look)
    chosen = look_named(look)
    if not 1 <= len(lines) <= len(LINES):
        raise ValueError(_("a chart has 1 to {most} lines, not {n}").format(most=len(LINES), n=len(lines)))
    from .timeline import Picture

    return Picture(svg(lambda: _figure(lines, across, up, log, chosen), chosen), _sentence(lines, across, up))


def svg(make, look):
    """The SVG of the matplotlib Figure that make() makes, in the letters and colours of the look (a Look)."""
    import matplotlib
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    known = [name for name in FONT if name in there] or ["sans-serif"]
    ink, file = look.colours["ink"], io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "ipclab", "font.family": known, "font.size": look.font,
                "text.color": ink, "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink,
                "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
                "grid.color": look.colours["rule"], "lines.linewidth": look.line * 1.8}
    with matplotlib.rc_context(settings):
        make().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    size = f'width="100%" style="max-width:{look.width}px;height:auto"'
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"|(?<=<svg )height="[\d.]+pt" width="[\d.]+pt"', size,
                  text[text.index("<svg"):], count=1)


def _figure(lines, across, up, log, look):
    from matplotlib.figure import Figure

    wide, font, highest = look.width, look.font, max(y for line in lines.values() for _x, y in line)
    abreast = max(1, int(wide / (max(text_width(label, font) for label in lines) + 4 * font)))
    below = font * (3.6 + 1.6 * -(-len(lines) // abreast))  # the axis and the legend: nothing stands on the lines
    above = font * 2
    high = wide * HEIGHT + below + above
    left = max(5 * font, text_width(f"{highest:.0f}", font) + 2 * font)
    figure = Figure(figsize=(wide / 72, high / 72), facecolor=look.colours["page"])
    figure.subplots_adjust(left=left / wide, right=0.98, top=1 - above / high, bottom=below / high)
    _plot(figure.subplots(), lines, log, look).set_xlabel(across)
    figure.text(0.5 * font / wide, 1 - 0.3 * font / high, up, va="top")
    figure.legend(frameon=False, loc="lower left", ncols=abreast, borderaxespad=0.2, columnspacing=1)
    return figure


def _plot(axes, lines, log, look):
    """The lines, on axes that begin at 0, or on logarithmic ones; the axes."""
    from matplotlib.ticker import MaxNLocator

    for (label, line), (colour, mark, dashes, size) in zip(lines.items(), LINES):
        axes.plot(*zip(*line), marker=mark, linestyle=dashes, label=label, color=look.colours[colour], clip_on=False,
                  markersize=size * look.line, markerfacecolor="none" if size > 6 else None)
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)) if log else ():
        scale("log", base=2)
        axis.set_major_formatter("{x:.0f}")
    if not log:
        axes.set_ylim(bottom=0)
        whole = all(x == int(x) for line in lines.values() for x, _y in line)
        axes.xaxis.set_major_locator(MaxNLocator(integer=whole))
    return axes


def _sentence(lines, across, up):
    """The points in words, at most a dozen of a line, the last one among them."""
    told = []
    for label, points in lines.items():
        shown = points if len(points) <= 12 else [*points[:: -(-len(points) // 11)], points[-1]]
        told.append(f"{label}: " + ", ".join(f"{x:g} → {y:g}" for x, y in shown))
    return _("{up} against {across}").format(up=up, across=across) + ". " + "; ".join(told)
