"""Pictures of what measure() gave: dots() compares mechanisms at one size, curves() shows them over all sizes.

On every picture stands what a message is, where both processes ran, what the marks mean, and who blocks and who spins,
which has hollow marks too. matplotlib draws them as chart.py's, in the same looks.
"""
from ..chart import LINES, svg
from ..look import chosen_look, columns, look_named
from ..say import _
from ..timeline import Picture
from .mechanisms import COPIED, GROUPS, IN_PLACE, SPELLINGS
from .show import bytes_text, number, select, spelling_text, waits_text

LETTER = 0.56  # em: the width of a proportional letter, on the safe side
MARKS = dict(zip(SPELLINGS, LINES))  # colour, mark, dashes and size by spelling
SHIFTS = {"textbook": -0.27, "tuned": -0.09, "C": 0.09, "usual": 0}  # of a row, so that no mark hides another


def dots(rows, size=64, of=None, placement=None, look=None):
    """A Picture of one size of message: a line a mechanism, the fastest on top, and a mark a spelling, with a whisker
    from the least to the most of all rounds.

    `of` and `placement` may be left out where the rows have one. ValueError where they have several, or no value.
    """
    look = chosen_look(look)
    chosen, of, placement = _chosen(rows, of, placement)
    chosen = [row for row in chosen if row["size"] in (size, None)]
    names = _sorted(chosen, of)
    facts = _facts(chosen, of, _message(of, bytes_text(size)))
    made = svg(lambda: _dots(chosen, names, facts, look_named(look)), look_named(look))
    return Picture(made, _told(facts, chosen))


def curves(rows, of=None, placement=None, spelling="tuned", look=None):
    """A Picture over the sizes of messages, both axes logarithmic: a line a mechanism, in as many panels as it takes
    for at most five in each; the lines of the other panels are grey there.

    multiprocessing's have a spelling of their own, and are drawn whatever `spelling` is. Errors as of dots().
    """
    look = chosen_look(look)
    chosen, of, placement = _chosen(rows, of, placement)
    chosen = [row for row in chosen if row["spelling"] in (spelling, "usual") and row["size"]]
    if not chosen:
        raise ValueError(_("nothing was measured of that"))
    facts = _facts(chosen, of, _message(of, None), spelling_text(spelling))
    made = svg(lambda: _curves(chosen, facts, look_named(look)), look_named(look))
    return Picture(made, _told(facts, chosen))


def _chosen(rows, of, placement):
    """(the rows that have values, of, placement)."""
    rows, found = [row for row in rows if row["values"]], []
    for name, given in (("of", of), ("placement", placement)):
        there = list(dict.fromkeys(row[name] for row in rows if given in (None, row[name])))
        if len(there) > 1:
            raise ValueError(_("say which {name}: {there}").format(name=name, there=", ".join(map(repr, there))))
        if not there:
            raise ValueError(_("nothing was measured of that"))
        rows = select(rows, **{name: there[0]})
        found += there
    return rows, *found


def _sorted(rows, of):
    """The mechanisms, the fastest first."""
    best = {}
    for row in rows:
        value = row["median"] if of == "round trip" else -row["median"]
        value = (row["unit"] == "1/s", value)  # signals have no bytes to compare by
        best[row["mechanism"]] = min(value, best.get(row["mechanism"], value))
    if not best:
        raise ValueError(_("nothing was measured of that"))
    return sorted(best, key=best.get)


def _message(of, size):
    if of == "round trip":
        return (_("A message of {size} goes to the other process, and one of that size comes back.").format(size=size)
                if size else _("A message goes to the other process, and one of the same size comes back."))
    return (_("Messages of {size} go to the other process one after the other.").format(size=size)
            if size else _("Messages go to the other process one after the other."))


def _facts(rows, of, message, *more):
    """What stands above a picture: [line]."""
    cores, rounds = rows[0]["cores"], {len(row["values"]) for row in rows}
    where = (_("Both processes on core {n}").format(n=cores[0]) if cores[0] == cores[1] else
             _("One process on core {one}, the other on core {other}").format(one=cores[0], other=cores[1]))
    times = f"{min(rounds)}–{max(rounds)}" if len(rounds) > 1 else str(*rounds)
    marks = _("Marks: median of rounds ({n}), lines through them: from the least to the most").format(n=times)
    waits = (_("Full marks: who waits blocks; hollow: who waits spins, its core is busy")
             if any(row["waits"] == "spins" for row in rows) else _("Who waits blocks"))
    memory = _("Copied: into the memory, and by the other one out of it; in place: copied in, and used where it lies")
    used = any(row["mechanism"] in (*COPIED, *IN_PLACE) for row in rows)
    return [message, ". ".join([where, *more]) + ".", f"{marks}.", f"{waits}.", *[f"{memory}."] * used]


def _told(facts, rows):
    """The picture in words: what it shows, then each row's value."""
    values = [f"{row['label']}, {waits_text(row['waits'])}, {spelling_text(row['spelling'])}, "
              f"{bytes_text(row['size']) if row['size'] else '–'}: {number(row['median'])} {row['unit']}"
              for row in rows]
    return " ".join(facts[:2]) + " " + "; ".join(values) + "."


def _name(row):
    return " · ".join(filter(None, [row["label"], waits_text(row["waits"])]))


def _paper(look, facts, head, high, left):
    """A Figure: the facts, `head` lines for a legend, and axes in the rest of `high` lines."""
    from matplotlib.figure import Figure

    line = 1.45 * look.font
    whole = (len(facts) + head + high) * line
    figure = Figure(figsize=(look.width / 72, whole / 72), facecolor=look.colours["page"])
    for place, text in enumerate(facts):
        figure.text(0.012, 1 - (place + 0.35) * line / whole, text, va="top",
                    fontsize=look.small if place else look.font)
    figure.subplots_adjust(left=left / look.width, right=0.975, top=high * line / whole, bottom=3 * line / whole)
    return figure


def _dots(rows, names, facts, look):
    labels = {row["mechanism"]: _name(row) for row in rows}
    left = max(columns(text) for text in labels.values()) * LETTER * look.font + look.font
    figure = _paper(look, facts, 1.3, len(names) * 1.65 + 3.2, left)
    axes = figure.subplots()
    for spelling in SPELLINGS:
        for row in select(rows, spelling=spelling):
            _mark(axes, row, names.index(row["mechanism"]) + SHIFTS[spelling], look)
    axes.set_yticks(range(len(names)), [labels[name] for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xscale("log")
    _plain(axes.xaxis)
    axes.set_xlabel(_("{unit}; logarithmic").format(unit=_unit(rows)))
    keys = [_key(spelling, look) for spelling in SPELLINGS if select(rows, spelling=spelling)]
    _legend(axes, keys, look, (-left / (look.width * 0.975 - left), 1), len(keys))
    return figure


def _plain(axis):
    """Numbers as they are said on a logarithmic axis, between its powers of ten too where they are few: no 2×10¹, whose
    exponent nobody reads from the back row."""
    from matplotlib.ticker import LogFormatter

    class Minor(LogFormatter):
        def __call__(self, value, position=None):
            return super().__call__(value, position) and f"{value:g}"

    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(Minor(minor_thresholds=(1, 0.4)))


def _unit(rows):
    meant = {"µs": _("µs a round trip (less is faster)"), "MB/s": _("MB/s (more is faster)"),
             "1/s": _("signals: a second")}
    return "; ".join(meant[unit] for unit in dict.fromkeys(row["unit"] for row in rows))


def _mark(axes, row, y, look):
    colour, mark, _dashes, size = MARKS[row["spelling"]]
    colour = look.colours[colour]
    axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=look.line)
    axes.plot([row["median"]], [y], mark, color=colour, markersize=size * look.line,
              markerfacecolor="none" if row["waits"] == "spins" else colour)


def _key(spelling, look):
    """A sign of the legend."""
    from matplotlib.lines import Line2D

    colour, mark, _dashes, size = MARKS[spelling]
    return Line2D([], [], linestyle="", marker=mark, color=look.colours[colour], markersize=size * look.line,
                  label=spelling_text(spelling))


def _legend(axes, keys, look, place, across):
    """The legend above the axes, whose lower left corner is at `place` in units of the axes."""
    axes.legend(handles=keys, frameon=False, ncols=across, loc="lower left", bbox_to_anchor=place, borderaxespad=0.2,
                fontsize=look.small, columnspacing=1.2, handletextpad=0.5, labelspacing=0.3)


def _curves(rows, facts, look):
    lines = {}
    for row in rows:
        lines.setdefault(row["mechanism"], []).append(row)
    panels = [list(lines)] if len(lines) <= len(LINES) else [
        panel for group in GROUPS if (panel := [name for name in group if name in lines])]
    across, keys = min(2, len(panels)), 3 if len(panels) == 1 else 5  # lines of a legend
    down = -(-len(panels) // across)
    figure = _paper(look, facts, keys + 0.6, down * (15 + keys) - keys + 3, 7 * look.font)
    figure.subplots_adjust(hspace=(keys + 1) / 14, wspace=0.08)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes, panel in zip(grid.flat, panels):
        _panel(axes, lines, panel, look, 1 if across > 1 else 2)
    for axes in grid.flat[len(panels):]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(_unit(rows))
    figure.supxlabel(_("bytes of a message (both axes are logarithmic)"), fontsize=look.font, y=0.008)
    return figure


def _panel(axes, lines, panel, look, across):
    for name in lines:
        if name not in panel:
            axes.plot(*_points(lines[name]), color=look.colours["rule"], linewidth=look.line, zorder=1)
    keys = []
    for name, (colour, mark, dashes, size) in zip(panel, LINES):
        rows, colour = lines[name], look.colours[colour]
        x, y = _points(rows)
        axes.vlines(x, [row["low"] for row in rows], [row["high"] for row in rows], color=colour, linewidth=look.line)
        keys += axes.plot(x, y, marker=mark, linestyle=dashes, color=colour, markersize=size * look.line, zorder=3,
                          label=_name(rows[0]), markerfacecolor="none" if rows[0]["waits"] == "spins" else colour)
    sizes = sorted({row["size"] for rows in lines.values() for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [bytes_text(size) for size in sizes])
    _plain(axes.yaxis)
    _legend(axes, keys, look, (0, 1), across)


def _points(rows):
    return [row["size"] for row in rows], [row["median"] for row in rows]
