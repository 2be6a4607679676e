"""Figures on their way to the screen: the newest of each choice, one a turn of the event loop."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from ntklab.figures.model import Figure

Place = tuple[str, str]  # view, choice


class Redraws(QObject):
    """Keeps the window awake while several views change at once, and drops what is overtaken before it is drawn."""

    due = Signal(str, str, object)  # view, choice, Figure
    emptied = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[Place, Figure] = {}
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._next)

    def __bool__(self) -> bool:
        """Whether a figure waits."""
        return bool(self._waiting)

    def put(self, figures: dict[Place, Figure]) -> None:
        """Have ``figures`` drawn, in place of older ones of the same choices that wait."""
        self._waiting.update(figures)  # what is overtaken leaves its turn to the newer one
        if self._waiting:
            self._timer.start()

    def forget(self, place: Place) -> None:
        """Draw nothing that waits for ``place``."""
        self._waiting.pop(place, None)

    def stop(self) -> None:
        """Draw nothing more."""
        self._waiting.clear()
        self._timer.stop()

    @Slot()
    def _next(self) -> None:
        if self._waiting:
            place = next(iter(self._waiting))
            self.due.emit(*place, self._waiting.pop(place))
        if not self._waiting:
            self._timer.stop()
            self.emptied.emit()
