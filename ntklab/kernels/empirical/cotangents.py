"""Cotangents of any module whose trained parameters sit in dense layers: hooks, and one autograd pass an output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ntklab.kernels.empirical.factors import DenseUse, Factor, outputs_of, used_twice


@dataclass(frozen=True, eq=False)
class _Capture:
    """What a dense layer saw in one forward pass. ``edge`` is its output in autograd's graph.

    The edge, unlike the tensor, still means the output of the layer after an activation has overwritten it in place.
    """

    a: Tensor
    edge: GradientEdge
    shape: torch.Size


def factors(model: nn.Module, uses: Sequence[DenseUse], x: Tensor) -> list[Factor]:
    """Factors of the layers ``uses`` on the samples ``x`` (n, *sample shape); layers that were not run have none."""
    captured: dict[DenseUse, _Capture] = {}
    x = x.detach().requires_grad_(x.is_floating_point())
    with torch.enable_grad():
        with _captured(uses, captured):
            f = outputs_of(model(x), len(x))
        return _pull(f, captured)


@contextmanager
def _captured(uses: Sequence[DenseUse], captured: dict[DenseUse, _Capture]) -> Iterator[None]:
    handles = [use.module.register_forward_hook(_hook(use, captured), with_kwargs=True) for use in uses]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(use: DenseUse, captured: dict[DenseUse, _Capture]) -> Callable[..., Tensor]:
    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], z: Tensor) -> Tensor:
        if use in captured:
            raise used_twice(use)
        a = args[0] if args else next(iter(kwargs.values()))
        # A copy, because a residual connection may add to the layer's input in place later.
        a = a.detach().clone()
        if z.requires_grad:
            captured[use] = _Capture(a, get_gradient_edge(z), z.shape)
            return z
        leaf = z.detach().requires_grad_()
        captured[use] = _Capture(a, get_gradient_edge(leaf), z.shape)
        return leaf.clone()

    return hook


def _pull(f: Tensor, captured: dict[DenseUse, _Capture]) -> list[Factor]:
    n, k = f.shape
    if not captured or not f.requires_grad:
        return []
    top = get_gradient_edge(f)
    below = [use for use, capture in captured.items() if capture.edge != top]
    B = {use: f.new_zeros(n, k, *captured[use].shape[1:]) for use in below}
    edges = [captured[use].edge for use in below]
    for o in range(k if below else 0):
        gradients = torch.autograd.grad(f[:, o].sum(), edges, retain_graph=o < k - 1, allow_unused=True)
        for use, gradient in zip(below, gradients, strict=True):
            if gradient is not None:
                B[use][:, o] = gradient
    return [use.factor(capture.a, B.get(use)) for use, capture in captured.items()]
