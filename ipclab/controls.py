"""What a reader may choose: ipywidgets' abbreviations read into plain choices, and choices made into controls.

Reading needs no ipywidgets, so that a notebook which nobody can operate (paper, tests) does not pay for it.
There are no Dropdowns and no RadioButtons: JupyterLab takes the keys from both (an arrow moves to the next cell, a
letter runs a command). ToggleButtons (Tab, Space) and sliders (arrows) keep theirs.
"""
import inspect
import math
from dataclasses import dataclass, field

from .say import _

# What ipywidgets does not tell a screen reader: the name of a slider's handle and of its number, which of several
# buttons is pressed and what they choose, what a button means that has a sign alone. Its widgets have no attribute for
# that, so this one place is JavaScript; it looks again at each change, for a slider with a new maximum is made anew.
# Nor does it show where the keyboard is. To stand in each box of the class `ipclab`.
SPOKEN = """<style onload="
  const box = this.closest('.ipclab');
  const named = (one, row, role) => { one.ariaLabel = row.querySelector('label').textContent; one.role = role; };
  const tell = () => {
    for (const row of box.querySelectorAll('.widget-slider')) {
      named(row.querySelector('.noUi-handle'), row, 'slider');
      named(row.querySelector('.widget-readout'), row, 'textbox');
    }
    for (const row of box.querySelectorAll('.widget-toggle-buttons')) named(row, row, 'group');
    for (const one of box.querySelectorAll('.widget-toggle-button')) one.ariaPressed = one.matches('.mod-active');
    for (const one of box.querySelectorAll('.widget-button'))
      if (one.textContent.length == 1) one.ariaLabel = one.title;
  };
  new MutationObserver(tell).observe(box, {childList: true, subtree: true, attributeFilter: ['class']});
  tell();
">.ipclab.ipclab :is(button, input, .noUi-handle, .widget-readout, [tabindex]):focus-visible {
  outline: 3px solid #0072B2 !important; outline-offset: 1px}
</style>"""
ACCEPTED = ("[a, list, of, options], {'label': option}, (low, high) or (low, high, step) for a slider, True or "
            "False, a text, or an ipywidgets widget")


@dataclass
class Choice:
    """What may be chosen for one parameter, and the value it starts with.

    `kind` is "options", "slider", "text" or "widget". `options` are (label, value) pairs; `limits` are a slider's
    (low, high, step); `widget` is the reader's own.
    """

    name: str
    kind: str
    value: object
    options: list = field(default_factory=list)
    limits: tuple = ()
    widget: object = None


def read_choices(experiment, choices):
    """The Choices for the keywords that explore() was given.

    TypeError for a parameter that the experiment does not have, for one without default that was not given, and for
    what is no abbreviation; ValueError for an empty list and for limits that hold nothing.
    """
    parameters = inspect.signature(experiment).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in choices:
        if name not in parameters and not takes_any:
            raise TypeError(_("{experiment}() has no parameter {name!r}; it has: {names}").format(
                experiment=experiment.__name__, name=name, names=", ".join(parameters) or "-"))
    for p in parameters.values():
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in choices:
            raise TypeError(_("{experiment}() needs a choice for its parameter {name!r}").format(
                experiment=experiment.__name__, name=p.name))
    defaults = {name: p.default for name, p in parameters.items()}
    return [_read(name, given, defaults.get(name, inspect.Parameter.empty)) for name, given in choices.items()]


def _read(name, given, default):
    """One Choice. The experiment's own default is where it starts, wherever that can be chosen."""
    if hasattr(given, "observe") and hasattr(given, "value"):
        return Choice(name, "widget", given.value, widget=given)
    if isinstance(given, bool):
        return _options(name, [True, False], given)
    if isinstance(given, str):
        return Choice(name, "text", given)
    if _is_range(given):
        return _slider(name, given, default)
    if isinstance(given, dict):
        return _options(name, given.values(), default, given)
    if isinstance(given, (list, tuple, range)):
        return _options(name, given, default)
    raise TypeError(_("{name}={given!r} is not a choice; give one of: {accepted}").format(
        name=name, given=given, accepted=ACCEPTED))


def _is_range(given):
    """Whether it is a slider's abbreviation: a tuple of two or three numbers, True and False being none."""
    return isinstance(given, tuple) and len(given) in (2, 3) and all(type(part) in (int, float) for part in given)


def _options(name, values, default, labels=None):
    values = list(values)
    if not values:
        raise ValueError(_("{name}: there is nothing to choose from; give {accepted}").format(
            name=name, accepted=ACCEPTED))
    labels = [str(label) for label in labels] if labels else [label_of(value) for value in values]
    start = default if any(_same(default, value) for value in values) else values[0]
    return Choice(name, "options", start, options=list(zip(labels, values)))


def _same(one, other):
    """Equal and of one type: 1 is not True here."""
    return type(one) is type(other) and one == other


def _slider(name, given, default):
    low, high = given[:2]
    step = given[2] if len(given) == 3 else _nice_step(low, high)
    if not (low < high and 0 < step and math.isfinite(high - low) and math.isfinite(step)):
        raise ValueError(_("{name}={given!r}: a slider needs low < high and a step above 0").format(
            name=name, given=given))
    limits = (low, high, step)
    if any(type(part) is float for part in limits):
        limits = tuple(map(float, limits))
    known = type(default) in (int, float)
    return Choice(name, "slider", type(limits[0])(min(max(default, low), high)) if known else limits[0], limits=limits)


def _nice_step(low, high):
    """1 between whole numbers; else 1, 2 or 5 times a power of ten, so that the slider has 25 to 62 positions."""
    if type(low) is type(high) is int or not 0 < high - low < math.inf:
        return 1
    raw = (high - low) / 25
    power = 10.0 ** math.floor(math.log10(raw) + 1e-9)
    return max(m for m in (1, 2, 5) if m * power <= raw * 1.0001) * power


def label_of(value):
    """What stands on an option's button: text as it is, a function or an enumeration's member by name, else repr."""
    if isinstance(value, str):
        return value
    return getattr(value, "__name__", None) or getattr(value, "name", None) or repr(value)


def tidy(value):
    """The value as a person would write it: 0.3 where a slider's arithmetic made 0.30000000000000004."""
    return float(f"{value:.12g}") if type(value) is float else value


def samples(choice):
    """The (label, value) pairs that stand for the choice where nothing can be moved: of a slider its two ends and
    its start (or the middle, where it starts at an end)."""
    if choice.kind == "options":
        return choice.options
    if choice.kind == "slider":
        low, high, step = choice.limits
        middle = low + round((high - low) / 2 / step) * step
        values = (low, choice.value if low < choice.value < high else middle, high)
    else:
        values = (choice.value,)
    return [(label_of(tidy(value)), tidy(value)) for value in values]


def control(choice):
    """The ipywidgets control of a choice; its `value` is the parameter's."""
    import ipywidgets

    if choice.kind == "widget":
        return choice.widget
    common = {"value": choice.value, "description": choice.name, "tooltip": "",  # None would be shown as "null"
              "style": {"description_width": "initial"}}
    if choice.kind == "text":
        return ipywidgets.Text(**common)
    if choice.kind == "options":
        return _selection(choice, common)
    low, high, step = choice.limits
    kind = ipywidgets.IntSlider if type(low) is int else ipywidgets.FloatSlider
    form = {} if type(low) is int else {"readout_format": f".{_digits(step)}f"}
    return kind(min=low, max=high, step=step, continuous_update=True, **form, **common)


def _digits(step):
    """How many digits after the point a step needs (0.02 needs 2)."""
    return next((n for n in range(9) if abs(step * 10**n - round(step * 10**n)) < 1e-6 * step * 10**n), 9)


def _selection(choice, common):
    """Few and short options side by side, each to be seen; many or long ones along a slider."""
    import ipywidgets

    labels = [label for label, _value in choice.options]
    if len(labels) > 7 or sum(map(len, labels)) > 60:
        return ipywidgets.SelectionSlider(options=choice.options, layout={"width": "min(480px, 100%)"}, **common)
    buttons = ipywidgets.ToggleButtons(options=choice.options, layout={"width": "auto"}, **common)
    buttons.style.button_width = "auto"
    return buttons
