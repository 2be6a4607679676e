"""Size and format of a figure for a paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QWidget,
)

from ntklab.figures.model import Figure
from ntklab.gui.widgets import form_layout, pad

WIDTHS = (("One column, 85 mm", 85.0), ("One and a half, 120 mm", 120.0), ("Two columns, 178 mm", 178.0))
FORMATS = ("PDF", "SVG", "PNG")

Write = Callable[[Figure, Path, float, float], None]


class ExportDialog(QDialog):
    """Asks for width in mm, font size in pt and format, then for the file; ``write(figure, path, mm, pt)`` does it."""

    def __init__(self, figure: Figure, folder: str, write: Write, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Export “{figure.title}”")
        self._figure, self._folder, self._write = figure, folder, write
        self.preset = QComboBox()
        for title, _ in WIDTHS:
            self.preset.addItem(title)
        self.width_mm = QDoubleSpinBox(minimum=20, maximum=500, decimals=1, suffix=" mm", value=WIDTHS[0][1])
        self.font_pt = QDoubleSpinBox(minimum=4, maximum=24, decimals=1, suffix=" pt", value=8)
        self.format = QComboBox()
        self.format.addItems(FORMATS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.save_button = buttons.button(QDialogButtonBox.StandardButton.Save)
        form = form_layout(self)
        for box in (self.width_mm, self.font_pt):
            pad(box)
        form.addRow("&Preset", self.preset)
        form.addRow("&Width", self.width_mm)
        form.addRow("Text &size", self.font_pt)
        form.addRow("&Format", self.format)
        form.addRow(buttons)
        self.preset.currentIndexChanged.connect(self._preset_chosen)
        buttons.accepted.connect(self._ask_for_file)
        buttons.rejected.connect(self.reject)

    @Slot(int)
    def _preset_chosen(self, index: int) -> None:
        self.width_mm.setValue(WIDTHS[index][1])

    @Slot()
    def _ask_for_file(self) -> None:
        kind = self.format.currentText()
        name = f"{file_name(self._figure.title)}.{kind.lower()}"
        start = str(Path(self._folder) / name)
        path, _ = QFileDialog.getSaveFileName(self, "Export figure", start, f"{kind} (*.{kind.lower()})")
        if path:
            self.accept()
            self._write(self._figure, Path(path), self.width_mm.value(), self.font_pt.value())


def file_name(title: str) -> str:
    """A plain file name for a figure's title."""
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(words) or "figure"
