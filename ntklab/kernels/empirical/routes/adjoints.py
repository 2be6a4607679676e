"""Adjoints written by hand of the modules with positions that matter most, for the cotangents of all outputs at once.

``Cotangent``s keep channels last, so a convolution takes n·k images in one call without a copy.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ntklab.kernels.empirical.products import inner
from ntklab.kernels.empirical.routes.tracing import Adjoint, Cotangent, Pass, Traced, identity
from ntklab.networks import Conv
from ntklab.networks.attention import MECHANISMS


def dense(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    """A dense layer: n·k rows (or those of all positions) in one matrix product."""
    z = module(a)
    use = run.meet(module)
    if use is None and not trained:
        return z, None

    def back(b: Cotangent) -> Cotangent:
        if b is None and z.ndim > 2:
            b = identity(z)
        if use is not None:
            b = None if b is None else b.contiguous()
            run.factors.extend(use.factors(a, b))
        return _through(module, b, len(z)) if trained else None

    return z, back


def _through(module: Any, b: Cotangent, n: int) -> Tensor:
    """From (n, k, …, out) at a dense layer's output to (n, k, …, in) at its input."""
    W: Tensor = module.weight
    scale = float(getattr(module, "weight_scale", 1.0))
    if b is None:
        return (W * scale).expand(n, *W.shape)
    below = inner(b.reshape(-1, W.shape[0]), W.T).view(*b.shape[:-1], W.shape[1])
    return below if scale == 1.0 else below.mul_(scale)


def evenly_padded(module: Conv) -> bool:
    """Whether the library's convolution pads as ``module`` does: with zeros, as many on both sides."""
    return all(not window.wraps and window.pads[0] == window.pads[1] for window in module.windows)


def conv(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    """A convolution that is ``evenly_padded``: the gradient of its input is linear in b alone."""
    z = module(a)
    use = run.meet(module)
    if use is None and not trained:
        return z, None

    def back(b: Cotangent) -> Cotangent:
        b = (identity(z) if b is None else b).contiguous()
        if use is not None:
            run.factors.extend(use.factors(a, b))
        return _through_conv(module, b, a) if trained else None

    return z, back


def _through_conv(module: Any, b: Tensor, a: Tensor) -> Tensor:
    """From (n, k, *places, out) to (n, k, *space, in)."""
    windows = module.windows
    W = (module.weight * module.weight_scale).movedim(1, -1).contiguous().movedim(-1, 1)  # channels last in memory too
    below: Tensor = torch.ops.aten.convolution_backward(
        b.flatten(0, 1).movedim(-1, 1), a.new_empty(1).expand(b.shape[0] * b.shape[1], a.shape[-1], *a.shape[1:-1]),
        W, None, [window.stride for window in windows], [window.pads[0] for window in windows],
        [1] * len(windows), False, [0] * len(windows), 1, (True, False, False),
    )[0]  # fmt: skip
    below = below.movedim(1, -1)
    return below.reshape(*b.shape[:2], *below.shape[1:])


def global_pool(module: Any, a: Tensor, trained: bool, _: Pass) -> Traced:
    """The mean or the sum over positions, to each of which the cotangent goes: a view, not a copy."""
    z = module(a)
    if not trained:
        return z, None
    space = a.shape[1:-1]
    share = 1 / space.numel() if module.mean else 1.0

    def back(b: Cotangent) -> Cotangent:
        b = (identity(z) if b is None else b) * share
        return b.view(*b.shape[:2], *(1,) * len(space), b.shape[-1]).expand(*b.shape[:2], *space, b.shape[-1])

    return z, back


def layer_norm(module: Any, a: Tensor, trained: bool, _: Pass) -> Traced:
    """y = (a − mean)·r: back to r·(b − mean b − y·mean b∘y)."""
    if not trained:
        return module(a), None
    axes = [axis % a.ndim for axis in module.axes]
    y = a - a.mean(axes, keepdim=True)
    r = (module.eps + y.square().mean(axes, keepdim=True)).rsqrt()
    y = y.mul_(r)
    inside = [axis + 1 if axis else 0 for axis in axes]

    def back(b: Cotangent) -> Cotangent:
        b = (identity(y) if b is None else b).contiguous()
        along = (b * y.unsqueeze(1)).mean(inside, keepdim=True)
        b = b.sub_(b.mean(inside, keepdim=True))
        return b.addcmul_(y.unsqueeze(1), along, value=-1).mul_(r.unsqueeze(1))

    return y, back


def attention(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    """Heads without a positional embedding: four dense layers, and what lies between them by hand."""
    x = a.flatten(1, -2)
    k, through_k = dense(module.key, x, trained, run)
    q, through_q = (k, None) if module.query is None else dense(module.query, x, trained, run)
    v, through_v = dense(module.value, x, trained, run)
    q, k, v = (_split(part, module.heads) for part in (q, k, v))
    P, softened = _weights(module.scores, q, k)
    attended = torch.einsum("nhij,njhd->nihd", P, v)
    below_trained = any(adjoint is not None for adjoint in (through_k, through_q, through_v))
    z, through_out = dense(module.out, attended.flatten(2), below_trained, run)

    def back(b: Cotangent) -> Cotangent:
        b = (identity(z) if b is None else b).flatten(2, -2)
        assert through_out is not None
        b = through_out(b)
        if b is None:
            return None
        b = _split(b, module.heads)
        scores = softened(torch.einsum("nkihd,njhd->nhkij", b, v))
        parts = [(through_v, torch.einsum("nhij,nkihd->nkjhd", P, b))]
        of_q = torch.einsum("nhkij,njhd->nkihd", scores, k)
        of_k = torch.einsum("nhkij,nihd->nkjhd", scores, q)
        parts += [(through_k, of_k.add_(of_q))] if module.query is None else [(through_k, of_k), (through_q, of_q)]
        return _sum([adjoint(part.flatten(3)) for adjoint, part in parts if adjoint is not None], a.shape[1:])

    return z.reshape(*a.shape[:-1], z.shape[-1]), None if through_out is None else back


def _split(z: Tensor, heads: int) -> Tensor:
    """(…, heads·d) as (…, heads, d)"""
    return z.reshape(*z.shape[:-1], heads, -1)


def _sum(parts: list[Cotangent], shape: torch.Size) -> Cotangent:
    given = [part for part in parts if part is not None]
    if not given:
        return None
    total = given[0]
    for part in given[1:]:
        total = total.add_(part)
    return total.reshape(*total.shape[:2], *shape[:-1], total.shape[-1])


def _weights(scores: Any, q: Tensor, k: Tensor) -> tuple[Tensor, Adjoint]:
    """The weights (n, heads, L, L) of queries and keys (n, L, heads, d), and the way back to q·k.

    From the weights' cotangents (n, heads, k, L, L), which have outputs behind heads.
    """
    with torch.enable_grad():
        products = ((q.transpose(1, 2) @ k.transpose(1, 2).mT) * scores.scale).detach().requires_grad_()
        P = MECHANISMS[scores.mechanism](products, None)
    if scores.mechanism == "SOFTMAX":
        weights = P.detach().unsqueeze(2)

        def through_softmax(b: Cotangent) -> Tensor:
            assert b is not None
            b = b.mul_(weights)
            return b.addcmul_(weights, b.sum(-1, keepdim=True), value=-1).mul_(scores.scale)

        return P.detach(), through_softmax
    constant = not P.requires_grad
    slope = torch.zeros_like(P) if constant else torch.autograd.grad(P, products, torch.ones_like(P))[0]
    slope = slope.mul_(scores.scale).unsqueeze(2)
    return P.detach(), lambda b: None if b is None else b.mul_(slope)
