"""The trace in sentences."""
import gettext
import string

import pytest
from traces import US, at_random, event, read_from_pipe, trace

from ipclab import say
from ipclab.story import story, summary
from ipclab.trace import Leftover, Process, Stuck, Trace

ALONE = Process("reader", 1, None, 0, end=1.0)


def test_the_first_lesson_in_order():
    assert story(read_from_pipe()).splitlines() == [
        "reader called os.pipe() → (3, 4), os.fork() → writer, os.close(4)",
        "reader started writer",
        "writer called os.close(3)",
        "writer waited 200 ms in time.sleep()",
        "writer called os.write(4, b'hello') → 5, os._exit(0)",
        "reader waited 200 ms in os.read() until writer wrote 5 bytes",
        "reader called print('hello')",
        "writer ended, exit code 0",
        "reader waited 500 µs in os.wait() until writer ended",
        "reader ended, exit code 0",
        "printed: hello"]


def test_a_failure_has_its_name_and_message():
    failed = event(ALONE, "os.read", (3, 5), None, 0.1, 0.2, error="BlockingIOError", errno=11,
                   message="Resource temporarily unavailable")
    assert "reader: os.read() failed: EAGAIN, Resource temporarily unavailable" in story(trace([failed], [ALONE]))
    often = [event(ALONE, "os.read", (3, 5), None, n / 100, n / 100 + US, error="BlockingIOError", errno=11)
             for n in range(30)]
    assert "reader: os.read() failed 30 times: EAGAIN" in story(trace(often, [ALONE]))


def test_runs_of_alike_calls_are_one():
    writes = [event(ALONE, "os.write", (4, b"x"), 1, n * US, (n + 0.5) * US) for n in range(998)]
    assert "reader called os.write × 998 → 998 bytes" in story(trace(writes, [ALONE]))


def test_the_deadline_tells_who_waits_and_who_holds_the_other_end():
    reader = Process("reader", 1, None, None, 9, start=0, end=2.001,
                     stuck=Stuck("S", "os.read(3, 100)", 3, "pipe:[5]", [("reader", 4)]))
    read = event(reader, "os.read", (3, 100), None, 0.1, None, waited=None)
    whole = trace([read], [reader], timed_out=True, timeout=2.0, notes=["cut short"], dropped=3,
                  leftovers=[Leftover("FIFO", "f")])
    lines = story(whole).splitlines()
    assert lines[0] == "reader did not return from os.read()"
    assert lines[1] == ("At the deadline of 2 s: reader waits in os.read(3, 100) for pipe:[5]; "
                        "the other end is held open by reader (fd 4)")
    assert lines[2:] == ["left behind: FIFO f", "cut short", "3 more calls were not kept"]


def test_signals_and_programs():
    sleeper = Process("sleeper", 1, None, 0, end=3.0)
    child = Process("child", 2, 1, None, 9, start=0.1, end=2.0, program=["/bin/sleep", "9"], recorded=False)
    calls = [event(sleeper, "time.sleep", (1,), None, 0.2, 1.2, waited=1.0),
             event(sleeper, "handler", ("SIGUSR1", "on_usr1"), None, 0.5, 0.6, inside=0),
             event(sleeper, "os.kill", (2, 9), None, 1.9, 1.91)]
    lines = story(trace(calls, [sleeper, child])).splitlines()
    assert "SIGUSR1 reached sleeper; handler: on_usr1(), during time.sleep()" in lines
    assert "child is the program /bin/sleep, whose calls are not recorded" in lines
    assert "child was ended by SIGKILL; sender: sleeper" in lines


def test_who_sent_what_a_handler_took():
    worker = Process("worker", 1, None, 0, end=3.0)
    child = Process("child", 2, 1, 0, start=0.1, end=1.0)
    calls = [event(child, "os.kill", (1, "SIGUSR1"), None, 0.5, 0.51),
             event(worker, "handler", ("SIGUSR1", "on_usr1"), None, 0.6, 0.7),
             event(worker, "handler", ("SIGCHLD", "on_child"), None, 1.1, 1.2),
             event(worker, "signal.setitimer", (0, 0.1), None, 1.3, 1.31),
             event(worker, "handler", ("SIGALRM", "tick"), None, 1.4, 1.5)]
    lines = story(trace(calls, [worker, child])).splitlines()
    assert "SIGUSR1 reached worker; handler: on_usr1(); sender: child" in lines
    assert "SIGCHLD reached worker; handler: on_child(); sender: child" in lines
    assert "SIGALRM reached worker; handler: tick(); sender: a timer" in lines


def test_a_traceback_and_much_output():
    broken = Process("reader", 1, None, 1, end=1.0, traceback="Traceback …\nZeroDivisionError: division by zero\n")
    lines = story(trace([], [broken], output="x\n" * 20)).splitlines()
    assert "reader raised ZeroDivisionError: division by zero" in lines
    assert lines[-1] == "printed: 8 more lines"


def test_mime_bundle_is_a_list_and_text():
    bundle = story(trace([], [ALONE], output="<b>\n"))._repr_mimebundle_()
    assert "<li>printed: &lt;b&gt;</li>" in bundle["text/html"] and bundle["text/plain"].endswith("printed: <b>")


def test_any_trace_can_be_told():
    for seed in range(60):
        whole = at_random(seed, 1 + seed % 5, (0, 3, 30)[seed % 3])
        assert "\n" not in summary(whole) and story(whole) is not None
    assert story(Trace()) == "" and summary(Trace()) == "timeline: 0 calls, 0 processes, 0 s"


class Shouting(gettext.NullTranslations):
    """A language in which every sentence is upper case, and every placeholder known."""

    def gettext(self, message):
        return "".join(text.upper() + ("" if name is None else f"{{{name}{':' * bool(spec)}{spec}}}")
                       for text, name, spec, _conversion in string.Formatter().parse(message))

    def ngettext(self, one, many, n):
        assert {f[1] for f in string.Formatter().parse(one)} == {f[1] for f in string.Formatter().parse(many)}
        return self.gettext(one if n == 1 else many)


@pytest.fixture
def shouting(monkeypatch):
    monkeypatch.setenv("IPCLAB_LANGUAGE", "shouting")
    monkeypatch.setitem(say._translations, "shouting", Shouting())


def test_every_sentence_is_translated(shouting):
    names = str.maketrans("", "", "0123456789")
    for line in story(read_from_pipe()).splitlines():
        words = line.translate(names)
        for kept in ("reader", "writer", "hello", "os.", "time.", "ms", "µs", "print", "pipe", "fork", "close", "sleep",
                     "write", "_exit", "read", "wait", "b'"):
            words = words.replace(kept, "")
        assert words == words.upper(), line
