"""A program runs under the recorder as it runs bare; what is kept through forks, execs, kills and storms of signals."""
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import posix_ipc
import pytest
import transparent

from ipclab import name, record, run

TESTS = str(Path(__file__).parent)
PROGRAMS = [value for value in vars(transparent).values()
            if isinstance(value, types.FunctionType) and value.__module__ == "transparent"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_prints_the_same_as_bare(program, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TESTS, str(Path(TESTS).parent)]))
    with open(tmp_path / "printed", "w+b") as printed:
        code = f"import transparent; transparent.{program.__name__}()"
        subprocess.run([sys.executable, "-u", "-c", code], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=printed,
                       stderr=printed, env=dict(os.environ), check=True)
        printed.seek(0)
        bare = printed.read()
    for line, its_bare in zip(_common(run(program, timeout=30).stdout), _common(bare), strict=True):
        assert line == its_bare


def _common(printed):
    """What is printed, without what differs from run to run: pids."""
    return [line.partition(b"(pid=")[0] for line in printed.splitlines()]


def test_an_exec_into_python_goes_on_in_the_lane_and_other_programs_have_none():
    code = "import os; os.write(1, b'x'); os.getppid()"

    def experiment():
        for program in ([sys.executable, "-c", code], ["true"]):
            if os.fork() == 0:
                os.execvp(program[0], program)
            os.wait()

    trace = run(experiment)
    _parent, python, true = trace.processes
    assert python.recorded and python.program[1:] == ["-c", code] and not true.recorded and true.program == ["true"]
    assert [(e.call, e.line) for e in trace.events if e.pid == python.pid][-2:] == [("os.write", 1), ("os.getppid", 1)]
    assert [e for e in trace.events if e.pid == true.pid][-1].call.startswith("os.exec")
    assert [p.exit_code for p in trace.processes] == [0, 0, 0] and trace.stdout == b"x"


def work(number):
    os.getpgid(0)
    sys.exit(number)


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_multiprocessing(how):
    def experiment():
        process = multiprocessing.get_context(how).Process(target=work, args=(3,))
        process.start()
        process.join()
        print(process.exitcode)

    trace = run(experiment, timeout=30)
    [event] = trace.calls("os.getpgid")
    assert trace.output == "3\n" and event.line == work.__code__.co_firstlineno + 1
    assert next(p for p in trace.processes if p.pid == event.pid).exit_code == 3


def test_unflushed_buffers_are_written_by_each_process_at_its_end():
    def experiment():
        file = open("text", "w")
        file.write("once")
        if os.fork():
            os.wait()

    trace = run(experiment)
    assert [(e.process, e.args) for e in trace.calls("file.write")] == [("child 1", (b"once",)), ("parent", (b"once",))]


def test_a_storm_of_signals_leaves_the_log_whole():
    def experiment(number=2000):
        null = os.open(os.devnull, os.O_WRONLY)
        seen = []

        def on_alarm(number, frame):
            seen.append(os.write(null, b"%d" % len(seen)))

        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        calls = 0
        while len(seen) < number:
            os.getpid()
            calls += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(calls, len(seen))

    trace = run(experiment, timeout=60)
    calls, seen = map(int, trace.output.split())
    assert len(trace.calls("handler")) == seen and not trace.dropped
    assert len(trace.calls("os.getpid")) == calls
    assert len(trace.calls("os.write")) == seen
    assert all(trace.events[e.inside].call == "handler" for e in trace.calls("os.write"))
    assert all(e.end is not None for e in trace.events)
    assert {trace.events[e.inside].call for e in trace.calls("handler") if e.inside is not None} <= {
        "os.getpid", "signal.setitimer", "handler", "os.write"}


def test_handlers_that_raise_leave_no_call_unfinished():
    def experiment(number=500):
        def on_alarm(number, frame):
            raise InterruptedError

        signal.signal(signal.SIGALRM, on_alarm)
        caught = 0
        while caught < number:
            try:
                signal.setitimer(signal.ITIMER_REAL, 5e-5)
                while True:
                    os.getpid()
            except InterruptedError:
                caught += 1

    trace = run(experiment, timeout=60)
    assert trace.processes[0].exit_code == 0 and len(trace.calls("handler")) == 500
    assert all(e.end is not None for e in trace.events)
    assert {trace.events[e.inside].call for e in trace.events if e.inside is not None} <= {
        "os.getpid", "signal.setitimer"}


def test_a_kill_in_mid_call_leaves_the_unfinished_call():
    def experiment():
        if os.fork() == 0:
            name("victim")
            os.write(1, b"last words")
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
        os.read(os.pipe()[0], 1)

    trace = run(experiment, timeout=0.5)
    assert [e.call for e in trace.events if e.process == "victim"] == ["os.write", "os.getpid", "os.kill"]
    [kill], [read] = trace.calls("os.kill"), trace.calls("os.read")
    assert (kill.end, kill.result, kill.waited) == (None, None, None) and read.end is None
    assert trace.process("victim").signal == signal.SIGKILL and trace.process("parent").stuck


def test_threads_have_lanes_of_their_own():
    def experiment():
        def count(kind):
            for _ in range(500):
                os.write(1, kind)

        threads = [threading.Thread(target=count, args=(kind,)) for kind in (b"a", b"b")]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    writes = run(experiment, timeout=30).calls("os.write")
    lanes = {(e.args[1], e.thread) for e in writes}
    assert len(writes) == 1000 and len(lanes) == 2 and len({thread for _kind, thread in lanes}) == 2
    assert all(e.pid != e.thread for e in writes) and all(e.inside is None for e in writes)


def test_very_many_calls_keep_head_and_tail_and_say_how_many_lie_between():
    def experiment(number=130_000):
        null = os.open(os.devnull, os.O_WRONLY)
        for count in range(number):
            os.write(null, b"%d" % count)

    trace = run(experiment, timeout=60)
    kept = [int(e.args[1]) for e in trace.calls("os.write")]
    assert kept[0] == 0 and kept[-1] == 129_999 and kept == sorted(kept)
    assert trace.dropped > 0 and len(trace.events) + trace.dropped == 130_001
    assert sum(after - before > 1 for before, after in zip(kept, kept[1:], strict=False)) == 1


def test_only_processes_of_the_run_can_be_killed_and_only_so_many_forked():
    def experiment():
        for pid in (1, os.getppid(), -1):
            try:
                os.kill(pid, signal.SIGTERM)
            except PermissionError as error:
                print("not of this run" in error.strerror)
        children = []
        try:
            while True:
                children.append(os.fork())
                if children[-1] == 0:
                    signal.pause()
        except BlockingIOError:
            print(len(children) <= record.LIMIT)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        print(os.wait4(os.spawnlp(os.P_NOWAIT, "true", "true"), 0)[1])

    assert run(experiment, timeout=60).output == "True\nTrue\nTrue\nTrue\n0\n"


def test_objects_that_the_run_made_are_removed_and_those_of_others_stay(tmp_path):
    theirs = posix_ipc.Semaphore(None, posix_ipc.O_CREX, initial_value=7)

    def experiment(there, path):
        posix_ipc.Semaphore(there, posix_ipc.O_CREAT)
        posix_ipc.SharedMemory(None, posix_ipc.O_CREX, size=10)
        os.mkfifo(path)
        socket.socket(socket.AF_UNIX).bind(path + ".socket")
        try:
            os.mkfifo(path)
        except FileExistsError:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        trace = run(experiment, there=theirs.name, path=str(tmp_path / "fifo"))
        assert {left.kind for left in trace.leftovers} == {"POSIX shared memory", "FIFO", "socket"}
        assert all(left.removed for left in trace.leftovers) and not list(tmp_path.iterdir())
        assert posix_ipc.Semaphore(theirs.name).value == 7
    finally:
        theirs.unlink()


def test_clocks_are_read_next_to_the_call():
    def experiment():
        print(time.monotonic_ns())
        os.getpid()
        print(time.monotonic_ns())

    before, after = map(int, run(experiment).output.split())
    assert run(experiment).calls("os.getpid")[0].seconds * 1e9 < after - before
