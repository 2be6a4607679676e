"""One start of the window, measured from inside; prints one JSON line. Run by bench_window.py."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

START = float(os.environ.get("NTKLAB_START", time.clock_gettime(time.CLOCK_MONOTONIC)))


def now() -> float:
    return (time.clock_gettime(time.CLOCK_MONOTONIC) - START) * 1e3


marks: dict[str, float] = {}

from PySide6.QtCore import QEvent, QObject, QTimer, Qt  # noqa: E402, I001
from PySide6.QtWidgets import QWidget  # noqa: E402

from ntklab.gui.main import open_window  # noqa: E402

app, window = open_window()


class Gaps:
    """Largest time between two turns of the event loop, in ms."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last: float | None = None
        self.timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=4)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        self.gaps.clear()
        self._last = None
        self.timer.start()

    def _tick(self) -> None:
        t = now()
        if self._last is not None:
            self.gaps.append(t - self._last)
        self._last = t

    def stop(self, name: str) -> None:
        self.timer.stop()
        ordered = sorted(self.gaps) or [0.0]
        marks[f"{name}: event-loop gap p99 (ms)"] = ordered[int(0.99 * (len(ordered) - 1))]
        marks[f"{name}: event-loop gap worst (ms)"] = ordered[-1]


gaps = Gaps()


def when_idle(then: Callable[[], None]) -> None:
    """Call ``then`` once nothing runs any more."""

    def look() -> None:
        if window.running:
            QTimer.singleShot(5, look)
        else:
            then()

    QTimer.singleShot(5, look)


def painted() -> None:
    marks["first paint (ms)"] = now()
    marks["first paint (CPU ms)"] = time.process_time() * 1e3
    gaps.start()


def plots_ready() -> None:
    gaps.stop("before plots")
    gaps.start()
    marks["plots ready (ms)"] = now()
    marks["plots ready (CPU ms)"] = time.process_time() * 1e3
    window.laboratory.figure_changed.connect(count)


def starter_confirmed() -> None:
    marks["live starter kernel (ms)"] = now()
    gaps.stop("start-up")
    when_idle(lambda: QTimer.singleShot(300, compute_large))


def compute_large() -> None:
    from ntklab.session import edits

    experiment = edits.set_dataset(edits.set_source(window.session.experiment, "Digits"), n_train=1024)
    window.session.edit(experiment, "digits")
    gaps.start()
    begun = now()
    window.laboratory.compute()
    when_idle(lambda: computed(begun))


def computed(begun: float) -> None:
    marks["kernels and spectra, 1024 digits (ms)"] = now() - begun
    gaps.stop("kernels, 1024 digits")
    window.session.undo()
    window.laboratory.compute()
    when_idle(train)


def train() -> None:
    from ntklab.session import edits

    window.session.edit(edits.set_training(window.session.experiment, steps=3000), "steps")
    gaps.start()
    begun = now()
    points = len(streamed)
    window.laboratory.train()
    when_idle(lambda: trained(begun, points))


streamed: list[float] = []


def trained(begun: float, points: int) -> None:
    seconds = (now() - begun) / 1e3
    marks["training: redraws a second"] = (len(streamed) - points) / seconds
    gaps.stop("training, starter")
    gaps.start()
    dial(iter([16, 64, 256, 1024]), Hand())


class Hand:
    """Turns the width dial as a mouse does, and counts the pictures of the spectrum that reach the screen."""

    FRAMES = 60

    def __init__(self) -> None:
        self.timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=8)
        self.timer.timeout.connect(self._move)
        self._fresh = False
        window.laboratory.figure_changed.connect(self._changed)
        self._eye = Eye(window.views.panels["spectrum"].plot.canvas.viewport(), self._painted)

    def turn(self, width: int, then: Callable[[], None]) -> None:
        self._width, self._then = width, then
        self._moves, self._frames = 0, []
        self.timer.start()

    def _move(self) -> None:
        self._moves += 1
        window.laboratory.dial(self._width + self._moves % 2)

    def _changed(self, view: str, choice: str, _figure: object) -> None:
        self._fresh = self._fresh or (view, choice) == ("spectrum", "eigenvalues")

    def _painted(self) -> None:
        if not (self._fresh and self.timer.isActive()):
            return
        self._fresh = False
        self._frames.append(now())
        if len(self._frames) == self.FRAMES:
            self.timer.stop()
            seconds = (self._frames[-1] - self._frames[0]) / 1e3
            marks[f"width dial at {self._width}: frames a second"] = (self.FRAMES - 1) / seconds
            when_idle(self._then)


class Eye(QObject):
    """Calls ``seen`` when ``widget`` is painted."""

    def __init__(self, widget: QWidget, seen: Callable[[], None]) -> None:
        super().__init__(widget)
        self._seen = seen
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._seen()
        return False


def dial(widths: Iterator[int], hand: Hand) -> None:
    width = next(widths, None)
    if width is None:
        gaps.stop("width dial")
        finish()
    else:
        hand.turn(width, lambda: dial(widths, hand))


def finish() -> None:
    window.close()
    print(json.dumps(marks), flush=True)


def count(view: str, choice: str, _figure: object) -> None:
    if (view, choice) == ("dynamics", "loss"):
        streamed.append(now())


window.first_painted.connect(painted)
window.plots_ready.connect(plots_ready)
window.starter_confirmed.connect(starter_confirmed)
sys.exit(app.exec())
