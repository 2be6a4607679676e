"""The largest learning rate that training bears."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntklab import spectra
from ntklab.dynamics.products import largest_eigenvalue
from ntklab.errors import SpecError
from ntklab.progress import drain
from ntklab.results import Gram, operator_of


def largest_learning_rate(
    kernel: Any, *, outputs: int, loss: str = "half_mse", momentum: float = 0.0, samples: int | None = None
) -> float:
    """The rate below which descent on the linear model converges: 2(1 + ``momentum``)/(c·λ_1), see ``losses`` for c.

    ``kernel`` is the training kernel (N, N) or (N, N, k, k) of a network with k ``outputs``; ``samples`` N, if the
    kernel is given as (N·k, N·k). 2N/λ_1 for "half_mse", 2N·k/λ_1 for "half_mean" (as in neural-tangents). Raises
    ``SpecError`` for an unknown loss, a momentum outside [0, 1) and outputs that do not fit the kernel.
    """
    K = np.asarray(operator_of(kernel), dtype=np.float64)
    stacked = np.ndim(kernel.values if isinstance(kernel, Gram) else kernel) == 4
    n = samples if samples is not None else len(K) // (outputs if stacked else 1)
    if outputs < 1 or len(K) not in (n, n * outputs) or K.shape[0] != K.shape[1]:
        raise SpecError(
            f"outputs: {outputs} and {n} samples do not fit a kernel of {list(K.shape)}; "
            "give the kernel of the training samples with themselves"
        )
    return spectra.critical_rate(drain(largest_eigenvalue(K)), n=n, k=outputs, loss=loss, momentum=momentum)
