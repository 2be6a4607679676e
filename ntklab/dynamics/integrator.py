"""An ordinary differential equation y' = g(y), integrated so that it can be left at any evaluation of g.

Dormand and Prince's pair of order 8(5,3) with the error estimate of Hairer, Nørsett, Wanner 1993, §II.10; the tableau
is that of ``scipy.integrate.DOP853``, whose own ``step`` cannot be interrupted inside an evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.dynamics.products import Pieces
from ntklab.errors import NumericalError

Array = NDArray[np.float64]

SAFETY, SHRINK, GROW, ORDER = 0.9, 0.2, 10.0, 8
FIRST = 1e-3  # of the way to the first time: the first step, which is corrected by its error


@dataclass(eq=False)
class Integrator:
    """The solution through ``state`` (parts, …) at time 0.

    ``tolerance`` bounds the error of a step in each of the first ``watched`` parts relative to the largest number of
    that part; the others are carried along.
    """

    derivative: Callable[[Array], Pieces[Array]]
    state: Array
    tolerance: float
    watched: int
    time: float = 0.0
    evaluations: int = 0
    _step: float = 0.0
    _slope: Array | None = None  # g at the state

    def advance(self, until: float) -> Pieces[Array]:
        """The state at ``until``, at or after the time reached. Raises ``NumericalError`` where steps vanish."""
        if not self._step:
            self._step = FIRST * (until - self.time)
        while self.time < until:
            last = self.time + self._step >= until
            step = until - self.time if last else self._step
            found, slope, error = yield from self._tried(step)
            factor = min(GROW, max(SHRINK, SAFETY * error ** (-1 / ORDER))) if error > 0 else GROW
            if not np.isfinite(error) or error > 1:
                self._step = step * (SHRINK if not np.isfinite(error) else min(1.0, factor))
                self._check_step(until)
                continue
            self.state, self._slope, self.time = found, slope, until if last else self.time + step
            self._step = max(step * factor, self._step if last else 0.0)
        return self.state

    def _tried(self, step: float) -> Pieces[tuple[Array, Array, float]]:
        """State and slope after ``step``, and its error in units of the tolerance."""
        table = _tableau()
        slopes = np.empty((table.n_stages + 1, *self.state.shape))
        slopes[0] = self._slope if self._slope is not None else (yield from self._evaluated(self.state))
        self._slope = slopes[0]
        for i in range(1, table.n_stages):
            change = np.tensordot(table.A[i, :i], slopes[:i], axes=1)
            slopes[i] = yield from self._evaluated(self.state + step * change)
        found = self.state + step * np.tensordot(table.B, slopes[:-1], axes=1)
        slopes[-1] = yield from self._evaluated(found)
        return found, slopes[-1], self._error(found, slopes[:, : self.watched], step)

    def _evaluated(self, state: Array) -> Pieces[Array]:
        self.evaluations += 1
        return (yield from self.derivative(state))

    def _error(self, found: Array, slopes: Array, step: float) -> float:
        table, inner = _tableau(), tuple(range(1, found.ndim))
        size = np.maximum(np.abs(self.state), np.abs(found))[: self.watched].max(axis=inner, keepdims=True)
        scale = self.tolerance * np.where(size > 0, size, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            fifth, third = (np.abs(np.tensordot(E, slopes, axes=1) / scale).max() for E in (table.E5, table.E3))
            return float(step * fifth**2 / np.hypot(fifth, 0.1 * third)) if fifth or third else 0.0

    def _check_step(self, until: float) -> None:
        if self._step <= 4 * np.finfo(np.float64).eps * until:
            raise NumericalError(
                f"the flow cannot go on at time {self.time:.3g} of {until:.3g}: its gradient is not finite or changes "
                "without limit there; give a smooth loss with finite gradients, or fewer steps"
            )


def _tableau() -> Any:
    from scipy.integrate import DOP853  # 0.3 s to import, which other work does without

    return DOP853
