"""What the next run needs, and the buttons that start and stop it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ntklab.gui.widgets import IconButton, Tint, restyle


class RunBox(QFrame):
    """Emits what its buttons ask for."""

    compute_requested = Signal()
    train_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runbox")
        self.forecast = QLabel(wordWrap=True)
        self.forecast.setObjectName("forecast")
        self.forecast.setProperty("role", "muted")
        self.forecast.setToolTip("Estimated before anything runs: time and memory of the next computation")
        self.compute = _button(
            "Compute kernels", "kernel", "Finite and infinite kernels and their spectra (Ctrl+R)", "primary"
        )
        self.train = _button("Train", "play", "The network, its linearisation and the limit, together (Ctrl+T)")
        self.compute.setObjectName("compute")
        self.train.setObjectName("train")
        self.stop = IconButton("stop", "Stop the newest job; what is finished stays (Esc)", object_name="stop")
        self.stop.setEnabled(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.compute, 1)
        buttons.addWidget(self.train)
        buttons.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(self.forecast)
        layout.addLayout(buttons)
        self.compute.clicked.connect(self.compute_requested)
        self.train.clicked.connect(self.train_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.set_forecast("", True)

    def set_forecast(self, text: str, ok: bool = True) -> None:
        """Show what is needed; in the colour of errors where it does not fit."""
        self.forecast.setText(text)
        self.forecast.setVisible(bool(text))
        role = "muted" if ok else "error"
        if self.forecast.property("role") != role:
            self.forecast.setProperty("role", role)
            restyle(self.forecast)

    def set_running(self, running: bool) -> None:
        """Enable the stop button while something runs."""
        self.stop.setEnabled(running)


def _button(title: str, icon: str, tooltip: str, role: str = "") -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setProperty("role", role)
    Tint(button, icon)
    return button
