"""The picture of a trace: that it is sound SVG, that nothing overlaps, that it says what happened."""
import re
import signal
import xml.etree.ElementTree as ElementTree

import pytest
from traces import US, at_random, event, read_from_pipe, trace

from ipclab.labels import fitted
from ipclab.look import LOOKS, columns
from ipclab.scale import Scale, seconds_text, ticks
from ipclab.timeline import timeline
from ipclab.trace import LongBytes, Process, Stuck, Trace

SVG = "{http://www.w3.org/2000/svg}"
CODE, WORDS = 0.605, 0.56  # em: the advance of DejaVu Sans Mono, and more than the mean of its proportional sister


def tree(picture):
    return ElementTree.fromstring(picture.svg)


def texts(picture):
    return [element.text for element in tree(picture).iter(SVG + "text")]


def boxes(picture, look):
    """(left, top, right, bottom, what, element's group) of every text and every bar."""
    found, root = [], tree(picture)
    groups = {child: group for group in root.iter(SVG + "g") for child in group}
    for element in root.iter(SVG + "text"):
        font, widest = (LOOKS[look].small, WORDS) if element.get("class") == "x" else (LOOKS[look].font, CODE)
        wide, x, y = columns(element.text or "") * widest * font, float(element.get("x")), float(element.get("y"))
        x -= {"middle": wide / 2, "end": wide}.get(element.get("text-anchor"), 0)
        found.append((x, y - 0.8 * font, x + wide, y + 0.2 * font, "text", groups.get(element, element)))
    for element in groups:
        if "b" in (element.get("class") or "").split():
            x, y, wide, high = (float(element.get(key)) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + wide, y + high, "bar", groups[element]))
    return found


def overlaps(picture, look):
    """Pairs of a text and another text, or a text and a bar that is not its own, that share more than a hair."""
    found, hair = boxes(picture, look), 0.3
    return [(one, other) for place, one in enumerate(found) for other in found[:place]
            if "text" in (one[4], other[4]) and not (one[5] is other[5] and one[4] != other[4])
            and one[0] + hair < other[2] and other[0] + hair < one[2]
            and one[1] + hair < other[3] and other[1] + hair < one[3]]


def outside(picture, look):
    width, height = map(float, tree(picture).get("viewBox").split()[2:])
    return [box for box in boxes(picture, look) if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height]


def check_places(whole, look, **more):
    picture = timeline(whole, look, **more)
    assert overlaps(picture, look) == []
    assert outside(picture, look) == []


@pytest.mark.parametrize("look", LOOKS)
def test_no_label_overlaps_in_random_traces(look):
    for seed in range(40):
        whole = at_random(seed, processes=1 + seed % 6, each=(0, 3, 8, 30)[seed % 4])
        check_places(whole, look)
        check_places(whole, look, step=len(whole.events) or None, via=False)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("processes", "each"), [(2, 8), (8, 1000)])
def test_no_label_overlaps_in_few_and_many_events(look, processes, each):
    check_places(at_random(7, processes, each), look)


def test_an_unknown_look_names_the_looks():
    with pytest.raises(ValueError, match="screen, projector, print"):
        timeline(read_from_pipe(), "poster")


def test_a_step_outside_the_trace_says_so():
    with pytest.raises(ValueError, match="11"):
        timeline(read_from_pipe(), step=11)


def test_projector_text_can_be_read_from_the_back_row():
    assert LOOKS["projector"].width == 1280 and LOOKS["projector"].font >= 720 / 40
    for seed in range(24):
        picture = timeline(at_random(seed, 1 + seed % 8, 30, handlers=0), "projector", step=1)
        assert float(tree(picture).get("viewBox").split()[3]) <= 720
    svg = timeline(read_from_pipe(), "projector").svg
    assert min(float(size) for size in re.findall(r"font(?:-size)?:([\d.]+)px", svg)) >= 18


def test_print_needs_no_colour():
    colours = LOOKS["print"].colours.values()
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours)


def test_the_picture_has_lanes_bars_labels_and_ends():
    shown = texts(timeline(read_from_pipe()))
    assert shown.index("reader") < shown.index("writer")
    assert {"os.read(3, 5) → b'hello'", "os.write(4, b'hello') → 5", "os.fork() → writer"} <= {*shown}
    assert shown.count("exit 0") == 2


def test_waiting_is_told_from_running_by_more_than_colour():
    svg = timeline(read_from_pipe()).svg
    assert len(re.findall(r'class="b wait"', svg)) == 3 + 1  # read, sleep, wait and the sign that explains it
    assert re.search(r"\.wait\{fill:url\(#t\w+w\)", svg)


def test_hovering_tells_everything():
    titles = [element.text for element in tree(timeline(read_from_pipe())).iter(SVG + "title")]
    [read] = [text for text in titles if "os.read" in text]
    assert read == "reader: os.read(3, 5) → b'hello'\nwaited 200 ms of 200 ms\nline 13"


def test_a_failed_call_has_its_errno_and_a_cross():
    alone = Process("reader", 1, None, 0, end=1.0)
    failed = event(alone, "os.read", (3, 5), None, 0.1, 0.2, error="BlockingIOError", errno=11, message="try again")
    picture = timeline(trace([failed], [alone]))
    assert "os.read(3, 5) → EAGAIN" in texts(picture)
    assert 'class="cross"' in picture.svg and "try again" in picture.svg


def test_the_same_bytes_each_time_and_names_of_its_own():
    one, other = timeline(read_from_pipe()), timeline(at_random(1))
    assert one.svg == timeline(read_from_pipe()).svg
    assert tree(one).get("id") != tree(other).get("id")
    ids = [element.get("id") for element in tree(one).iter() if element.get("id")]
    assert all(name.startswith(tree(one).get("id")) for name in ids)
    rules = re.search("<style>(.*?)</style>", one.svg, re.S)[1].splitlines()
    assert all(rule.startswith("#" + tree(one).get("id")) for rule in rules)


def test_mime_bundle_carries_the_sentence():
    picture = timeline(read_from_pipe())
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == picture.sentence == str(picture)
    assert "reader waited 200 ms in os.read() until writer wrote 5 bytes" in picture.sentence
    assert bundle["image/svg+xml"] == picture.svg in bundle["text/html"]
    assert 'role="img" aria-label="' in bundle["text/html"]


def test_many_alike_calls_are_one_bar_with_their_bytes():
    writer = Process("writer", 1, None, 0, end=1.0)
    writes = [event(writer, "os.write", (4, b"x"), 1, n * US, (n + 0.5) * US) for n in range(998)]
    shown = texts(timeline(trace(writes, [writer])))
    assert "os.write × 998 → 998 bytes" in shown
    assert "998 calls" in " ".join(shown)


def test_many_different_calls_are_merged_and_counted():
    worker = Process("worker", 1, None, 0, end=10.0)
    calls = [event(worker, f"os.call_{n % 7}", (), None, n * 0.01, n * 0.01 + 0.001) for n in range(900)]
    picture = timeline(trace(calls, [worker]))
    merged = [int(text.split()[0]) for text in texts(picture) if re.fullmatch(r"\d+ calls", text)]
    assert 900 in merged and len(merged) > 1
    assert len(re.findall("<g ", picture.svg)) <= LOOKS["screen"].bars


def test_what_is_not_shown_is_counted():
    many = [Process(f"child {n}", 10 + n, None, 0, start=n * 0.01, end=1.0) for n in range(50)]
    shown = " ".join(texts(timeline(trace([], many, dropped=1234))))
    assert "1234 more were not kept" in shown and "20 more processes" in shown


def test_calls_of_libraries_can_be_left_out():
    parent = Process("parent", 1, None, 0, end=1.0)
    calls = [event(parent, "os.pipe", (), (3, 4), 0.1, 0.2, via="subprocess"),
             event(parent, "print", (1,), None, 0.3, 0.4)]
    assert any("os.pipe" in text for text in texts(timeline(trace(calls, [parent]))))
    assert not any("os.pipe" in text for text in texts(timeline(trace(calls, [parent]), via=False)))


def test_a_step_is_lit_up_and_what_comes_later_is_dimmed():
    whole = read_from_pipe()
    picture = timeline(whole, step=4)
    assert "now" in [element.get("class") for element in tree(picture).iter(SVG + "rect")]
    dimmed = [element for element in tree(picture).iter(SVG + "rect") if "later" in (element.get("class") or "")]
    assert len(dimmed) == len(whole.events) - 4


def test_stepping_moves_nothing():
    for whole in (read_from_pipe(), at_random(3, 8, 100)):
        plain, *others = (places(timeline(whole, step=step)) for step in (None, 1, len(whole.events) // 2))
        for other in others:
            down = [y - top for (_x, y), (_left, top) in zip(other, plain, strict=True)]
            assert max(down) - min(down) < 0.3
            assert [x for x, _y in other] == [x for x, _y in plain]


def places(picture):
    """(x, y) of every text and bar of the lanes."""
    caption = {"now", "page"}
    return [(float(e.get("x")), float(e.get("y"))) for e in tree(picture).iter()
            if e.get("x") and e.get("class") not in caption and not (e.text or "").startswith("step ")]


def test_the_deadline_is_a_line_and_the_waiting_call_reaches_it():
    reader = Process("reader", 1, None, None, 9, start=0, end=2.001,
                     stuck=Stuck("S", "os.read(3, 100)", 3, "pipe:[5]", [("reader", 4)]))
    read = event(reader, "os.read", (3, 100), None, 0.1, None, waited=None)
    picture = timeline(trace([read], [reader], timed_out=True, timeout=2.0, seconds=2.01))
    assert {"deadline 2 s", "still waiting", "os.read(3, 100) …"} <= set(texts(picture))
    bar = [rect for rect in tree(picture).iter(SVG + "rect") if rect.get("class") == "b wait"][-1]
    line = re.search(r'class="dead" d="M([\d.]+)', picture.svg)[1]
    assert float(bar.get("x")) + float(bar.get("width")) == pytest.approx(float(line), abs=0.2)
    assert "held open by reader (fd 4)" in picture.sentence


def test_a_killed_process_and_an_unrecorded_program_say_so():
    shell = Process("shell", 1, None, 0, end=1.0)
    grep = Process("grep", 2, 1, 1, start=0.1, end=0.9, program=["/bin/grep", "x"], recorded=False)
    lost = Process("lost", 3, 1, None, 9, start=0.1, end=0.5)
    shown = texts(timeline(trace([], [shell, grep, lost])))
    assert {"◆ grep", "calls not recorded", "exit 1", "SIGKILL"} <= set(shown)


def test_a_handler_is_drawn_within_what_it_interrupted():
    sleeper = Process("sleeper", 1, None, 0, end=1.0)
    calls = [event(sleeper, "time.sleep", (1,), None, 0.1, 0.9, waited=0.8),
             event(sleeper, "handler", ("SIGUSR1", "on_usr1"), None, 0.4, 0.5, inside=0),
             event(sleeper, "print", ("got it",), None, 0.45, 0.46, inside=1)]
    sleep, handler, inner = ([float(value) for value in found] for found in re.findall(
        r'<rect class="b \w+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', timeline(trace(calls, [sleeper])).svg)[-3:])
    assert sleep[0] < handler[0] < inner[0] and sleep[1] < handler[1] < inner[1]
    assert inner[0] + inner[2] < handler[0] + handler[2] < sleep[0] + sleep[2]


def heights(picture, kind):
    """(top, bottom) of the rectangles of a class."""
    found = [element for element in tree(picture).iter(SVG + "rect") if kind in (element.get("class") or "").split()]
    return [(float(rect.get("y")), float(rect.get("y")) + float(rect.get("height"))) for rect in found]


@pytest.mark.parametrize("inside", [0, None])
def test_a_handler_cuts_through_what_the_process_was_doing(inside):
    sleeper = Process("sleeper", 1, None, 0, end=1.0)
    calls = [event(sleeper, "time.sleep", (1,), None, 0.1, 0.9 if inside == 0 else 0.2, waited=0.1),
             event(sleeper, "handler", ("SIGUSR1", "on_usr1"), None, 0.4, 0.5, inside=inside)]
    picture = timeline(trace(calls, [sleeper]))
    [(top, bottom)], hand, bar = heights(picture, "gap"), heights(picture, "hand")[-1], heights(picture, "b")[-2]
    assert hand[0] >= bar[1], "the handler's bar is not below that of the call"
    assert top < bar[0] and bottom == pytest.approx(hand[0], abs=0.2), "the gap does not reach to the handler"
    assert picture.svg.count('class="side"') == 1


def test_a_label_ends_before_a_handler_cuts_in():
    sleeper = Process("sleeper", 1, None, 0, end=1.0)
    calls = [event(sleeper, "time.sleep", (1,), None, 0.1, 0.9, waited=0.7),
             event(sleeper, "handler", ("SIGUSR1", "on_usr1"), None, 0.11, 0.12, inside=0)]
    assert "onwait" in timeline(trace(calls[:1], [sleeper])).svg.split("</style>")[1]
    assert "onwait" not in timeline(trace(calls, [sleeper])).svg.split("</style>")[1]


def test_a_timer_sends_from_a_square():
    worker = Process("worker", 1, None, 0, end=1.0)
    calls = [event(worker, "signal.setitimer", (0, 0.1), (0.0, 0.0), 0.1, 0.11),
             event(worker, "handler", ("SIGALRM", "tick"), None, 0.4, 0.5)]
    whole = timeline(trace(calls, [worker]))
    assert "sent by a timer" in texts(whole) and "woke" not in texts(whole)
    assert heights(whole, "tip") and not heights(timeline(trace(calls[1:], [worker])), "tip")


def test_signals_have_names_and_values():
    one, other = Process("one", 1, None, 0, end=1.0), Process("other", 2, 1, 0, end=1.0)
    number = signal.SIGRTMIN + 1
    told = {"si_signo": number, "si_code": "SI_QUEUE", "si_value": 7, "si_pid": 1}
    calls = [event(one, "linux.sigqueue", (2, number, 7), None, 0.1, 0.2),
             event(other, "linux.sigwaitinfo", ([number],), told, 0.3, 0.4)]
    shown = texts(timeline(trace(calls, [one, other])))
    assert "sigqueue(other, SIGRTMIN+1, 7)" in shown and "sigwaitinfo(…) → SIGRTMIN+1 = 7" in shown, shown
    assert "woke, signalled" in shown


def test_threads_of_a_process_have_lanes_of_their_own():
    alone = Process("server", 1, None, 0, end=1.0)
    calls = [event(alone, "os.read", (3, 1), b"x", 0.1, 0.6),
             event(alone, "os.write", (4, b"x"), 1, 0.2, 0.3, thread=2)]
    assert "thread 2" in texts(timeline(trace(calls, [alone])))


def test_partial_and_empty_traces_are_drawn():
    begun = Process("parent", 1, None)
    for whole in (Trace(), Trace(processes=[begun]), trace([event(begun, "os.read", (3, 1), start=0.5)], [begun])):
        assert tree(timeline(whole)).get("viewBox")


def test_values_of_all_kinds_make_sound_xml():
    alone = Process("<&\x00\ud800>", 1, None, 0, end=1.0)
    values = ("\x00\x1b\ud800</title>", b"\xff" * 40, LongBytes.of(b"y" * 9999), 1e300, "안녕" * 40)
    calls = [event(alone, "print", (value,), value, 0.1 * n, 0.1 * n + 0.05, keywords={"k": value})
             for n, value in enumerate(values)]
    assert tree(timeline(trace(calls, [alone])))


def arrows_drawn(picture):
    return re.findall(r'class="wake" d="M([\d.]+) ([\d.]+)V[\d.]+L([\d.]+) [\d.]+V([\d.]+)"', picture.svg)


def test_an_arrow_goes_up_from_the_writer_to_the_waiting_reader():
    drawn = arrows_drawn(timeline(read_from_pipe()))
    assert len(drawn) == 2  # write to read, the writer's end to wait
    assert all(x == to and float(tip) < float(y) for x, y, to, tip in drawn)


def test_time_is_monotone_and_short_gaps_are_widened():
    scale = Scale([0, 5 * US, 10 * US, 0.2, 0.20001], 100, 800, 14)
    assert scale.places == sorted(scale.places) and scale.places[0] == 100 and scale.places[-1] == pytest.approx(800)
    assert min(b - a for a, b in zip(scale.places, scale.places[1:], strict=False)) >= 14
    assert scale.time(scale(0.1)) == pytest.approx(0.1)


def test_ticks_are_round_and_apart():
    scale = Scale([0, 0.2], 100, 800, 14)
    assert [seconds_text(time) for time in ticks(scale, 100)] == ["0 s", "50 ms", "100 ms", "150 ms", "200 ms"]


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (5e-6, "5 µs"), (1.25e-3, "1.25 ms"), (0.2, "200 ms"), (0.9999, "1 s"), (2, "2 s"), (1500, "1500 s")])
def test_durations_have_units(seconds, text):
    assert seconds_text(seconds) == text


@pytest.mark.parametrize("text, most, fits", [
    ("os.open('f', O_WRONLY|O_NONBLOCK) → ENXIO", 30, "os.open('f', O_WRONLY… → ENXIO"),
    ("os.read(3, 5) → b'hello'", 30, "os.read(3, 5) → b'hello'"),
    ("os.read(3, 5) → b'a very long text'", 20, "os.read(3, 5) → b'a…"), ("time.sleep(100000)", 10, "time.slee…")])
def test_of_a_long_label_the_outcome_stays(text, most, fits):
    assert fitted(text, most) == fits


def test_a_store_that_ends_its_process_failed_and_did_not_wait():
    store = event(Process("writer", 101, None, 0), "mmap.__setitem__", (5000, 1), None, 0.1, None)
    for signum, kinds in ((signal.SIGBUS, {"fail"}), (signal.SIGKILL, {"wait"})):
        svg = timeline(trace([store], [Process("writer", 101, None, 0, end=0.2, signal=int(signum))])).svg
        assert {kind for kind in ("run", "wait", "fail") if f'class="b {kind}"' in svg} == kinds


def test_handlers_are_drawn_one_by_one_as_long_as_there_is_room():
    writer = Process("writer", 101, None, 0, end=9.0)
    for many, drawn in ((8, 8), (900, 1)):
        runs = [event(writer, "handler", ("SIGUSR1", "h"), None, at * 0.01, at * 0.01 + 0.001) for at in range(many)]
        assert timeline(trace(runs, [writer])).svg.count('class="b hand"') == drawn + 1, "and one in the legend"
