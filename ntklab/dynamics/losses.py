"""The squared losses: value, slope, and what a step size means in each.

Both losses are c/2·Σ(f−y)² with their own c, so that ∂loss/∂f = c·(f−y): all dynamics depend on the loss through c
alone. "half_mse" is 1/(2N)·Σ(f−y)², so c = 1/N. "torch_mse" is ``torch.nn.MSELoss()``, the mean of (f−y)² over N·k
numbers, so c = 2/(N·k): with η it moves as "half_mse" does with η·2/k.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError
from ntklab.spectra.stability import CURVATURE

Array = NDArray[np.float64]


def slope(loss: str, samples: int, outputs: int) -> float:
    """c of ``loss`` for ``samples`` samples of ``outputs`` outputs. Raises ``SpecError`` for an unknown loss."""
    if loss not in CURVATURE:
        raise SpecError(f"loss: expected one of {', '.join(CURVATURE)}, got {loss!r}; choose one of them")
    return float(CURVATURE[loss](samples, outputs))


def value(loss: str, outputs: Array, targets: Array) -> float:
    """``loss`` of outputs (n, k) for targets (n, k); NaN without samples, infinite where an output is not finite."""
    if not len(targets):
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.square(outputs - targets).sum())
    return 0.5 * slope(loss, *targets.shape) * total if np.isfinite(total) else float("inf")
