"""The naive twin: the Jacobian of all outputs with respect to all parameters, times its transpose.

Memory n·k·P: for tests and small checks only.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from ntklab.kernels.empirical.routes.quiet import quiet


def jacobian(model: nn.Module, x: Tensor) -> Tensor:
    """(n, k, P): the derivative of each sample's outputs with respect to the trained parameters of ``model``."""
    trained = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    fixed = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}

    def f(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        outputs: Tensor = functional_call(model, (parameters, fixed), (sample.unsqueeze(0),))
        return outputs.reshape(-1)

    try:
        with quiet():
            parts = vmap(jacrev(f), in_dims=(None, 0))(trained, x)
    except RuntimeError:  # what vmap cannot run: in-place changes, control flow by values
        return jacobian_by_autograd(model, x)
    return torch.cat([_real(part).flatten(2) for part in parts.values()], dim=2)


def jacobian_by_autograd(model: nn.Module, x: Tensor) -> Tensor:
    """The same by plain autograd, an output of a sample at a time: (n, k, P)."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    rows = []
    for i in range(len(x)):
        with torch.enable_grad(), quiet():
            f = model(x[i : i + 1]).reshape(-1)
        for value in f:
            found = torch.autograd.grad(value, trained, retain_graph=True, allow_unused=True)
            parts = [torch.zeros_like(p) if g is None else g for g, p in zip(found, trained, strict=True)]
            rows.append(torch.cat([_real(part).flatten() for part in parts]))
    return torch.stack(rows).view(len(x), -1, len(rows[0]))


def _real(part: Tensor) -> Tensor:
    """A complex number is two parameters."""
    return torch.view_as_real(part.resolve_conj()) if part.is_complex() else part


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
