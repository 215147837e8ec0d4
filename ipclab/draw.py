"""The parts of a timeline as SVG: lanes, bars with their labels, arrows. Each function gives a list of elements.

Where they stand: layout.py; how they look: the classes of look.py. Texts cannot break out of the SVG.
"""
import html
import re
from dataclasses import dataclass

from .calls import act
from .labels import title
from .layout import EDGE, INSIDE, line, nested
from .sent import TIMER
from .trace import Process

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def safe(text):
    """The text as it may stand in XML."""
    return html.escape(UNPRINTABLE.sub("�", text))


def words(x, y, text, kind="", anchor=""):
    end = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{end}>{safe(text)}</text>'


def stroke(x1, y1, x2, y2, kind):
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def lane(laid, row):
    """The band of a lane, its name, its life from birth to end, and how it ended."""
    look, lane, scale = laid.look, row.lane, laid.scale
    middle, x1, x2 = row.bars + look.bar / 2, scale(lane.start), scale(lane.end)
    base = middle + look.font * 0.35
    parts = [words(EDGE + 6, base, row.name, "n h")] if row.name else []
    if row.under:
        parts.append(words(EDGE + 6, base + (line(look) if row.name else 0), row.under, "x h"))
    parts += _birth(laid, row, x1, middle)
    parts.append(stroke(x1, middle, x2, middle, "life" if lane.process.recorded else "life unseen"))
    if row.note:
        parts.append(words(x2 + 9, base, row.note, "w h"))
    return parts


def _birth(laid, row, x, middle):
    """A dotted line from the parent's lane to where the child's begins."""
    lane = row.lane
    parent = next((other for other in laid.rows if other.lane.process.pid == lane.process.parent), None)
    if lane.thread or parent is None:
        return []
    start = parent.bars + laid.look.bar if parent.top < row.top else parent.bars
    return [stroke(x, start, x, middle, "birth"), f'<circle class="mark" cx="{x:.1f}" cy="{middle:.1f}" r="3"/>']


def end_sign(laid, row):
    """A stroke across the lane for an exit, a cross for a signal, nothing where the deadline came first."""
    x, y, half = laid.scale(row.lane.end), row.bars + laid.look.bar / 2, laid.look.bar * 0.3
    if not row.note or row.lane.process.stuck:
        return ""
    if row.lane.process.signal is None:
        return stroke(x, y - 2.1 * half, x, y + 2.1 * half, "life")  # seen on a bar that ends there too
    return f'<path class="cross" d="M{x - half:.1f} {y - half:.1f}l{2 * half:.1f} {2 * half:.1f}' \
           f'm0 {-2 * half:.1f}l{-2 * half:.1f} {2 * half:.1f}"/>'


def bar(laid, row, bar, step):
    """A bar with its hover text and its label."""
    scale, first = laid.scale, laid.trace.events[bar.members[0]]
    x, width = scale(bar.start), max(1.5, scale(bar.end) - scale(bar.start))
    y, high = _span(laid, row, bar.depth)
    later = " later" if step and bar.members[0] >= step else ""
    kind = kind_of(bar, first)
    parts = [f'<g class="call"><title>{safe(title(laid.trace, bar))}</title>', *_interruption(laid, row, bar, first),
             f'<rect class="b {kind}{later}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{high}" rx="2"/>']
    if bar.failed:
        parts.append(cross(x, y, width, high, later))
    label = row.labels[id(bar)]
    if label.row is not None:
        parts += _label(laid, row, label, y, high, bar, f"{' bad' * bar.failed}{later}")
    if step and step - 1 in bar.members:
        parts += _now(laid, bar, step, x, y, width, high)
    return [*parts, "</g>"]


def _interruption(laid, row, bar, first):
    """A handler cuts through what the process was doing, a call or the program itself: down to the handler, and up
    again when it has returned."""
    if first.call != "handler" or len(bar.members) > 1:
        return []
    (top, high), foot = _span(laid, row, bar.depth - 1), _span(laid, row, bar.depth)[0]
    x, width = laid.scale(bar.start), max(1.5, laid.scale(bar.end) - laid.scale(bar.start))
    start = top + high / 2 if first.inside is None else top
    return [f'<rect class="gap" x="{x:.1f}" y="{top - 1:.1f}" width="{width:.1f}" height="{foot - top + 1:.1f}"/>',
            f'<path class="side" d="M{x:.1f} {start:.1f}V{foot:.1f}M{x + width:.1f} {foot:.1f}V{start:.1f}"/>']


def _span(laid, row, depth):
    """Top and height of the bars of a depth of nesting."""
    if depth == 0:
        return row.bars, laid.look.bar
    high = nested(laid.look)
    return row.bars + laid.look.bar + (depth - 1) * high, high


def kind_of(bar, first):
    if first.call == "handler":
        return "hand"
    if bar.waiting:
        return "wait"
    return "fail" if bar.failed else "many" if len(bar.members) > 1 else "run"


def cross(x, y, width, high, later):
    """The sign of a failed call, at the end of its bar."""
    size, middle = min(width, high * 0.6) / 2, y + high / 2
    centre = x + width - size - min(2, width / 6)
    return (f'<path class="cross{later}" d="M{centre - size:.1f} {middle - size:.1f}l{2 * size:.1f} {2 * size:.1f}'
            f'm0 {-2 * size:.1f}l{-2 * size:.1f} {2 * size:.1f}"/>')


def _label(laid, row, label, y, high, bar, kind):
    """The label in its bar, or on a pole above it (below it for a handler)."""
    font, step = laid.look.font, line(laid.look)
    if label.row == INSIDE:
        ground = kind_of(bar, laid.trace.events[bar.members[0]])
        return [words(label.x + 4, y + high / 2 + font * 0.35, label.text, f"on{ground}{kind}")]
    if bar.depth:
        foot, base = y + high, row.under_bars + label.row * step + font * 1.05
        end = base
    else:
        foot, base = y, row.bars - 3 - label.row * step - font * 0.3
        end = base - font * 0.75
    return [stroke(label.x + 0.5, foot, label.x + 0.5, end, "pole"), words(label.x + 4, base, label.text, f"h{kind}")]


def _now(laid, bar, step, x, y, width, high):
    """A ring around the bar of the step, and in a bar of many a stroke where the step is."""
    ring = f'<rect class="now" x="{x - 3:.1f}" y="{y - 3:.1f}" width="{width + 6:.1f}" height="{high + 6}" rx="4"/>'
    here = laid.scale(laid.trace.events[step - 1].start)
    return [ring] + ([stroke(here, y, here, y + high, "now")] if len(bar.members) > 1 else [])


def program_sign(laid, row):
    """The program that a process began with, at its birth."""
    label = row.labels.get("begun")
    if label is None or label.row is None:
        return []
    base = row.bars - 3 - label.row * line(laid.look) - laid.look.font * 0.3
    return [stroke(label.x + 0.5, row.bars + laid.look.bar / 2, label.x + 0.5, base, "pole"),
            words(label.x + 4, base, label.text, "h")]


def arrow(laid, arrow, now):
    """From the giver to the taker, upright at the moment at which both were at it."""
    if arrow.giver == TIMER:
        return _from_timer(laid, arrow.taker)
    source, target = _spot(laid, arrow.giver), _spot(laid, arrow.taker)
    if source is None or target is None or source.row is target.row:
        return []
    leave = target.start if source.start <= target.start <= source.end else source.start
    x, to = laid.scale(leave) + 0.5, laid.scale(max(target.start, min(leave, target.end))) + 0.5
    to -= 6 if isinstance(arrow.taker, Process) else 0
    look, down = laid.look, target.row.top > source.row.top
    y = source.row.bars + look.bar * down
    tip = _span(laid, target.row, target.depth)[0] if down else target.row.bars + look.bar + target.depth * nested(look)
    turn, size = (target.row.top - 7, 0.6 * look.font) if down else (target.row.bottom + 7, -0.6 * look.font)
    kind = " later" if now is not None and leave > now else ""
    return [f'<path class="wake{kind}" d="M{x:.1f} {y:.1f}V{turn:.1f}L{to:.1f} {turn + size:.1f}V{tip - size:.1f}"/>',
            f'<circle class="tip{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{look.font / 4:.1f}"/>',
            f'<path class="tip{kind}" d="M{to:.1f} {tip:.1f}l{-size / 2:.1f} {-size:.1f}h{size:.1f}z"/>']


def is_signal(arrow):
    """Does the arrow lead from what sent a signal to what took it?"""
    return not isinstance(arrow.taker, Process) and act(arrow.taker) in ("handle", "take")


def into_gap(arrow):
    """Does the arrow lead to a handler? It is drawn over what the handler cuts through."""
    return not isinstance(arrow.taker, Process) and arrow.taker.call == "handler"


def arrow_sign(x, base, size, from_timer):
    """A small arrow upwards, as it stands under the axis; one from a timer begins at a square."""
    square = f'<rect class="tip" x="{x - size * .2:.1f}" y="{base - size * .2:.1f}" width="{size * .4:.1f}" ' \
             f'height="{size * .4:.1f}"/>'
    return [square * from_timer, stroke(x, base - size * .5, x, base + 1, "wake"),
            f'<path class="tip" d="M{x:.1f} {base - size:.1f}l{size * .3:.1f} {size * .6:.1f}h{-size * .6:.1f}z"/>']


def _from_timer(laid, taker):
    """A short arrow that begins nowhere, at a square: what sent the signal is no call."""
    target = _spot(laid, taker)
    if target is None:
        return []
    (top, _high), tip = _span(laid, target.row, 0), _span(laid, target.row, target.depth)[0]
    x, size = laid.scale(target.start) + 0.5, 0.5 * laid.look.font
    return [stroke(x, top, x, tip - size, "wake"), f'<rect class="tip" x="{x - size / 2:.1f}" y="{top:.1f}" '
            f'width="{size:.1f}" height="{size:.1f}"/>',
            f'<path class="tip" d="M{x:.1f} {tip:.1f}l{-size / 2:.1f} {-size:.1f}h{size:.1f}z"/>']


@dataclass(slots=True)
class Spot:
    """Where an end of an arrow is: the row, the depth of the bar, and from when to when (seconds)."""

    row: object
    depth: int
    start: float
    end: float


def _spot(laid, what):
    """The Spot of an Event or of a Process's end, None where it is not drawn."""
    if isinstance(what, Process):
        rows = [row for row in laid.rows if row.lane.process is what]
        return Spot(rows[0], 0, rows[0].lane.end, rows[0].lane.end) if rows else None
    row, bar = laid.where.get(id(what), (None, None))
    return row and Spot(row, bar.depth, what.start, bar.end if what.end is None else what.end)
