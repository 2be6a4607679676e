"""Garbage collection at moments that nobody notices: a full pass over torch and Qt objects takes about 0.1 s."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

from ntklab.gui.bridge import Bridge

YOUNG_MS = 2_000
FULL_EVERY = 15
MOST_YOUNG = 50_000  # objects that can be walked without a hitch; an import in the worker leaves more


class Collector(QObject):
    """Replaces automatic collection while the window lives: young objects often, all of them only when idle."""

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._turn = 0
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(YOUNG_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    @Slot()
    def _collect(self) -> None:
        if self._bridge.busy and not gc.get_freeze_count():
            return  # torch is being imported: its objects will be frozen, and are not worth walking over before
        if self._bridge.busy and gc.get_count()[0] > MOST_YOUNG:
            return  # when nothing runs, nobody minds the pause
        self._turn += 1
        full = self._turn % FULL_EVERY == 0 and not self._bridge.busy
        gc.collect(2 if full else 0)

    def close(self) -> None:
        """Give collection back to the interpreter as it was."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()
