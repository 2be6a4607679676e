"""The only place where the worker thread meets widgets: job messages become Qt signals on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from ntklab.jobs import Arrived, Cancelled, Failed, Finished, Forecasted, Job, Progressed, Queued, Started, Worker
from ntklab.progress import Work

FRAME_MS = 33


class Bridge(QObject):
    """Owns the worker; each message type has one signal that carries the frozen message."""

    queued = Signal(object)
    started = Signal(object)
    forecasted = Signal(object)
    progressed = Signal(object)
    arrived = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal(object)
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Emitting a signal is all that the worker thread ever does here; the queued connection crosses the threads.
        self._woken.connect(self.flush, Qt.ConnectionType.QueuedConnection)
        self._worker = Worker(self._woken.emit)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.flush)
        self._signals = {
            Queued: self.queued, Started: self.started, Forecasted: self.forecasted, Progressed: self.progressed,
            Arrived: self.arrived, Finished: self.finished, Failed: self.failed, Cancelled: self.cancelled,
        }  # fmt: skip

    def submit(
        self, title: str, start: Callable[[], Work[Any]], *, lane: str | None = None, replace: bool = True
    ) -> Job:
        """Queue work for the worker thread; ``start`` runs there."""
        job = self._worker.submit(title, start, lane=lane, replace=replace)
        self._timer.start()
        return job

    def cancel(self, job: Job | None = None) -> None:
        """Cancel ``job``, or the newest one."""
        self._worker.cancel(job)

    def cancel_all(self) -> None:
        """Cancel everything queued or running."""
        self._worker.cancel_all()

    @property
    def busy(self) -> bool:
        """Whether anything is queued or running."""
        return self._worker.busy

    @Slot()
    def flush(self) -> None:
        """Emit what has come from the worker since the last time."""
        messages = self._worker.take()
        for message in messages:
            self._signals[type(message)].emit(message)
        if not messages and not self._worker.busy:
            self._timer.stop()

    def close(self, timeout: float = 2.0) -> bool:
        """Cancel everything and join the worker; whether it ended within ``timeout`` seconds."""
        self._timer.stop()
        return self._worker.close(timeout)
