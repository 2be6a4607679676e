"""The left column: the document as four sections, and under them what the next run costs and the buttons to run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.architecture import ArchitecturePanel
from ntklab.gui.panels.data import DataPanel
from ntklab.gui.panels.kernel import KernelPanel
from ntklab.gui.panels.runbox import RunBox
from ntklab.gui.panels.summaries import SUMMARIES
from ntklab.gui.panels.training import TrainingPanel
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import Section, ground, rule, scrolled
from ntklab.session import Session

OPEN_AT_FIRST = ("architecture",)
_PANELS: dict[str, Callable[[Session], QWidget]] = {
    "data": DataPanel,
    "architecture": ArchitecturePanel,
    "kernel": KernelPanel,
    "training": TrainingPanel,
}


class ExperimentPanel(QWidget):
    """Data, architecture, kernel, training, and the buttons that run them.

    ``width_dragged(int)`` and ``infinity(bool)`` come from the width dial, ``file_requested`` from the data section,
    ``model_requested`` and ``parameters_requested`` from the architecture, the other signals from the buttons.
    """

    width_dragged = Signal(int)
    infinity = Signal(bool)
    file_requested = Signal()
    compute_requested = Signal()
    train_requested = Signal()
    stop_requested = Signal()
    draw_requested = Signal()
    model_requested = Signal()
    parameters_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._devices: tuple[str, ...] = ("cpu",)
        self._estimates_forecast = ("", True)
        self._panels: dict[str, QWidget] = {}
        self.setObjectName("experiment-panel")
        self.setAccessibleName("Experiment")
        ground(self)
        self.runbox = RunBox()
        self.sections = {name: self._section(name) for name in SUMMARIES}
        self._lay_out()
        self.runbox.compute_requested.connect(self.compute_requested)
        self.runbox.train_requested.connect(self.train_requested)
        self.runbox.stop_requested.connect(self.stop_requested)
        watch(self, session, experiment=self._summarise, sketch=self._summarise)
        self._summarise()

    def _section(self, name: str) -> Section:
        section = Section(name.capitalize(), partial(self._make, name), opened=name in OPEN_AT_FIRST)
        section.setObjectName(f"section-{name}")
        return section

    def _make(self, name: str) -> QWidget:
        """The content of a section: of a folded one when it is first opened, so that the first paint comes sooner."""
        panel = _PANELS[name](self._session)
        self._panels[name] = panel
        if isinstance(panel, ArchitecturePanel):
            panel.width_dragged.connect(self.width_dragged)
            panel.infinity.connect(self.infinity)
            panel.model_requested.connect(self.model_requested)
            panel.parameters_requested.connect(self.parameters_requested)
        elif isinstance(panel, DataPanel):
            panel.file_requested.connect(self.file_requested)
        elif isinstance(panel, KernelPanel):
            panel.set_devices(self._devices)
            panel.estimates.set_forecast(self._estimates_forecast[0], ok=self._estimates_forecast[1])
            panel.draw_requested.connect(self.draw_requested)
        framed = QWidget()
        layout = QVBoxLayout(framed)
        layout.setContentsMargins(14, 2, 14, 14)
        layout.addWidget(panel)
        return framed

    def _panel(self, name: str) -> Any:
        _ = self.sections[name].content
        return self._panels[name]

    @property
    def data(self) -> DataPanel:
        """The editor of the data."""
        return self._panel("data")  # type: ignore[no-any-return]

    @property
    def architecture(self) -> ArchitecturePanel:
        """The editor of the network."""
        return self._panel("architecture")  # type: ignore[no-any-return]

    @property
    def kernel(self) -> KernelPanel:
        """The editor of the kernel request."""
        return self._panel("kernel")  # type: ignore[no-any-return]

    @property
    def training(self) -> TrainingPanel:
        """The editor of the training."""
        return self._panel("training")  # type: ignore[no-any-return]

    def _summarise(self) -> None:
        for name, summary in SUMMARIES.items():
            self.sections[name].show_summary(summary(self._session.experiment))
        if self._session.sketch is not None:
            self.sections["architecture"].show_summary("does not fit yet; the network before is used")

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
                stack.addWidget(rule())
            stack.addWidget(section)
        stack.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(title)
        layout.addWidget(scrolled(inside), 1)
        layout.addWidget(rule())
        layout.addWidget(self.runbox)

    def set_forecast(self, text: str, ok: bool = True) -> None:
        """What the next run needs; ``ok`` says whether it fits the memory budget."""
        self.runbox.set_forecast(text, ok)

    def set_estimates_forecast(self, text: str, *, ok: bool = True) -> None:
        """What drawing networks for Monte Carlo takes, or why it cannot be done."""
        self._estimates_forecast = (text, ok)
        if "kernel" in self._panels:
            self.kernel.estimates.set_forecast(text, ok=ok)

    def set_running(self, running: bool) -> None:
        """Whether there is anything to stop."""
        self.runbox.set_running(running)

    def set_untrainable(self, reason: str) -> None:
        """Why the network cannot be trained; empty where it can."""
        self.runbox.set_untrainable(reason)

    def set_devices(self, devices: Sequence[str]) -> None:
        """The devices that kernels may be computed on."""
        self._devices = tuple(devices)
        if "kernel" in self._panels:
            self.kernel.set_devices(devices)

    def pulse_dial(self) -> None:
        """Draw the eye to the width dial once."""
        self.sections["architecture"].open()
        self.architecture.dial.pulse()
