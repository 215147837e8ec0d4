"""What calls gave and took, as messages: their bytes, their length, and the rank that they carry beside their bytes."""
from dataclasses import dataclass

from .calls import RANKS, act
from .look import columns
from .say import ngettext
from .values import LongBytes

WIDEST = 20  # columns of a message that are shown


@dataclass(slots=True, eq=False)
class Message:
    """What was put in as one piece: its bytes (bytes, LongBytes, or None where they were not recorded), how many, and
    its rank or None."""

    data: object
    size: int
    rank: int | None = None

    def __str__(self):
        return self.text() if self.rank is None else f"{self.text()} ({self.rank})"

    def text(self):
        """The message as it stands in a box: itself where it is short and can be read, else how long it is."""
        text = self.data.decode("utf-8", "replace") if isinstance(self.data, bytes) else ""
        if text and columns(text) <= WIDEST and text.isprintable():
            return text
        return ngettext("{n} byte", "{n} bytes", self.size).format(n=self.size)


def given(event):
    """The Message that a call put in."""
    data = _bytes_given(event)
    return Message(data, len(data) if data is not None else event.result or 0, _rank(event))


def _bytes_given(event):
    """The bytes that a call put in, None where they were not recorded."""
    for value in (*event.args, *event.keywords.values()):
        if isinstance(value, (list, tuple)) and value and all(type(part) is bytes for part in value):
            value = b"".join(value)
        if isinstance(value, str) and act(event) == "put":
            value = value.encode()
        if isinstance(value, (bytes, LongBytes)):
            return value[:event.result] if type(event.result) is int and type(value) is bytes else value
    return None


def _rank(event):
    """The rank that a message is sent with, None where there is none."""
    if event.call not in RANKS:
        return None
    word, place, default = RANKS[event.call]
    return event.args[place] if len(event.args) > place else event.keywords.get(word, default)


def taken(event):
    """The Message that a call took out, its rank None where it is not told; None for the end of the data."""
    data, rank = event.result if isinstance(event.result, tuple) and event.result else (event.result, None)
    data = data if isinstance(data, (bytes, LongBytes)) else None
    size = len(data) if data is not None else event.result
    ranked = event.call.rpartition(".")[0] in {call.rpartition(".")[0] for call in RANKS}
    return Message(data, size, rank if ranked else None) if type(size) is int and (size or ranked) else None


def same(message, got):
    """Can what was taken have been this message? A datagram may have been cut to the room there was."""
    mine, its = (data.head if isinstance(data, LongBytes) else data for data in (message.data, got.data))
    return got.rank in (None, message.rank) and (
        None in (mine, its) or message.data == got.data or bool(its) and mine.startswith(its) and got.size < len(
            message.data))
