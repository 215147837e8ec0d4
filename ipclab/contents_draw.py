"""Where the parts of contents.py's picture stand, and their SVG.

Each object has a band; in it a column is a change, in several lines where they need more room. A column says who made
the change, and has a box for each message, what leaves first on top. What comes in has a + beside it, what leaves a −.
"""
from dataclasses import dataclass

from .draw import safe, words
from .layout import EDGE, line
from .look import cut, look_named, text_width
from .say import _, ngettext
from .timeline import band, figure, heading, legend

CAME, LEFT, STAYS = "many", "gone", "plain"  # classes of look.py
NAMES = 12  # characters of a process's name over a column
BETWEEN = 8  # between two columns


@dataclass(slots=True)
class Sheet:
    """Measures of a band in units of the SVG: the room for signs, ranks and texts, the width of a column, how many
    stand side by side, the height of a box. `deep` is how many boxes a column has at most."""

    look: object
    sign: float
    rank: float
    text: float
    column: float
    room: int
    high: float
    deep: int


def draw(trace, found, look, step, sentence):
    """The Picture of the containers."""
    chosen = look_named(look)
    parts, high = heading(trace, chosen, step)
    y, hidden = EDGE + high, 0
    for container in found:
        shown, y, more = _band(_sheet(container, chosen), container, y, step)
        parts += shown
        hidden += more
    notes, y = legend(chosen, _notes(trace, found, hidden), y)
    return figure(look, chosen.width, y + chosen.font * 0.8, "".join([*parts, *notes]), sentence)


def _sheet(container, look):
    """The measures that let as many changes as possible stand side by side."""
    shown = [message for change in container.changes for message in change.inside]
    rank = max((text_width(str(message.rank), look.font) for message in shown if container.rank), default=0)
    rank += 6 * bool(rank)
    text = max((text_width(message.text(), look.font) for message in shown), default=0) + 10
    name = max((text_width(cut(change.process, NAMES), look.font) for change in container.changes), default=0)
    sign, room = look.font * 1.1, look.width - 2 * EDGE - 4
    text = max(text, name - rank, 2 * look.font)
    narrow = sign + rank + text + BETWEEN
    count = max(1, len(container.changes))
    side = -(-count // -(-count // max(1, int(room / narrow))))
    column = min(room / side, 1.5 * narrow)
    return Sheet(look, sign, rank, column - sign - rank - BETWEEN, column, side, look.font * 1.7, look.rows)


def _band(sheet, container, y, step):
    """The band of an object, where it ends, and how many changes found no room."""
    look, top, drawn = sheet.look, y, 0
    title = cut(container.name, int(0.45 * look.width / text_width("n", look.font)))
    x, middle = EDGE + 6 + 1.12 * text_width(title, look.font) + look.font, y + look.font * 1.2
    parts = [words(EDGE + 6, middle, title, "n h"),
             words(x, middle, cut(_order(container), int((look.width - EDGE - x) / text_width("n", look.font))), "w h")]
    y += line(look) * 1.5
    while drawn < len(container.changes):
        changes = container.changes[drawn:drawn + sheet.room]
        high = line(look) * 1.4 + max(len(_rows(sheet, change)) for change in changes) * (sheet.high + 3) + 4
        if drawn and y + high > look.height - 3 * line(look):
            break
        for place, change in enumerate(changes):
            parts += _column(sheet, change, EDGE + 2 + place * sheet.column, y, bool(step) and change.index >= step)
        y, drawn = y + high, drawn + len(changes)
    return [band(look, top, y), *parts], y + look.font * 0.6, container.more + len(container.changes) - drawn


def _order(container):
    """In which order things leave."""
    if container.stream:
        return _("bytes leave in the order in which they came")
    if container.rank == "priority":
        return _("the highest priority leaves first, then the oldest")
    return _("the oldest on top; the receiver may pick by type") if container.rank else _("the oldest leaves first")


def _rows(sheet, change):
    """What stands in a column, from the top: messages, and a number for those that are not drawn."""
    inside, most = change.inside, sheet.deep
    if len(inside) <= most:
        return inside
    rows = [*inside[:most - 2], len(inside) - most + 1, inside[-1]]
    if not any(row is change.message for row in rows):
        rows[most - 3] = change.message
    return rows


def _column(sheet, change, x, y, later):
    """A change: who made it, and what is inside."""
    look, dim = sheet.look, " later" * later
    left = x + sheet.sign
    room = int((sheet.column - sheet.sign - BETWEEN / 2) / text_width("n", look.font))
    sign, base = "+" if change.came else "−", y + look.font * 1.1
    parts = [words(x + sheet.sign / 2, base, sign, f"h{dim}", "middle"),
             words(left, base, cut(change.process, room), f"h{dim}")]
    y += line(look) * 1.2
    for row in _rows(sheet, change):
        middle = y + sheet.high / 2 + look.font * 0.35
        if type(row) is int:
            parts.append(words(left, middle, cut(_("… {n} more").format(n=row), room), f"w h{dim}"))
        else:
            if row is change.message:
                parts.append(words(x + sheet.sign / 2, middle, sign, f"h{dim}", "middle"))
            kind = STAYS if row is not change.message else CAME if change.came else LEFT
            parts += _box(sheet, row, left, y, kind, dim)
        y += sheet.high + 3
    return parts


def _box(sheet, message, x, y, kind, dim):
    """A message with its rank."""
    look, middle, wide = sheet.look, y + sheet.high / 2 + sheet.look.font * 0.35, sheet.rank + sheet.text
    parts = [f'<g class="call"><title>{safe(str(message))}</title><rect class="b {kind}{dim}" x="{x:.1f}" y="{y:.1f}" '
             f'width="{wide:.1f}" height="{sheet.high:.1f}" rx="2"/>']
    if sheet.rank:
        parts.append(words(x + 4, middle, str(message.rank), f"n{dim}"))
    text = cut(message.text(), int((sheet.text - 6) / text_width("n", look.font)))
    return [*parts, words(x + sheet.rank + 5, middle, text, dim.strip()), "</g>"]


def _notes(trace, found, hidden):
    """What stands under the picture: (kind of swatch or "", text)."""
    changes = [change for container in found for change in container.changes]
    if not changes:
        return [("", _("not known, for not all calls were kept") if trace.dropped else (
            _("nothing was put in anywhere")))]
    notes = [(CAME, _("+ comes in"))] if any(change.came for change in changes) else []
    notes += [(LEFT, _("− leaves"))] if not all(change.came for change in changes) else []
    notes += [(STAYS, _("stays"))] if any(len(change.inside) > 1 for change in changes) else []
    ranks = {"priority": _("bold number: priority"), "type": _("bold number: type")}
    notes += [("", ranks[rank]) for rank in ranks if any(container.rank == rank for container in found)]
    if hidden:
        notes.append(("", ngettext("{n} more change", "{n} more changes", hidden).format(n=hidden)))
    return notes
