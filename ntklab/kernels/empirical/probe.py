"""A check of the factors of a module against gradients that autograd takes of single samples."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.forms import FORMS, kernel
from ntklab.kernels.empirical.outputs import outputs_of

TOLERANCES = {torch.float32: 2e-3, torch.float64: 1e-9}


def verify(model: nn.Module, factors: list[Factor], x: Tensor) -> float:
    """Largest error of vᵀΘ(x_i, x_j)v, relative to the largest entry, for a random v and the few samples ``x``.

    The other side is g_i·g_j, with g_i the gradient of v·f(x_i) by all trained parameters. It sees weights that are
    used outside their layers and samples that affect each other. Raises ``NtkLabError`` beyond the tolerance.
    """
    k = len(_outputs(model, x[:1])[0])
    v = torch.randn(k, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(x)
    gradients = [_gradient(model, sample.unsqueeze(0), v) for sample in x]
    expected = torch.stack([torch.stack([_dot(g, h) for h in gradients]) for g in gradients])
    got = torch.zeros_like(expected)
    if factors:
        theta = kernel(FORMS["full"](k), factors, factors).view(len(x), k, len(x), k)
        got = torch.einsum("o,iojp,p->ij", v, theta, v)
    error = float((got - expected).abs().max() / expected.abs().max().clamp_min(torch.finfo(x.dtype).tiny))
    if not error <= TOLERANCES[x.dtype] and bool(torch.isfinite(expected).all()):
        raise NtkLabError(
            f"empirical NTK: the layers' factors miss the gradient of single samples by {error:.1e} (relative); the "
            "module uses parameters outside their layers or mixes the samples of a batch: move each use of a "
            "parameter into a Linear layer of its own"
        )
    return error


def _outputs(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return outputs_of(model(x), len(x))


def _gradient(model: nn.Module, x: Tensor, v: Tensor) -> list[Tensor | None]:
    """Of v·f for one sample, by each trained parameter; None where it is 0."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.enable_grad():
        value = outputs_of(model(x), 1)[0] @ v
    return list(torch.autograd.grad(value, trained, allow_unused=True)) if value.requires_grad else []


def _dot(g: list[Tensor | None], h: list[Tensor | None]) -> Tensor:
    """g·h over all parameters."""
    pairs = [(p, q) for p, q in zip(g, h, strict=True) if p is not None and q is not None]
    return sum((torch.dot(p.flatten(), q.flatten()) for p, q in pairs), start=torch.tensor(0.0))
