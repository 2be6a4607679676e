"""Reads the pieces of a kernel on disk that are in sight, beside the thread that draws."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from PySide6.QtCore import QObject, QTimer, Slot

from ntklab.figures.zoom import StoredPyramid

_EVERY_MS = 33


class PieceReader(QObject):
    """Calls ``renew`` on the GUI thread when pieces of ``pyramid`` have come; ``wake`` it when others are in sight."""

    def __init__(self, pyramid: StoredPyramid, renew: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._pyramid = pyramid
        self._renew = renew
        self._stop = Event()
        self._thread: Thread | None = None
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def reading(self) -> bool:
        """Whether pieces are being read, or wait to be drawn."""
        return self._timer.isActive()

    @Slot()
    def wake(self) -> None:
        """Read what is in sight now."""
        if self._pyramid.waiting and not self._stop.is_set():
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=_read, args=(self._pyramid, self._stop), name="ntklab-pieces", daemon=True)
                self._thread.start()
            self._timer.start()

    def close(self) -> None:
        """Stop, after the piece that is being read."""
        self._stop.set()
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        self.deleteLater()

    @Slot()
    def _look(self) -> None:
        if self._pyramid.take_news():
            self._renew()
        elif self._thread is None or not self._thread.is_alive():
            self._timer.stop()
            self.wake()


def _read(pyramid: StoredPyramid, stop: Event) -> None:
    while not stop.is_set() and pyramid.load():
        pass
