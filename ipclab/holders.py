"""holders(): who holds which lock when, as a picture: a band a lock, in it a row a process.

A hatched bar waits for the lock, a full one holds it. Under the rows stands how many hold it at once: whether anybody
was ever in there together can be read from that alone. Time runs as in timeline().
"""
from dataclasses import dataclass

from .draw import arrow_sign, cross, safe, stroke, words
from .labels import call_label
from .layout import EDGE, line
from .locks import locks
from .look import chosen_look, cut, look_named, text_width
from .recorded import label
from .say import _, ngettext
from .scale import Scale, seconds_text
from .timeline import band, check_step, figure, heading, legend, times

MOST = 30  # holds of a lock that are drawn
TOLD = 12  # holders in the sentence


@dataclass(slots=True)
class Sheet:
    """What all bands share: the Look, the Scale, where the rows begin, the step (or None), and by identity where each
    event stands in the trace. `last` is the time up to which is drawn; `hidden` counts the locks without room."""

    look: object
    scale: object
    left: float
    step: int | None
    places: dict
    last: float
    hidden: int = 0


def holders(trace, look=None, step=None):
    """Who held each lock of the trace, and who waited for it, as a Picture.

    `look` and `step` are as in timeline(): what comes after the step is dimmed. ValueError for another look or step.
    """
    look = chosen_look(look)
    check_step(trace, step)
    chosen, found = look_named(look), locks(trace)
    parts, high = heading(trace, chosen, step)
    sheet, y = _sheet(trace, found, chosen, step), EDGE + high
    for lock in found:
        shown, bottom = _band(sheet, lock, y)
        sheet.hidden += y > EDGE + high and bottom > chosen.height - 5 * line(chosen)
        if not sheet.hidden:
            parts, y = parts + shown, bottom
    axis, base = [], y + chosen.font * 0.6
    if found:
        axis, y = times(chosen, sheet.scale, EDGE + high, y - 4, base), base
    notes, y = legend(chosen, _notes(trace, found, sheet), y)
    return figure(look, chosen.width, y + chosen.font * 0.8, "".join([*axis, *parts, *notes]), _sentence(trace, found))


def _sheet(trace, found, look, step):
    last = min([lock.holds[MOST].start for lock in found if len(lock.holds) > MOST], default=float("inf"))
    names = [*(name for lock in found for name in _processes(lock)), _("at once")]
    left = EDGE + max(text_width(cut(name, look.name), look.font) for name in names) + 20
    moments = {min(time, last) for lock in found for span in _spans(lock) for time in (span.start, span.end)}
    places = {id(event): place for place, event in enumerate(trace.events)}
    return Sheet(look, Scale(moments, left, look.width - EDGE - 2 * look.font, look.gap), left, step, places, last)


def _spans(lock):
    return [*lock.holds, *lock.waits, *lock.refused, *lock.strangers]


def _processes(lock):
    """The names of those who have to do with a lock, in order of their pids, which is that of birth as a rule."""
    return list(dict.fromkeys(span.process for span in sorted(_spans(lock), key=lambda span: span.event.pid)))


def _title(lock):
    """What a lock is, and its name, a file's without the folders."""
    file = lock.name.rpartition("/")[2]
    if lock.kind == "linux.Mutex":
        return _("mutex in {place}").format(place=file)
    return _("lock on {file}").format(file=file) if lock.kind == "lock" else _("semaphore {name}").format(
        name=lock.name)


def _band(sheet, lock, y):
    """The band of a lock, and where the next one begins."""
    look, top, high = sheet.look, y, line(sheet.look) * 1.25
    room = int((look.width - 3 * EDGE) / text_width("n", look.font))
    parts, y = [words(EDGE + 6, y + look.font * 1.2, cut(_title(lock), room), "n h")], y + line(look) * 1.4
    for name in _processes(lock)[:look.lanes]:
        parts += _row(sheet, lock, name, y, high)
        y += high + 3
    parts += _counts(sheet, lock, y, high)
    y += high + 6
    return [band(look, top, y), *parts], y + look.font * 0.6


def _row(sheet, lock, name, y, high):
    """What one process had to do with a lock."""
    middle = y + high / 2
    parts = [words(EDGE + 6, middle + sheet.look.font * 0.35, cut(name, sheet.look.name), "h"),
             stroke(sheet.left, middle, sheet.scale.places[-1], middle, "rule")]
    for kind, spans in (("wait", lock.waits), ("refused", lock.refused), ("run", lock.holds)):
        for span in spans:
            if span.process == name and span.start < sheet.last:
                parts += _bar(sheet, span, kind, y, high)
    for span in lock.strangers:
        if span.process == name and span.start < sheet.last:
            parts += _sign(sheet, span, y, high)
    return parts


def _bar(sheet, span, kind, y, high):
    """A bar with its hover text: the call by which the process got the lock, waited for it, or did not get it."""
    x, width = sheet.scale(span.start), max(3.0, sheet.scale(min(span.end, sheet.last)) - sheet.scale(span.start))
    dim = _dim(sheet, span)
    ground = kind if kind != "refused" else "wait" if span.event.waited else "fail"
    text = f"{span.process}: {call_label(span.event, {})}, {seconds_text(span.end - span.start)}"
    parts = [f'<g class="call"><title>{safe(text)}</title><rect class="b {ground}{dim}" x="{x:.1f}" y="{y:.1f}" '
             f'width="{width:.1f}" height="{high:.1f}" rx="2"/>']
    if kind == "refused":
        parts.append(cross(x, y, width, high, dim))
    return [*parts, "</g>"]


def _sign(sheet, span, y, high):
    """Somebody gives back what it does not hold: an arrow."""
    sign = "".join(arrow_sign(sheet.scale(span.start), y + high - 1, high - 2, False))
    text = f"{span.process}: {call_label(span.event, {})}"
    return [f'<g class="call{_dim(sheet, span)}"><title>{safe(text)}</title>{sign}</g>']


def _dim(sheet, span):
    return " later" if sheet.step and sheet.places[id(span.event)] >= sheet.step else ""


def _counts(sheet, lock, y, high):
    """How many hold the lock at once, a box from each change to the next."""
    look, scale = sheet.look, sheet.scale
    base = y + high / 2 + look.font * 0.35
    parts, ends = [words(EDGE + 6, base, _("at once"), "w h")], [(scale.times[0], 0), *lock.together()]
    for (start, count), (end, _next) in zip(ends, [*ends[1:], (scale.times[-1], 0)]):
        x, width = scale(start), scale(min(end, sheet.last)) - scale(start)
        if start < sheet.last and width > 0:
            kind = "gone" if count == 0 else "plain" if count == 1 else "many"
            parts.append(f'<rect class="b {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{high:.1f}"/>')
            if width >= text_width(str(count), look.font):
                parts.append(words(x + width / 2, base, str(count), "n" if count > 1 else "", "middle"))
    return parts


def _notes(trace, found, sheet):
    """What stands under the picture: (kind of swatch or "", text)."""
    if not found:
        return [("", _("not known, for not all calls were kept") if trace.dropped else _("nobody used a lock"))]
    notes = [("run", _("holds it"))] if any(lock.holds for lock in found) else []
    notes += [("wait", _("waiting"))] if any(lock.waits for lock in found) else []
    notes += [("fail", _("refused"))] if any(lock.refused for lock in found) else []
    notes += [("tip", _("gives back what it does not hold"))] if any(lock.strangers for lock in found) else []
    notes += [("", _("boxes: how many hold it at once")), ("", _("time: short gaps are drawn wider"))]
    hidden = sum(hold.start >= sheet.last for lock in found for hold in lock.holds)
    if hidden:
        notes.append(("", ngettext("{n} more time held", "{n} more times held", hidden).format(n=hidden)))
    if sheet.hidden:
        notes.append(("", ngettext("{n} more lock", "{n} more locks", sheet.hidden).format(n=sheet.hidden)))
    if without := sum(max(0, len(_processes(lock)) - sheet.look.lanes) for lock in found):
        notes.append(("", ngettext("{n} more process", "{n} more processes", without).format(n=without)))
    return notes


def _sentence(trace, found):
    """The picture in words."""
    told = []
    for lock in found:
        order = [hold.process for hold in lock.holds[:TOLD]] + ["…"] * (len(lock.holds) > TOLD)
        told.append(_("{lock}: held by {names}; at most {n} at once").format(
            lock=_title(lock), names=", ".join(order) or "—", n=lock.most()))
    return "; ".join(filter(None, [label(trace), *told])) if told else _("nobody used a lock")
