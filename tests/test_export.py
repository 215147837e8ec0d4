"""to_perfetto() against Chrome's trace event format, by its own rules; to_pandas() against the events."""
import json
import sys
from collections import defaultdict

import pytest
import traces

from ipclab.objects import arrows
from ipclab.trace import Process

EVERY = [traces.read_from_pipe(), traces.trace([], []), *(traces.at_random(seed, 4) for seed in range(30))]
COMMON = {"ph": str, "name": str, "ts": (int, float), "pid": int, "tid": int}
MORE = {"X": {"dur": (int, float), "args": dict, "cat": str}, "M": {"args": dict}, "i": {"s": str, "cat": str},
        "s": {"id": int, "cat": str}, "f": {"id": int, "cat": str, "bp": str}}


def parts(trace, kind=None):
    found = json.loads(trace.to_perfetto())["traceEvents"]
    return [part for part in found if kind in (None, part["ph"])]


@pytest.mark.parametrize("trace", EVERY)
def test_every_part_is_as_the_format_has_it(trace):
    for part in parts(trace):
        wanted = COMMON | MORE[part["ph"]]
        assert part.keys() == wanted.keys()
        assert all(isinstance(part[key], kind) for key, kind in wanted.items()), part
        assert part["ts"] >= 0 and part.get("dur", 1) > 0
    assert {part["s"] for part in parts(trace, "i")} <= {"t", "p"}
    names = {part["name"] for part in parts(trace, "M")}
    assert names <= {"process_name", "process_sort_index", "thread_name"}


@pytest.mark.parametrize("trace", EVERY)
def test_every_call_is_a_slice_and_every_track_has_a_name(trace):
    calls = [part for part in parts(trace, "X") if part["cat"] != "process"]
    assert sorted(part["args"]["index"] for part in calls) == list(range(len(trace.events)))
    named = {part["pid"]: part["args"]["name"] for part in parts(trace, "M") if part["name"] == "process_name"}
    for part in calls:
        assert named[part["pid"]] == trace.events[part["args"]["index"]].process


@pytest.mark.parametrize("trace", EVERY)
def test_flows_are_the_arrows_and_their_ends_are_bound_to_slices(trace):
    slices = defaultdict(list)
    for part in parts(trace, "X"):
        slices[part["pid"], part["tid"]].append((part["ts"], part["ts"] + part["dur"]))
    starts, ends = ({part["id"]: part for part in parts(trace, kind)} for kind in "sf")
    assert len(starts) == len(ends) == len(arrows(trace)) and starts.keys() == ends.keys()
    for number, start in starts.items():
        assert start["ts"] <= ends[number]["ts"]
        for end in (start, ends[number]):
            assert any(low <= end["ts"] < high for low, high in slices[end["pid"], end["tid"]])


def test_slices_of_one_thread_are_within_each_other_or_apart():
    trace = traces.read_from_pipe()
    tracks = defaultdict(list)
    for part in parts(trace, "X"):
        tracks[part["pid"], part["tid"]].append((part["ts"], round(part["ts"] + part["dur"], 3)))
    assert all(apart(a, b) or within(a, b) or within(b, a) for spans in tracks.values() for a in spans for b in spans)


def apart(a, b):
    return a[1] <= b[0] or b[1] <= a[0]


def within(a, b):
    return b[0] <= a[0] and a[1] <= b[1]


def test_the_pipe_of_the_first_lesson():
    trace = traces.read_from_pipe()
    [read] = [part for part in parts(trace, "X") if part["name"] == "os.read"]
    assert read["args"]["call"] == "os.read(3, 5)" and read["args"]["result"] == "b'hello'"
    assert (read["ts"], read["dur"]) == (510.0, 200210.0)
    woke = [(start["tid"], end["tid"]) for start, end in zip(parts(trace, "s"), parts(trace, "f"), strict=True)]
    assert (101, 100) in woke, "from the writer to the reader"


def test_signals_are_instants():
    killed = Process("reader", 100, None, signal=9, start=0, end=1.0)
    handler = traces.event(killed, "handler", ("SIGUSR1", "on_usr1"), None, 0.5, 0.6)
    found = [(part["name"], part["s"]) for part in parts(traces.trace([handler], [killed], seconds=1.0), "i")]
    assert found == [("SIGKILL", "p"), ("SIGUSR1", "t")]


def test_a_call_before_exec_ends_where_the_new_program_begins():
    process = Process("ls", 100, None, 0, start=0, end=1.0)
    trace = traces.trace([traces.event(process, "os.execv", ("/bin/ls", ["ls"]), None, 0.1),
                          traces.event(process, "os.read", (3, 1), b"x", 0.4, 0.5)], [process], seconds=1.0)
    [before] = [part for part in parts(trace, "X") if part["name"] == "os.execv"]
    assert before["ts"] + before["dur"] == 0.4e6 and before["args"]["returned"] is False


def test_a_pid_used_again_is_another_track():
    two = [Process("first", 100, None, 0, start=0, end=1.0), Process("second", 100, None, 0, start=2, end=3.0)]
    calls = [traces.event(process, "os.getpid", (), 100, process.start, process.end) for process in two]
    trace = traces.trace(calls, two)
    assert len({part["pid"] for part in parts(trace, "X")}) == 2


@pytest.mark.parametrize("trace", EVERY[:5])
def test_a_row_of_the_frame_is_an_event(trace):
    made = trace.to_pandas()
    assert len(made) == len(trace.events) and list(made.columns)[:4] == ["process", "pid", "thread", "call"]
    assert made["call"].tolist() == [event.call for event in trace.events]
    assert made["errno"].dropna().tolist() == [event.errno for event in trace.events if event.errno is not None]
    assert str(made["errno"].dtype) == "Int64" and str(made["seconds"].dtype) == "float64"


def test_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        traces.read_from_pipe().to_pandas()
