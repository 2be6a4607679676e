"""Settings that hold for every session: the theme at once, threads from the next start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QSpinBox, QWidget

from ntklab.gui.widgets import form_layout, pad
from ntklab.session import Settings

THEMES = (("Follow the system", "system"), ("Light", "light"), ("Dark", "dark"))
MOST_THREADS = 256


class SettingsDialog(QDialog):
    """``apply(settings)`` is called after each change."""

    def __init__(self, settings: Settings, apply: Callable[[Settings], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self._settings, self._apply = settings, apply
        self.theme = QComboBox()
        for title, scheme in THEMES:
            self.theme.addItem(title, scheme)
        self.theme.setCurrentIndex(self.theme.findData(settings.theme))
        self.threads = QSpinBox(minimum=0, maximum=MOST_THREADS)
        self.threads.setSpecialValueText("automatic")
        self.threads.setValue(settings.threads or 0)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        pad(self.threads)
        form = form_layout(self)
        form.addRow("&Theme", self.theme)
        form.addRow("Computing t&hreads, from the next start", self.threads)
        form.addRow(buttons)
        self.theme.currentIndexChanged.connect(self._theme_chosen)
        self.threads.valueChanged.connect(self._threads_given)
        buttons.rejected.connect(self.reject)

    @Slot(int)
    def _theme_chosen(self, index: int) -> None:
        self._change(theme=self.theme.itemData(index))

    @Slot(int)
    def _threads_given(self, count: int) -> None:
        self._change(threads=count or None)

    def _change(self, **fields: Any) -> None:
        self._settings = self._settings.replace(**fields)
        self._apply(self._settings)
