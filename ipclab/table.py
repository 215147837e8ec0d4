"""Tables of what was observed: comparison(), whose cells say in a word or two what came out, and on hover, at the
keyboard's focus and on paper what was seen; and the table of what is usually said (sayings.py).

HTML, not a picture: a table is read cell by cell, by eye and by screen reader. Where there is little room, on a slide
and on paper, the columns stand in several tables, one below the other; on paper they then say what came out alone.
"""
from html import escape

from .look import chosen_look, look_named
from .markup import PLAIN, plain, rich
from .say import _

PAPER = ("print", "card")  # looks of what nobody hovers over
WIDE = {"screen": 6.5}  # em that a column needs: where it is no screen, for a row to be one line, or what was seen
CELL = f"text-align:left;vertical-align:top;background:#FFF;color:{PLAIN};border-bottom:1px solid #C9CED3"
STYLE = f"""<style>
.ipclab-table {{border-collapse: collapse; width: 100%; table-layout: fixed; margin: 0 0 12px}}
.ipclab-table :is(th, td) {{position: relative; white-space: normal; word-break: keep-all; overflow-wrap: break-word;
  line-height: 1.25}}
.ipclab-many {{table-layout: auto}}
.ipclab-many :is(th, td) {{font-size: .8em; padding: 4px}}
.ipclab-table td[title] {{cursor: help}}
.ipclab-table td[title]:focus {{outline: 2px solid {PLAIN}; outline-offset: -2px}}
.ipclab-table td[title]:focus::after {{content: attr(title); position: absolute; bottom: 100%; left: 0; z-index: 9;
  width: max-content; max-width: 26em; padding: 4px 8px; white-space: pre-line; color: #FFF; background: {PLAIN}}}
.ipclab-table td:nth-last-child(-n+2)[title]:focus::after {{left: auto; right: 0}}
.ipclab-table tr {{break-inside: avoid}}
.ipclab-table small {{display: block; font-family: monospace; font-size: .8em; color: #3D3D3D}}
</style>"""


def comparison(columns, *, look=None):
    """A Table of {property: {mechanism: (what came out, what was seen)}}: a row a mechanism, a column a property.

    Rows are in the order of the first column. `look` is as in timeline(). ValueError for no column, columns with other
    rows than the first one's, or an unknown look.
    """
    look, rows = chosen_look(look), list(next(iter(columns.values()), {}))
    if not rows or any(list(column) != rows for column in columns.values()):
        raise ValueError(_("a comparison needs columns, all with the same rows"))
    return Table(["", *columns], [(row, [column[row] for column in columns.values()]) for row in rows], look)


class Table:
    """`heads` are the first line, `rows` (name, cells), each cell a text or (a text, what was seen)."""

    def __init__(self, heads, rows, look="screen"):
        self.heads, self.look = heads, look
        self.rows = [(name, [cell if isinstance(cell, tuple) else (cell, "") for cell in cells])
                     for name, cells in rows]
        self._printed = look in PAPER and len(heads) - 1 <= room(look)

    def __repr__(self):
        head = "; ".join(self.heads[1:])
        lines = [f"{plain(name)}: " + "; ".join(plain(text) for text, _seen in cells) for name, cells in self.rows]
        return "\n".join([head, *lines])

    def _repr_mimebundle_(self, **_kwargs):
        last, most = len(self.heads) - 1, room(self.look)
        parts = -(-last // most)
        wide = -(-last // parts)  # as many in each as can be
        html = "".join(self._part(first, min(first + wide, last)) for first in range(0, last, wide))
        return {"text/plain": repr(self), "text/html": STYLE + html}

    def _part(self, first, last):
        """The table of the columns from `first` up to `last`."""
        heads = "".join(f"{_open('th', 'col')}{rich(text)}</th>" for text in (
            self.heads[0], *self.heads[1 + first:1 + last]))
        rows = "".join(f"<tr>{_open('th', 'row')}{rich(name)}</th>{''.join(map(self._cell, cells[first:last]))}</tr>"
                       for name, cells in self.rows)
        many = " ipclab-many" if last - first > 7 else ""
        return f'<table class="ipclab-table{many}"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'

    def _cell(self, cell):
        text, seen = cell
        told = f' tabindex="0" title="{escape(seen)}"' if seen else ""
        under = f"<small>{escape(seen)}</small>" if seen and self._printed else ""
        return f'<td style="{CELL}"{told}>{rich(text)}{under}</td>'


def room(name):
    """How many columns stand side by side in that look, without that of the rows' names."""
    look = look_named(name)
    return int(look.width / look.font / WIDE.get(name, 14))


def _open(kind, scope):
    return f'<{kind} scope="{scope}" style="{CELL}">'
