"""A kernel on disk, beside the window."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from ntklab.figures.model import Heatmap
from ntklab.gui.plots import PlotView


class StoredKernelDialog(QDialog):
    """Shows ``figure``, the heat map of a stored kernel, and reads the pieces that are looked at; several may be open.

    ``view`` has the signals for exporting it. ``folder`` says where it lies.
    """

    def __init__(self, figure: Heatmap, folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{figure.title} — {folder}")
        self.view = PlotView(self)
        self._readout = QLabel("Scroll to zoom, drag to move: exact entries are read as they come into sight", self)
        self._readout.setProperty("role", "muted")
        self._readout.setMargin(6)
        self.view.hovered.connect(self._readout.setText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._readout)
        self.resize(90 * self.fontMetrics().averageCharWidth(), 44 * self.fontMetrics().height())
        self.view.show_figure(figure)

    def done(self, result: int) -> None:
        """Let go of the folder."""
        self.view.show_message("")
        super().done(result)
