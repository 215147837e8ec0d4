"""Where everything of a timeline stands: lanes from top to bottom, time from left to right, labels beside bars.

A lane holds, from top to bottom: rows of labels, the bars of the process, those of the handlers that interrupted it
(one step lower for each nesting), and the rows of their labels. All lengths are user units of the SVG.
"""
from dataclasses import dataclass, field

from .bars import horizon, lanes, weight
from .calls import EXEC
from .labels import Label, bar_label, end_label, fitted, place
from .look import columns, cut, text_width
from .objects import arrows
from .say import _
from .scale import Scale

EDGE = 10  # around everything
OVER, UNDER = 2.4, 4.5  # rows of text for which there is room over and under the lanes
INSIDE = -1  # the row of a label that stands in its bar


@dataclass(slots=True)
class Row:
    """A lane on the page: its name and what stands under it, the note at its end, labels by bar (identity), and its
    top, the top of its bars, that of the labels below them and its bottom. `begun` is the program it began with."""

    lane: object
    name: str
    under: str
    note: str
    begun: str
    labels: dict = field(default_factory=dict)
    above: list = field(default_factory=list)
    below: list = field(default_factory=list)
    top: float = 0.0
    bars: float = 0.0
    under_bars: float = 0.0
    bottom: float = 0.0


@dataclass(slots=True)
class Page:
    """A timeline, laid out. `hidden` counts the lanes that found no room; `where` tells (row, bar) of the events that
    arrows join, by identity."""

    trace: object
    look: object
    rows: list
    scale: Scale
    arrows: list
    names: dict
    left: float
    right: float
    bottom: float
    hidden: int
    where: dict = field(default_factory=dict)


def page(trace, look, via=True, head=0):
    """The trace's timeline laid out in the look, `head` units from the top."""
    found = lanes(trace, look.bars, via)
    rows = [_row(trace, lane, look) for lane in found[:look.lanes]]
    names = {process.pid: process.name for process in trace.processes}
    left = EDGE + max([text_width(text, look.font) for row in rows for text in (row.name, row.under)], default=0) + 14
    drawn = arrows(trace)
    laid = Page(trace, look, rows, None, drawn, names, left, 0, 0, len(found) - len(rows))
    _set_scale(laid)
    joined = {id(arrow.giver) for arrow in drawn} | {id(arrow.taker) for arrow in drawn}
    for row in rows:
        for bar in row.lane.bars:
            laid.where |= {id(trace.events[index]): (row, bar) for index in bar.members
                           if id(trace.events[index]) in joined}
    for row in rows:
        _set_labels(laid, row, {id(bar) for _row, bar in laid.where.values()})
    _place(laid)
    _set_heights(laid, EDGE + head)
    return laid


def _row(trace, lane, look):
    process, first = lane.process, lane.thread == 0
    under = _("thread {number}").format(number=lane.thread + 1) if not first else (
        "" if process.recorded else _("calls not recorded"))
    return Row(lane, cut(process.name, look.name) if first else "", cut(under, look.name + 4),
               end_label(process, trace) if first else "", _begun(trace, lane))


def _begun(trace, lane):
    """The program that the lane's process was begun with, "" where it has none or an exec of its own tells it."""
    if not lane.process.program or lane.thread or any(
            trace.events[index].call.startswith(EXEC) for bar in lane.bars for index in bar.members):
        return ""
    return str(lane.process.program[0]).rpartition("/")[2]


def _set_scale(laid):
    """Give the page its scale, with room at the right for the notes and for the labels that begin there."""
    look = laid.look
    times = {horizon(laid.trace)}
    for row in laid.rows:
        times |= {row.lane.start, row.lane.end}
        times |= {time for bar in row.lane.bars for time in (bar.start, bar.end)}
    notes = [text_width(row.note, look.font) + 12 for row in laid.rows]
    room = max([20, *notes])
    for _attempt in range(4):
        laid.right = look.width - EDGE - room
        laid.scale = Scale(times, laid.left, laid.right, look.gap)
        excess = _excess(laid)
        if excess <= 0 or room >= 0.3 * look.width:
            break
        room = min(0.3 * look.width, room + excess + 5)


def _excess(laid):
    """By how much the last labels would leave the picture."""
    last = [(row, bar) for row in laid.rows for bar in row.lane.bars[-3:]]
    widths = [laid.scale(bar.start) + _width(laid, bar_label(laid.trace, bar, laid.names)) for row, bar in last
              if not _fits_inside(laid, row, bar)]
    return max(widths, default=0) - (laid.look.width - EDGE)


def _width(laid, text):
    return text_width(cut(text, laid.look.label), laid.look.font) + 8


def _fits_inside(laid, row, bar, text=None):
    """Is there room in the bar, before the first handler that cuts through it?"""
    text = bar_label(laid.trace, bar, laid.names) if text is None else text
    end = min([bar.end, *(inner.start for inner in row.lane.bars if inner.depth > bar.depth
                          and bar.start <= inner.start < bar.end)])
    return laid.scale(end) - laid.scale(bar.start) >= _width(laid, text)


def _set_labels(laid, row, joined):
    """Words and places for the labels of a lane."""
    for bar in row.lane.bars:
        text = fitted(bar_label(laid.trace, bar, laid.names), laid.look.label)
        x, inside = laid.scale(bar.start), _fits_inside(laid, row, bar, text)
        text = text if inside else fitted(text, int((laid.look.width - EDGE - x - 8) / text_width("n", laid.look.font)))
        label = Label(x, _width(laid, text), text, (id(bar) in joined, *weight(bar)), INSIDE if inside else None)
        row.labels[id(bar)] = label
        if not inside and columns(text) >= min(6, columns(text)):
            (row.below if bar.depth else row.above).append(label)
    if row.begun:
        text, x = cut("◆ " + row.begun, laid.look.label), laid.scale(row.lane.start)
        row.labels["begun"] = Label(x, _width(laid, text), text, (True, True))
        row.above.append(row.labels["begun"])
    row.above.sort(key=lambda label: label.x)
    row.below.sort(key=lambda label: label.x)


def _place(laid):
    """Rows for all labels: as many as a lane needs, and where that is too many in all, fewer for the lanes of most."""
    zones = [labels for row in laid.rows for labels in (row.above, row.below) if labels]
    most = laid.look.rows
    for labels in zones:
        place(labels, most)
    _set_heights(laid, EDGE + OVER * line(laid.look))
    room = (laid.look.height - UNDER * line(laid.look) - laid.bottom) / line(laid.look) + sum(map(_height, zones))
    while most and sum(min(most, _height(labels)) for labels in zones) > room:
        most -= 1
    for labels in zones:
        if _height(labels) > most:
            place(labels, most)


def _height(labels):
    """How many rows the labels take."""
    return 1 + max((label.row for label in labels if label.row is not None), default=-1)


def nested(look):
    """The height of a handler's bar."""
    return round(look.bar * 0.85)


def line(look):
    """The height of a row of labels."""
    return look.font * 1.36


def _set_heights(laid, top):
    """Give each lane its place from the top downwards, and the page its end."""
    look = laid.look
    for row in laid.rows:
        depth = max((bar.depth for bar in row.lane.bars), default=0)
        rows = [_height(row.above), _height(row.below)]
        row.top = top
        row.bars = top + 6 + rows[0] * line(look) + (3 if rows[0] else 0)
        row.under_bars = row.bars + look.bar + depth * nested(look)
        under = look.font * 0.9 if row.under and row.name else 0
        row.bottom = max(row.bars + look.bar + under, row.under_bars + rows[1] * line(look)) + 7
        top = row.bottom + 7
    laid.bottom = top
