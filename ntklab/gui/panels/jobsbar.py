"""The bar at the bottom: what runs and how long it will, what went wrong, device, memory, saved state, read-out."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ntklab.gui.widgets import ElidedLabel, IconButton, ground, restyle, rule
from ntklab.gui.widgets.numbers import duration

_STEPS = 1000


class JobsBar(QFrame):
    """Shows what the window tells it. ``cancel_requested`` and ``report_requested(report)`` are what the user asks."""

    cancel_requested = Signal()
    report_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobs-bar")
        self._report: Any = None
        self._error = ""
        self._repeats = 0
        self.job = ElidedLabel()
        self.progress = QProgressBar(maximum=_STEPS, textVisible=False)
        self.eta = ElidedLabel()
        self.cancel = IconButton("close", "Stop this job; what is finished stays (Esc)", object_name="cancel-job")
        self.queue = ElidedLabel()
        self.message = ElidedLabel()
        self.details = QPushButton("Details…")
        self.device = ElidedLabel()
        self.memory = ElidedLabel()
        self.saved = ElidedLabel()
        self.readout = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._dress()
        self._lay_out()
        self.cancel.clicked.connect(self.cancel_requested)
        self.details.clicked.connect(self._show_report)
        self.clear_job()
        self.details.hide()

    def _dress(self) -> None:
        names = ("job", "eta", "queue", "message", "device", "memory", "saved", "readout")
        for name in names:
            label: ElidedLabel = getattr(self, name)
            label.setObjectName(f"status-{name}")
            label.setAccessibleName(name)
            label.setProperty("role", "plain" if name in ("job", "readout") else "muted")
        self.progress.setObjectName("progress")
        self.progress.setAccessibleName("Progress of the job")
        self.progress.setFixedWidth(self.fontMetrics().averageCharWidth() * 14)
        self.details.setObjectName("error-details")
        self.details.setToolTip("Show the report of this error, to copy or save")
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.readout.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self) -> None:
        ground(self)
        layout = QHBoxLayout()
        layout.setContentsMargins(14, 2, 14, 2)
        layout.setSpacing(10)
        for widget in (self.job, self.progress, self.eta, self.cancel, self.queue):
            layout.addWidget(widget)
        layout.addWidget(self.message, 1)
        layout.addWidget(self.details)
        for widget in (self.readout, self.device, self.memory, self.saved):
            layout.addWidget(widget)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(rule())
        outer.addStretch(1)  # labels do not grow, and without room to take the rule would come down to them
        outer.addLayout(layout)
        outer.addStretch(1)
        self.setFixedHeight(round(self.fontMetrics().height() * 2.2))

    # -- jobs ------------------------------------------------------------------------------------------------------

    def set_job(self, title: str) -> None:
        """A job began."""
        self.job.say(title)
        self.eta.say("")
        self.progress.setRange(0, 0)
        for widget in (self.job, self.progress, self.eta, self.cancel):
            widget.show()

    def set_progress(self, done: int, total: int, text: str = "", eta: float | None = None) -> None:
        """How far the job has come."""
        self.progress.setRange(0, _STEPS)
        self.progress.setValue(round(_STEPS * done / total) if total > 0 else 0)
        self.progress.setToolTip(f"{text} {done} of {total}".strip())
        self.eta.say("" if eta is None else f"{duration(eta)} left")

    def clear_job(self) -> None:
        """Nothing runs."""
        for widget in (self.job, self.progress, self.eta, self.cancel):
            widget.hide()
        self.set_queue(0)

    def set_queue(self, waiting: int) -> None:
        """How many jobs wait behind the present one."""
        self.queue.say(f"+{waiting} waiting" if waiting else "")
        self.queue.setVisible(waiting > 0)

    # -- messages --------------------------------------------------------------------------------------------------

    def set_message(self, text: str) -> None:
        """One line that takes the place of the one before."""
        self._error, self._repeats, self._report = "", 0, None
        self.details.hide()
        self._say(text, "muted")

    def show_error(self, text: str, report: Any = None) -> None:
        """An error, with a report behind "Details…" where there is one. The same error again is counted."""
        self._repeats = self._repeats + 1 if text == self._error else 1
        self._error, self._report = text, report
        self.details.setVisible(report is not None)
        self._say(f"{text} (×{self._repeats})" if self._repeats > 1 else text, "error")

    def _say(self, text: str, role: str) -> None:
        self.message.say(text)
        if self.message.property("role") != role:
            self.message.setProperty("role", role)
            restyle(self.message)

    @Slot()
    def _show_report(self) -> None:
        if self._report is not None:
            self.report_requested.emit(self._report)

    # -- the rest --------------------------------------------------------------------------------------------------

    def set_device(self, text: str) -> None:
        """Where work is done."""
        self.device.say(text)

    def set_memory(self, text: str) -> None:
        """Memory in use and needed."""
        self.memory.say(text)

    def set_saved(self, text: str) -> None:
        """Whether the document is in a file."""
        self.saved.say(text)

    def set_readout(self, text: str) -> None:
        """What is under the mouse."""
        self.readout.say(text)
