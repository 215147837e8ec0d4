"""explore(): an experiment behind controls. A change runs it again, and the last change wins.

Who does what: a control's callback (in JupyterLab's default, in a thread that is not the main one) only hands over
to the kernel's event loop; the loop starts the run, hears of its end by add_reader, and draws. Nothing blocks, so
the next change is never held up; a run that takes long is drawn while it goes. Where nobody can move a control, the
outcomes stand side by side (twin.py), which the protocol tells: see `live`.
"""
import select
import sys
import time

from .controls import SPOKEN, control, read_choices, tidy
from .look import chosen_look
from .loop import guarded

FRAME = 0.08  # seconds between two pictures of a run that is going on: more than ten a second
FIRST = 0.25  # seconds that the cell waits for its first picture


def explore(experiment, *, timeout=5.0, look=None, picture=None, **choices):
    """The experiment with a control for each of the given parameters, run again at each change.

    A choice is an abbreviation of ipywidgets: a list of options, {"label": option}, (low, high) or
    (low, high, step) for a slider, True or False, a text; or a widget. It starts with the experiment's own default
    where that can be chosen. `timeout` is in seconds; `look` is "screen", "projector" or "print" (the environment's
    IPCLAB_LOOK, or "screen"); `picture` what draws a run: timeline, or another function of (trace, look=, step=) that
    gives a Picture, such as pages. TypeError for a parameter that the experiment does not have, and for what is not a
    choice; ValueError for an empty choice or an unknown look. The result's `trace` is the newest run's.
    """
    look = chosen_look(look)
    read = read_choices(experiment, choices)
    if kernel := live():
        return Explorer(experiment, read, timeout, look, picture, kernel.io_loop.asyncio_loop)
    from .twin import Twin

    return Twin(experiment, read, timeout, look, picture)


def live():
    """The kernel, if a person sits before it who can move a control, else None.

    The request to execute tells: a front end with a person allows stdin, for input() must be able to ask someone;
    nbclient, and with it papermill, nbconvert and nbval, do not.
    https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    request = kernel.get_parent("shell") if kernel is not None else {}
    return kernel if request.get("content", {}).get("allow_stdin") is True else None


class Explorer:
    """Controls (`controls`, by parameter), the newest run, and the panel that shows it. The kernel's event loop alone
    calls all but _changed()."""

    def __init__(self, experiment, choices, timeout, look, picture, loop):
        from .panel import Panel

        self._experiment, self._timeout, self._loop = experiment, timeout, loop
        self._run, self._timer, self._due = None, None, False
        self._guard, self._later = guarded(loop, lambda error: self.panel.fail(error))
        self.panel = Panel(look, self._later, picture)
        self.controls = {choice.name: control(choice) for choice in choices}
        self._spans = {choice.name: choice.limits[1] - choice.limits[0] for choice in choices if choice.limits}
        for widget in self.controls.values():
            widget.observe(self._changed, "value")
        self.widget = _box(self.controls.values(), self.panel, look)
        self._begin()

    @property
    def trace(self):
        """The Trace of the newest run, which is waited for if need be; Ctrl+C cancels it."""
        if self._due or self._run is None:  # a change made in this very cell, or one that could not be run
            self._due = True
            self._restart()
        if self._timer is not None:
            self._unwatch()
            try:
                self.panel.show(self._run.wait())
            except BaseException:
                self._run.cancel()
                raise
        return self._run.wait()

    def __repr__(self):
        return self.panel.picture.sentence if self.panel.picture else f"<explore {self._experiment.__name__}>"

    def _changed(self, _change):
        """A control was moved: one restart is enough for all changes that come before it."""
        if not self._due:
            self._due = True
            self._later(self._restart)

    def _restart(self):
        if not self._due:
            return
        self._due = False  # first: a change from now on is a new one
        self._stop()
        self.panel.rewind()
        self._begin()

    def _begin(self):
        from .run import begin

        values = {name: tidy(widget.value) for name, widget in self.controls.items()}
        self._run = None  # as long as there is no other, even the one before is none
        self._run = begin(self._experiment, self._timeout, values, self._spans)
        self._began = time.monotonic()
        self._watched = self._run.fileno()  # to be let go by this number: the run's own is -1 once its trace was taken
        self._loop.add_reader(self._watched, self._guard, self._end)
        self._timer = self._loop.call_later(FRAME, self._guard, self._frame)

    def _unwatch(self):
        self._loop.remove_reader(self._watched)
        self._timer.cancel()
        self._timer = None

    def _stop(self):
        """Lets go of the run in flight, if there is one."""
        if self._timer is not None:
            self._unwatch()
            self._run.cancel()

    def _draw_so_far(self):
        """A picture of the run that has been going on until now; its last one if it has ended since the loop looked."""
        trace = self._run.trace()
        if self._run.done():
            self._end()
        else:
            trace.seconds = trace.seconds or time.monotonic() - self._began
            self.panel.show(trace, final=False)

    def _frame(self):
        """A picture of the run so far; the next one when as much time has gone by as this one took, or FRAME."""
        started = time.perf_counter()
        self._draw_so_far()
        cost = time.perf_counter() - started
        if self._timer is not None:
            self._timer = self._loop.call_later(max(FRAME - cost, cost), self._guard, self._frame)

    def _end(self):
        """There is news of the run: its last picture, if that was the end."""
        if self._run.done():
            self._unwatch()
            self.panel.show(self._run.wait())

    def _first_picture(self):
        """Draws what there is once the run has ended, or has gone on for a while, so that no view starts empty."""
        if self.panel.picture is not None:
            return
        deadline = time.monotonic() + FIRST
        watch = select.poll()
        watch.register(self._run.fileno(), select.POLLIN)
        while not self._run.done() and (left := deadline - time.monotonic()) > 0:
            watch.poll(left * 1000)
        self._draw_so_far()

    def _repr_mimebundle_(self, **_kwargs):
        self._guard(self._first_picture)
        picture = self.panel.picture
        shown = picture._repr_mimebundle_() if picture is not None else {"text/plain": repr(self)}
        return self.widget._repr_mimebundle_() | shown


def _box(controls, panel, look):
    """Controls above, panel below."""
    import ipywidgets

    from .panel import STYLE

    row = ipywidgets.HBox(list(controls), layout={"flex_flow": "row wrap", "grid_gap": "2px 28px"})
    style = ipywidgets.HTML(STYLE + SPOKEN, layout={"display": "none"})
    box = ipywidgets.VBox([style, row, panel.box], layout={"width": "100%"})
    box.add_class("ipclab")
    box.add_class(f"ipclab-{look}")
    return box
