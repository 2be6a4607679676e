"""Descent of a linear model step by step, in function space: what its weights would do, without having weights.

Every gradient is a combination of the rows of J, so u = Jᵀα throughout, and a step on a batch B adds to α on B alone:
v ← momentum·v, v_B ← v_B + c·(f_B − y_B), α ← α − rate·v. Only the kernels are needed, for any batch order; for full
batches the closed form (``closed_form.descent``) gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ntklab.dynamics import losses
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.products import Pieces, product
from ntklab.progress import drain

Array = NDArray[np.float64]
Batch = NDArray[np.intp] | None


class Descent:
    """The state of one descent of ``model``, started at u = 0 without velocity."""

    def __init__(self, model: LinearModel, *, rate: float, loss: str = "half_mse", momentum: float = 0.0) -> None:
        self.model = model
        self._rate, self._loss, self._momentum = rate, loss, momentum
        self._goal = model.columns(model.targets - model.start)
        self._dual = np.zeros_like(self._goal)
        self._velocity = np.zeros_like(self._goal)
        self._change: Array | None = None  # kernel @ dual, until the dual changes

    def step(self, batch: Batch = None) -> Pieces[None]:
        """One step on the samples of ``batch``, or on all of them."""
        n, k = self.model.targets.shape
        c = losses.slope(self._loss, n if batch is None else len(batch), k)
        rows: slice | NDArray[np.intp]
        if batch is None:
            rows, change = slice(None), (yield from self._changed())
        else:
            rows = self.model.indices(batch)
            change = yield from product(self.model.kernel[rows], self._dual)
        self._change = None
        with np.errstate(over="ignore", invalid="ignore"):
            self._velocity *= self._momentum
            self._velocity[rows] += c * (change - self._goal[rows])
            self._dual -= self._rate * self._velocity

    def outputs(self) -> Pieces[tuple[Array, Array]]:
        """f on train (N, k) and on test (M, k) now."""
        train = yield from self._changed()
        test = yield from product(self.model.kernel_test, self._dual)
        return self.model.start + self.model.rows(train), self.model.start_test + self.model.rows(test)

    def _changed(self) -> Pieces[Array]:
        """f − f0 on the training samples; a full-batch step that follows a recorded moment has it for nothing."""
        if self._change is None:
            self._change = yield from product(self.model.kernel, self._dual)
        return self._change


def simulate(
    model: LinearModel, batches: Iterable[Batch], *, rate: float, loss: str = "half_mse", momentum: float = 0.0
) -> tuple[Array, Array]:
    """Outputs on train (N, k) and test (M, k) after one step on each of ``batches`` (None is all samples)."""
    descent = Descent(model, rate=rate, loss=loss, momentum=momentum)
    for batch in batches:
        drain(descent.step(batch))
    return drain(descent.outputs())
