"""What is usually said, beside what this machine did: check cells judge sentences that textbooks state more simply
than kernels behave, and the chapter's last table shows all verdicts.

A verdict is made from what was observed alone: a sentence holds, holds in some of the cases tried, or does not.
"""
from html import escape

from .markup import CROSS, TICK, plain
from .say import _
from .table import Table

_judged = {}  # the sentences of this notebook, in order: [(condition or "", whether it held)]


def usually_said(statement, *cases):
    """Judge a statement by what has just been observed. A cell that is run again judges it again.

    Each case is a pair: the condition in words, and whether the statement held under it. A single bool stands for
    one case without conditions. TypeError for anything else, ValueError for no case at all.
    """
    if not cases:
        raise ValueError(_("{statement!r}: say whether it held, or under which condition").format(statement=statement))
    _judged[statement] = [_case(case) for case in cases]


def _case(given):
    condition, held = given if isinstance(given, tuple) and len(given) == 2 else ("", given)
    if not isinstance(condition, str) or not isinstance(held, bool):
        raise TypeError(_("{given!r} is no case: give True, False, or (the condition, True or False)").format(
            given=given))
    return condition, held


def what_held():
    """The table of all that was judged in this notebook so far: what is usually said, what this machine did."""
    return Sayings([(statement, *_verdict(cases)) for statement, cases in _judged.items()])


def _verdict(cases):
    """(sign, words) of what the cases make of a statement."""
    held, failed = ([condition for condition, outcome in cases if outcome is kind] for kind in (True, False))
    if not failed:
        return TICK, _("holds") + _these(held)
    if not held:
        return CROSS, _("not so") + _these(failed)
    return "◐", _("holds only in part: yes ({held}), no ({failed})").format(
        held="; ".join(held), failed="; ".join(failed))


def _these(conditions):
    words = "; ".join(filter(None, conditions))
    return f" ({words})" if words else ""


class Sayings:
    """Rows of (statement, sign, verdict in words), shown as a table."""

    def __init__(self, rows):
        self.rows = rows

    def __repr__(self):
        return "\n".join(f"{sign} {plain(statement)} {plain(words)}" for statement, sign, words in self.rows) or (
            _("Nothing was judged yet: the check cells of this chapter do, when they are run."))

    def _repr_mimebundle_(self, **_kwargs):
        rows = [(statement, [f"{sign} {words}"]) for statement, sign, words in self.rows]
        table = Table([_("Usually said"), _("On this machine")], rows)._repr_mimebundle_()["text/html"]
        return {"text/plain": repr(self), "text/html": table if rows else f"<p>{escape(repr(self))}</p>"}
