"""Autosave: the experiment is written after every edit and offered again after a crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from ntklab.errors import FileError, SpecError
from ntklab.files import set_aside, write_atomically
from ntklab.session.files import open_experiment
from ntklab.session.session import Change, Session
from ntklab.spec import Experiment


class Journal:
    """One file a process in ``folder``, by default in the user's state folder.

    A file whose process has ended without ``clear`` was left by a crash.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder is not None else platformdirs.user_state_path("ntklab", appauthor=False)
        self.path = self._path(os.getpid())

    def write(self, experiment: Experiment) -> str:
        """Keep ``experiment``; an empty text, or the reason why it could not be kept. Never raises."""
        try:
            # Not flushed to the disk: this must survive the program, not the power, and runs at every edit.
            write_atomically(self.path, experiment.to_json().encode(), flush=False)
        except FileError as error:
            return f"autosave: {error}"
        return ""

    def recover(self) -> Experiment | None:
        """The newest experiment that a crash left behind, or None; it becomes this process's own journal.

        A journal that cannot be read is kept aside with the suffix ``.bad``.
        """
        for orphan in self._orphans():
            try:
                experiment = open_experiment(orphan)
            except (FileError, SpecError):
                set_aside(orphan)
                continue
            self.write(experiment)
            if orphan != self.path:
                _remove(orphan)
            return experiment
        return None

    def clear(self) -> None:
        """Forget the experiment: the program ends as it should."""
        _remove(self.path)

    def _path(self, process: int) -> Path:
        return self.folder / f"journal-{process}.json"

    def _orphans(self) -> Iterator[Path]:
        """Journals of processes that are no more, newest first; our own number can only be an earlier process's."""
        try:
            found = [(path.stat().st_mtime, path) for path in self.folder.glob("journal-*.json")]
        except OSError:
            return
        for _, path in sorted(found, reverse=True):
            number = path.stem.removeprefix("journal-")
            if number.isdecimal() and (path == self.path or not _lives(int(number))):
                yield path


def autosave(session: Session, journal: Journal, say: Callable[[str], None]) -> Callable[[], None]:
    """Write the journal at every edit; ``say`` hears why when that stops working. Returns what ends it."""
    trouble = ""

    def listen(change: Change) -> None:
        nonlocal trouble
        if change.topic != "experiment":
            return
        before, trouble = trouble, journal.write(session.experiment)
        if trouble and trouble != before:
            say(trouble)

    return session.subscribe(listen)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # it will be offered again, which harms nobody


def _lives(process: int) -> bool:
    import psutil  # 15 ms that a start after an orderly end need not wait for

    return bool(psutil.pid_exists(process))
