"""The losses: value, slope and gradient, and what a step size means in each.

The squared losses are c/2·Σ(f−y)² with their own c, so that ∂loss/∂f = c·(f−y): the dynamics depend on the loss through
c alone, and a rate η in one is the rate η·c/c' in another.

| name | loss | c | elsewhere |
| --- | --- | --- | --- |
| "half_mse" | 1/(2N)·Σ(f−y)² | 1/N | the laboratory's own |
| "torch_mse" | 1/(N·k)·Σ(f−y)² | 2/(N·k) | ``torch.nn.MSELoss()``; η moves as η·2/k does in "half_mse" |
| "half_mean" | 1/(2N·k)·Σ(f−y)² | 1/(N·k) | neural-tangents' predictions; η moves as η/k does in "half_mse" |

Those on logits have no slope but a gradient; p is softmax(f) and the rows of y are probabilities:

| name | loss | elsewhere |
| --- | --- | --- |
| "cross_entropy" | −1/N·Σ y·log p | ``torch.nn.CrossEntropyLoss()`` with class probabilities |
| "mean_cross_entropy" | −1/(N·k)·Σ y·log p | the mean over all N·k numbers; η moves as η/k does in "cross_entropy" |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError
from ntklab.spectra.stability import CURVATURE

Array = NDArray[np.float64]
Gradient = Callable[[Array], Array]

ENTROPIES: dict[str, Callable[[int, int], float]] = {
    "cross_entropy": lambda n, k: 1 / n,  # noqa: ARG005 (one form for all)
    "mean_cross_entropy": lambda n, k: 1 / (n * k),
}
NAMES = (*CURVATURE, *ENTROPIES)


def slope(loss: str, samples: int, outputs: int) -> float:
    """c of ``loss`` for ``samples`` samples of ``outputs`` outputs. Raises ``SpecError`` for an unknown loss."""
    if loss not in CURVATURE:
        raise SpecError(f"loss: expected one of {', '.join(CURVATURE)}, got {loss!r}; choose one of them")
    return float(CURVATURE[loss](samples, outputs))


def value(loss: str, outputs: Array, targets: Array) -> float:
    """``loss`` of outputs (n, k) for targets (n, k); NaN without samples, infinite where an output is not finite."""
    if not len(targets):
        return float("nan")
    if loss in ENTROPIES:
        return -ENTROPIES[loss](*targets.shape) * float(np.sum(targets * _log_softmax(outputs)))
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.square(outputs - targets).sum())
    return 0.5 * slope(loss, *targets.shape) * total if np.isfinite(total) else float("inf")


def gradient(loss: str, targets: Array) -> Gradient:
    """∂loss/∂f as a function of f (N, k), of a named ``loss``. Raises ``SpecError`` for an unknown one."""
    if loss in CURVATURE:
        c = slope(loss, *targets.shape)
        return lambda f: c * (f - targets)
    if loss in ENTROPIES:
        weight, mass = ENTROPIES[loss](*targets.shape), targets.sum(axis=1, keepdims=True)
        return lambda f: weight * (mass * np.exp(_log_softmax(f)) - targets)
    raise SpecError(f"loss: expected one of {', '.join(NAMES)}, got {loss!r}; choose one of them, or give a function")


def _log_softmax(f: Array) -> Array:
    shifted = f - f.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
