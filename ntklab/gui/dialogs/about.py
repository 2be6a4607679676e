"""Versions, devices and licence, to copy into a bug report."""

from __future__ import annotations

import platform

from PySide6.QtCore import Slot, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from ntklab.results import versions


class AboutDialog(QDialog):
    """What this is and what it runs on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About NTK Lab")
        rows = "".join(f"<tr><td>{name}&nbsp;&nbsp;</td><td>{version}</td></tr>" for name, version in about_rows())
        text = QLabel(
            "<h2>NTK Lab</h2><p>A laboratory for Neural Tangent Kernels, at finite and infinite width.<br>"
            f"Licensed under the Apache License 2.0.</p><table>{rows}</table>"
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = QPushButton("Copy")
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(f"{name} {version}" for name, version in about_rows()))


def about_rows() -> list[tuple[str, str]]:
    """Names and versions; none of the packages is imported for it."""
    rows = [*versions(), ("Qt", qVersion()), ("system", platform.platform())]
    return [(name, version) for name, version in rows]
