"""The document: what is asked, what was found, what is selected; undo, files, autosave, settings. No Qt, no torch."""

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
