"""The notation page, offline."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from ntklab.resources import resource


class NotationDialog(QDialog):
    """Symbols, conventions and units; stays open beside the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Notation and conventions")
        page = QTextBrowser()
        page.setMarkdown(resource("notation.md").read_text(encoding="utf-8"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(page)
        layout.addWidget(buttons)
        self.resize(80 * self.fontMetrics().averageCharWidth(), 36 * self.fontMetrics().height())
