"""From key press to new picture, measured inside a real browser: explore() beside ipywidgets.interact with matplotlib.

Both stand in one notebook, draw the same experiment (two processes, no delays) and are pressed turn about. A picture
counts when the frame that shows it has been painted. Beside times it is counted how often the page jumped, how many
frames had no picture, and how much the kernel's memory grew.
"""
import argparse
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from browser import lab, until  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

EXPERIMENT = """
import os
from ipclab import explore

def read_from_pipe(n=1):
    r, w = os.pipe()
    if os.fork() == 0:
        os.close(r)
        os.write(w, b"x" * n)
        os._exit(0)
    os.close(w)
    print(os.read(r, 999))
    os.wait()
"""
EXPLORE = "explore(read_from_pipe, n=(1, 999))"
INTERACT = """
import ipywidgets
import matplotlib.pyplot as plt
from ipclab import run
from ipclab.trace import call_text, result_text

def draw(n):
    trace = run(read_from_pipe, n=n)
    figure, axes = plt.subplots(figsize=(10, 3.3), dpi=100)  # the size of explore's picture
    names = [process.name for process in trace.processes]
    for k, event in enumerate(trace.events):
        lane, start, end = names.index(event.process), event.start * 1000, (event.end or trace.seconds) * 1000
        waiting = (event.waited or 0) * 2 >= end - start
        axes.barh(lane, end - start, left=start, height=0.3, color="wheat" if waiting else "C0", edgecolor="black",
                  hatch="//" if waiting else "", label="waiting" if waiting else "running")
        axes.text(start, lane + 0.2 + k % 4 * 0.12, call_text(event) + result_text(event), size=8, family="monospace")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("ms")
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    axes.legend(unique.values(), unique, loc="upper left", bbox_to_anchor=(0, -0.1), ncols=2)
    plt.show()

ipywidgets.interact(draw, n=(1, 999)).widget.add_class("plain")
"""
PLACES = {"explore": (".ipclab .noUi-handle", ".ipclab-picture"),
          "interact": (".plain .noUi-handle", ".plain .widget-output")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=200)
    changes = parser.parse_args().changes
    print(f"from key press to painted picture, ms, {changes} changes of explore, {changes // 2} of interact")
    with lab() as page:
        beside = measure(page, [EXPERIMENT, EXPLORE, INTERACT], ["explore", "interact"], changes)
        report("explore, beside interact", beside["explore"])
        report("interact with matplotlib", beside["interact"])
        ratio = statistics.median(beside["interact"]["ms"]) / statistics.median(beside["explore"]["ms"])
        print(f"interact / explore, medians: {ratio:.1f} (at least 3)")
        report("explore, alone", measure(page, [EXPERIMENT, EXPLORE], ["explore"], changes)["explore"])
    with lab(course=False) as page:
        default = measure(page, [EXPERIMENT, EXPLORE], ["explore"], changes)
        report("explore, JupyterLab's defaults", default["explore"])


def measure(page, cells, whats, changes):
    """Presses turn about, ten at a time; a dict of what was found by name. Twenty presses first warm it all up."""
    page.open(*cells, name=f"{len(cells)}.ipynb")
    found = {what: {"ms": [], "frames": [], "grown": 0} for what in whats}
    for what in whats * 2:
        press(page, what, 10)
    for _ in range(changes // 10):
        for what in whats:
            before = page.kernel().memory_info().rss
            ms, frames = press(page, what, 10 if what == "explore" else 5)
            found[what]["ms"] += ms
            found[what]["frames"] += frames
            found[what]["grown"] += page.kernel().memory_info().rss - before
    return found


def press(page, what, times):
    """Milliseconds of so many presses, and the frames that were seen meanwhile."""
    handle, box = PLACES[what]
    until(lambda: page.all(f"{box} svg, {box} img"), f"the picture of {what}")
    page.js("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", handle)
    page.watch(box)
    page.focus(handle)
    ms = [page.press(Keys.ARROW_RIGHT) for _ in range(times)]
    return ms, page.seen()["frames"]


def report(title, found):
    """One line: percentiles, then what should be none."""
    cuts = statistics.quantiles(found["ms"], n=100)
    empty = sum(pictures == 0 for _at, pictures, _bottom in found["frames"])
    pairs = zip(found["frames"], found["frames"][1:])
    jumps = sum(abs(one[2] - other[2]) > 1 and other[0] - one[0] < 1000 for one, other in pairs)
    print(f"{title:32} median {cuts[49]:5.0f}  90 % {cuts[89]:5.0f}  99 % {cuts[98]:5.0f}   {jumps} jumps, {empty} of "
          f"{len(found['frames'])} frames without a picture, kernel {found['grown'] / 2**20:+.1f} MB", flush=True)


if __name__ == "__main__":
    main()
