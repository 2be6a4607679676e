"""One start of the window, measured from inside; prints one JSON line. Run by bench_window.py."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

START = float(os.environ.get("NTKLAB_START", time.clock_gettime(time.CLOCK_MONOTONIC)))


def now() -> float:
    return (time.clock_gettime(time.CLOCK_MONOTONIC) - START) * 1e3


marks: dict[str, float] = {}

from PySide6.QtCore import QTimer, Qt  # noqa: E402, I001

from ntklab.gui.main import open_window  # noqa: E402
from ntklab.session import edits  # noqa: E402

app, window = open_window()
lab = window.laboratory


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
    gaps.start()


def plots_ready() -> None:
    marks["plots ready (ms)"] = now()


def starter_confirmed() -> None:
    marks["live starter kernel (ms)"] = now()
    gaps.stop("start-up")
    when_idle(lambda: QTimer.singleShot(300, compute_large))


def compute_large() -> None:
    experiment = edits.set_dataset(edits.set_source(window.session.experiment, "Digits"), n_train=1024)
    window.session.edit(experiment, "digits")
    gaps.start()
    begun = now()
    lab.compute()
    when_idle(lambda: computed(begun))


def computed(begun: float) -> None:
    marks["kernels and spectra, 1024 digits (ms)"] = now() - begun
    gaps.stop("kernels, 1024 digits")
    window.session.undo()
    lab.compute()
    when_idle(train)


def train() -> None:
    window.session.edit(edits.set_training(window.session.experiment, steps=3000), "steps")
    gaps.start()
    begun = now()
    points = len(streamed)
    lab.train()
    when_idle(lambda: trained(begun, points))


streamed: list[float] = []


def trained(begun: float, points: int) -> None:
    seconds = (now() - begun) / 1e3
    marks["training: redraws a second"] = (len(streamed) - points) / seconds
    gaps.stop("training, starter")
    dial(iter([16, 64, 256, 1024]))


def dial(widths: object) -> None:
    width = next(widths, None)  # type: ignore[call-overload]
    if width is None:
        finish()
        return
    frames: list[float] = []

    def frame(view: str, choice: str, _figure: object) -> None:
        if (view, choice) == ("spectrum", "eigenvalues"):
            repaint()
            frames.append(now())
            if len(frames) == 40:
                lab.figure_changed.disconnect(frame)
                marks[f"width dial at {width}: frames a second"] = 39e3 / (frames[-1] - frames[0])
                QTimer.singleShot(200, lambda: dial(widths))
            else:
                lab.dial(width + len(frames) % 2)

    lab.figure_changed.connect(frame)
    lab.dial(width)


def repaint() -> None:
    for panel in window.views.panels.values():
        panel.plot.canvas.viewport().repaint()


def finish() -> None:
    window.close()
    print(json.dumps(marks), flush=True)


def count(view: str, choice: str, _figure: object) -> None:
    if (view, choice) == ("dynamics", "loss"):
        streamed.append(now())


lab.figure_changed.connect(count)
window.first_painted.connect(painted)
window.plots_ready.connect(plots_ready)
window.starter_confirmed.connect(starter_confirmed)
sys.exit(app.exec())
