"""The left column: the document as four sections, and under them what the next run costs and the buttons to run it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.architecture import ArchitecturePanel
from ntklab.gui.panels.data import DataPanel
from ntklab.gui.panels.kernel import KernelPanel
from ntklab.gui.panels.runbox import RunBox
from ntklab.gui.panels.training import TrainingPanel
from ntklab.gui.widgets import Section, scrolled
from ntklab.session import Session

DESIGN_WIDTH = 300


class ExperimentPanel(QWidget):
    """Data, architecture, kernel, training, and the buttons that run them.

    ``width_dragged(int)`` and ``infinity(bool)`` come from the width dial, ``file_requested`` from the data section,
    the other signals from the buttons.
    """

    width_dragged = Signal(int)
    infinity = Signal(bool)
    file_requested = Signal()
    compute_requested = Signal()
    train_requested = Signal()
    stop_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("experiment-panel")
        self.setAccessibleName("Experiment")
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.data = DataPanel(session)
        self.architecture = ArchitecturePanel(session)
        self.kernel = KernelPanel(session)
        self.training = TrainingPanel(session)
        self.runbox = RunBox()
        self.sections = {
            "data": self._section("Data", self.data, opened=False),
            "architecture": self._section("Architecture", self.architecture, opened=True),
            "kernel": self._section("Kernel", self.kernel, opened=False),
            "training": self._section("Training", self.training, opened=False),
        }
        self._lay_out()
        self.architecture.width_dragged.connect(self.width_dragged)
        self.architecture.infinity.connect(self.infinity)
        self.data.file_requested.connect(self.file_requested)
        self.runbox.compute_requested.connect(self.compute_requested)
        self.runbox.train_requested.connect(self.train_requested)
        self.runbox.stop_requested.connect(self.stop_requested)

    def _section(
        self, title: str, panel: DataPanel | ArchitecturePanel | KernelPanel | TrainingPanel, *, opened: bool
    ) -> Section:
        panel.setContentsMargins(0, 0, 0, 0)
        framed = QWidget()
        layout = QVBoxLayout(framed)
        layout.setContentsMargins(14, 2, 14, 14)
        layout.addWidget(panel)
        section = Section(title, framed, opened=opened)
        section.setObjectName(f"section-{title.lower()}")
        section.show_summary(panel.summary)
        panel.summary_changed.connect(section.show_summary)
        return section

    def _lay_out(self) -> None:
        title = QLabel("EXPERIMENT")
        title.setProperty("role", "section")
        title.setContentsMargins(14, 10, 14, 6)
        inside = QWidget()
        stack = QVBoxLayout(inside)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        for index, section in enumerate(self.sections.values()):
            if index:
                stack.addWidget(_rule())
            stack.addWidget(section)
        stack.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(title)
        layout.addWidget(scrolled(inside), 1)
        layout.addWidget(_rule())
        layout.addWidget(self.runbox)

    def set_forecast(self, text: str, ok: bool = True) -> None:
        """What the next run needs; ``ok`` says whether it fits the memory budget."""
        self.runbox.set_forecast(text, ok)

    def set_running(self, running: bool) -> None:
        """Whether there is anything to stop."""
        self.runbox.set_running(running)

    def set_devices(self, devices: Sequence[str]) -> None:
        """The devices that kernels may be computed on."""
        self.kernel.set_devices(devices)

    def set_critical_rate(self, rate: float | None) -> None:
        """The largest stable learning rate, once it is known."""
        self.training.set_critical_rate(rate)

    def pulse_dial(self) -> None:
        """Draw the eye to the width dial once."""
        self.sections["architecture"].open()
        self.architecture.dial.pulse()


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFixedHeight(1)
    rule.setObjectName("rule")
    rule.setFrameShape(QFrame.Shape.NoFrame)
    rule.setAutoFillBackground(True)
    rule.setBackgroundRole(QPalette.ColorRole.Mid)
    return rule
