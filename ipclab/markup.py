"""Words and pictures as HTML, for what asks and answers: predictions and exercises, live and on paper."""
import re
from html import escape

TICK, CROSS = "✔", "✘"
# The colours are those of Okabe and Ito, darkened to contrast AA on white; a sign and words say the same.
RIGHT, WRONG, PLAIN = "#00694C", "#933B00", "#1A1A1A"


def rich(text):
    """The text with `code` as code, everything else as it stands."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def plain(text):
    """The text where nothing can be marked, as on a button."""
    return text.replace("`", "")


def paragraph(text, kind="p"):
    return f"<{kind}>{rich(text)}</{kind}>" if text else ""


def said(text, colour=PLAIN, alert=False):
    """A paragraph that stands out; `alert` has a screen reader say it at once."""
    role = ' role="alert"' if alert else ""
    return (f'<p{role} style="margin:6px 0;padding:2px 0 2px 10px;border-left:5px solid {colour};'
            f'color:{colour};background:#FFF"><b>{rich(text)}</b></p>')


def picture(trace, look):
    """The trace's timeline as HTML."""
    from .timeline import timeline

    return timeline(trace, look=look)._repr_mimebundle_()["text/html"]


def error_text(error):
    """The error in words, with what was noted about it."""
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])


def shorten(text, most=300):
    return text if len(text) <= most else text[:most - 1] + "…"
