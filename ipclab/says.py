"""What the kernel says of a run that goes on: a look at all its processes, and that look as HTML for the panel.

A notebook's kernel is an ancestor of its runs' processes, so that it may look (ptrace(2)); kernel.py tells how this
changes nothing. A run that has ended keeps its last look.
"""
from dataclasses import dataclass
from html import escape

from . import connection, family, lives, moment, wakers
from .say import _, ngettext
from .scale import seconds_text
from .waiting import told_apart
from .waits import draw


@dataclass(slots=True)
class Look:
    """`when` (seconds from the run's start), `processes` by pid as moment.snapshot() gives them, their `names`, and
    why they wait, `stucks` by name."""

    when: float
    processes: dict
    names: dict
    stucks: dict


def look_at(trace):
    """A Look at the processes of a run that goes on; None where there is none any more, or it is a recorded one."""
    root = None if trace.recorded else _supervisor([one.pid for one in trace.processes if one.end is None])
    if root is None:
        return None
    processes, whole = moment.below(root)
    names = {pid: one["name"] for pid, one in processes.items()}  # as ps has them, of those that the trace has not
    names = told_apart(names | {one.pid: one.name for one in trace.processes})
    found = wakers.stucks(processes, names, whole, lives.in_calls(trace.events))
    return Look(trace.seconds, processes, names, {names[pid]: one for pid, one in found.items()})


def _supervisor(pids):
    """The pid of the process that the stage forked for the run of these processes."""
    stage = connection.current().pid
    for pid in pids:
        try:
            while pid > 1:
                pid, below = family.parent(pid), pid
                if pid == stage:
                    return below
        except OSError:
            continue  # it has ended meanwhile
    return None


def html(look, kind):
    """The Look as HTML, its picture in the look of that kind."""
    head = escape(_("As the kernel said {seconds} after the start").format(seconds=seconds_text(look.when)))
    picture = draw(look.stucks, kind)._repr_mimebundle_()["text/html"] if look.stucks else ""
    return f"<p>{head}</p>{picture}" + "".join(_process(look, one) for one in look.processes.values())


def _process(look, one):
    """One process: its state and call, its signals, and a table of its descriptors."""
    name = look.names[one["pid"]]
    doing = one["text"] or _state(one["state"])
    head = f"<p><b>{escape(name)}</b> (pid {one['pid']}): <code>{escape(doing)}</code>"
    if one["state"] == "Z":
        return head + "</p>"
    facts = [ngettext("{n} thread", "{n} threads", len(one["threads"])).format(n=len(one["threads"]))]
    facts += [_("{kind} signals: {names}").format(kind=kind, names=", ".join(names))
              for kind, names in _signals(one["signals"]) if names]
    facts.append(_("page faults: {minor} minor, {major} major").format(minor=one["faults"][0], major=one["faults"][1]))
    if "resident" in one["memory"]:
        facts.append(_("{n} KiB in memory").format(n=one["memory"]["resident"] // 1024))
    if one["denied"]:
        facts.append(_("more of it only root may know"))
    return f"{head}<br>{escape('; '.join(facts))}</p>{_descriptors(look, one)}"


def _state(letter):
    return {"R": _("running"), "S": _("waiting"), "D": _("waiting, not to be disturbed"), "T": _("stopped"),
            "Z": _("ended, not yet waited for")}.get(letter, letter)


def _signals(told):
    yield _("pending"), (*told["pending"], *told["process_pending"])
    yield _("blocked"), told["blocked"]
    yield _("caught"), told["caught"]


def _descriptors(look, one):
    """The descriptors as a table, those that the run was given (0, 1, 2) left out."""
    heads = (_("fd"), _("object"), _("open for"), _("in it"), _("who else has it"))
    rows = [_row(look, fd, entry) for fd, entry in (one["descriptors"] or {}).items() if fd > 2]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _row(look, fd, entry):
    others = ", ".join(_("{process} (fd {fd})").format(process=look.names.get(one["pid"], one["pid"]), fd=one["fd"])
                       for one in entry["others"])
    access = {"read": _("reading"), "write": _("writing"), "read and write": _("both")}.get(entry["access"], "")
    cells = (fd, entry["object"], access, _inside(entry), others)
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _inside(entry):
    """What waits in the object, in words; "" where that is not known."""
    if entry["kind"] == "message queue" and entry["queued"] is not None:
        return ngettext("{n} message", "{n} messages", entry["queued"]).format(n=entry["queued"])
    size = entry["queued"] if entry["queued"] is not None else entry.get("receive_queue")
    return "" if size is None else ngettext("{n} byte", "{n} bytes", size).format(n=size)
