"""A trace as one picture: a lane a process, a bar a call, arrows from the call that woke to the call that waited.

The SVG is written directly, with its style sheet inside, so the same text serves the notebook, the slide and paper.
Time runs from left to right, the same in all lanes, and short gaps are drawn wider than they are (see scale.py).
What becomes a bar: bars.py; arrows: objects.py; words: labels.py; places: layout.py; sizes and colours: look.py.
"""
import os
import zlib

from . import draw
from .draw import safe, stroke, words
from .labels import call_label
from .layout import EDGE, line, page
from .look import look_named, style, text_width
from .say import _, ngettext
from .scale import seconds_text, ticks
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
    look = look or os.environ.get("IPCLAB_LOOK", "screen")
    chosen = look_named(look)
    if step is not None and not 1 <= step <= len(trace.events):
        raise ValueError(_("step {step} is outside 1 … {last}").format(step=step, last=len(trace.events)))
    laid = page(trace, chosen, via, head=line(chosen) * (1.4 * (step is not None) + trace.timed_out))
    axis, height = _axis(laid)
    parts = [*axis, *_deadline(laid)]
    parts += [part for row in laid.rows for part in draw.lane(laid, row)]
    parts += [part for arrow in laid.arrows for part in draw.arrow(laid, arrow, step and trace.events[step - 1].start)]
    parts += [part for row in laid.rows for bar in row.lane.bars for part in draw.bar(laid, row, bar, step)]
    parts += [part for row in laid.rows for part in (*draw.program_sign(laid, row), draw.end_sign(laid, row))]
    parts += _caption(laid, step) if step else []
    return _picture(look, chosen.width, height, "".join(parts), summary(trace, laid.arrows))


def _picture(look, width, height, body, sentence):
    """The Picture of these parts. Its id, and so the scope of its styles, comes from what is in it."""
    name = f"t{zlib.crc32((look + body).encode()):08x}"
    ground = f'<rect class="page" width="{width}" height="{height:.0f}" rx="6"/>'
    return Picture(f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" viewBox="0 0 {width} {height:.0f}" '
                   f'width="100%" style="max-width:{width}px;height:auto" role="img" aria-label="{safe(sentence)}">'
                   f'{style(look).replace("ID", name)}{ground}{body}</svg>', sentence)


def _band(laid, row):
    return f'<rect class="band" x="{EDGE / 2}" y="{row.top:.1f}" width="{laid.look.width - EDGE}" ' \
           f'height="{row.bottom - row.top:.1f}" rx="4"/>'


def _axis(laid):
    """The bands of the lanes, the axis with real times, what stands under it, and the height of the whole."""
    look, bottom, top = laid.look, laid.bottom, laid.rows[0].top if laid.rows else laid.bottom
    parts, base = [_band(laid, row) for row in laid.rows], bottom + look.font * 1.05
    for time in ticks(laid.scale, look.font * 6):
        x = laid.scale(time)
        parts += [stroke(x, top, x, bottom + 1, "rule"), words(x, base, seconds_text(time), "x", "middle")]
    base, x = base + line(look) * 1.2, EDGE + 6
    for kind, text in _notes(laid):
        wide = look.font * 1.8 * bool(kind) + 0.92 * text_width(text, look.small)  # proportional letters are narrower
        if x + wide > look.width - EDGE:
            base, x = base + line(look) * 1.2, EDGE + 6
        parts += [*_swatch(x, base, kind, look), words(x + look.font * 1.8 * bool(kind), base, text, "x")]
        x += wide + look.font
    return parts, base + look.font * 0.8


def _notes(laid):
    """What stands under the axis, as (kind of swatch or "", text): what the signs mean, what is not shown."""
    trace, bars = laid.trace, [bar for row in laid.rows for bar in row.lane.bars]
    kinds = {draw.kind_of(bar, trace.events[bar.members[0]]) for bar in bars}
    meaning = {"run": _("running"), "many": _("several calls"), "wait": _("waiting"), "fail": _("failed"),
               "hand": _("signal handler"), "tip": _("woke")}
    kinds |= {"fail"} if any(bar.failed for bar in bars) else set()
    kinds |= {"tip"} if laid.arrows else set()
    signs = [(kind, text) for kind, text in meaning.items() if kind in kinds]
    drawn = sum(len(bar.members) for bar in bars)
    facts = [_("time: short gaps are drawn wider")]
    if drawn > len(bars):
        facts.append(ngettext("{n} call", "{n} calls", drawn).format(n=drawn))
    if trace.dropped:
        facts.append(ngettext("{n} more was not kept", "{n} more were not kept", trace.dropped).format(n=trace.dropped))
    if laid.hidden:
        facts.append(ngettext("{n} more process", "{n} more processes", laid.hidden).format(n=laid.hidden))
    return [*signs, *(("", fact) for fact in facts)]


def _swatch(x, base, kind, look):
    """The sign that a text under the axis explains."""
    size = look.font
    if kind == "tip":
        return [f'<path class="tip" d="M{x + size / 2:.1f} {base - size:.1f}l{size * .3:.1f} {size * .6:.1f}'
                f'h{-size * .6:.1f}z"/>', stroke(x + size / 2, base - size * .5, x + size / 2, base + 1, "wake")]
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


def _caption(laid, step):
    """The step in words, above the lanes."""
    event = laid.trace.events[step - 1]
    text = _("step {step} of {last}").format(step=step, last=len(laid.trace.events))
    return [words(EDGE + 6, EDGE + laid.look.font, f"{text}   {event.process}: {call_label(event, laid.names)}", "h")]
