"""A check of the factors of a module against gradients that autograd takes of single samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.forms import form, kernel
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.quiet import quiet
from ntklab.kernels.empirical.routes.route import Layer

_AT_ONCE = 2**22  # parameters whose gradients are held at a time, those of one layer at least


class Probe:
    """Products v_iᵀΘ_l(x_i, x_j)v_j of every layer l, for the few samples ``x`` and a random v for each.

    The other side is g_i·g_j, with g_i the gradient of v_i·f(x_i) by the layer's parameters: so terms between the
    uses of a shared parameter count, and so does the split by layer.
    """

    def __init__(self, model: nn.Module, x: Tensor) -> None:
        self.model, self.x = model, x
        with torch.no_grad(), quiet():
            f = outputs_of(model(x[:1]), 1)
        self.k = f.shape[1]
        generator = torch.Generator().manual_seed(0)
        self.V = torch.randn(len(x), self.k, generator=generator, dtype=torch.float64).to(f)
        self.known: dict[tuple[str, ...], Tensor] = {}

    def error(self, layers: Sequence[Layer], factors: Sequence[Factor]) -> float:
        """The largest error, relative to the largest product; 0 where these are not finite."""
        expected = torch.stack([self.known[layer.parameters] for layer in self._looked_at(layers)])
        got = torch.zeros_like(expected)
        for i, layer in enumerate(layers):
            own = [factor for factor in factors if factor.layer == layer.name]
            if own:
                got[i] = self._products(own)
        if not bool(torch.isfinite(expected).all()):
            return 0.0
        scale = expected.sum(0).abs().max().clamp_min(torch.finfo(expected.dtype).tiny)
        return float((got - expected).abs().max() / scale)

    def _products(self, factors: list[Factor]) -> Tensor:
        n, k = self.V.shape
        theta = kernel(form("full")(k), factors, factors).view(n, k, n, k)
        return torch.einsum("io,iojp,jp->ij", self.V, theta, self.V)

    def _looked_at(self, layers: Sequence[Layer]) -> Sequence[Layer]:
        """``layers``, whose products are then ``known``."""
        parameters = dict(self.model.named_parameters())
        missing = [layer for layer in layers if layer.parameters not in self.known]
        group: list[Layer] = []
        for layer in missing:
            group.append(layer)
            size = sum(parameters[name].numel() for each in group for name in each.parameters)
            if size >= _AT_ONCE or layer is missing[-1]:
                self._take(group, parameters)
                group = []
        return layers

    def _take(self, layers: Sequence[Layer], parameters: dict[str, nn.Parameter]) -> None:
        gradients = [self._gradients(i, [name for layer in layers for name in layer.parameters], parameters)
                     for i in range(len(self.x))]  # fmt: skip
        for layer in layers:
            flat = [[g[name] for name in layer.parameters] for g in gradients]
            self.known[layer.parameters] = torch.stack([torch.stack([_dot(g, h) for h in flat]) for g in flat])

    def _gradients(self, i: int, names: Sequence[str], parameters: dict[str, nn.Parameter]) -> dict[str, Tensor | None]:
        """Of v_i·f for the sample i; None where it is 0."""
        with torch.enable_grad(), quiet():
            value = outputs_of(self.model(self.x[i : i + 1]), 1)[0] @ self.V[i]
        if not value.requires_grad:
            return dict.fromkeys(names)
        found = torch.autograd.grad(value, [parameters[name] for name in names], allow_unused=True)
        return dict(zip(names, found, strict=True))


def _dot(g: Sequence[Tensor | None], h: Sequence[Tensor | None]) -> Tensor:
    """g·h over all parameters, as a number in float64."""
    total = torch.zeros((), dtype=torch.float64)
    for p, q in zip(g, h, strict=True):
        if p is not None and q is not None:
            total += torch.vdot(q.flatten(), p.flatten()).real.double().cpu()
    return total
