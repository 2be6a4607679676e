"""An error with everything that a bug report needs, to copy or to save."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ntklab.files import write_atomically
from ntklab.jobs import Report


class ReportDialog(QDialog):
    """Shows ``report``; nothing is sent anywhere."""

    def __init__(self, report: Report, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Error report")
        self._report = report
        message = QLabel(report.message, wordWrap=True)
        details = QPlainTextEdit(report.details, readOnly=True)
        details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = QPushButton("Copy report")
        self.save_button = QPushButton("Save report…")
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(self._copy)
        self.save_button.clicked.connect(self._save)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(message)
        layout.addWidget(details, 1)
        layout.addWidget(buttons)
        self.resize(90 * self.fontMetrics().averageCharWidth(), 28 * self.fontMetrics().height())

    @property
    def text(self) -> str:
        """What is copied or saved."""
        return f"{self._report.message}\n\n{self._report.details}\n"

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)

    @Slot()
    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save report", "ntklab-report.txt", "Text (*.txt)")
        if path:
            write_atomically(Path(path), self.text.encode())
