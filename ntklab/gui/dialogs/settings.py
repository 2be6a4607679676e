"""Settings that hold for every session; each takes effect at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QSpinBox, QWidget

from ntklab.gui.widgets import ValueEdit, form_layout, pad
from ntklab.gui.widgets.numbers import byte_text, parse_bytes
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
        self.memory = ValueEdit(parse_bytes, byte_text, none="a share of what is free")
        self.memory.show_value(settings.memory)
        self.threads = QSpinBox(minimum=0, maximum=MOST_THREADS)
        self.threads.setSpecialValueText("automatic")
        self.threads.setValue(settings.threads or 0)
        self.problem = QLabel(wordWrap=True)
        self.problem.setProperty("role", "error")
        self.problem.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        pad(self.threads)
        form = form_layout(self)
        form.addRow("&Theme", self.theme)
        form.addRow("&Memory budget", self.memory)
        form.addRow("Computing t&hreads", self.threads)
        form.addRow(self.problem)
        form.addRow(buttons)
        self.theme.currentIndexChanged.connect(self._theme_chosen)
        self.memory.committed.connect(self._memory_given)
        self.memory.problem.connect(self._refused)
        self.threads.valueChanged.connect(self._threads_given)
        buttons.rejected.connect(self.reject)

    @Slot(int)
    def _theme_chosen(self, index: int) -> None:
        self._change(theme=self.theme.itemData(index))

    @Slot(object)
    def _memory_given(self, value: int | None) -> None:
        self._change(memory=value)

    @Slot(int)
    def _threads_given(self, count: int) -> None:
        self._change(threads=count or None)

    @Slot(str)
    def _refused(self, reason: str) -> None:
        self.problem.setText(reason)
        self.problem.show()

    def _change(self, **fields: Any) -> None:
        self.problem.hide()
        self._settings = self._settings.replace(**fields)
        self._apply(self._settings)
