"""The whole fall-back: gradients of every output of every sample by autograd, right for any module."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.measure import measured
from ntklab.kernels.empirical.routes.names import layer_name
from ntklab.kernels.empirical.routes.quiet import quiet
from ntklab.kernels.empirical.routes.route import Layer, Needs, Route


class Jacobian(Route):
    """A pass of autograd for each output of each sample. ``why`` the faster ways do not do."""

    name = "per-sample gradients, one autograd pass an output and sample"

    def __init__(self, module: nn.Module, why: str = "") -> None:
        self.module = module
        self.trained: dict[str, dict[str, nn.Parameter]] = {}
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                self.trained.setdefault(layer_name(name), {})[name] = parameter
        self.layers = tuple(
            Layer(layer, tuple(parameters), "per-sample gradients by autograd", why)
            for layer, parameters in self.trained.items()
        )

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        trained = {name: list(ps.values()) for name, ps in self.trained.items() if layers is None or name in layers}
        G: dict[str, Tensor] = {}
        for i in range(len(x)):
            with torch.enable_grad(), quiet():
                f = outputs_of(self.module(x[i : i + 1]), 1)[0]
            for o in range(len(f) if f.requires_grad else 0):
                self._row(f, (i, o), trained, G, len(x))
        return [Factor(None, gradients, layer=name) for name, gradients in G.items()]

    def _row(
        self, f: Tensor, at: tuple[int, int], trained: dict[str, list[nn.Parameter]], G: dict[str, Tensor], n: int
    ) -> None:
        """Gradients of one output of one sample into the layers' ``G`` (n, k, numbers)."""
        i, o = at
        flat = [parameter for parameters in trained.values() for parameter in parameters]
        found = torch.autograd.grad(f[o], flat, retain_graph=o + 1 < len(f), allow_unused=True)
        rest = iter(found)
        for name, parameters in trained.items():
            parts = [next(rest) for _ in parameters]
            if name not in G and all(part is None for part in parts):
                continue
            if name not in G:
                G[name] = f.new_zeros(n, len(f), sum(_numbers(p) for p in parameters))
            start = 0
            for parameter, part in zip(parameters, parts, strict=True):
                stop = start + _numbers(parameter)
                if part is not None:
                    G[name][i, o, start:stop] = _flat(part)
                start = stop

    def needs(self, x: Tensor, k: int) -> Needs:
        return measured(self, x, k)


def _numbers(parameter: Tensor) -> int:
    """Real ones: a complex number is two."""
    return parameter.numel() * (2 if parameter.is_complex() else 1)


def _flat(gradient: Tensor) -> Tensor:
    return (torch.view_as_real(gradient.resolve_conj()) if gradient.is_complex() else gradient).flatten()
