"""waits(): who waits for what and who holds it, as a picture: processes at the left, what they wait for at the right.

A dashed arrow leads from who waits to what it waits for, a full one from there to who holds it. Where one can go round
along the arrows, and no other arrow leads out, nobody can go on.
"""
from dataclasses import dataclass, field

from .draw import safe, words
from .layout import EDGE, line
from .look import chosen_look, cut, look_named, text_width
from .recorded import label
from .say import _, ngettext
from .timeline import figure, heading, legend
from .waiting import graph, told_apart

WIDEST = 0.4  # at most this part of the picture's width is a box's
SPAN = 24  # em: between the columns, where there is so much room
PAD = 8  # between a box and its text


@dataclass(slots=True)
class Box:
    """A process or an object: its lines of text with their classes, its kind, the edges at its right (a process) or
    left side and those to other processes, and where it stands."""

    texts: list
    kind: str
    ring: bool = False
    links: list = field(default_factory=list)
    family: list = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


def waits(trace, look=None):
    """Who waited for what, and who held that, when the deadline ended the run, as a Picture; its sentence says the
    same. `look` is as in timeline(); ValueError for another."""
    look = chosen_look(look)
    names = told_apart({process.pid: process.name for process in trace.processes})
    stucks = {names[process.pid]: process.stuck for process in trace.processes if process.stuck}
    return draw(stucks, look, *heading(trace, look_named(look)), label(trace))


def draw(stucks, look, head=(), high=0, origin=""):
    """The Picture of {name: Stuck}, below what stands above it, `high` units; `origin` begins its sentence."""
    chosen, told = look_named(look), graph(stucks)
    room = (chosen.height - 8 * line(chosen)) / (3 * line(chosen) + 2 * PAD + chosen.font)
    shown = told["processes"][:int(room)]
    there = {one["name"] for one in shown} | {one["id"] for one in told["objects"]}
    edges = [edge for edge in told["edges"] if {edge["from"], edge["to"]} <= there]
    boxes = {one["name"]: _process(one, chosen) for one in shown}
    boxes |= {one["id"]: _object(one, chosen) for one in told["objects"]}
    bottom = _place(boxes, edges, chosen, EDGE + 4 + high)
    parts = [part for edge in edges for part in _edge(boxes, edge, chosen)]
    parts = [part for box in boxes.values() for part in _box(box, chosen)] + parts
    notes, base = legend(chosen, _notes(shown, edges, len(told["processes"]) - len(shown)), bottom)
    return figure(look, chosen.width, base + chosen.font * 0.8, "".join([*head, *parts, *notes]),
                  "; ".join(filter(None, [origin, _sentence(stucks)])))


def _sentence(stucks):
    told = [f"{name} {one}" for name, one in stucks.items()]
    return "; ".join(told) if told else _("nobody waits")


def _process(one, look):
    ground = "wait" if one["state"] in "SD" else "plain" if one["state"] in "T?" else "run"
    halo = {"wait": "onwait", "run": "onrun"}.get(ground, "")
    texts = [(cut(one["name"], look.name + 8), f"n {halo}")]
    if one["call"]:
        texts.append((cut(one["call"], look.label), halo))
    if one["state"] == "T":
        texts.append((_("is stopped"), f"w {halo}"))
    if one["for_good"]:
        texts.append((_("only a signal ends this"), f"n {halo}"))
    return Box(texts, ground, ring=one["for_good"])


def _object(one, look):
    """What is waited for: what it is, and what is in it."""
    kinds = {"pipe": "", "FIFO": "FIFO ", "opener": "FIFO ", "lock": _("lock on "), "mutex": _("mutex in "),
             "futex": _("word of "), "queue": _("message queue "), "semaphore": _("semaphore ")}
    what, comma, byte = one["label"].rpartition(", ") if one["kind"] in ("mutex", "futex") else (one["label"], "", "")
    texts = [(cut(kinds.get(one["kind"], "") + what, look.label), "")]
    texts += [(byte, "")] if comma else []
    if one["kind"] == "opener":
        texts.append((_("nobody has opened its other end"), "w"))
    elif one["filled"]:
        texts.append((_filled(one), "w"))
    return Box(texts, "many")


def _filled(one):
    """ "empty", "65536 of 65536 bytes" """
    now, most = one["filled"]
    if not now:
        return _("empty")
    if one["kind"] == "queue":
        return ngettext("{n} message", "{n} messages", now).format(n=now) if most is None else (
            _("{n} of {most} messages").format(n=now, most=most))
    return ngettext("{n} byte", "{n} bytes", now).format(n=now) if most is None else (
        _("{n} of {most} bytes").format(n=now, most=most))


def _place(boxes, edges, look, top):
    """Give each box its place, from `top` down, and its edges theirs at its sides; the bottom of all."""
    for edge in edges:
        for box in (boxes[edge["from"]], boxes[edge["to"]]):
            (box.family if type(edge["from"]) is type(edge["to"]) else box.links).append(edge)
    _sizes(boxes, look)
    left = [box for name, box in boxes.items() if type(name) is str]
    right = sorted((box for name, box in boxes.items() if type(name) is int), key=lambda box: _mean(box, boxes, left))
    first = EDGE + 6 + 14 * sum(len(box.family) for box in left) / 2
    second = min(first + max((box.width for box in left), default=0) + SPAN * look.font,
                 look.width - EDGE - max((box.width for box in right), default=0))
    bottom = max(_column(left, first, look), _column(right, second, look))
    for box in boxes.values():
        box.links.sort(key=lambda edge: (_other(boxes, box, edge).y, edge["kind"] == "holds"))
    return bottom


def _column(boxes, x, look):
    """Give boxes their places, one under the other; where the last one ends."""
    y = EDGE + 4
    for box in boxes:
        box.x, box.y = x, y
        y += box.height + look.font
    return y


def _sizes(boxes, look):
    """Width and height of each: those of a column are equally wide."""
    for side in (str, int):
        column = [box for name, box in boxes.items() if type(name) is side]
        widest = max((text_width(text, look.font) for box in column for text, _kind in box.texts), default=0)
        for box in column:
            box.width = min(widest + 2 * PAD, WIDEST * look.width)
            rows = max(len(box.texts), len(box.links), len(box.family))
            box.height = rows * line(look) + 2 * PAD


def _mean(box, boxes, left):
    """How far down the processes stand that have to do with an object."""
    places = [left.index(_other(boxes, box, edge)) for edge in box.links]
    return sum(places) / max(1, len(places))


def _other(boxes, box, edge):
    return boxes[edge["to"]] if boxes[edge["from"]] is box else boxes[edge["from"]]


def _at(box, edge, look):
    """How far down an edge leaves or reaches a box."""
    among = box.links if edge in box.links else box.family
    return box.y + box.height * (among.index(edge) + 0.5) / len(among)


def _edge(boxes, edge, look):
    """An arrow, with its descriptor beside it."""
    source, target = boxes[edge["from"]], boxes[edge["to"]]
    kind, tip = ("want", "wanted") if edge["kind"] == "waits" else ("wake", "tip")
    y, to, size = _at(source, edge, look), _at(target, edge, look), 0.6 * look.font
    if type(edge["from"]) is type(edge["to"]):
        turn = source.x - 10 - 14 * [one for box in boxes.values() for one in box.family].index(edge) / 2
        path = f"M{source.x:.1f} {y:.1f}H{turn:.1f}V{to:.1f}H{target.x - size:.1f}"
        return [f'<path class="{kind}" d="{path}"/>', _tip(tip, target.x, to, 1, size)]
    process, thing = (source, target) if edge["kind"] == "waits" else (target, source)
    right, left = process.x + process.width, thing.x
    here, there = (y, to) if process is source else (to, y)
    stub = 5.2 * look.font
    ends = (right, right + stub, left - 2 * size, left)
    bend = f"M{ends[0]:.1f} {here:.1f}H{ends[1]:.1f}L{ends[2]:.1f} {there:.1f}H{ends[3]:.1f}"
    parts = [f'<path class="{kind}" d="{bend}"/>',
             _tip(tip, left, there, 1, size) if process is source else _tip(tip, right, here, -1, size)]
    if edge["fd"] is not None:
        text = _("fd {number}").format(number=edge["fd"])
        parts.append(words(right + 1.2 * size, here - 0.32 * look.font, text, "x h"))
    return parts


def _tip(kind, x, y, way, size):
    """An arrow's head that ends at x, pointing right (1) or left (-1)."""
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}l{-way * size:.1f} {-size / 2:.1f}v{size:.1f}z"/>'


def _box(box, look):
    corner = 2 if box.kind != "many" else box.height / 3
    shape = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{corner:.1f}"'
    parts = [f'<g class="call"><title>{safe(" ".join(text for text, _kind in box.texts))}</title>'
             f'<rect class="b {box.kind}" {shape}/>']
    if box.ring:
        parts.append(f'<rect class="now" {shape}/>')
    top = box.y + (box.height - len(box.texts) * line(look)) / 2 + look.font * 1.02
    room = int((box.width - 2 * PAD) / text_width("n", look.font))
    return [*parts, *(words(box.x + PAD, top + row * line(look), cut(text, room), kind)
                      for row, (text, kind) in enumerate(box.texts)), "</g>"]


def _notes(shown, edges, hidden):
    """What stands under the picture: (kind of swatch or "", text)."""
    kinds = {edge["kind"] for edge in edges}
    notes = [("wait", _("waiting"))] if any(one["state"] in "SD" for one in shown) else []
    notes += [("want", _("waits for"))] if "waits" in kinds else []
    notes += [("held", _("is held by"))] if "holds" in kinds else []
    if any(one["for_good"] for one in shown):
        notes.append(("now", _("no process of the run can end this wait")))
    if hidden:
        notes.append(("", ngettext("{n} more process", "{n} more processes", hidden).format(n=hidden)))
    return notes or [("", _("nobody waits"))]
