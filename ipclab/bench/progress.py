"""How far a measurement is: one line that is written over, in a notebook and on a terminal. Elsewhere nothing is said
but that it was interrupted."""
import html
import sys
import time

OFTEN = 0.1  # seconds from one line to the next


def line():
    """What shows it here, with show(text) and done(text, cut): whether it was interrupted."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return Output() if hasattr(shell, "kernel") else Terminal()


class Terminal:
    """Standard error, if that is a terminal."""

    def __init__(self):
        self._next, self._seen = 0, sys.stderr.isatty()

    def show(self, text):
        if self._seen and time.monotonic() >= self._next:
            self._next = time.monotonic() + OFTEN
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def done(self, text, cut):
        if self._seen or cut:
            print("\r\033[K" * self._seen + text, file=sys.stderr, flush=True)


class Output:
    """An output of the notebook's cell, which in the end says what was measured."""

    def __init__(self):
        from IPython.display import display

        self._next = 0
        self._shown = display(self._data(""), raw=True, display_id=True)

    def show(self, text):
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + OFTEN
            self._shown.update(self._data(text), raw=True)

    def done(self, text, cut):
        self._shown.update(self._data(text), raw=True)

    @staticmethod
    def _data(text):
        return {"text/plain": text, "text/html": f'<p class="ipclab-progress">{html.escape(text)}</p>'}
