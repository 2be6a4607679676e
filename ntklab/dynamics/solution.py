"""Training on a squared error, solved once and looked at after any number of steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntklab import spectra
from ntklab.dynamics import closed_form, losses
from ntklab.dynamics.checks import check_momentum, check_rate, check_weight, step_numbers
from ntklab.dynamics.closed_form import Eigen
from ntklab.dynamics.linear import LinearModel
from ntklab.results import FunctionPath

Array = NDArray[np.float64]
ILL = 1e8  # condition number from which half of the digits of float64 are gone
Filter = Callable[[float], tuple[Array, Array | None]]  # q of the modes after so many steps, and its velocity


@dataclass(frozen=True, eq=False)
class Solution:
    """The training of ``model``, whose kernel has the ``ridge`` already and the eigenpairs ``spectrum``.

    ``condition`` is that of the training kernel with its ridge; what ``notes`` say is to stand beside any number that
    comes from here. ``weights`` gives q of ``closed_form`` for each mode after so many steps.
    """

    model: LinearModel
    spectrum: Eigen
    weights: Filter
    loss: str
    rate: float
    momentum: float | None
    ridge: float
    condition: float
    notes: tuple[str, ...]

    def at(self, steps: ArrayLike) -> FunctionPath:
        """Outputs after ``steps``: a number, or (T,) of them in any order; infinity is the end of training.

        ``train`` (T, N, k) and ``test`` (T, M, k), without T for a single number. Raises ``SpecError`` below 0.
        """
        counts = step_numbers(steps)
        filters = [self.weights(float(step)) for step in counts.ravel()]
        q = np.array([found for found, _ in filters]).reshape(*counts.shape, -1)
        train, test = closed_form.predict(self.model, self.spectrum, q)
        path = FunctionPath(
            steps=counts, train=train, test=test, train_loss=self._losses(train), loss=self.loss, rate=self.rate,
            momentum=self.momentum, notes=self.notes,
        )  # fmt: skip
        speeds = [speed for _, speed in filters if speed is not None]
        if not speeds:
            return path
        velocity = closed_form.changes(self.model, self.spectrum, np.array(speeds).reshape(*counts.shape, -1))
        return replace(path, train_velocity=velocity[0], test_velocity=velocity[1])

    def _losses(self, train: Array) -> Array:
        Y = self.model.targets
        values = [losses.value(self.loss, f, Y) for f in train.reshape(-1, *Y.shape)]
        return np.array(values).reshape(train.shape[:-2])


def gradient_flow(
    model: LinearModel,
    *,
    loss: str = "half_mse",
    rate: float = 1.0,
    momentum: float | None = None,
    ridge: float = 0.0,
    relative: bool = False,
    decay: float = 0.0,
) -> Solution:
    """Gradient flow of ``model``, solved: f = y + e^(−c·Θ·rate·steps)(f0 − y) on train (Lee et al. 2019, eq. 9).

    ``loss`` sets c: "half_mse" 1/(2N)·Σ(f−y)² has c = 1/N, "torch_mse" 2/(N·k), "half_mean" (½·mean over all N·k
    numbers, as in neural-tangents) 1/(N·k). Only rate·steps matters without ``momentum``; with it (0 included) this is
    the heavy ball in continuous time, f'' + (1 − momentum)/√rate·f' = −c·Θ(f − y) at s = √rate·steps, whose velocities
    f' are given too.

    Two ways to regularise, with the same test outputs where ridge = decay/c. ``ridge`` δ is added to the diagonal of
    the training kernel, times its mean diagonal if ``relative``: noise of its own at every training sample, so that the
    training outputs still reach the targets, and the test outputs end in kernel ridge regression. ``decay`` β pulls the
    weights towards their start, β/2·|θ − θ0|² in the loss: the training outputs end in the smooth fit too. (With
    ``ridge``, that fit is what the model gives for the training samples as ``kernel_test``.)

    Decomposes the kernel once: one step of about 10·N³ operations that cannot be cancelled inside. Modes whose
    eigenvalue is rounding noise stay at their start, and ``notes`` say how many. Raises ``SpecError`` for numbers out
    of range and an unknown loss, ``NumericalError`` for a kernel that is not positive semi-definite.
    """
    check_weight("decay", decay)
    slope = losses.slope(loss, *model.targets.shape)
    modes = _Modes.of(model, ridge, relative=relative)
    values = modes.spectrum.values

    def flow(steps: float) -> tuple[Array, Array | None]:
        return modes.learned(closed_form.flow(values, rate * steps, slope=slope, decay=decay)), None

    def ball(steps: float) -> tuple[Array, Array | None]:
        q, speed = closed_form.momentum_flow(
            values, steps, rate=rate, momentum=momentum or 0.0, slope=slope, decay=decay
        )
        return modes.learned(q), modes.learned(speed)

    return modes.solution(flow if momentum is None else ball, loss, check_rate(rate), momentum)


def gradient_descent(
    model: LinearModel,
    *,
    rate: float,
    loss: str = "half_mse",
    momentum: float = 0.0,
    ridge: float = 0.0,
    relative: bool = False,
    decay: float = 0.0,
) -> Solution:
    """The same for full-batch gradient descent at ``rate``, with torch's heavy ball: exact after whole steps.

    Arguments as in ``gradient_flow``, which is the limit of small rates. Above ``largest_learning_rate`` the outputs
    grow without bound, as they do in training. ``Solution.at`` raises ``SpecError`` for a part of a step.
    """
    check_weight("decay", decay)
    slope = losses.slope(loss, *model.targets.shape)
    modes = _Modes.of(model, ridge, relative=relative)
    values = modes.spectrum.values

    def descent(steps: float) -> tuple[Array, Array | None]:
        if math.isinf(steps):
            return modes.learned(closed_form.ridge(values, decay / slope)), None
        count = int(step_numbers(steps, whole=True))
        q = closed_form.descent(values, count, rate=rate, slope=slope, momentum=momentum, decay=decay)
        return modes.learned(q), None

    return modes.solution(descent, loss, check_rate(rate), momentum)


@dataclass(frozen=True, eq=False)
class _Modes:
    """The eigenpairs of a training kernel with its ``ridge``, and which of them are more than rounding noise."""

    model: LinearModel
    spectrum: Eigen
    ridge: float
    floor: float

    @classmethod
    def of(cls, model: LinearModel, ridge: float, *, relative: bool) -> _Modes:
        check_weight("ridge", ridge)
        if relative:
            ridge *= float(np.trace(model.kernel)) / len(model.kernel)
        if ridge:
            model = replace(model, kernel=closed_form.with_nugget(model.kernel, ridge, absolute=True))
        spectrum = closed_form.decompose(model.kernel, model.precision)
        rounding = float(np.finfo(model.precision).eps) * max(float(spectrum.values[0]), 0.0)
        return cls(model, spectrum, ridge, max(spectra.rounding_floor(spectrum.values), rounding))

    def learned(self, q: Array) -> Array:
        """``q`` of the modes above rounding noise, 0 for the others: along these a kernel has no outputs to move."""
        return np.where(self.spectrum.values > self.floor, q, 0.0)

    def solution(self, weights: Filter, loss: str, rate: float, momentum: float | None) -> Solution:
        condition = spectra.condition_number(self.spectrum.values, self.floor)
        notes = tuple(self._notes(condition))
        momentum = None if momentum is None else check_momentum(momentum)
        return Solution(self.model, self.spectrum, weights, loss, rate, momentum, self.ridge, condition, notes)

    def _notes(self, condition: float) -> Iterator[str]:
        """What a reader must know."""
        values = self.spectrum.values
        lost = int(np.count_nonzero(values <= self.floor))
        if lost:
            yield (
                f"the training kernel is numerically singular: {lost} of {len(values)} modes are below rounding "
                f"({self.floor:.1e}) and stay at their start; a ridge above {2 * self.floor:.1e} lets them learn"
            )
        elif condition > ILL:
            yield f"the training kernel is ill-conditioned ({condition:.1e}): late test outputs lose as many digits"
        if self.model.precision == "float32":
            yield "the kernel was computed in float32: modes below 1e-7 of the largest are not told apart"
        if self.ridge:
            yield f"ridge {self.ridge:.6g} on the diagonal of the training kernel"
