"""The naive twin: the Jacobian of all outputs with respect to all parameters, times its transpose.

Memory n·k·P: for tests and small checks only.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap


def jacobian(model: nn.Module, x: Tensor) -> Tensor:
    """(n, k, P): the derivative of each sample's outputs with respect to the trained parameters of ``model``."""
    trained = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    fixed = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}

    def f(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        outputs: Tensor = functional_call(model, (parameters, fixed), (sample.unsqueeze(0),))
        return outputs.reshape(-1)

    parts = vmap(jacrev(f), in_dims=(None, 0))(trained, x)
    return torch.cat([part.flatten(2) for part in parts.values()], dim=2)


def reference_ntk(model: nn.Module, x1: Tensor, x2: Tensor | None = None, *, outputs: str = "full") -> Tensor:
    """Θ = J Jᵀ: (n1, n2, k, k) for "full", (n1, n2, k) for "diagonal", (n1, n2) for the "mean" over outputs."""
    J1 = jacobian(model, x1)
    J2 = J1 if x2 is None else jacobian(model, x2)
    return REDUCTIONS[outputs](torch.einsum("iop,jqp->ijoq", J1, J2))


REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "full": lambda theta: theta,
    "diagonal": lambda theta: theta.diagonal(dim1=2, dim2=3),
    "mean": lambda theta: theta.diagonal(dim1=2, dim2=3).mean(-1),
}
"""From the full kernel (n1, n2, k, k) to each form of it."""
