"""Whether the user's own code may run: nothing runs before the user has said so, for this very file as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from ntklab.errors import FileError
from ntklab.session import edits, model_files, save_settings
from ntklab.spec import Experiment, ModelFile, ModelObject

if TYPE_CHECKING:
    from ntklab.gui.dialogs.trust import TrustDialog
    from ntklab.gui.window import Window

DETACHED = (
    "{name} was handed over by a program, and no file holds it: give it again with ntklab.show(model, X, y), or choose "
    "a Python file under Architecture"
)


class Consent(QObject):
    """Asks, remembers the answers in the settings, and tells the laboratory why something may not run."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._declined: set[tuple[str, str]] = set()
        self._dialog: TrustDialog | None = None
        self.objects: Mapping[str, Any] = window.objects

    @property
    def asking(self) -> bool:
        """Whether the question is on screen."""
        return self._dialog is not None

    def trusts(self, model: ModelFile) -> bool:
        """Whether the user trusts this content of this file; may be asked from the worker."""
        return model_files.trusts(self._window.settings, model)

    def refusal(self, experiment: Experiment, *, asked: bool) -> str:
        """Why the network of ``experiment`` may not be computed with; empty where it may.

        Where a file waits for consent, the question is put: again after a "no" only if the user ``asked`` for the work.
        """
        model = experiment.model
        if isinstance(model, ModelObject) and model.sha256 not in self.objects:
            return DETACHED.format(name=model.name.rpartition(":")[2])
        if not isinstance(model, ModelFile):
            return ""
        state = model_files.state(model, self._window.settings)
        if state == "ready":
            return ""
        name = Path(model.path).name
        if state == "missing":
            return f"{model.path} is not there or cannot be read; choose the file again under Architecture"
        self._ask_again(model, asked=asked)
        reason = "has changed since you trusted it" if state == "changed" else "has not been allowed to run"
        return f"{name} {reason}; nothing of it runs until you trust it"

    def choose(self, path: Path, model: ModelFile | None = None) -> None:
        """Ask whether the file may run and which of its functions makes the network, then use that.

        Raises ``FileError``.
        """
        from ntklab.gui.dialogs.trust import TrustDialog

        if self._dialog is not None:
            self._dialog.close()
        source = model_files.read_source(path)
        features = self._features()
        changed = model is not None and model.sha256 != source.sha256
        dialog = TrustDialog(source, features, model=model, changed=changed, parent=self._window)
        dialog.accepted.connect(partial(self._accepted, dialog))
        dialog.rejected.connect(partial(self._rejected, dialog))
        dialog.destroyed.connect(self._closed)
        self._dialog = dialog
        self._window.open_dialog(dialog)

    def _ask_again(self, model: ModelFile, *, asked: bool) -> None:
        if self._dialog is not None:
            return
        try:
            source = model_files.read_source(model.path)
        except FileError:
            return
        if asked or (str(source.path), source.sha256) not in self._declined:
            self.choose(source.path, model)

    def _features(self) -> int:
        data, experiment = self._window.session.results.data, self._window.session.experiment
        if data is not None and "data" not in self._window.session.results.outdated:
            return data.features
        size = 1
        for length in experiment.architecture.input.shape:
            size *= length
        return size

    def _accepted(self, dialog: TrustDialog) -> None:
        model = dialog.model()
        window = self._window
        window.settings = model_files.trusting(window.settings, model)
        if trouble := save_settings(window.settings):
            window.say_error(trouble)
        experiment = edits.use_model(window.session.experiment, model)
        window.session.edit(experiment, f"use {model.function}() of {Path(model.path).name}")
        window.laboratory.compute()

    def _rejected(self, dialog: TrustDialog) -> None:
        self._declined.add((str(dialog.source.path), dialog.source.sha256))

    @Slot()
    def _closed(self) -> None:
        self._dialog = None
