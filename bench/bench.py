"""What the engine costs, as ratios of two things taken turn about in one run, so that a busy or slow machine spoils
both alike. Prints a table with the goal beside each; exits 0 unless something cannot be measured.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HOME)

EXCHANGES = 4000  # round trips of 64 bytes through two pipes


def two_children():
    """The experiment of the first two rows: two children that end at once."""
    for _ in range(2):
        if os.fork() == 0:
            os._exit(0)
    os.wait()
    os.wait()


def nothing():
    """What a child of multiprocessing's does."""


def by_spawn():
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=nothing) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()


def by_run():
    from ipclab import run

    assert len(run(two_children).processes) == 3


def round_trips(exchanges=EXCHANGES, cores=()):
    """Print the seconds that the exchanges took between a parent and a child, each on its core."""
    there_r, there_w = os.pipe()
    back_r, back_w = os.pipe()
    if os.fork() == 0:
        os.sched_setaffinity(0, cores[1:])
        for _ in range(exchanges):
            os.write(back_w, os.read(there_r, 64))
        os._exit(0)
    os.sched_setaffinity(0, cores[:1])
    message = b"x" * 64
    for _ in range(100):  # until both have come to their cores
        os.write(there_w, message)
        os.read(back_r, 64)
    start = time.perf_counter()
    for _ in range(exchanges - 100):
        os.write(there_w, message)
        os.read(back_r, 64)
    print(time.perf_counter() - start, flush=True)
    os.wait()


def recorded(cores):
    from ipclab import run

    trace = run(round_trips, timeout=60, cores=cores)
    assert len(trace.events) >= 4 * EXCHANGES - 1
    return float(trace.stdout)


def bare(cores, before=()):
    """The same in a plain Python process, `before` being the command that starts it."""
    code = f"import bench; bench.round_trips(cores={cores!r})"
    return float(python(code, before=before))


def python(code, before=()):
    """What a fresh interpreter prints, standard output only."""
    path = os.pathsep.join([HOME, os.path.join(HOME, "bench")])
    return subprocess.run([*before, sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def importing(modules):
    """Seconds that a fresh interpreter takes to import, without its own start."""
    clock = "time.perf_counter()"
    return float(python(f"import time; start = {clock}; import {modules}; print({clock} - start)"))


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(first, second, rounds):
    """(medians of both, ratio of the medians, least and largest ratio of one round), taken turn about."""
    pairs = []
    for number in range(rounds):
        pairs.append((first(), second()) if number % 2 else (second(), first())[::-1])
    ones, others = zip(*pairs)
    ratios = [one / other for one, other in pairs]
    one, other = statistics.median(ones), statistics.median(others)
    return one, other, one / other, min(ratios), max(ratios)


class Loaded:
    """A process that holds 400 MB and makes a run at each call."""

    def __init__(self, megabytes):
        code = f"import bench; bench.serve({megabytes})"
        path = os.pathsep.join([HOME, os.path.join(HOME, "bench")])
        self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "PYTHONPATH": path})
        self()  # the stage starts with the first run

    def __call__(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def serve(megabytes):
    """Hold so much memory and print, for each line read, the seconds of a run."""
    held = [os.urandom(1 << 20) for _ in range(megabytes)]
    for _line in sys.stdin:
        print(statistics.median(seconds(by_run) for _ in range(5)), flush=True)
    assert len(held) == megabytes


def rows(rounds):
    """The table: (what, unit, goal, comparison)."""
    by_run()  # the stage starts
    yield ("run with 2 children / spawn", 1e3, "ms", 0.25,
           compare(lambda: seconds(by_run), lambda: seconds(by_spawn), rounds))
    yield "run with 400 MB loaded / without", 1e3, "ms", 1.3, compare(Loaded(400), Loaded(0), rounds)
    cores = sorted(os.sched_getaffinity(0))
    per = 1e6 / (EXCHANGES - 100)
    same, across = [cores[0], cores[0]], cores[:2]
    yield "recorded / bare, one core", per, "µs", 2.5, compare(lambda: recorded(same), lambda: bare(same), rounds)
    if len(cores) > 1:
        yield ("recorded / bare, two cores", per, "µs", 1.25,
               compare(lambda: recorded(across), lambda: bare(across), rounds))
    if shutil.which("strace"):
        traced = ["strace", "-f", "-o", "/dev/null"]
        yield ("strace -f / bare, one core", per, "µs", None,
               compare(lambda: bare(same, traced), lambda: bare(same), min(rounds, 5)))
    try:
        theirs = "numpy, matplotlib.pyplot, ipywidgets"
        importing(theirs)  # compiled and in the page cache
        yield ("import ipclab / numpy + pyplot + ipywidgets", 1e3, "ms", 0.3,
               compare(lambda: importing("ipclab"), lambda: importing(theirs), rounds))
    except subprocess.CalledProcessError:
        print("not measured: numpy, matplotlib or ipywidgets are not there to compare with")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds taken turn about (default 9, at least 5)")
    rounds = max(5, parser.parse_args().rounds)
    cores = sorted(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, Linux {os.uname().release}, {len(cores)} cores, load {load:.1f}."
          f"\nMedians of {rounds} rounds taken turn about, and ratios of single rounds. One core: both processes on "
          f"core {cores[0]}; two: on {cores[:2]}.\n")
    print(f"{'':44} {'first':>10} {'second':>10} {'ratio':>7} {'one round':>15}  goal")
    for what, unit, name, goal, (one, other, ratio, least, most) in rows(rounds):
        verdict = "" if goal is None else f"≤ {goal:g}" + ("" if ratio <= goal else "  missed")
        print(f"{what:44} {one * unit:7.2f} {name} {other * unit:7.2f} {name} {ratio:7.2f} {least:6.2f} … {most:6.2f}"
              f"  {verdict}", flush=True)


if __name__ == "__main__":
    main()
