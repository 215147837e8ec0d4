"""A prediction where a person sits: options to choose from or, in a lecture, hands to count; then the run decides.

As in explore(), callbacks only hand over to the kernel's event loop, which starts the run and hears of its end. What
has the focus is neither hidden nor disabled while it has it, so that the keyboard never loses its place. On a button
letters and digits are JupyterLab's (b makes a cell); in the field below the buttons a digit is the reader's.
"""
import time
from html import escape

import ipywidgets

from .controls import SPOKEN
from .loop import guarded
from .markup import CROSS, PLAIN, RIGHT, TICK, WRONG, error_text, picture, plain, rich, said
from .predict import contradiction
from .say import _, ngettext
from .state import keep, recall

STYLE = """<style>
.ipclab-ballot .widget-html, .ipclab-ballot .widget-html-content {margin: 0; line-height: 1.4; width: 100%;
  height: auto}
.ipclab-ballot button.ipclab-option {width: 100%; max-width: 1000px; height: auto; min-height: 2.2em; line-height: 1.4;
  margin: 2px 0; padding: 4px 12px; text-align: left; white-space: normal; color: #1A1A1A; background: #F6F8FA;
  border: 1px solid #595959}
.ipclab-ballot button.ipclab-right {border-left: 8px solid #00694C; font-weight: bold}
.ipclab-ballot button.ipclab-wrong {border-left: 8px dashed #933B00}
.ipclab-ballot code {font-family: var(--jp-code-font-family, monospace); font-size: 0.95em; background: none;
  color: inherit}
.ipclab-ballot .ipclab-question {font-weight: bold; font-size: 1.08em}
.ipclab-projector.ipclab-ballot {--jp-widgets-font-size: 22px; --jp-widgets-inline-height: 40px; font-size: 22px}
.ipclab-projector.ipclab-ballot .widget-html-content, .ipclab-projector.ipclab-ballot button,
.ipclab-projector.ipclab-ballot input, .ipclab-projector.ipclab-ballot label {font-size: 22px}
</style>"""


class Ballot:
    """The prediction and its widgets. All but the callbacks' first step is called by the kernel's event loop alone."""

    def __init__(self, prediction, loop):
        self.prediction, self._loop = prediction, loop
        self._guard, self._later = guarded(loop, self._fail)
        self.verdict, self._chosen, self._run = None, None, None
        self.buttons = [_option_button(k, option) for k, option in enumerate(prediction.options, 1)]
        self.field = _number_field(len(self.buttons))
        self.hands = [_hands_field(k) for k in range(1, len(self.buttons) + 1)]
        self.bars = [ipywidgets.HTML() for _hand in self.hands]
        self.reveal, self.again = _button(_("Reveal")), _button(_("Answer again"))
        self.lecture = ipywidgets.ToggleButton(prediction.look == "projector", description=_("Lecture: count hands"),
                                               tooltip="", layout={"width": "auto"})
        self.answer, self.figure = ipywidgets.HTML(), ipywidgets.HTML()
        self.widget = self._layout()
        self._listen()
        self._set_mode()
        self._recall()

    def _layout(self):
        question = ipywidgets.HTML(f'<div class="ipclab-question">{rich(self.prediction.question)}</div>')
        self._choices = ipywidgets.VBox([*self.buttons, self.field])
        rows = [ipywidgets.HBox(pair, layout={"align_items": "center"}) for pair in zip(self.hands, self.bars)]
        self._votes = ipywidgets.VBox([*rows, ipywidgets.HBox([self.reveal])])
        style = ipywidgets.HTML(STYLE + SPOKEN, layout={"display": "none"})
        box = ipywidgets.VBox([style, question, self._choices, self._votes, self.answer, self.figure,
                               ipywidgets.HBox([self.again, self.lecture])], layout={"width": "100%"})
        for name in ("ipclab", "ipclab-ballot", f"ipclab-{self.prediction.look}"):
            box.add_class(name)
        return box

    def _listen(self):
        for k, button in enumerate(self.buttons):
            button.on_click(lambda _button, k=k: self._later(self._choose, k))
        self.field.observe(lambda change: self._later(self._type, change["new"]), "value")
        for hand in self.hands:
            hand.observe(lambda _change: self._later(self._count), "value")
        self.reveal.on_click(lambda _button: self._later(self._ask_the_run))
        self.again.on_click(lambda _button: self._later(self._begin_again))
        self.lecture.observe(lambda _change: self._later(self._set_mode), "value")

    def _fail(self, error):
        self._run = None
        self.answer.value = said(f"⚠ {error_text(error)}", WRONG, alert=True)

    def _set_mode(self):
        """Options to choose from, or hands to count. What the one revealed is not carried into the other."""
        _show(self._votes, self.lecture.value)
        _show(self._choices, not self.lecture.value)
        self._begin_again()

    def _begin_again(self):
        """As it was before the answer. The hands that were counted stay."""
        if self._run is not None:
            self._loop.remove_reader(self._run.fileno())
            self._run.cancel()
        self.verdict, self._chosen, self._run = None, None, None
        self.answer.value = self.figure.value = self.field.value = ""
        self._draw()

    def _recall(self):
        """The answer that the reader gave in another session stands there, and a run decides again."""
        kept = None if self.lecture.value else recall("predictions", self.prediction.key)
        outcomes = [repr(option.outcome) for option in self.prediction.options]
        if kept and kept.get("option") in outcomes:
            self._chosen = outcomes.index(kept["option"])
            self._ask_the_run()

    def _type(self, text):
        """A number was typed, and Enter."""
        if self._chosen is not None or not text.strip():
            return
        if text.strip() in map(str, range(1, len(self.buttons) + 1)):
            self._choose(int(text) - 1)
        else:
            self.answer.value = said(_("Type one of the numbers 1 to {n}.").format(n=len(self.buttons)), alert=True)

    def _choose(self, k):
        """The reader commits to an option; the first choice counts."""
        if self._chosen is None:
            self._chosen = k
            self._ask_the_run()

    def _ask_the_run(self):
        """Starts the run that decides; it is heard of when it has ended."""
        from .run import start

        if self._run is not None or self.verdict is not None:
            return
        prediction = self.prediction
        self.answer.value = said(_("Running …"))
        self._run = start(prediction.experiment, timeout=prediction.timeout, **prediction.params)
        self._loop.add_reader(self._run.fileno(), self._guard, self._end)
        self._draw()

    def _end(self):
        """There is news of the run: its verdict, if that was the end."""
        run = self._run
        if not run.done():
            return
        self._loop.remove_reader(run.fileno())
        self._run = None
        self.verdict = self.prediction.judge(run.wait())
        problem = None if self._chosen is None else self._keep()
        self.answer.value = self._spoken() + (said(problem, WRONG) if problem else "")
        self.figure.value = picture(self.verdict.trace, self.prediction.look)
        self._draw()

    def _keep(self):
        option = self.prediction.options[self._chosen]
        return keep("predictions", self.prediction.key, {
            "question": self.prediction.question, "option": repr(option.outcome), "answer": option.text,
            "right": self._chosen == self.verdict.right, "when": time.strftime("%Y-%m-%dT%H:%M:%S%z")})

    def _spoken(self):
        """What the run says to the answer, and the idea behind one that was wrong."""
        right, chosen = self.verdict.right, self._chosen
        if right is None:
            return said(contradiction(self.verdict), WRONG, alert=True)
        seen = _("What the run did: {n}. {text}").format(n=right + 1, text=self.prediction.options[right].text)
        if chosen is None or chosen == right:
            return said(seen if chosen is None else f"{TICK} {_('As you predicted.')} {seen}", RIGHT, alert=True)
        idea = self.prediction.options[chosen].idea
        told = said(f"{CROSS} {_('Not as you predicted.')} {seen}", WRONG, alert=True)
        return told + (f'<p style="margin:6px 0;padding-left:15px">{rich(idea)}</p>' if idea else "")

    def _draw(self):
        """Marks on the options, bars of the hands, and "answer again" where there is an answer."""
        right = self.verdict and self.verdict.right
        for k, (button, option) in enumerate(zip(self.buttons, self.prediction.options)):
            mine = _("(your answer)") if k == self._chosen else ""
            sign = "" if self.verdict is None else TICK if k == right else CROSS if k == self._chosen else ""
            button.description = " ".join(filter(None, [sign, f"{k + 1}.", plain(option.text), mine]))
            _mark(button, "ipclab-right", sign == TICK)
            _mark(button, "ipclab-wrong", sign == CROSS)
        _show(self.again, self.verdict is not None)
        self._count()

    def _count(self):
        """The bars, as long as the hands are many."""
        most = max(1, *(hand.value for hand in self.hands))
        right = self.verdict and self.verdict.right
        for k, (hand, bar, option) in enumerate(zip(self.hands, self.bars, self.prediction.options)):
            bar.value = _bar(k + 1, option.text, hand.value, most, self.verdict is not None and k == right)

    def __repr__(self):
        return repr(self.prediction)

    def _repr_mimebundle_(self, **_kwargs):
        return self.widget._repr_mimebundle_() | self.prediction._repr_mimebundle_()


def _option_button(number, option):
    button = ipywidgets.Button(description=f"{number}. {plain(option.text)}", layout={"width": "100%"})
    button.add_class("ipclab-option")
    return button


def _button(text):
    return ipywidgets.Button(description=text, layout={"width": "auto"})


def _number_field(most):
    """A field for the number of an option. Its value changes with Enter, or when the focus leaves it."""
    return ipywidgets.Text(description=_("or its number, 1 to {n}, and Enter").format(n=most), continuous_update=False,
                           style={"description_width": "initial"}, layout={"width": "auto", "max_width": "480px"})


def _hands_field(number):
    return ipywidgets.BoundedIntText(0, min=0, max=9999, description=_("hands for {n}").format(n=number),
                                     continuous_update=True, style={"description_width": "initial"},
                                     layout={"width": "auto", "max_width": "220px", "flex": "0 0 auto"})


def _bar(number, text, hands, most, right):
    """An option, how many hands, and a bar of that length."""
    colour, sign = (RIGHT, f"{TICK} ") if right else (PLAIN, "")
    count = ngettext("{n} hand", "{n} hands", hands).format(n=hands)
    length = f"{85 * hands / most:.1f}%"
    return (f'<div style="padding-left:10px"><div>{sign}<b>{number}.</b> {rich(text)}</div>'
            f'<div style="display:flex;align-items:center;gap:8px"><div style="height:0.8em;width:{length};'
            f'min-width:1px;background:{colour}"></div><b>{escape(count)}</b></div></div>')


def _show(widget, visible):
    widget.layout.display = None if visible else "none"


def _mark(widget, name, on):
    (widget.add_class if on else widget.remove_class)(name)
