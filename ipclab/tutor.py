"""What stands under an exercise where a person sits: the check's result, hints one at a time, and then a solution.

The solution opens after an attempt: when the exercise is done, or when a program that differs from the one checked
first has been checked. Which were checked is kept in the student's own file, so it holds for the next session too.
"""
import ast
import hashlib
import inspect
import textwrap
from html import escape

import ipywidgets

from .controls import SPOKEN
from .exercise import result_html, solution
from .markup import rich, said
from .say import _
from .state import keep, recall

STYLE = """<style>
.ipclab-tutor .widget-html, .ipclab-tutor .widget-html-content {margin: 0; line-height: 1.4; width: 100%; height: auto}
.ipclab-tutor code, .ipclab-tutor pre {font-family: var(--jp-code-font-family, monospace); font-size: 0.95em;
  background: none; color: inherit}
.ipclab-tutor p {margin: 2px 0}
.ipclab-tutor pre {line-height: 1.4; border-left: 3px solid #595959; padding: 4px 12px; overflow: auto}
.ipclab-projector.ipclab-tutor {--jp-widgets-font-size: 22px; --jp-widgets-inline-height: 40px; font-size: 22px}
.ipclab-projector.ipclab-tutor .widget-html-content, .ipclab-projector.ipclab-tutor button,
.ipclab-projector.ipclab-tutor pre {font-size: 22px}
</style>"""


class Tutor:
    """The Result of a check (`result`), the button for the next hint and that for the solution."""

    def __init__(self, function, result, hints, look):
        self.result, self._name, self._hints, self._given = result, function.__name__, hints, 0
        self._open, problem = _note_attempt(function, result)
        self.hint, self.solve = _button(""), _button(_("Solution"))
        self.told, self.solved = ipywidgets.HTML(), ipywidgets.HTML()
        self.hint.on_click(lambda _button: self._tell())
        self.solve.on_click(lambda _button: self._solve())
        self._count()
        shown = ipywidgets.HTML(result_html(result, look) + (said(problem) if problem else ""))
        buttons = ipywidgets.HBox([*([self.hint] if hints else []), self.solve])
        style = ipywidgets.HTML(STYLE + SPOKEN, layout={"display": "none"})
        self.widget = ipywidgets.VBox([style, shown, buttons, self.told, self.solved], layout={"width": "100%"})
        for name in ("ipclab", "ipclab-tutor", f"ipclab-{look}"):
            self.widget.add_class(name)

    def _count(self):
        """What the button says: which hint is the next. It is never disabled, or the keyboard would lose its place."""
        text = _("Hint {n} of {all}") if self._given < len(self._hints) else _("No more hints")
        self.hint.description = text.format(n=self._given + 1, all=len(self._hints))

    def _tell(self):
        """One hint more."""
        self._given = min(self._given + 1, len(self._hints))
        items = "".join(f"<li>{rich(hint)}</li>" for hint in self._hints[:self._given])
        self.told.value = f'<div role="status"><ol>{items}</ol></div>'
        self._count()

    def _solve(self):
        """The solution, if an attempt was made."""
        if not self._open:
            self.solved.value = said(_("The solution opens when you have changed the program and checked it again."),
                                     alert=True)
            return
        source = solution(self._name)
        missing = said(_("There is no solution of {name} in the folder notebooks/solutions.").format(name=self._name))
        shown = f'<div role="status"><pre tabindex="0">{escape(source or "")}</pre></div>'  # the keyboard can scroll it
        self.solved.value = shown if source else missing

    def __repr__(self):
        return "\n".join(self.result.sentences())

    def _repr_mimebundle_(self, **_kwargs):
        return self.widget._repr_mimebundle_() | {"text/plain": repr(self)}


def _note_attempt(function, result):
    """Keeps that this program was checked. (Whether the solution is open, why it could not be kept or None.)"""
    kept = recall("exercises", function.__name__) or {"checked": [], "done": False}
    kept["checked"] = list(dict.fromkeys([*kept["checked"], _mark(function)]))
    kept["done"] = kept["done"] or result.done
    problem = keep("exercises", function.__name__, kept)
    return kept["done"] or len(kept["checked"]) > 1, problem


def _mark(function):
    """What tells one program from another, comments and spaces aside: a hash."""
    try:
        text = ast.dump(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, TypeError, SyntaxError):
        text = repr((function.__code__.co_code, function.__code__.co_consts))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _button(text):
    return ipywidgets.Button(description=text, layout={"width": "auto"})
