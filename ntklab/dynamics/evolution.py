"""What the three runs have in common: each takes the same steps and can say its outputs at any of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ntklab.dynamics import closed_form, losses
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.products import Pieces, product

Array = NDArray[np.float64]
Batch = NDArray[np.intp] | None


class Evolution(Protocol):
    """Something that is trained. ``batch`` holds the positions of the training samples of a step; None is all."""

    def step(self, batch: Batch = None) -> Pieces[None]:
        """Take one step."""

    def outputs(self) -> Pieces[tuple[Array, Array]]:
        """f on train (N, k) and on test (M, k) now."""


class ModalDescent:
    """The closed form of full-batch descent, evaluated at whatever step has been reached.

    A minibatch counts as a step on all samples: for batches drawn with replacement that is the exact mean of the linear
    model's path (the mean of f is linear in f), for batches without replacement it is close for small rates.
    """

    def __init__(self, model: LinearModel, *, rate: float, loss: str = "half_mse", momentum: float = 0.0) -> None:
        self.model = model
        self._rate, self._momentum = rate, momentum
        self._slope = losses.slope(loss, *model.targets.shape)
        self._spectrum = closed_form.decompose(model.kernel)
        self._residual = self._spectrum.vectors.T @ model.columns(model.targets - model.start)
        self._steps = 0

    def step(self, batch: Batch = None) -> Pieces[None]:  # noqa: ARG002 (the mean over batches sees all samples)
        """Count one step."""
        self._steps += 1
        yield from ()

    def outputs(self) -> Pieces[tuple[Array, Array]]:
        """As ``closed_form.predict``."""
        model, values = self.model, self._spectrum.values
        q = closed_form.descent(values, self._steps, rate=self._rate, slope=self._slope, momentum=self._momentum)
        with np.errstate(over="ignore", invalid="ignore"):
            modes = q[:, None] * self._residual
        train = yield from product(self._spectrum.vectors, values[:, None] * modes)
        dual = yield from product(self._spectrum.vectors, modes)
        test = yield from product(model.kernel_test, dual)
        return model.start + model.rows(train), model.start_test + model.rows(test)
