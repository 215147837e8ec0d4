"""The package's own words in the reader's language: `_("text")` is gettext's, looked up when it is said."""
import gettext
import os

_translations = {}


def _(text):
    """The text in the language of IPCLAB_LANGUAGE, or as it stands where that has no translation of it."""
    return _translation(os.environ.get("IPCLAB_LANGUAGE", "en")).gettext(text)


def ngettext(one, many, n):
    """The text for n things, as gettext's ngettext."""
    return _translation(os.environ.get("IPCLAB_LANGUAGE", "en")).ngettext(one, many, n)


def _translation(language):
    if language not in _translations:
        folder = os.path.join(os.path.dirname(__file__), "locale")
        _translations[language] = gettext.translation("ipclab", folder, [language], fallback=True)
    return _translations[language]
