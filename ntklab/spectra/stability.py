"""The largest learning rate at which gradient descent on the linearised network is stable."""

from __future__ import annotations

import math

from ntklab.errors import SpecError

# The linear model moves by f ← f − η·c·Θ(f − y), where c·(f − y) is the gradient of the loss in f:
#   half_mse   1/(2N)·Σ(f − y)²           c = 1/N
#   torch_mse  1/(N·k)·Σ(f − y)²          c = 2/(N·k)   (torch.nn.MSELoss: a mean over N·k numbers, without the half)
#   half_mean  1/(2N·k)·Σ(f − y)²         c = 1/(N·k)   (half of that mean: the loss of neural-tangents' predictions)
# A mode of eigenvalue λ is multiplied by 1 − η·c·λ a step, so the largest one needs η·c·λ < 2. With heavy-ball momentum
# (torch: v ← μv + g, θ ← θ − ηv) the roots of z² − (1 + μ − ηcλ)z + μ stay in the unit disc for η·c·λ < 2(1 + μ).
CURVATURE = {
    "half_mse": lambda n, k: 1 / n,  # noqa: ARG005 (one form for all)
    "torch_mse": lambda n, k: 2 / (n * k),
    "half_mean": lambda n, k: 1 / (n * k),
}


def critical_rate(lambda_max: float, *, n: int, k: int, loss: str = "half_mse", momentum: float = 0.0) -> float:
    """Largest stable learning rate for an NTK with largest eigenvalue ``lambda_max``, ``n`` samples and ``k`` outputs.

    2N/λ for "half_mse", N·k/λ for "torch_mse" and 2N·k/λ for "half_mean", times 1 + ``momentum`` (heavy ball, as in
    ``torch.optim.SGD``).
    ``lambda_max`` is that of the (N·k, N·k) kernel on stacked outputs, which for Θ ⊗ I is that of Θ. At the rate itself
    the linear model oscillates for ever; the network does not diverge just above it but catapults (Lewkowycz 2020).
    Infinite if ``lambda_max`` is 0. Raises ``SpecError`` for an unknown loss and a momentum outside [0, 1).
    """
    if loss not in CURVATURE:
        raise SpecError(f"loss: unknown, got {loss!r}; choose {' or '.join(CURVATURE)}")
    if not 0 <= momentum < 1:
        raise SpecError(f"momentum: expected at least 0 and below 1, got {momentum!r}; give such a number")
    curvature = CURVATURE[loss](n, k) * lambda_max
    return 2 * (1 + momentum) / curvature if curvature > 0 else math.inf
