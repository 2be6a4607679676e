"""The document: what is asked, what was found, what is selected; undo, files, autosave, settings. No Qt, no torch."""

from typing import TYPE_CHECKING

from ntklab.lazy import lazily

if TYPE_CHECKING:
    from ntklab.session import edits, files
    from ntklab.session.journal import Journal, autosave
    from ntklab.session.results import Results
    from ntklab.session.session import Change, Selection, Session
    from ntklab.session.settings import Settings, load_settings, save_settings

__all__ = [
    "Change",
    "Journal",
    "Results",
    "Selection",
    "Session",
    "Settings",
    "autosave",
    "edits",
    "files",
    "load_settings",
    "save_settings",
]

__getattr__ = lazily(
    __name__,
    {
        "journal": (
            "Journal",
            "autosave",
        ),
        "results": ("Results",),
        "session": (
            "Change",
            "Selection",
            "Session",
        ),
        "settings": (
            "Settings",
            "load_settings",
            "save_settings",
        ),
    },
)
