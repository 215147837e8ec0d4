"""pages(): which page of which process is which, drawn from what the run itself asked the kernel, linux.pagemap.

A moment is a look at the pages of one process or of several, with no store and no second look in between. Which
pages are the same the frames' numbers tell, which the kernel gives to root. Elsewhere the page map's bits do: a shared
page is the object's page at that place (the maps that are looked at are maps of one object), a private one that this
process alone has is its own, and a private one that others have too is what was there before fork().
"""
from dataclasses import dataclass, field
from mmap import PAGESIZE

from .labels import call_label
from .look import chosen_look
from .memory_draw import draw
from .say import _, ngettext
from .timeline import check_step
from .trace import SLICE, LongBytes

LOOK = "linux.pagemap"
STORES = ("mmap.__setitem__", "mmap.write", "mmap.write_byte", "mmap.move", "mmap.madvise", "mmap.resize",
          "sysv_ipc.SharedMemory.write", "os.pwrite", "os.ftruncate", "os.posix_fadvise")  # what may change pages
SHARED, COMMON, OWN, ABSENT = "shared", "common", "own", "absent"
BYTES = 8  # of a page that are shown
TOLD = 12  # moments in the sentence


@dataclass(slots=True)
class Sight:
    """One page of one process at one moment: its number in the map, what kind it is, the letter of the physical page
    ("" where there is none), its frame's number or None, and the bytes that the process read at its start or None."""

    number: int
    kind: str
    letter: str = ""
    frame: int | None = None
    data: bytes | None = None


@dataclass(slots=True)
class Moment:
    """`cause` is what was done before it ("" for nothing that is known), `seen` {process: [Sight]}, `last` the
    index of its last event in the trace."""

    cause: str = ""
    seen: dict = field(default_factory=dict)
    last: int = 0


def pages(trace, look=None, step=None):
    """The pages that the trace's processes looked at with linux.pagemap(), as a Picture: a column a moment, a row a
    process, a box a page, joined to the physical page that it is; the same letter is the same physical page.

    `look` and `step` are as in timeline(): moments after the step are dimmed. ValueError for another look or step.
    """
    look = chosen_look(look)
    check_step(trace, step)
    found = moments(trace)
    return draw(trace, found, look, step, _sentence(trace, found))


def moments(trace):
    """The moments of a trace, in order of time."""
    found, letters, causes, loads, accesses, maps = [], {}, [], [], {}, {}
    names = {process.pid: process.name for process in trace.processes}
    for index, event in enumerate(trace.events):
        if event.call == LOOK and isinstance(event.result, tuple):
            process = names.get(event.keywords.get("pid") or (event.args[3:4] or [None])[0], event.process)
            row = _row(process, maps.setdefault(process, []), event.args[0] if event.args else "")
            if causes or not found or row in found[-1].seen:
                found.append(Moment(_cause(causes or loads) if found else _("at first")))
                causes, loads = [], []
            found[-1].seen[row] = _sights(event, row, letters, accesses.pop(process, {}), found)
            found[-1].last = index
        elif event.call.startswith("mmap.__") and not event.error:
            accesses.setdefault(event.process, {}).update(_bytes_at(event))
        if event.call.startswith("mmap.") or event.call in STORES and not event.error:
            (causes if event.call in STORES else loads).append(f"{event.process}: {call_label(event, names)}")
    return found


def _row(process, maps, where):
    """The name of the row: the process, and which of its maps it is where it looks at several."""
    if where not in maps:
        maps.append(where)
    place = maps.index(where)
    return process if place == 0 else _("{process}, map {n}").format(process=process, n=place + 1)


def _cause(causes):
    """What was done since the moment before: the last of it, and how much else."""
    more = len(causes) - 1
    rest = " " + ngettext("(+ {n} more)", "(+ {n} more)", more).format(n=more) if more > 0 else ""
    return causes[-1] + rest if causes else ""


def _bytes_at(event):
    """{page: bytes at its start} that a load or a store shows; of every page, where the step is a page."""
    index, data = event.args[0], event.args[1] if len(event.args) > 1 else event.result
    part = SLICE.fullmatch(index) if isinstance(index, str) else None
    start, step = (index, 1) if part is None else (
        int(part[k].replace("None", default)) for k, default in ((1, "0"), (3, "1")))
    data = bytes([data]) if type(data) is int and 0 <= data < 256 else data.head if type(data) is LongBytes else data
    if type(start) is not int or start % PAGESIZE or type(data) is not bytes:
        return {}
    if step == PAGESIZE:
        return {start // PAGESIZE + place: data[place:place + 1] for place in range(len(data))}
    return {start // PAGESIZE: data} if step == 1 else {}


def _sights(event, row, letters, data, found):
    """The pages of one look, the last one of the moments found."""
    first = (event.keywords.get("offset") or (event.args[1:2] or [0])[0]) // PAGESIZE
    before = {sight.number: sight for moment in found[:-1] for sight in moment.seen.get(row, ())}
    return [_sight(first + place, page, row, letters, data, before, found) for place, page in enumerate(event.result)]


def _sight(number, page, row, letters, data, before, found):
    """What a page is, from its bits, and which one it is, from its frame or else from its place."""
    if not page["present"]:
        return Sight(number, ABSENT)
    kind = SHARED if page["shared"] else OWN if page["exclusive"] else COMMON
    if page["frame"] is not None:
        key = page["frame"]
    elif kind != OWN:
        key = kind, number, _absences(found[:-1], number)
    elif number in before and before[number].kind == OWN:
        return Sight(number, kind, before[number].letter, None, data.get(number))
    else:
        key = row, number, len(letters)
    letter = letters.setdefault(key, _letter(len(letters)))
    return Sight(number, kind, letter, page["frame"], data.get(number))


def _absences(found, number):
    """How often nobody had the page: it may be another one each time that it comes back."""
    seen = [[sight.kind for sights in moment.seen.values() for sight in sights if sight.number == number]
            for moment in found]
    return sum(set(kinds) == {ABSENT} for kinds in seen)


def _letter(n):
    """a, b … z, then 27, 28 …"""
    return chr(ord("a") + n) if n < 26 else str(n + 1)


def text_of(data):
    """The bytes as they stand in a box: up to the first zero, at most BYTES."""
    return data[:BYTES].split(b"\0")[0].decode("ascii", "replace") if data else ""


def told(sight):
    """A page in words."""
    kinds = {SHARED: _("shared page {letter}"), COMMON: _("page {letter}, common until one of them writes"),
             OWN: _("page {letter} of its own"), ABSENT: _("not in memory")}
    words = _("page {number}: {what}").format(number=sight.number, what=kinds[sight.kind].format(letter=sight.letter))
    return words + (f" {text_of(sight.data)!r}" if text_of(sight.data) else "")


def _sentence(trace, found):
    """The picture in words."""
    head = _("pages in {experiment}").format(experiment=trace.experiment or _("memory"))
    if not found:
        return head + ": " + _("no page was looked at")
    lines = [f"{moment.cause or _('later')}: " + "; ".join(
        f"{row}: " + ", ".join(told(sight) for sight in sights[:8]) + _more(len(sights) - 8)
        for row, sights in moment.seen.items()) for moment in found[:TOLD]]
    return f"{head}. " + ". ".join(lines) + _more(len(found) - TOLD)


def _more(n):
    return " " + _("… and {more} more").format(more=n) if n > 0 else ""
