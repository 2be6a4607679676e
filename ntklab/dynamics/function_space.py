"""Gradient flow of a linear model under any loss, in function space: f' = −Θ ∂loss/∂f, with or without momentum."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntklab.dynamics import losses
from ntklab.dynamics.checks import check_momentum, check_rate, step_numbers
from ntklab.dynamics.integrator import Integrator
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.products import Pieces, product
from ntklab.errors import SpecError
from ntklab.progress import Forecast, Progress, Work, translated
from ntklab.results import FunctionPath

Array = NDArray[np.float64]
Loss = str | Callable[[Any, Any], Any]

TOLERANCE = 1e-10  # of a step: paths of hundreds of steps then agree with the closed forms to about 1e-9
EVENT_SECONDS = 0.05
PARTS = 1000  # of the way that progress counts


def function_space_flow(
    model: LinearModel,
    steps: ArrayLike,
    *,
    loss: Loss = "cross_entropy",
    rate: float = 1.0,
    momentum: float | None = None,
    tolerance: float = TOLERANCE,
) -> Work[FunctionPath]:
    """Outputs of ``model`` after ``steps`` (T,), ascending, of training at ``rate``, integrated numerically.

    Without ``momentum`` df/ds = −Θ ∂loss/∂f at s = rate·steps, the limit of small rates. With it (0 included) the heavy
    ball in continuous time: f'' = −Θ ∂loss/∂f − (1 − momentum)/√rate·f' at s = √rate·steps, from rest (Qian 1999).
    ``loss`` is a name (``losses`` says what each means exactly) or a function of outputs and targets, tensors (N, k),
    that returns a scalar tensor: any loss of torch. The squared losses have a closed form, see ``gradient_flow``.
    ``tolerance`` bounds the error of one step relative to the largest output. The kernel is not inverted, so its
    condition costs no digits.

    Yields a ``Forecast`` and ``Progress``. Raises ``SpecError`` for steps that do not ascend, an unknown loss, and
    numbers out of range; ``NumericalError`` where the gradient is not finite.
    """
    request = _Request(model, np.atleast_1d(step_numbers(steps, ascending=True)), loss, rate, momentum)
    if not 0 < tolerance < 1:
        raise SpecError(f"tolerance: expected a number between 0 and 1, got {tolerance!r}; give for example 1e-10")
    gradient = _gradient(loss, model.targets)
    yield request.forecast()
    flow = _Flow(model, gradient, request.friction)
    integrator = Integrator(flow.derivative, flow.start(), tolerance, watched=flow.halves)
    found = _Recorded.empty(request, flow.halves)
    told = _Told(integrator, float(request.times[-1]))
    for i, when in enumerate(request.times):
        yield from translated(_reached(integrator, flow, float(when), found, i), told)
    return found.path(request, integrator.evaluations)


@dataclass(frozen=True, eq=False)
class _Request:
    """What is asked for, checked when made."""

    model: LinearModel
    steps: Array
    loss: Loss
    rate: float
    momentum: float | None

    def __post_init__(self) -> None:
        check_rate(self.rate)
        if self.momentum is not None:
            check_momentum(self.momentum)

    @property
    def friction(self) -> float | None:
        """Of the heavy ball; None for plain flow."""
        return None if self.momentum is None else (1 - self.momentum) / math.sqrt(self.rate)

    @property
    def times(self) -> Array:
        """s of each number of steps."""
        return self.steps * (self.rate if self.momentum is None else math.sqrt(self.rate))

    def forecast(self) -> Forecast:
        (n, k), m, parts = self.model.targets.shape, len(self.model.start_test), 1 if self.momentum is None else 2
        return Forecast(8 * k * parts * (18 * 2 * n + len(self.steps) * (n + m)), route="Dormand–Prince 8(5,3)")


@dataclass(frozen=True, eq=False)
class _Flow:
    """The equation. The state holds f − f0 in function space and α in f = f0 + Θα; with momentum their velocities too.

    Carrying both costs no second product with Θ, and errors are measured where they matter: in f, not in α, whose
    entries along small eigenvalues would hide them.
    """

    model: LinearModel
    gradient: losses.Gradient
    friction: float | None

    @property
    def halves(self) -> int:
        """Parts in function space, and as many in α."""
        return 1 if self.friction is None else 2

    def start(self) -> Array:
        return np.zeros((2 * self.halves, *self.model.columns(self.model.targets).shape))

    def derivative(self, state: Array) -> Pieces[Array]:
        """Of the parts (f, α), or (f, f', α, α')."""
        model, h = self.model, self.halves
        force = -model.columns(self.gradient(model.start + model.rows(state[0])))
        pushed = yield from product(model.kernel, force)
        if self.friction is None:
            return np.stack([pushed, force])
        drag = self.friction
        return np.stack([state[1], pushed - drag * state[1], state[h + 1], force - drag * state[h + 1]])


@dataclass(frozen=True, eq=False)
class _Recorded:
    """``train`` and ``test`` at each time, first the outputs, then with momentum their velocities."""

    train: Array  # (halves, T, N, k)
    test: Array

    @classmethod
    def empty(cls, request: _Request, halves: int) -> _Recorded:
        model, T = request.model, len(request.steps)
        return cls(*(np.empty((halves, T, *start.shape)) for start in (model.start, model.start_test)))

    def path(self, request: _Request, evaluations: int) -> FunctionPath:
        named, Y = isinstance(request.loss, str), request.model.targets
        name = request.loss if isinstance(request.loss, str) else getattr(request.loss, "__name__", "a function")
        values = [losses.value(name, f, Y) if named else math.nan for f in self.train[0]]
        moving = len(self.train) > 1
        return FunctionPath(
            steps=request.steps,
            train=self.train[0],
            test=self.test[0],
            train_loss=np.array(values),
            loss=name,
            rate=request.rate,
            momentum=request.momentum,
            train_velocity=self.train[1] if moving else None,
            test_velocity=self.test[1] if moving else None,
            evaluations=evaluations,
        )


def _reached(integrator: Integrator, flow: _Flow, when: float, found: _Recorded, i: int) -> Pieces[None]:
    """Go on to the time ``when`` and record what is there as moment ``i``."""
    state = yield from integrator.advance(when)
    model = flow.model
    for part in range(flow.halves):
        test = yield from product(model.kernel_test, state[flow.halves + part])
        found.train[part, i] = model.rows(state[part]) + (model.start if part == 0 else 0.0)
        found.test[part, i] = model.rows(test) + (model.start_test if part == 0 else 0.0)


@dataclass
class _Told:
    """Progress for a pause in the work, if none was told for a while."""

    integrator: Integrator
    end: float
    last: float = 0.0

    def __call__(self, _: None) -> Progress | None:
        now = time.perf_counter()
        if now - self.last < EVENT_SECONDS:
            return None
        self.last = now
        return Progress(int(PARTS * self.integrator.time / (self.end or 1.0)), PARTS, "function-space flow")


def _gradient(loss: Loss, targets: Array) -> losses.Gradient:
    """∂loss/∂f, of a function by autograd in float64."""
    if isinstance(loss, str):
        return losses.gradient(loss, targets)
    import torch

    Y = torch.from_numpy(targets)

    def gradient(f: Array) -> Array:
        outputs = torch.from_numpy(f).requires_grad_()
        (found,) = torch.autograd.grad(loss(outputs, Y), outputs)
        return np.asarray(found.numpy())

    return gradient
