"""The bar at the top: run and stop, where training stands, the seed, the device, the theme, the command finder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ntklab.gui.widgets import Choice, ElidedLabel, IconButton, NumberEdit, Scale
from ntklab.gui.widgets.numbers import integer, number


class TransportBar(QFrame):
    """Signals alone: the window knows what they mean."""

    run_requested = Signal()
    stop_requested = Signal()
    seed_committed = Signal(object)
    redraw_requested = Signal()
    device_chosen = Signal(str)
    theme_requested = Signal()
    palette_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setProperty("role", "bar")
        self.run_button = IconButton("play", "Train (Ctrl+T)", title="Train", role="primary", object_name="run")
        self.stop_button = IconButton("stop", "Stop the newest job (Esc)", object_name="stop-all")
        self.stop_button.setEnabled(False)
        self.time = ElidedLabel()
        self.time.setObjectName("time")
        self.seed = NumberEdit(Scale(0, 1000, integer=True), limits=(0, 2**63 - 1))
        self.redraw = IconButton("dice", "Draw another network: the next seed (Ctrl+Shift+R)", object_name="redraw")
        self.device = Choice([("cpu", "cpu", "")])
        self.theme = IconButton("moon", "Switch light and dark (Ctrl+Shift+L)", object_name="theme")
        self.search = QPushButton("Ctrl+K  Find a command")
        self._name()
        self._lay_out()
        self._connect()
        self.set_time(None)

    def _name(self) -> None:
        self.seed.setObjectName("seed")
        self.seed.setAccessibleName("Seed of the network")
        self.seed.setToolTip("Draws the weights of the finite network")
        self.seed.setFixedWidth(self.fontMetrics().horizontalAdvance("0") * 8)
        self.device.setObjectName("device")
        self.device.setAccessibleName("Device")
        self.device.setToolTip("Where kernels are computed")
        self.device.setMinimumContentsLength(7)
        self.search.setObjectName("search")
        self.search.setProperty("role", "quiet")
        self.search.setToolTip("Find any command by name (Ctrl+K)")
        self.time.setToolTip("Gradient steps taken, and time η·t of gradient flow")

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 6, 10, 6)
        layout.setSpacing(6)
        layout.addWidget(self.run_button)
        layout.addWidget(self.stop_button)
        layout.addSpacing(8)
        layout.addWidget(self.time, 1)
        seed = QLabel("seed")
        seed.setProperty("role", "muted")
        seed.setBuddy(self.seed)
        layout.addWidget(seed)
        layout.addWidget(self.seed)
        layout.addWidget(self.redraw)
        layout.addSpacing(8)
        layout.addWidget(self.device)
        layout.addWidget(self.search)
        layout.addWidget(self.theme)

    def _connect(self) -> None:
        self.run_button.clicked.connect(self.run_requested)
        self.stop_button.clicked.connect(self.stop_requested)
        self.seed.committed.connect(self.seed_committed)
        self.seed.stepped.connect(self.seed_committed)
        self.redraw.clicked.connect(self.redraw_requested)
        self.device.committed.connect(self._device_chosen)
        self.theme.clicked.connect(self.theme_requested)
        self.search.clicked.connect(self.palette_requested)

    def set_running(self, running: bool) -> None:
        """Whether there is anything to stop."""
        self.stop_button.setEnabled(running)

    def set_time(self, step: int | None, learning_rate: float | None = None) -> None:
        """How far training has come; None before any."""
        if step is None:
            self.time.setText("not trained yet")
        else:
            flow = "" if learning_rate is None else f"  (η·t = {number(learning_rate * step)})"
            self.time.setText(f"t = {integer(step)} steps{flow}")
        self.time.updateGeometry()

    def set_seed(self, seed: int) -> None:
        """Show the seed of the document."""
        if not (self.seed.hasFocus() and self.seed.pending):
            self.seed.show_value(seed)

    def set_devices(self, devices: Sequence[str], chosen: str = "cpu") -> None:
        """Offer ``devices`` and show the one of the document."""
        self.device.set_rows([(name, name, "") for name in dict.fromkeys((*devices, chosen))])
        self.device.show_value(chosen)

    def set_device(self, chosen: str) -> None:
        """Show the device of the document."""
        if chosen not in [self.device.itemText(row) for row in range(self.device.count())]:
            self.set_devices([*(self.device.itemText(row) for row in range(self.device.count())), chosen], chosen)
        self.device.show_value(chosen)

    def set_dark(self, dark: bool) -> None:
        """Offer the other theme."""
        self.theme.set_icon("sun" if dark else "moon")

    @Slot(object)
    def _device_chosen(self, device: str) -> None:
        self.device_chosen.emit(device)
