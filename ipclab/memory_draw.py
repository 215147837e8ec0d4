"""Where the pages of memory.py's picture stand, and their SVG.

Moments go from left to right, in several lines where they need more room. In a moment the pages that several may have
are at the top, and below them there is a band for each process: its map, and under that the pages of its own. A wire
leads from a page of a map to the physical page that it is.
"""
from dataclasses import dataclass

from . import memory
from .draw import safe, words
from .layout import EDGE, line
from .look import cut, look_named, text_width
from .say import _, ngettext
from .timeline import band, figure, heading, legend

MOST = 64  # pages of a map that are drawn
KIND = {"shared": "many", "common": "plain", "own": "hand", "absent": "gone"}  # the classes of look.py


@dataclass(slots=True)
class Sheet:
    """Measures in units of the SVG: the left edge of the first moment, the widths of a moment, of a page and of the gap
    before it, the height of a page. Which rows and numbers of pages there are, and which rows have pages of their own.
    """

    look: object
    left: float
    moment: float
    page: float
    gap: float
    high: float
    rows: list
    numbers: range
    own: dict


def draw(trace, found, look, step, sentence):
    """The Picture of the moments."""
    sheet = _sheet(trace, found, look_named(look))
    parts, high = heading(trace, sheet.look, step)
    y = EDGE + high
    room = max(1, int((sheet.look.width - EDGE - sheet.left) / sheet.moment + 0.01))
    for first in range(0, len(found), room):
        lanes, y = _line(sheet, found[first:first + room], y, step)
        parts += lanes
    notes, y = legend(sheet.look, _notes(found, sheet), y)
    return figure(look, sheet.look.width, y + sheet.look.font * 0.8, "".join([*parts, *notes]), sentence)


def _sheet(trace, found, look):
    """The measures that let as many moments as possible stand side by side."""
    seen = [(row, sight) for moment in found for row, sights in moment.seen.items() for sight in sights]
    rows = _rows(trace, {row for row, _sight in seen})[:look.lanes]
    numbers = [sight.number for _row, sight in seen] or [0]
    numbers = range(min(numbers), min(max(numbers), min(numbers) + MOST - 1) + 1)
    names = [_("shared"), _("its own"), *(cut(row, look.name) for row in rows)]
    left = EDGE + max(text_width(text, look.font) for text in names) + 14
    longest = max((text_width(memory.text_of(sight.data), look.font) for _row, sight in seen), default=0)
    wide, gap = max(longest + 12, 2 * look.font), 6 + 4 * max(2, len(rows))
    room = look.width - EDGE - left
    shrink = min(1.0, (room - 20) / (len(numbers) * (wide + gap)))
    wide, gap = wide * shrink, gap * shrink
    most = max(1, int(room / (len(numbers) * (wide + gap) + 20)))
    lines = -(-max(1, len(found)) // most)
    moment = room / -(-max(1, len(found)) // lines)
    wide = max(wide, min(8 * look.font, (moment - 20) / len(numbers) - gap))
    own = {row: any(sight.kind == memory.OWN for other, sight in seen if other == row) for row in rows}
    return Sheet(look, left, moment, wide, gap, look.font * 1.7, rows, numbers, own)


def _rows(trace, rows):
    """The rows in order of the processes' births; a second map of a process after its first."""
    names = [process.name for process in trace.processes]
    return sorted(rows, key=lambda row: (names.index(max(filter(row.startswith, names), key=len)), row))


def _line(sheet, found, y, step):
    """A line of moments, and where it ends."""
    look, levels = sheet.look, max((len(_common(moment, number)) for moment in found for number in sheet.numbers),
                                   default=0)
    top = y + line(look) * 2.2
    ends = [top + max(1, levels) * (sheet.high + 6)]
    tops = {}
    for row in sheet.rows:
        tops[row] = ends[-1] + look.font * 0.7
        ends.append(tops[row] + sheet.high + sheet.own[row] * (sheet.high + 10) + 6)
    parts = _bands(sheet, top, tops, ends)
    for place, moment in enumerate(found):
        later = " later" if step and moment.last >= step else ""
        x = sheet.left + place * sheet.moment
        parts.append(words(x + sheet.gap, top - line(look) - look.font * 0.55, cut(moment.cause or _("later"), int(
            (sheet.moment - sheet.gap) / text_width("n", look.font))), f"h{later}"))
        parts += _moment(sheet, moment, x, top, tops, later)
    return parts, ends[-1] + look.font * 0.6


def _bands(sheet, top, tops, ends):
    """The bands behind the processes, and all names at the left."""
    look, middle = sheet.look, sheet.high / 2 + sheet.look.font * 0.35
    parts = [words(EDGE + 6, top + middle, _("shared"), "w")]
    for row, end in zip(sheet.rows, ends[1:], strict=True):
        parts += [band(look, tops[row] - 5, end - 4),
                  words(EDGE + 6, tops[row] + middle, cut(row, look.name), "n h")]
        if sheet.own[row]:
            parts.append(words(EDGE + 6, tops[row] + sheet.high + 10 + middle, _("its own"), "w h"))
    return parts


def _common(moment, number):
    """{letter: sight} of the physical pages that several may have at that place of the map, in order."""
    return {sight.letter: sight for sights in moment.seen.values() for sight in sights
            if sight.number == number and sight.kind in (memory.SHARED, memory.COMMON)}


def _moment(sheet, moment, x, top, tops, later):
    """The pages of a moment: first wires, then what stands over them."""
    wires, boxes = [], []
    for place, number in enumerate(sheet.numbers):
        left = x + sheet.gap + place * (sheet.page + sheet.gap)
        title, feet = _("page {number}").format(number=number), {}
        if text_width(title, sheet.look.small) <= sheet.page + sheet.gap:
            boxes.append(words(left + sheet.page / 2, top - sheet.look.font * 0.45, title, f"x{later}", "middle"))
        for level, (letter, sight) in enumerate(_common(moment, number).items()):
            y, wider = top + level * (sheet.high + 6), sheet.gap * 0.75
            boxes += _box(sheet, left - wider, y, sheet.page + wider, KIND[sight.kind], letter, later)
            feet[letter] = y + sheet.high
        for index, row in enumerate(sheet.rows):
            for sight in (sight for sight in moment.seen.get(row, ()) if sight.number == number):
                wire = left - sheet.gap * (0.15 + 0.6 * (index + 1) / (len(sheet.rows) + 1)), feet.get(sight.letter)
                drawn = _page(sheet, row, sight, left, tops[row], wire, later)
                wires.append(drawn[0])
                boxes += drawn[1:]
    return [*wires, *boxes]


def _page(sheet, row, sight, x, y, wire, later):
    """[wire, …]: a page of a map, and the page of its own under it if it has one."""
    hint = f"{row}, {memory.told(sight)}" + ("" if sight.frame is None else "; " + _("frame {frame}").format(
        frame=sight.frame))
    middle, foot = y + sheet.high / 2, y + sheet.high
    box = _box(sheet, x, y, sheet.page, "gone" if sight.kind == memory.ABSENT else "plain", memory.text_of(sight.data),
               later, hint)
    if sight.kind == memory.ABSENT:
        return ["", *box]
    if sight.kind == memory.OWN:
        centre = x + sheet.page / 2
        return [_wire(f"M{centre:.1f} {foot:.1f}v10", later), *box,
                *_box(sheet, x, foot + 10, sheet.page, KIND[sight.kind], sight.letter, later, hint)]
    return [_wire(f"M{wire[0]:.1f} {wire[1]:.1f}V{middle:.1f}H{x:.1f}", later), *box]


def _wire(path, later):
    return f'<path class="wire{later}" d="{path}"/>'


def _box(sheet, x, y, wide, kind, text, later, hint=""):
    ground = "onhand" if kind == "hand" else ""
    parts = [f'<g class="call">{f"<title>{safe(hint)}</title>" if hint else ""}<rect class="b {kind}{later}" '
             f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{sheet.high:.1f}" rx="2"/>']
    if text and text_width(text, sheet.look.font) <= wide + 1:
        base = y + sheet.high / 2 + sheet.look.font * 0.35
        parts.append(words(x + wide / 2, base, text, f"{ground}{later}", "middle"))
    return [*parts, "</g>"]


def _notes(found, sheet):
    """What stands under the picture: (kind of swatch or "", text)."""
    sights = [sight for moment in found for sights in moment.seen.values() for sight in sights]
    kinds = {sight.kind for sight in sights}
    meaning = {"shared": _("shared page"), "common": _("common until one writes"), "own": _("page of its own"),
               "absent": _("not in memory")}
    notes = [(KIND[kind], text) for kind, text in meaning.items() if kind in kinds]
    if any(sight.letter for sight in sights):
        known = any(sight.frame is not None for sight in sights)
        notes.append(("", _("same letter: the same physical page, by its frame number") if known else
                      _("same letter: the same physical page, as the bits of the page map tell")))
    more = max((sight.number for sight in sights), default=0) - sheet.numbers[-1]
    if more > 0:
        notes.append(("", ngettext("{n} more page", "{n} more pages", more).format(n=more)))
    return notes if found else [("", _("no page was looked at"))]
