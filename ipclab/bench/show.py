"""What measure() gave: chosen from, as a table, as JSON, and in words. The pictures are in picture.py."""
import json
import os
import platform
import time

from ..look import chosen_look, columns
from ..say import _
from ..table import Table


def select(rows, **facts):
    """The rows in which all of these are so, as select(rows, mechanism="pipe", size=64)."""
    return [row for row in rows if all(row[name] == value for name, value in facts.items())]


def to_json(rows):
    """{"machine": …, "rows": […]} as text: all rows with the value of every round."""
    return json.dumps({"machine": machine(), "rows": rows}, indent=1, ensure_ascii=False)


def machine():
    """What the values depend on besides."""
    return {"system": platform.system(), "release": platform.release(), "machine": platform.machine(),
            "processors": os.cpu_count(), "allowed": sorted(os.sched_getaffinity(0)), "load": os.getloadavg(),
            "python": platform.python_version(), "date": time.strftime("%Y-%m-%d %H:%M:%S")}


def table(rows, look=None):
    """A Table: a row for what was measured, a column a spelling; least and most of the rounds on hover."""
    spellings = list(dict.fromkeys(row["spelling"] for row in rows))
    same, lines = _common(rows), {}
    for row in rows:
        lines.setdefault(_name(row, same), {})[row["spelling"]] = row
    told = [(name, [_cell(found.get(spelling)) for spelling in spellings] + [_ratio(found.get("tuned"))])
            for name, found in lines.items()]
    return Table([", ".join(_facts(rows[0])[name] for name in same), *map(spelling_text, spellings), _("tuned / C")],
                 told, chosen_look(look))


def text(rows):
    """The values for a terminal: a part for each thing measured and each placement, with the median, the least and the
    most of the rounds; then what was not measured, and why."""
    lines = []
    for of, placement in dict.fromkeys((row["of"], row["placement"]) for row in rows):
        part = [row for row in select(rows, of=of, placement=placement) if row["values"]]
        if part:
            lines += ["", f"{of_text(of)}, {place_text(placement)} {part[0]['cores']}", *_aligned(_part(part))]
    why = {}
    for row in rows:
        why.setdefault(row["why"], []).append(row)
    left = [_("not measured: {what}: {reason}").format(what=_which(some), reason=reason)
            for reason, some in why.items() if reason]
    return "\n".join([*lines, "", *left]).strip("\n")


def _which(rows):
    """What the rows are, by the facts that they share."""
    facts = [(row["label"], bytes_text(row["size"]) if row["size"] else "", spelling_text(row["spelling"]),
              place_text(row["placement"]), of_text(row["of"])) for row in rows]
    return ", ".join(next(iter(values)) for values in map(dict.fromkeys, zip(*facts)) if len(values) == 1) or "…"


def _part(rows):
    """The lines of a part as lists of cells, its head first."""
    spellings, lines = list(dict.fromkeys(row["spelling"] for row in rows)), {}
    for row in rows:
        size = bytes_text(row["size"]) if row["size"] else ""
        lines.setdefault((row["label"], waits_text(row["waits"]), size, row["unit"]), {})[row["spelling"]] = row
    yield ["", "", "", "", *(cell for name in spellings for cell in (spelling_text(name), "")), _("tuned / C")]
    for facts, found in lines.items():
        cells = [cell for name in spellings for cell in (
            (number(found[name]["median"]), _spread(found[name])) if name in found else ("", ""))]
        yield [*facts, *cells, _ratio(found.get("tuned"))]


def _aligned(lines):
    """The lines of cells as text, columns one below the other."""
    lines = list(lines)
    widths = [max(columns(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(cell + " " * (wide - columns(cell)) for cell, wide in zip(line, widths)).rstrip()


def _common(rows):
    """The facts that are the same in all rows, which stand at the table's head."""
    return [name for name in ("of", "placement") if len({row[name] for row in rows}) == 1]


def _name(row, same):
    """A row's name: what it is, whether it blocks or spins, and what differs from row to row."""
    facts = _facts(row)
    size = bytes_text(row["size"]) if row["size"] else ""
    return " · ".join(filter(None, [row["label"], size, *(facts[name] for name in facts if name not in same),
                                    waits_text(row["waits"])]))


def _facts(row):
    return {"of": of_text(row["of"]), "placement": place_text(row["placement"])}


def _cell(row):
    """(value with its unit, spread or the reason why there is none)."""
    if row is None:
        return "", ""
    if row["median"] is None:
        return "–", row["why"] or ""
    return f"{number(row['median'])} {row['unit']}", _spread(row)


def _spread(row):
    """From the least to the most of all rounds, and what was lost."""
    lost = "; " + _("{share:.0%} lost").format(share=row["lost"]) if row["lost"] else ""
    return f"{number(row['low'])} … {number(row['high'])}{lost}"


def _ratio(row):
    return f"{row['to_C']:.2f}" if row and row["to_C"] else ""


def number(value):
    """Three digits that count, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bytes_text(size):
    """A size as 64 B, 4 KiB, 1 MiB."""
    for unit, one in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= one and size % one == 0:
            return f"{size // one} {unit}"
    return f"{size} B"


def spelling_text(name):
    return {"textbook": _("Python, textbook"), "tuned": _("Python, tuned"), "C": "C",
            "usual": "multiprocessing"}[name]


def of_text(of):
    return {"round trip": _("round trip"), "throughput": _("throughput")}[of]


def place_text(placement):
    return {"one core": _("one core"), "two cores": _("two cores")}[placement]


def waits_text(waits):
    return {"blocks": _("blocks"), "spins": _("spins"), "copies": ""}[waits]
