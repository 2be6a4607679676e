"""How far the work is, on one line of the terminal."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from ntklab.jobs.eta import Eta
from ntklab.progress import Event, Forecast, Partial, Progress

_EVERY = 0.1
_RESULTS = {
    "data": "data", "ntk": "analytic NTK", "nngp": "NNGP kernel", "empirical": "empirical NTK",
    "empirical_spectrum": "spectrum of the empirical NTK", "ntk_spectrum": "spectrum of the analytic NTK",
    "trajectory": "training", "monte_carlo": "Monte Carlo NTK", "monte_carlo_nngp": "Monte Carlo NNGP kernel",
    "phase": "phase", "ledger": "ledger of the layers", "unmuted": "NTK of the layers that are not muted",
    "unmuted_spectrum": "spectrum of the layers that are not muted",
}  # fmt: skip


def result_name(key: str) -> str | None:
    """What a partial result is called; None for pieces of one."""
    return _RESULTS.get(key)


class Meter:
    """Writes events to ``stream``: on a terminal one line that is renewed, else one line for each finished result."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live = not quiet and self._stream.isatty()
        self._eta = Eta()
        self._shown = 0.0
        self._began = time.monotonic()

    def event(self, event: Event) -> None:
        """Show ``event`` if it says something new."""
        if self._quiet:
            return
        if isinstance(event, Forecast):
            self._line(_needs(event))
        elif isinstance(event, Partial):
            if (name := result_name(event.key)) is not None:
                self._line(f"{name} ({time.monotonic() - self._began:.1f} s)")
        elif self._live:
            self._progress(event)

    def close(self) -> None:
        """Leave an empty line for what comes next."""
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        left = self._eta.update(event, now)
        if now - self._shown < _EVERY:
            return
        self._shown = now
        words = f"{event.text} {event.done}/{event.total}" + ("" if left is None else f", {max(left, 0):.0f} s left")
        self._stream.write("\r\x1b[K" + words[: shutil.get_terminal_size().columns - 1])
        self._stream.flush()

    def _line(self, words: str) -> None:
        if words:
            self._stream.write(("\r\x1b[K" if self._live else "") + words + "\n")
            self._stream.flush()


def _needs(forecast: Forecast) -> str:
    """Memory, and time where it is known."""
    size, unit = float(forecast.peak_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size >= 1000:
            size, unit = size / 1000, larger
    seconds = "" if forecast.seconds is None else f" and {max(forecast.seconds, 1):.0f} s"
    return f"needs about {size:.3g} {unit}{seconds}" if forecast.peak_bytes else ""
