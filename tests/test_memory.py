"""The picture of pages: which page is which, with frame numbers and without; and that the picture is sound."""
import mmap
import os
import re
from mmap import MAP_PRIVATE, MAP_SHARED, PAGESIZE

import pytest
from contrast import SVG, clear
from test_timeline import outside, overlaps, texts, tree
from traces import event, trace

from ipclab import explore, linux, name, pages, run
from ipclab.labels import call_label
from ipclab.look import LOOKS
from ipclab.memory import moments
from ipclab.panel import Panel
from ipclab.trace import Process, call_text

READER, WRITER = Process("reader", 100, None, 0, end=1.0), Process("writer", 101, 100, 0, end=0.9)


def page(kind, frame=None):
    """A page as the recorder keeps it: "shared", "own", "common" or "absent"."""
    return {"present": kind != "absent", "swapped": False, "shared": kind == "shared", "exclusive": kind == "own",
            "frame": frame}


def look(process, *kinds, at="0x1000", frames=(), **more):
    frames = [*frames, *[None] * len(kinds)]
    return process, "linux.pagemap", (f"<{len(kinds)} pages at {at}>",), tuple(map(page, kinds, frames)), more


def store(process, index, data):
    return process, "mmap.__setitem__", (index, data), None, {}


def load(process, index, data):
    return process, "mmap.__getitem__", (index,), data, {}


def happened(*calls):
    """A trace in which these happened one after another."""
    return trace([event(process, call, args, result, 0.1 * k, 0.1 * k + 0.01, keywords=keywords)
                  for k, (process, call, args, result, keywords) in enumerate(calls, 1)], [READER, WRITER])


def letters(whole):
    """[{process: the letters of its pages}] of the moments."""
    return [{row: "".join(sight.letter or "-" for sight in sights) for row, sights in moment.seen.items()}
            for moment in moments(whole)]


def copied(*frames):
    """Two processes share two pages; the writer stores into one, and has a page of its own."""
    before, after = frames[:2], frames[2:3] + frames[1:2]
    return happened(
        load(READER, "slice(0, 4, None)", b"AAAA"), look(READER, "shared", "shared", frames=before),
        load(WRITER, 0, 65), look(WRITER, "shared", "shared", at="0x2000", frames=before),
        store(WRITER, "slice(0, 4, None)", b"mine"), look(WRITER, "own", "shared", at="0x2000", frames=after),
        look(READER, "shared", "shared", frames=before))


@pytest.mark.parametrize("frames", [(), (77, 78, 12)], ids=["bits", "frames"])
def test_copy_on_write(frames):
    whole = copied(*frames)
    assert letters(whole) == [{"reader": "ab", "writer": "ab"}, {"writer": "cb", "reader": "ab"}]
    first, second = moments(whole)
    assert (first.cause, second.cause) == ("at first", "writer: mmap[0:4] = b'mine'")
    assert [first.seen[row][0].data for row in ("reader", "writer")] == [b"AAAA", b"A"]
    assert [second.seen[row][0].data for row in ("reader", "writer")] == [None, b"mine"], "what was not read again"


def test_frames_decide_where_they_are_told():
    other = happened(look(READER, "shared", frames=[5]), look(WRITER, "shared", frames=[6]))
    assert letters(other) == [{"reader": "a", "writer": "b"}], "maps of two files"
    back = happened(look(READER, "shared", frames=[5]), store(READER, 0, 1), look(READER, "absent"),
                    store(READER, 0, 1), look(READER, "shared", frames=[5]))
    assert letters(back) == [{"reader": "a"}, {"reader": "-"}, {"reader": "a"}]


def test_without_frames_a_page_that_was_away_is_not_said_to_be_the_same():
    back = happened(look(READER, "shared"), look(READER, "absent"), look(READER, "shared"))
    assert letters(back) == [{"reader": "a"}, {"reader": "-"}, {"reader": "b"}]
    kept = happened(look(READER, "shared"), look(WRITER, "shared"), look(READER, "absent"), look(WRITER, "shared"),
                    look(READER, "shared"))
    assert letters(kept)[-1] == {"reader": "a"}, "the writer had it all the time"


def test_without_frames_each_has_pages_of_its_own():
    whole = happened(look(READER, "common", "own"), look(WRITER, "common", "own"), store(WRITER, 0, 1),
                     look(READER, "own", "own"), look(WRITER, "own", "own"))
    assert letters(whole) == [{"reader": "ab", "writer": "ac"}, {"reader": "db", "writer": "ec"}]


def test_a_process_with_two_maps_has_two_rows():
    whole = happened(look(READER, "shared"), look(READER, "own", at="0x9000"), look(READER, "own", at="0x9000"))
    assert letters(whole) == [{"reader": "a", "reader, map 2": "b"}, {"reader, map 2": "b"}]


def test_another_process_and_a_part_of_the_map():
    whole = happened(look(WRITER, "shared", pid=100, offset=3 * PAGESIZE))
    [moment] = moments(whole)
    assert [sight.number for sight in moment.seen["reader"]] == [3]


def test_the_first_bytes_of_every_page():
    by_page = load(READER, f"slice(None, None, {PAGESIZE})", b"XY")
    odd = [load(READER, "slice(4, 8, None)", b"none"), load(READER, -1, 7), load(READER, "slice(0, 8, 2)", b"none")]
    [moment] = moments(happened(*odd, by_page, look(READER, "shared", "shared")))
    assert [sight.data for sight in moment.seen["reader"]] == [b"X", b"Y"]


def many(rows=4, moment_count=7, page_count=6):
    """A trace of many kinds of pages."""
    processes = [Process(f"프로세스 {n}" if n % 2 else f"process {n}", 100 + n, None, 0, end=9.0) for n in range(rows)]
    kinds, calls = ["shared", "own", "common", "absent"], []
    for moment in range(moment_count):
        for n, process in enumerate(processes):
            calls += [load(process, k * PAGESIZE, 65 + k) for k in range(page_count)]
            calls.append(look(process, *(kinds[(n + k * moment) % 4] for k in range(page_count)), at=hex(n)))
        calls.append(store(processes[0], f"slice({PAGESIZE}, {PAGESIZE + 9}, None)", "긴 글".encode()))
    return trace([event(process, call, args, result, 0.01 * k, 0.01 * k + 0.001, keywords=keywords)
                  for k, (process, call, args, result, keywords) in enumerate(calls)], processes)


EVERY = [copied(), copied(1, 2, 3), many(), many(1, 1, 64), many(2, 3, 200), many(12, 2, 1), trace([], [READER])]


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_overlaps_or_sticks_out(look):
    for whole in EVERY:
        for step in {None, len(whole.events) // 2 or None}:
            picture = pages(whole, look, step)
            assert overlaps(picture, look) == [] and outside(picture, look) == []


@pytest.mark.parametrize("look", LOOKS)
def test_contrast(look):
    assert clear(pages(whole, look).svg for whole in EVERY) >= {
        "many", "plain", "hand", "gone", "wire", "h", "x", "w", "onhand"}


def test_it_is_told_in_words():
    told = str(pages(copied(1, 2, 3)))
    assert told.startswith("pages in experiment. at first: reader: page 0: shared page a 'AAAA', page 1: shared page b")
    assert "writer: mmap[0:4] = b'mine': writer: page 0: page c of its own 'mine'" in told
    assert str(pages(trace([], [READER]))) == "pages in experiment: no page was looked at"


def test_what_is_not_seen_by_colour_alone():
    svg = pages(copied(1, 2, 3), "print").svg
    assert {"shared page", "page of its own"} <= set(texts(pages(copied(1, 2, 3))))
    assert "same letter: the same physical page, by its frame number" in texts(pages(copied(1, 2, 3)))
    assert "same letter: the same physical page, as the bits of the page map tell" in texts(pages(copied()))
    assert re.search(r"\.hand\{fill:url\(#t\w+h\)", svg), "pages of one's own are dotted"


def test_hovering_tells_the_frame():
    titles = [element.text for element in tree(pages(copied(1, 2, 33))).iter(SVG + "title")]
    assert "writer, page 0: page c of its own 'mine'; frame 33" in titles


def test_steps_dim_what_comes_later():
    whole = copied(1, 2, 3)
    step = [e.call for e in whole.events].index("mmap.__setitem__") + 1
    assert 'class="h later"' in pages(whole, step=step).svg and "later" not in re.sub(
        "<style>.*?</style>", "", pages(whole, step=len(whole.events)).svg, flags=re.S)
    assert any(text.startswith(f"step {step} of 7   writer: mmap[0:4] = b'mine'") for text in texts(
        pages(whole, step=step)))
    with pytest.raises(ValueError, match="outside 1 … 7"):
        pages(whole, step=8)
    with pytest.raises(ValueError, match="screen, projector, print"):
        pages(whole, "poster")


def test_a_failed_look_is_no_look():
    whole = happened(look(READER, "shared"))
    whole.events[0].result, whole.events[0].error = None, "PermissionError"
    assert moments(whole) == []


def share_or_copy(flags=MAP_PRIVATE):
    fd = os.open("letters", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"A" * PAGESIZE + b"B" * PAGESIZE)
    memory, theirs = mmap.mmap(fd, 2 * PAGESIZE, flags=flags), mmap.mmap(fd, 2 * PAGESIZE)
    for each in (memory, theirs):
        each[::PAGESIZE]
        linux.pagemap(each)
    memory[0:4] = b"mine"
    for each in (memory, theirs):
        each[::PAGESIZE]
        linux.pagemap(each)


@pytest.mark.parametrize("flags, expected", [(MAP_PRIVATE, "cb"), (MAP_SHARED, "ab")])
def test_a_real_run(flags, expected):
    assert letters(run(share_or_copy, flags=flags)) == [
        {"parent": "ab", "parent, map 2": "ab"}, {"parent": expected, "parent, map 2": "ab"}]


def test_asking_touches_no_page():
    def ask():
        name("asker")
        memory = mmap.mmap(-1, 4 * PAGESIZE, flags=MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        linux.pagemap(memory)
        linux.mincore(memory)
        linux.pagemap(memory)
        memory.close()
        try:
            linux.pagemap(memory)
        except ValueError as error:
            print(error)

    whole = run(ask)
    assert letters(whole) == [{"asker": "----"}] * 2, "the recorder's own reading would bring them in"
    assert "closed or invalid" in whole.output and whole.events[-2].error == "ValueError"


def test_explore_draws_pages_where_it_is_asked_to():
    both = explore(share_or_copy, picture=pages, flags={"MAP_PRIVATE": MAP_PRIVATE, "MAP_SHARED": MAP_SHARED})
    assert [line.split(". at first")[0] for line in repr(both).splitlines()] == [
        "flags=MAP_PRIVATE: pages in share_or_copy", "flags=MAP_SHARED: pages in share_or_copy"]


@pytest.mark.parametrize("args, text", [
    (("slice(0, 5, None)", b"hello"), "mmap[0:5] = b'hello'"), (("slice(None, None, 4096)",), "mmap[::4096]"),
    (("slice(-4, None, None)",), "mmap[-4:]"), ((7, 65), "mmap[7] = 65"), ((7,), "mmap[7]"), (("key",), "mmap['key']"),
    ((), "mmap['…']")])
def test_stores_and_loads_are_written_as_in_python(args, text):
    item = event(READER, "mmap.__setitem__" if len(args) > 1 else "mmap.__getitem__", args, start=0.1, end=0.2)
    assert call_text(item) == text == call_label(item, {})


def test_the_panel_of_explore_draws_them_and_steps_through_them():
    panel = Panel("screen", lambda what, *args: what(*args), pages)
    panel.show(copied(1, 2, 3))
    assert str(panel.picture).startswith("pages in experiment") and panel.step.max == 7
    whole = panel.picture.svg
    panel.step.value = 5
    assert "later" in re.sub("<style>.*?</style>", "", panel.picture.svg, flags=re.S) and panel.picture.svg != whole
