"""predict(): a question that is answered before the run which decides it; nothing here knows the right answer.

Where a person sits, options are chosen or hands are counted (ballot.py), and then the experiment is run. On paper the
question stands alone, and predictions(), the document's last word, runs the experiments and tells, or keeps silent:
IPCLAB_ANSWERS is "end" or "none".
"""
import os
from dataclasses import dataclass

from .explore import live
from .handing import check
from .look import chosen_look
from .markup import CROSS, TICK, paragraph, plain, rich, shorten
from .say import _
from .state import recall

_asked = {}  # what this notebook asks, by key, in order


@dataclass(frozen=True)
class Option:
    """An answer: the outcome it stands for, its text, and the idea that leads to it where it is wrong."""

    outcome: object
    text: str
    idea: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a run decided: the outcome, and the number of the option that it makes right (0, 1 …; None: of none).
    `failed` says why there is no outcome."""

    trace: object
    outcome: object = None
    right: int | None = None
    failed: str = ""


def predict(question, options, outcome, experiment, *, timeout=5.0, look=None, **params):
    """Ask the reader what the experiment will do; the run of experiment(**params) decides.

    `outcome` is a function of the Trace; `options` map each value it may have to the answer's text, or to a pair of
    the text and the idea behind it, which is told to those who chose it when it is wrong. `timeout` and `look` are as
    in explore(). ValueError for fewer than two options or an unknown look; TypeError for what run() would not take.
    """
    look = chosen_look(look)
    check(experiment, timeout, params)
    read = [_option(value, given) for value, given in options.items()]
    if len(read) < 2:
        raise ValueError(_("a prediction needs two options or more"))
    prediction = Prediction(question, read, outcome, experiment, timeout, look, params)
    _asked[prediction.key] = prediction  # a cell that is run again asks in its old place
    if kernel := live():
        from .ballot import Ballot

        return Ballot(prediction, kernel.io_loop.asyncio_loop)
    return prediction


def _option(value, given):
    texts = given if isinstance(given, tuple | list) else (given,)
    if len(texts) not in (1, 2) or not all(isinstance(text, str) for text in texts):
        raise ValueError(_("option {value!r}: give its text, or (its text, the idea behind it)").format(value=value))
    return Option(value, *texts)


class Prediction:
    """A question with its options, as it stands on paper; `verdict()` lets a run decide."""

    def __init__(self, question, options, outcome, experiment, timeout, look, params):
        self.question, self.options, self.outcome = question, options, outcome
        self.experiment, self.timeout, self.look, self.params = experiment, timeout, look, params

    @property
    def key(self):
        """What the question is known by, whatever its wording and language."""
        values = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return shorten(f"{self.experiment.__name__}({values}): {' | '.join(repr(o.outcome) for o in self.options)}")

    @property
    def number(self):
        """Its place among the questions of the notebook, from 1."""
        return list(_asked).index(self.key) + 1

    def verdict(self):
        """Run the experiment and say which option was right; waits for it, as run()."""
        from .run import run

        return self.judge(run(self.experiment, timeout=self.timeout, **self.params))

    def judge(self, trace):
        """The Verdict of a finished run."""
        try:
            seen = self.outcome(trace)
        except Exception as error:
            return Verdict(trace, failed=f"{type(error).__name__}: {error}")
        right = next((k for k, option in enumerate(self.options) if option.outcome == seen), None)
        return Verdict(trace, seen, right)

    def __repr__(self):
        head = _("Question {n}.").format(n=self.number) + " " + plain(self.question)
        return "\n".join([head, *(f"  {k}. {plain(o.text)}" for k, o in enumerate(self.options, 1))])

    def _repr_mimebundle_(self, **_kwargs):
        items = "".join(f"<li>{rich(option.text)}</li>" for option in self.options)
        head = f"<b>{_('Question {n}.').format(n=self.number)}</b> {rich(self.question)}"
        return {"text/plain": repr(self), "text/html": f'<div class="ipclab-question" style="break-inside:avoid">'
                                                       f'<p>{head}</p><ol>{items}</ol></div>'}


def contradiction(verdict):
    """What is said of a run that none of the options foresaw."""
    if verdict.failed:
        return _("This run contradicts every option. It gave no answer: {why}").format(why=verdict.failed)
    return _("This run contradicts every option. What came out: {outcome}").format(
        outcome=f"`{shorten(repr(verdict.outcome))}`")


def predictions():
    """The notebook's questions and what was right: on paper, from runs made now (nothing where IPCLAB_ANSWERS is
    "none"); where a person sits, what that person predicted. ValueError for another value of IPCLAB_ANSWERS."""
    where = os.environ.get("IPCLAB_ANSWERS", "end")
    if where not in ("end", "none"):
        raise ValueError(_("IPCLAB_ANSWERS is {given!r}; it may be: end, none").format(given=where))
    if live():
        return Answers(_("Your predictions"), [_predicted(p, recall("predictions", key)) for key, p in _asked.items()])
    return Answers(_("Answers"), [_answered(p, p.verdict()) for p in _asked.values()] if where == "end" else [])


class Answers:
    """A heading and a list of [question, sentence, …]; nothing at all where there is no question."""

    def __init__(self, heading, items):
        self._heading, self.items = heading, items

    def __repr__(self):
        lines = [f"{k}. " + "\n   ".join(map(plain, texts)) for k, texts in enumerate(self.items, 1)]
        return "\n".join([self._heading, *lines] if lines else [])

    def _repr_mimebundle_(self, **_kwargs):
        items = "".join(f'<li style="break-inside:avoid">{"".join(map(paragraph, texts))}</li>' for texts in self.items)
        html = f'<div class="ipclab-answers"><h2>{rich(self._heading)}</h2><ol>{items}</ol></div>' if items else ""
        return {"text/plain": repr(self), "text/html": html}


def _answered(prediction, verdict):
    """A question, what the run made right, and the ideas behind the other options."""
    if verdict.right is None:
        return [prediction.question, f"{CROSS} {contradiction(verdict)}"]
    options = list(enumerate(prediction.options))
    others = [_("Not {n}: {idea}").format(n=k + 1, idea=option.idea) for k, option in options
              if option.idea and k != verdict.right]
    return [prediction.question, f"{TICK} {verdict.right + 1}. {prediction.options[verdict.right].text}", *others]


def _predicted(prediction, kept):
    """A question and what the reader had to say to it."""
    if not kept:
        return [prediction.question, _("Not answered yet.")]
    return [prediction.question, f"{TICK if kept['right'] else CROSS} " + _("You predicted: {text}").format(
        text=kept["answer"])]
