"""run(): its interface, and what a Trace is."""
import ctypes
import os
import signal
import sys
import textwrap
import threading
import time
import types

import pytest

import ipclab
from ipclab import Trace, connection, run
from ipclab.run import start

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_run_gives_its_events_processes_and_output():
    def read_from_pipe(text=b"hello"):
        r, w = os.pipe()
        if os.fork() == 0:
            ipclab.name("writer")
            os.write(w, text)
            os._exit(3)
        ipclab.name("reader")
        print(os.read(r, 5))
        os.wait()

    trace = run(read_from_pipe)
    [read], [write] = trace.calls("os.read"), trace.calls("os.write", "writer")
    assert read.result == b"hello" and write.args[1] == b"hello" and read.process == "reader"
    assert read.end >= write.start and read.seconds >= 0 and read.line == read_from_pipe.__code__.co_firstlineno + 7
    assert [(p.name, p.exit_code, p.signal) for p in trace.processes] == [("reader", 0, None), ("writer", 3, None)]
    assert trace.processes[1].parent == trace.processes[0].pid and trace.processes[0].parent is None
    assert trace.output == "b'hello'\n" and trace.stdout == b"b'hello'\n"
    assert trace.params == {"text": b"hello"} and not trace.timed_out and not trace.leftovers and not trace.notes
    assert run(read_from_pipe, text=b"HELLO").calls("os.read")[0].result == b"HELLO"


def test_processes_are_in_order_of_birth_and_have_a_start_and_an_end():
    def family():
        r, w = os.pipe()
        for number in range(3):
            if os.fork() == 0:
                os.read(r, 1)
                os._exit(number)
        os.write(w, b"...")
        for _ in range(3):
            os.wait()

    trace = run(family)
    assert [p.name for p in trace.processes] == ["parent", "child 1", "child 2", "child 3"]
    assert [p.exit_code for p in trace.processes] == [0, 0, 1, 2]
    assert all(p.start < p.end <= trace.seconds for p in trace.processes)
    parent, *children = trace.processes
    for child, fork in zip(children, trace.calls("os.fork"), strict=True):
        assert fork.result == child.pid and parent.start < fork.start < child.start
        [end] = [e for e in trace.calls("os._exit") if e.pid == child.pid]
        assert child.end == end.start <= parent.end


@pytest.mark.parametrize("experiment, params, message", [
    ("plain", {"missing": 1}, "has no parameter 'missing'; its parameters are: a, b"),
    ("needs", {}, "needs a value for 'a'"),
    (print, {}, "takes a function, not builtin_function_or_method"),
    (None, {}, "takes a function, not NoneType"),
    ("plain", {"timeout": "5"}, "timeout is a number of seconds, not str"),
    ("plain", {"timeout": True}, "timeout is a number of seconds, not bool")])
def test_what_is_given_wrongly_is_named(experiment, params, message):
    def plain(a=1, b=2):
        pass

    def needs(a, b=2):
        pass

    with pytest.raises(TypeError, match=message):
        run({"plain": plain, "needs": needs}.get(experiment, experiment), **params)


@pytest.mark.parametrize("timeout", [0, -1, 4000, float("nan"), float("inf")])
def test_a_deadline_that_is_none_is_refused(timeout):
    with pytest.raises(ValueError, match="timeout is a number of seconds above 0"):
        run(lambda: None, timeout=timeout)


def test_keywords_of_any_name_go_where_the_experiment_takes_them():
    def takes_all(a, *, b=2, **more):
        print(a, b, more)

    assert run(takes_all, a=1, c=3).stdout == b"1 2 {'c': 3}\n"


def test_what_cannot_be_handed_over_is_named():
    lock = threading.Lock()
    big = bytes(3 << 20)

    def by_way_of_another():
        return lock

    def unpicklable():
        return by_way_of_another()

    def too_large():
        return (lambda: big)()

    with pytest.raises(TypeError, match=r"unpicklable\(\) uses the variable 'lock', which cannot be handed"):
        run(unpicklable)
    with pytest.raises(TypeError, match=r"too_large\(\) uses the variable 'big', which is too large .*3\.0 MiB"):
        run(too_large)
    with pytest.raises(TypeError, match="the parameter 'given'"):
        run(lambda given: None, given=lock)


def test_globals_are_named_too():
    cell = types.ModuleType("__main__")
    exec(textwrap.dedent("""
        import threading
        numbers = list(range(1_000_000))
        lock = threading.Lock()
        def inner(): return numbers
        def uses_numbers(): return inner()
        def uses_lock(): return [lock for _ in range(3)]
        """), cell.__dict__)
    with pytest.raises(TypeError, match="the global 'numbers', which is too large"):
        run(cell.uses_numbers)
    with pytest.raises(TypeError, match="the global 'lock', which cannot be handed"):
        run(cell.uses_lock)


def test_functions_of_other_cells_and_closures_travel():
    cell = types.ModuleType("__main__")
    exec(textwrap.dedent("""
        limit = 3
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        def factorial(n): return 1 if n == 0 else n * factorial(n - 1)
        def experiment(): print(even(10), odd(10), factorial(5), limit)
        """), cell.__dict__)
    assert run(cell.experiment).stdout == b"True False 120 3\n"

    def make(word):
        return lambda: print(word)

    assert run(make("closed over")).stdout == b"closed over\n"


def test_a_readers_module_is_imported_fresh_and_its_calls_are_recorded(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "readers_module_of_a_test.py"
    module.write_text("import os\ndef inner():\n    return os.getpid()\ndef outer():\n    inner()\n")

    def uses_module():
        import readers_module_of_a_test
        readers_module_of_a_test.outer()

    [call] = run(uses_module).calls("os.getpid")
    assert (call.file, call.line) == (str(module), 3)
    import readers_module_of_a_test

    assert run(readers_module_of_a_test.outer).calls("os.getpid")[0].line == 3
    module.write_text("import os\n\ndef inner():\n    return os.getpid()\ndef outer():\n    inner()\n#")
    assert run(uses_module).calls("os.getpid")[0].line == 4
    del sys.modules["readers_module_of_a_test"]


def test_environment_path_and_stdin_are_those_of_the_call(monkeypatch, tmp_path):
    def surroundings():
        import sys
        print(os.environ.get("IPCLAB_OF_A_TEST"), "/a/b" in sys.path, repr(sys.stdin.read()), sys.argv,
              sorted(map(int, os.listdir("/proc/self/fd")))[:-1], os.getpgrp() == os.getpid())

    monkeypatch.setenv("IPCLAB_OF_A_TEST", "one")
    monkeypatch.syspath_prepend("/a/b")
    assert run(surroundings).stdout == b"one True '' [''] [0, 1, 2] True\n"
    monkeypatch.delenv("IPCLAB_OF_A_TEST")
    assert run(surroundings).stdout.startswith(b"None True")


def test_the_folder_is_private_short_and_gone_afterwards():
    def look():
        print(os.getcwd(), oct(os.stat(".").st_mode & 0o777), os.listdir())

    path, mode, listing = run(look).stdout.decode().split()
    assert len(path) < 60 and mode == "0o700" and listing == "[]" and not os.path.exists(path)


def test_signals_are_as_a_shell_leaves_them():
    def look():
        theirs = (32, 33, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)  # the C library's and Python's
        handled = [number for number in range(1, 65) if number not in theirs and signal.getsignal(number)]
        print(handled, signal.pthread_sigmask(signal.SIG_BLOCK, []),
              signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    assert run(look).stdout == b"[] set() True\n"


@pytest.mark.parametrize("given, code, printed", [
    (None, 0, b""), (0, 0, b""), (7, 7, b""), (256 + 5, 5, b""), ("bye", 1, b"bye\n"), (True, 1, b"")])
def test_sys_exit_ends_a_process_as_in_a_script(given, code, printed):
    def leave(given):
        if os.fork() == 0:
            sys.exit(given)
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))

    trace = run(leave, given=given)
    assert [(p.exit_code, p.signal, p.traceback) for p in trace.processes] == [(code, None, None)] * 2
    assert trace.stdout == printed


def test_an_uncaught_exception_is_told_and_raises_nothing():
    def fail(depth=3):
        if depth:
            fail(depth - 1)
        os.read(77, 1)

    trace = run(fail)
    [process] = trace.processes
    assert process.exit_code == 1 and process.signal is None
    assert process.traceback == trace.stdout.decode()
    assert process.traceback.startswith("Traceback (most recent call last):\n") and "record.py" not in process.traceback
    assert process.traceback.count("in fail\n") == 4 and "os.read(77, 1)" in process.traceback
    assert process.traceback.endswith("OSError: [Errno 9] Bad file descriptor\n")
    assert "OSError: [Errno 9]" in repr(trace)


def test_recursion_without_end_is_an_exception_like_any_other():
    def endless():
        return endless()

    trace = run(endless)
    assert trace.processes[0].exit_code == 1 and "RecursionError" in trace.processes[0].traceback


def test_keyboard_interrupt_ends_a_process_by_the_signal():
    def interrupted():
        if os.fork() == 0:
            raise KeyboardInterrupt
        os.wait()

    assert [(p.exit_code, p.signal) for p in run(interrupted).processes] == [(0, None), (None, signal.SIGINT)]


def test_exactly_one_of_exit_code_and_signal():
    def end_in_all_ways():
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGABRT, signal.SIGSEGV):
            if os.fork() == 0:
                os.kill(os.getpid(), number)
        if os.fork() == 0:
            ctypes.CDLL(None)._exit(4)
        if os.fork() == 0:
            os.abort()
        for _ in range(6):
            os.wait()

    parent, *children = run(end_in_all_ways).processes
    assert [p.signal for p in children] == [9, 15, 6, 11, None, 6] and children[4].exit_code == 4
    assert all((p.exit_code is None) != (p.signal is None) for p in [parent, *children])


def test_an_orphans_end_is_seen():
    def orphan():
        r, w = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.close(w)
                os.read(r, 1)  # until the parent has gone
                os._exit(9)
            os._exit(0)
        os.wait()

    first, middle, orphaned = run(orphan).processes
    assert [first.exit_code, middle.exit_code, orphaned.exit_code] == [0, 0, 9]
    assert [first.parent, middle.parent, orphaned.parent] == [None, first.pid, middle.pid], "who forked it, gone or not"


def test_a_child_that_nobody_has_to_wait_for():
    def ignored():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        if os.fork() == 0:
            os._exit(6)
        if os.fork() == 0:
            sys.exit(5)
        try:
            os.wait()
        except ChildProcessError:
            print("none")

    trace = run(ignored)
    assert [p.exit_code for p in trace.processes] == [0, 6, 5] and trace.stdout == b"none\n"


def test_names():
    def named():
        if os.fork() == 0:
            ipclab.name("a child of mine")
            with open("/proc/self/comm") as file:
                print(file.read(), end="")
            ipclab.name("last")
            os._exit(0)
        os.wait()
        if os.fork() == 0:
            os._exit(0)
        os.wait()

    trace = run(named)
    assert [p.name for p in trace.processes] == ["parent", "last", "child 1"] and trace.stdout == b"a child of mine\n"
    assert {e.process for e in trace.events} == {"parent", "last", "child 1"}
    assert trace.process("last").parent == trace.process("parent").pid
    with pytest.raises(ValueError, match="0 processes are named 'nobody'; there are: parent, last, child 1"):
        trace.process("nobody")
    for wrong in ("", " ", 5):
        with pytest.raises((TypeError, ValueError), match="takes a text"):
            ipclab.name(wrong)
    assert ipclab.name("outside a run") is None


def test_output_and_stdout():
    def prints():
        print("one", 2, sep="-")
        os.write(1, b"two\n")
        print("three", file=sys.stderr)
        os.system("echo four")
        sys.stdout.write("no newline")

    trace = run(prints)
    assert trace.stdout == b"one-2\ntwo\nthree\nfour\nno newline"
    assert trace.output.startswith("one-2\n")


def test_a_trace_is_the_same_after_json():
    def rich():
        r, w = os.pipe()
        os.write(w, bytes(range(256)) * 20)
        os.read(r, 10000)
        os.stat(".")
        os.environ["A"] = "b"
        try:
            os.open("/nonexistent", os.O_RDONLY)
        except OSError:
            pass
        signal.signal(signal.SIGUSR1, lambda number, frame: os.getpid())
        os.kill(os.getpid(), signal.SIGUSR1)
        os.mkfifo("left")
        print("Korean: 파이프", {"a": [1, (2, 3)]})
        time.sleep(60)

    trace = run(rich, timeout=0.5)
    assert trace.timed_out and trace.processes[0].stuck and trace.leftovers
    again = Trace.from_json(trace.to_json())
    assert again == trace and again.to_json() == trace.to_json() and repr(again) == repr(trace)
    assert len(repr(trace)) < 600 and "time.sleep(60)" in repr(trace) and "left behind: FIFO left" in repr(trace)
    for wrong in ("", "{}x", "[]", '{"experiment": 3, "x": 1}', '"a"'):
        with pytest.raises(ValueError, match="not a trace"):
            Trace.from_json(wrong)


def test_calls_made_by_a_handler_are_inside():
    def handled():
        signal.signal(signal.SIGUSR1, lambda number, frame: os.getpid())
        os.kill(os.getpid(), signal.SIGUSR1)
        os.getppid()

    trace = run(handled)
    [handler], [inside], [after] = trace.calls("handler"), trace.calls("os.getpid")[-1:], trace.calls("os.getppid")
    assert trace.events[inside.inside] is handler and after.inside is None


def test_many_events_keep_their_head_and_tail():
    def many(count=130_000):
        os.getuid()
        for _ in range(count):
            os.getpid()
        os.getgid()

    trace = run(many, timeout=60)
    assert len(trace.events) == 100_000 and trace.dropped == 30_002
    assert trace.events[0].call == "os.getuid" and trace.events[-1].call == "os.getgid"
    assert all(event.end is not None for event in trace.events)


def test_long_values_and_large_entries():
    def large():
        r, w = os.pipe()
        os.write(w, b"x" * 5000)
        os.read(r, 5000)
        os.writev(w, [b"y" * 4096] * 10)
        os.read(r, 100_000)

    write, read, writev, again = run(large).events[1:]
    assert write.args[1] == read.result == b"x" * 5000 and len(read.result) == 5000
    assert writev.result == 40_960 == len(again.result) and writev.args[1][9] == b"y" * 4096


def test_live_traces_grow_and_the_last_is_final():
    def slow(steps=20):
        r, w = os.pipe()
        if os.fork() == 0:
            for _ in range(steps):
                time.sleep(0.01)
                os.write(w, b"x")
            os._exit(0)
        for _ in range(steps):
            os.read(r, 1)
        os.wait()

    going, sizes = start(slow), []
    while not going.done():
        sizes.append(len(going.trace().events))
    final = going.trace()
    assert sizes == sorted(sizes) and len(set(sizes)) > 5 and len(final.events) > sizes[-1] - 1
    assert final is going.wait() and going.fileno() == -1 and going.done()
    assert final.processes[0].exit_code == 0


def test_live_traces_of_busy_processes_never_fail():
    def busy():
        for _ in range(3):
            if os.fork() == 0:
                break
        while True:
            os.getpid()

    going = start(busy, timeout=3)
    while not going.done():
        for event in going.trace().events[-100:]:
            assert event.end is None or event.end >= event.start >= 0
    assert going.wait().timed_out


def test_a_cancelled_run_keeps_what_it_did():
    def sleeps():
        os.getpid()
        time.sleep(60)

    going = start(sleeps, timeout=60)
    while not going.trace().calls("time.sleep"):
        assert not going.done()
    going.cancel()
    going.cancel()
    assert going.done() and going.wait().calls("os.getpid") and going.wait().notes == ["the run was cancelled"]
    assert going.trace() is going.wait() and going.fileno() == -1


def test_a_forgotten_run_is_cancelled():
    going = start(lambda: time.sleep(60), timeout=60)
    del going  # nothing_left sees that it ended


def test_the_stage_writes_to_nobodys_terminal(capfd):
    def loud():
        ctypes.CDLL(None).dprintf(2, b"to the run's own output")

    assert run(loud).stdout == b"to the run's own output"
    assert capfd.readouterr() == ("", "")
    assert connection.current().said() == ""


def test_a_stage_that_cannot_start_says_why(monkeypatch):
    connection.close()
    monkeypatch.setattr(connection, "_START", "import sys; sys.exit('no such thing ' * 20_000)")
    with pytest.raises(RuntimeError, match="stage could not start(.|\n)*no such thing"):
        run(lambda: None)
    monkeypatch.undo()
    assert run(lambda: print("again")).stdout == b"again\n"
