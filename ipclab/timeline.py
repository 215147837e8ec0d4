"""A trace as one picture: a lane a process, a bar a call, arrows from the call that woke to the call that waited.

The SVG is written directly, with its style sheet inside, so the same text serves the notebook, the slide and paper.
Time runs from left to right, the same in all lanes, and short gaps are drawn wider than they are (see scale.py).
What becomes a bar: bars.py; arrows: objects.py; words: labels.py; places: layout.py; sizes and colours: look.py.
"""
import re
import zlib

from . import draw
from .draw import safe, stroke, words
from .labels import call_label
from .layout import EDGE, line, page
from .look import WIDE, chosen_look, cut, look_named, style, text_width
from .recorded import label
from .say import _, ngettext
from .scale import seconds_text, ticks
from .sent import TIMER
from .story import summary


class Picture:
    """A figure: `svg` its text, `sentence` the same in words for those who do not see it."""

    def __init__(self, svg, sentence):
        self.svg, self.sentence = svg, sentence

    def _repr_mimebundle_(self, include=None, exclude=None):
        figure = f'<div class="ipclab-figure" role="img" aria-label="{safe(self.sentence)}">{self.svg}</div>'
        return {"image/svg+xml": self.svg, "text/html": figure, "text/plain": self.sentence}

    def __repr__(self):
        return self.sentence


def timeline(trace, look=None, step=None, via=True):
    """The trace (a Trace, also of a run that still goes on) as a Picture.

    `look` is "screen", "projector" or "print" (the environment's IPCLAB_LOOK, or "screen"). `step` (1 … number of
    events) lights up that event and dims what came later. `via=False` leaves out the calls that libraries made.
    ValueError for another look or step.
    """
    look = chosen_look(look)
    chosen = look_named(look)
    check_step(trace, step)
    head, high = heading(trace, chosen, step)
    laid = page(trace, chosen, via, head=high + line(chosen) * trace.timed_out)
    axis, height = _axis(laid)
    parts = [*axis, *_deadline(laid), *_drawn(laid, step), *head]
    return figure(look, chosen.width, height, "".join(parts), summary(trace, laid.arrows))


def _drawn(laid, step):
    """The lanes with their arrows and bars; arrows lie under bars, but for those that end in what a handler cut out."""
    now, into_gaps = step and laid.trace.events[step - 1].start, [a for a in laid.arrows if draw.into_gap(a)]
    parts = [part for row in laid.rows for part in draw.lane(laid, row)]
    parts += [part for arrow in laid.arrows if arrow not in into_gaps for part in draw.arrow(laid, arrow, now)]
    parts += [part for row in laid.rows for bar in row.lane.bars for part in draw.bar(laid, row, bar, step)]
    parts += [part for arrow in into_gaps for part in draw.arrow(laid, arrow, now)]
    return parts + [part for row in laid.rows for part in (*draw.program_sign(laid, row), draw.end_sign(laid, row))]


def check_step(trace, step):
    """ValueError for a step that the trace does not have."""
    if step is not None and not 1 <= step <= len(trace.events):
        raise ValueError(_("step {step} is outside 1 … {last}").format(step=step, last=len(trace.events)))


def figure(look, width, height, body, sentence):
    """The Picture of these parts. Its id, and so the scope of its styles, comes from what is in it."""
    name = f"t{zlib.crc32((look + body).encode()):08x}"
    ground = f'<rect class="page" width="{width}" height="{height:.0f}" rx="6"/>'
    return Picture(f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" viewBox="0 0 {width} {height:.0f}" '
                   f'width="100%" style="max-width:{width}px;height:auto" role="img" aria-label="{safe(sentence)}">'
                   f'{style(look).replace("ID", name)}{ground}{body}</svg>', sentence)


def svg_size(svg):
    """Width and height of a figure, in pixels at full size."""
    return tuple(float(part) for part in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())


def band(look, top, bottom):
    """The ground of a lane or of what corresponds to one, as wide as the figure."""
    return f'<rect class="band" x="{EDGE / 2}" y="{top:.1f}" width="{look.width - EDGE}" ' \
           f'height="{bottom - top:.1f}" rx="4"/>'


def times(look, scale, top, foot, base):
    """Strokes from `top` to `foot` with the real times under them, on the line at `base`."""
    for time in ticks(scale, look.font * 6):
        x = scale(time)
        yield stroke(x, top, x, foot, "rule")
        yield words(x, base, seconds_text(time), "x", "middle")


def _axis(laid):
    """The bands of the lanes, the axis with real times, what stands under it, and the height of the whole."""
    look, bottom, top = laid.look, laid.bottom, laid.rows[0].top if laid.rows else laid.bottom
    bands, base = [band(look, row.top, row.bottom) for row in laid.rows], bottom + look.font * 1.05
    axis = times(look, laid.scale, top, bottom + 1, base)
    notes, base = legend(look, _notes(laid), base)
    return [*bands, *axis, *notes], base + look.font * 0.8


def legend(look, notes, base):
    """What stands under a picture: [(kind of swatch or "", text)] in lines below `base`, and the last one's base."""
    parts, base, x = [], base + line(look) * 1.2, EDGE + 6
    for kind, text in notes:
        wide = look.font * 1.8 * bool(kind) + 0.92 * text_width(text, look.small)  # proportional letters are narrower
        if x + wide > look.width - EDGE:
            base, x = base + line(look) * 1.2, EDGE + 6
        parts += [*_swatch(x, base, kind, look), words(x + look.font * 1.8 * bool(kind), base, text, "x")]
        x += wide + look.font
    return parts, base


def _notes(laid):
    """What stands under the axis, as (kind of swatch or "", text): what the signs mean, what is not shown."""
    trace, bars = laid.trace, [bar for row in laid.rows for bar in row.lane.bars]
    kinds = {draw.kind_of(bar, trace.events[bar.members[0]]) for bar in bars}
    meaning = {"run": _("running"), "many": _("several calls"), "wait": _("waiting"), "fail": _("failed"),
               "hand": _("signal handler")}
    kinds |= {"fail"} if any(bar.failed for bar in bars) else set()
    signs = [*((kind, text) for kind, text in meaning.items() if kind in kinds), *_arrow_notes(laid.arrows)]
    drawn = sum(len(bar.members) for bar in bars)
    facts = [_("time: short gaps are drawn wider")]
    if drawn > len(bars):
        facts.append(ngettext("{n} call", "{n} calls", drawn).format(n=drawn))
    if trace.dropped:
        facts.append(ngettext("{n} more was not kept", "{n} more were not kept", trace.dropped).format(n=trace.dropped))
    if laid.hidden:
        facts.append(ngettext("{n} more process", "{n} more processes", laid.hidden).format(n=laid.hidden))
    return [*signs, *(("", fact) for fact in facts)]


def _arrow_notes(arrows):
    """What the arrows mean, as in _notes: a signal may be taken long after it was sent, without waiting for it."""
    timers = [arrow for arrow in arrows if arrow.giver == TIMER]
    if len(arrows) > len(timers):
        yield "tip", _("woke, signalled") if any(map(draw.is_signal, arrows)) else _("woke")
    if timers:
        yield "timer", _("sent by a timer")


def _swatch(x, base, kind, look):
    """The sign that a text under the axis explains."""
    size = look.font
    if kind in ("want", "held"):
        path, tip = ("want", "wanted") if kind == "want" else ("wake", "tip")
        return [stroke(x, base - size * .35, x + size, base - size * .35, path),
                f'<path class="{tip}" d="M{x + size * 1.4:.1f} {base - size * .35:.1f}l{-size * .6:.1f} '
                f'{-size * .3:.1f}v{size * .6:.1f}z"/>']
    if kind in ("tip", "timer"):
        return draw.arrow_sign(x + size / 2, base, size, kind == "timer")
    box = (f'<rect class="b {kind}" x="{x:.1f}" y="{base - size * .85:.1f}" width="{size * 1.4:.1f}" '
           f'height="{size:.1f}" rx="2"/>')
    return [box, draw.cross(x, base - size * .85, size * 1.4, size, "") if kind == "fail" else ""] if kind else []


def _deadline(laid):
    """The deadline that ended the run, as a line with its time."""
    if not laid.trace.timed_out:
        return []
    x, top = laid.right, laid.rows[0].top if laid.rows else laid.bottom
    text = _("deadline {seconds}").format(seconds=seconds_text(laid.trace.timeout))
    return [stroke(x, top - 3, x, laid.bottom, "dead"), words(x, top - 7, text, "dl", "end")]


def heading(trace, look, step=None):
    """What stands above a picture, and how high it is: that the run is a recorded one, and the step in words."""
    origin, row = label(trace), line(look) * 1.4
    parts = _framed(look, origin) if origin else []
    parts += _caption(trace, look, step, row * bool(origin)) if step else []
    return parts, row * ((step is not None) + bool(origin))


def _framed(look, text):
    """That the run is a recorded one, framed."""
    wide = look.width - 2 * EDGE
    frame = (f'<rect x="{EDGE}" y="{EDGE / 2}" width="{wide}" height="{line(look) * 1.2:.1f}" rx="4" fill="none" '
             f'stroke="{look.colours["ink"]}" stroke-width="1.5" stroke-dasharray="7 4"/>')
    return [frame, words(EDGE + 8, EDGE + look.font, cut(text, int(wide / look.font / WIDE) - 2), "n")]


def _caption(trace, look, step, down):
    """The step in words, above the lanes, `down` units further down where something else stands there."""
    event, names = trace.events[step - 1], {process.pid: process.name for process in trace.processes}
    text = _("step {step} of {last}").format(step=step, last=len(trace.events))
    text += f"   {event.process}: {call_label(event, names)}"
    room = int((look.width - 2 * EDGE - 6) / text_width("n", look.font))
    return [words(EDGE + 6, EDGE + look.font + down, cut(text, room), "h")]
