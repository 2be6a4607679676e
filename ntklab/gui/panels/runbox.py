"""What the next run needs, and the buttons that start and stop it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ntklab.gui.panels.route_table import RouteTable
from ntklab.gui.widgets import ElidedLabel, IconButton, InlineError, Tint
from ntklab.progress import Forecast
from ntklab.spec import Architecture

_TRAIN = "The network, its linearisation and the limit, together (Ctrl+T)"


class RunBox(QFrame):
    """Emits what its buttons ask for."""

    compute_requested = Signal()
    train_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runbox")
        self.forecast = ElidedLabel()  # memory and time come first; how is in the tooltip
        self.forecast.setObjectName("forecast")
        self.forecast.setProperty("role", "muted")
        self.details = IconButton("info", "Which way each layer takes, and why", object_name="route")
        self.details.hide()
        self.route = RouteTable(self)
        self.problem = InlineError()
        self.compute = _button(
            "Compute kernels", "kernel", "Finite and infinite kernels and their spectra (Ctrl+R)", "primary"
        )
        self.train = _button("Train", "play", _TRAIN)
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
        needs = QHBoxLayout()
        needs.setSpacing(4)
        needs.addWidget(self.forecast, 1)
        needs.addWidget(self.details)
        layout.addLayout(needs)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.compute.clicked.connect(self.compute_requested)
        self.train.clicked.connect(self.train_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.details.clicked.connect(self._open_route)
        self.set_forecast("", True)

    def set_forecast(self, text: str, ok: bool = True) -> None:
        """Show what is needed in one line, or in as many as it takes why it cannot be had."""
        self.forecast.say(text if ok else "")
        self.forecast.setToolTip(
            f"Estimated before anything runs: peak memory of the budget, time, tiles, and how. {text}"
        )
        self.forecast.setVisible(ok and bool(text))
        self.problem.say("" if ok else text)

    def set_untrainable(self, reason: str) -> None:
        """Disable training and say why in its tooltip; an empty reason enables it."""
        self.train.setEnabled(not reason)
        self.train.setToolTip(reason or _TRAIN)

    def set_route(self, forecast: Forecast | None, architecture: Architecture | None = None) -> None:
        """How the work of ``forecast`` goes is told on demand; None where there is nothing to tell."""
        self.details.setVisible(forecast is not None and bool(forecast.layers))
        if forecast is not None:
            self.route.show_forecast(forecast, architecture)

    @Slot()
    def _open_route(self) -> None:
        self.route.open_above(self.details)

    def set_running(self, running: bool) -> None:
        """Enable the stop button while something runs."""
        self.stop.setEnabled(running)


def _button(title: str, icon: str, tooltip: str, role: str = "") -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setProperty("role", role)
    Tint(button, icon)
    return button
