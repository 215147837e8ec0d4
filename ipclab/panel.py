"""What explore() shows of a trace: the picture in a box that never jumps, the steps, and what is folded away.

Only ipywidgets' own widgets, and HTML written in Python: no JavaScript, no Output. The panel draws when it is told
to and knows nothing of runs; what the reader does with it is handed to `tell` and comes back as a call of `show`.
"""
from html import escape

import ipywidgets

from .layout import line
from .look import look_named
from .markup import error_text, shorten
from .say import _
from .story import story
from .timeline import svg_size, timeline
from .trace import call_text, result_text

ROWS = 100  # of the table of events
STYLE = """<style>
.ipclab .widget-html, .ipclab .widget-html-content {margin: 0; line-height: 1.4; width: 100%}
.ipclab-picture svg {display: block; max-width: 100%; height: auto}
.ipclab-words .widget-html-content {padding-left: 8px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis}
.ipclab-part [role=region] {max-height: 26em; overflow: auto; box-sizing: border-box;
  border-left: 3px solid #C9CED3; padding: 2px 10px; margin-bottom: 8px}
.ipclab-kernel {border-left: 3px solid #C9CED3; box-sizing: border-box; padding: 2px 10px; margin-bottom: 8px}
.ipclab .widget-toggle-buttons {display: flex; align-items: baseline; flex: 0 1 auto; gap: 8px}
.ipclab .widget-toggle-buttons button.mod-active {background: #0072B2; color: #FFF; font-weight: bold}
.ipclab code, .ipclab pre, .ipclab td {font-family: var(--jp-code-font-family, monospace); margin: 0}
.ipclab pre mark {background: #FFE9A8; color: #000; display: inline-block; min-width: 100%; font-weight: bold}
.ipclab tr.now td {background: #FFE9A8; color: #000; font-weight: bold}
.ipclab table {border-collapse: collapse; font-size: 0.92em}
.ipclab td, .ipclab th {padding: 1px 10px 1px 0; text-align: left; white-space: pre; border-bottom: 1px solid #C9CED3}
.ipclab td.number, .ipclab th.number {text-align: right}
.ipclab-projector {--jp-widgets-font-size: 20px; --jp-widgets-inline-height: 40px; font-size: 20px}
.ipclab-projector .noUi-handle {transform: scale(1.4)}
</style>"""


class Panel:
    """The widgets below the controls. `box` holds them all; `picture` is what was drawn last (or None)."""

    def __init__(self, look, tell, picture=None):
        self.look, self.picture, self.trace, self._shown = look, None, None, 0
        self._drawn = picture or timeline
        self._width, self._room = 1000.0, 120.0  # pixels, at full size
        self._smallest = look_named(look).smallest
        self._line = line(look_named(look)) * 1.4  # what timeline() takes for the caption of a step
        self._image = ipywidgets.HTML(layout={"width": "100%"})
        self._image.add_class("ipclab-picture")
        self.step = ipywidgets.IntSlider(min=0, max=1, description=_("step"), tooltip="", readout=False,
                                         style={"description_width": "initial"},
                                         layout={"width": "340px", "flex": "0 1 auto", "margin": "2px 12px"})
        self._words = ipywidgets.HTML(layout={"flex": "1 1 0", "min_width": "0"})
        self._words.add_class("ipclab-words")
        self.back, self.on = _button("◀", _("one event back")), _button("▶", _("one event on"))
        self.parts = {name: _part(name, tell, self._fold) for name in _titles()}
        self._look = None  # at the run's processes, the last one
        self.back.on_click(lambda _button: tell(self._move, -1))
        self.on.on_click(lambda _button: tell(self._move, +1))
        self.step.observe(lambda _change: tell(self._step_to), "value")
        self.box = self._layout()

    def _layout(self):
        steps = ipywidgets.HBox([self.back, self.step, self.on, self._words], layout={"align_items": "center"})
        switches = ipywidgets.HBox([switch for switch, _body in self.parts.values()])
        bodies = [body for _switch, body in self.parts.values()]
        return ipywidgets.VBox([self._image, steps, switches, *bodies], layout={"overflow": "visible"})

    def show(self, trace, final=True):
        """Draws the trace: the whole of it, or up to the step where one was chosen; the folded parts when final, but
        for what the kernel says, which can be asked only while the run goes on."""
        self.trace = trace
        self._draw()
        if not final and self.parts["kernel"][0].value:
            self._ask()
        most = max(1, len(trace.events))
        if self.step.max != most:
            self.step.max = most
        if final:
            for name in self.parts:
                self._fill(name)

    def rewind(self):
        """Back to the whole picture, drawn with the next trace."""
        self._shown = self.step.value = 0
        self._look = None

    def fail(self, error):
        """Says in the picture's place what went wrong; the room it takes stays what it was."""
        self.picture = None
        text = escape(shorten(error_text(error), 600))
        self._put(f'<div role="alert" style="border:3px solid #D55E00;padding:8px 12px;'
                  f'box-sizing:border-box"><b>⚠ {escape(_("This run failed."))}</b>'
                  f'<pre style="white-space:pre-wrap">{text}</pre></div>')

    def _draw(self):
        step = self._shown if 0 < self._shown <= len(self.trace.events) else None
        self.picture = self._drawn(self.trace, look=self.look, step=step)
        self._width, height = svg_size(self.picture.svg)
        head = 0 if step else self._line  # a step's caption takes it: so the lanes stay put
        self._make_room(height + head)
        shrink = min(1, self._room / (height + head))
        self._put(f'<div style="padding-top:{100 * head / self._width:.3f}%"></div>'
                  f'{self.picture._repr_mimebundle_()["text/html"]}', shrink)
        self._words.value = step_words(self.trace, step)

    def _make_room(self, height):
        """Labels take a line more or less from run to run: the room has a line a lane to spare, what is a little
        higher is drawn a little smaller, and only what is much higher (more lanes) makes the room grow."""
        if height * self._smallest > self._room:
            self._room = height + self._line * min(len(self.trace.processes), 4)

    def _put(self, figure, shrink=1):
        """Shows it in the room, which never shrinks: the page below stays put. The room's size is part of the HTML,
        so that picture and room change at once, whatever the window's width."""
        self._image.value = (f'<div style="max-width:{self._width:g}px;aspect-ratio:{self._width:g}/{self._room:g};'
                             f'overflow:hidden"><div style="width:{100 * shrink:.4g}%">{figure}</div></div>')

    def _step_to(self):
        """The slider was moved (by the reader: rewind() and show() set `_shown` themselves)."""
        if self.trace is not None and self.step.value != self._shown:
            self._shown = self.step.value
            self._draw()
            self._fill("code")
            self._fill("data")

    def _move(self, by):
        self.step.value = min(max(self.step.value + by, 0), self.step.max)
        self._step_to()

    def _fold(self, name):
        switch, body = self.parts[name]
        switch.description = ("▾ " if switch.value else "▸ ") + _titles()[name]
        body.layout.display = "block" if switch.value else "none"
        self._fill(name)

    def _ask(self):
        """Asks the kernel about the run's processes, and writes that down."""
        from . import says

        if look := says.look_at(self.trace):
            self._look = look
            self._fill("kernel")

    def _kernel_html(self):
        """The last look at the run's processes; where there was none, what the deadline found."""
        from . import says
        from .waits import waits

        if self._look:
            return says.html(self._look, self.look)
        if any(process.stuck for process in self.trace.processes):
            return waits(self.trace, self.look)._repr_mimebundle_()["text/html"]
        return escape(_("While this part is open, the kernel is asked about the processes of a run that goes on."))

    def _fill(self, name):
        """Writes a part that is open; a closed one costs nothing."""
        switch, body = self.parts[name]
        if switch.value and self.trace is not None:
            text = self._kernel_html() if name == "kernel" else FILL[name](self.trace, self._shown)
            scrolls = "" if name == "kernel" else ' tabindex="0"'  # what scrolls has to be reached by the keyboard
            body.value = f'<div role="region"{scrolls} aria-label="{escape(_titles()[name])}">{text}</div>'
        elif body.value:
            body.value = ""


def _titles():
    return {"story": _("story"), "code": _("code"), "data": _("data"), "kernel": _("what the kernel says")}


def _button(text, meaning):
    return ipywidgets.Button(description=text, tooltip=meaning, layout={"width": "auto"})


def _part(name, tell, fold):
    """A switch and the body that it opens."""
    switch = ipywidgets.ToggleButton(description=f"▸ {_titles()[name]}", tooltip="", layout={"width": "auto"})
    body = ipywidgets.HTML(layout={"display": "none", "width": "100%"})
    body.add_class("ipclab-kernel" if name == "kernel" else "ipclab-part")
    if name == "kernel":  # written ten times a second: neither the page below nor what was scrolled to moves
        body.layout.height, body.layout.overflow, body.tabbable = "26em", "auto", True
    switch.observe(lambda _change: tell(fold, name), "value")
    return switch, body


def step_words(trace, step):
    """The line beside the steps: which event of how many, and its line of the source."""
    if step is None:
        return escape(_("all {n} events: ◀ ▶ or the slider go through them").format(n=len(trace.events)))
    event = trace.events[step - 1]
    text = f"<b>{step}/{len(trace.events)}</b> "
    if event.line is None:
        return text + escape(event.via or "")
    where = _("line {line}").format(line=event.line) + (f", {event.file}" if event.file else "")
    return f"{text} {escape(where)}: <code>{escape(source_line(trace, event))}</code>"


def source_line(trace, event):
    """The source of the event's line, stripped; empty where it is in a file that the trace does not hold."""
    if event.file or not trace.source:
        return ""
    _file, first, text = trace.source
    lines = text.splitlines()
    return lines[event.line - first].strip() if first <= event.line < first + len(lines) else ""


def story_html(trace, _step):
    """The story, as it writes itself."""
    return story(trace)._repr_mimebundle_()["text/html"]


def code_html(trace, step):
    """The experiment's source with line numbers, the line of the step lit up and pointed at."""
    if not trace.source:
        return escape(_("The source of this experiment is not known."))
    _file, first, text = trace.source
    event = trace.events[step - 1] if 0 < step <= len(trace.events) else None
    lit = event.line if event and not event.file else None
    rows = [_code_row(first + k, line, first + k == lit) for k, line in enumerate(text.splitlines())]
    return f"<pre>{''.join(rows)}</pre>"


def _code_row(number, line, lit):
    if lit:
        return f'<mark aria-current="step">▶{number:4}  {escape(line)}</mark>\n'
    return f" {number:4}  {escape(line)}\n"


def data_html(trace, step):
    """The events as a table, at most ROWS of them, those around the step; what is left out is said."""
    first = max(0, min(step - ROWS // 2, len(trace.events) - ROWS))
    shown = enumerate(trace.events[first:first + ROWS], first + 1)
    rows = [_data_row(number, event, number == step) for number, event in shown]
    heads = ((_("number"), "number"), (_("process"), ""), (_("call"), ""), (_("start, ms"), "number"),
             (_("took, ms"), "number"), (_("line"), "number"))
    head = "".join(f'<th scope="col" class="{kind}">{escape(text)}</th>' for text, kind in heads)
    more = len(trace.events) - len(rows)
    rest = "<p>" + escape(_("… and {more} more events").format(more=more)) + "</p>" if more else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"


def _data_row(number, event, now):
    took = "…" if event.seconds is None else f"{event.seconds * 1000:.3f}"
    cells = [(number, "number"), (event.process, ""), (shorten(call_text(event) + result_text(event), 100), ""),
             (f"{event.start * 1000:.3f}", "number"), (took, "number"), (event.line or "", "number")]
    row = "".join(f'<td class="{kind}">{escape(str(text))}</td>' for text, kind in cells)
    return f'<tr class="now" aria-current="step">{row}</tr>' if now else f"<tr>{row}</tr>"


FILL = {"story": story_html, "code": code_html, "data": data_html}
