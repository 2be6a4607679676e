"""How long the step at hand will still take, from the pace of its progress."""

from __future__ import annotations

from math import exp

from ntklab.progress import Progress

MEMORY_SECONDS = 5.0  # older pace fades with this time constant, so that a change of pace shows within seconds
LEAST_SECONDS = 0.5  # before that an estimate would jump about


class Eta:
    """Estimates the remaining seconds of each step; a new text or total, or a step back, begins a new step."""

    def __init__(self) -> None:
        self._step: tuple[str, int] | None = None
        self._last = (0, 0.0)
        self._pieces = self._seconds = self._watched = 0.0

    def update(self, progress: Progress, now: float) -> float | None:
        """Seconds left after ``progress``, seen at ``now`` (seconds on any clock); None until that can be said."""
        if self._step != (progress.text, progress.total) or progress.done < self._last[0]:
            self._begin(progress, now)
        self._follow(progress.done, now)
        if progress.done >= progress.total:
            return 0.0
        if self._watched < LEAST_SECONDS or self._pieces <= 0:
            return None
        return (progress.total - progress.done) * self._seconds / self._pieces

    def _begin(self, progress: Progress, now: float) -> None:
        self._step = (progress.text, progress.total)
        self._last = (progress.done, now)
        self._pieces = self._seconds = self._watched = 0.0

    def _follow(self, done: int, now: float) -> None:
        pieces, seconds = done - self._last[0], now - self._last[1]
        fade = exp(-seconds / MEMORY_SECONDS)
        self._pieces = self._pieces * fade + pieces
        self._seconds = self._seconds * fade + seconds
        self._watched += seconds
        self._last = (done, now)
