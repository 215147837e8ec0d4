"""Why a process waits, as plain data and as a sentence: for what, who holds that, and whether that can ever end.

A Stuck is made from what the kernel says (wakers.py), kept in a trace, told by str(), and drawn by waits().
"""
from collections import Counter
from dataclasses import dataclass, field

from .say import _

ENDS = ("pipe", "FIFO", "socket")  # kinds of which there is another end


@dataclass(slots=True)
class Stuck:
    """What a process that the deadline ended waited in, as /proc told just before.

    `state` is the letter of proc_pid_stat(5), or "?" where there was no time to look; `call` the call's text, None
    where it was computing; `fd` the descriptor waited for; `object` what that is ("pipe:[123]"). `kind` says what sort
    of thing that is: "pipe", "FIFO", "opener" (of a FIFO), "socket", "lock", "mutex", "futex", "child", "queue",
    "semaphore", "event", "file", "signal", "time", or None. `holders` are those that have it, as (process, fd) pairs,
    fd None where it is none: the other end of a pipe, a lock, a mutex, the children that are to end. `filled` is (what
    is in it, what it can take): bytes, or messages, None where not known.

    `for_good`: of all processes of the run none can end this wait, for they wait for one another; a signal can.
    `circle`: the names of those who wait for one another in a circle, this one first. `also` are further waits, of
    a call that waits for several things, or of other threads.
    """

    state: str
    call: str | None = None
    fd: int | None = None
    object: str | None = None
    holders: list = field(default_factory=list)
    kind: str | None = None
    filled: tuple | None = None
    for_good: bool = False
    circle: list = field(default_factory=list)
    also: list = field(default_factory=list)

    def __post_init__(self):
        if self.kind is None and self.object and self.object.startswith("pipe:"):
            self.kind = "pipe"
        self.also = [Stuck(**one) if isinstance(one, dict) else one for one in self.also]

    def __str__(self):
        if self.state == "T":
            return _("is stopped")
        if self.state in "R?":
            return _("was running in {call}").format(call=self.call) if self.call else _("was running")
        if self.call is None:
            return _("waits") + self.fate()
        return self.wait() + self.held() + self.fate()

    def wait(self):
        """What it waits in, and for what."""
        if self.kind in ("signal", "time") or self.object is None and self.kind != "child":
            return _("waits in {call}").format(call=self.call)
        text = {"lock": _("waits in {call} for a lock on {object}"),
                "mutex": _("waits in {call} for a mutex in {object}"),
                "futex": _("waits in {call} for a word of {object}"),
                "opener": _("waits in {call} for somebody to open the other end of {object}"),
                "queue": _("waits in {call} for the message queue {object}"),
                "semaphore": _("waits in {call} for the semaphore {object}"),
                "child": _("waits in {call} for the end of {who}")}
        return text.get(self.kind, _("waits in {call} for {object}")).format(
            call=self.call, object=self.object, who=", ".join(name for name, _fd in self.holders))

    def held(self):
        """Who holds what it waits for."""
        who = ", ".join(name if fd is None else _("{process} (fd {fd})").format(process=name, fd=fd)
                        for name, fd in self.holders)
        if self.kind in ENDS:
            return _("; the other end is held open by {who}").format(who=who) if who else (
                _("; who has the other end open is not known"))
        return _("; it is held by {who}").format(who=who) if who and self.kind in ("lock", "mutex") else ""

    def fate(self):
        """Whether that can ever end."""
        text = ""
        if len(self.circle) == 1:
            text = _("; it waits for itself")
        elif self.circle:
            text = _("; they wait in a circle: {names}").format(names=" → ".join([*self.circle, self.circle[0]]))
        return text + (_("; only a signal can end this") if self.for_good else "")


def told_apart(names):
    """{pid: name}, with the pid behind a name that several have."""
    often = Counter(names.values())
    return {pid: name if often[name] == 1 else f"{name} ({pid})" for pid, name in names.items()}


def graph(stucks):
    """Who waits for what, and who holds it, of {name: Stuck}, as plain data.

    "processes": [{"name", "state", "call", "for_good", "circle"}]; "objects": [{"id", "kind", "label", "filled"}];
    "edges": [{"kind", "from", "to", "fd"}], of the kind "waits" from a process to an object or to a child, of the
    kind "holds" from an object to a process. Objects are told by their ids, numbers; processes by their names.
    """
    processes = {name: {"name": name, "state": one.state, "call": one.call, "for_good": one.for_good,
                        "circle": one.circle} for name, one in stucks.items()}
    objects, edges = {}, []
    for name, one in stucks.items():
        for wait in [one, *one.also]:
            edges += _edges(name, wait, objects)
    for edge in edges:
        for name in (edge["from"], edge["to"]):
            if type(name) is str:
                processes.setdefault(name, {"name": name, "state": "?", "call": None, "for_good": False, "circle": []})
    return {"processes": list(processes.values()), "objects": list(objects.values()),
            "edges": [edge for place, edge in enumerate(edges) if edge not in edges[:place]]}


def _edges(name, wait, objects):
    """The edges of one wait; its object is put among the objects."""
    if wait.kind == "child":
        return [{"kind": "waits", "from": name, "to": child, "fd": None} for child, _fd in wait.holders]
    if wait.object is None:
        return []
    one = objects.setdefault((wait.kind, wait.object), {
        "id": len(objects), "kind": wait.kind, "label": wait.object, "filled": wait.filled})
    return [{"kind": "waits", "from": name, "to": one["id"], "fd": wait.fd},
            *({"kind": "holds", "from": one["id"], "to": holder, "fd": fd} for holder, fd in wait.holders)]
