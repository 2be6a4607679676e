"""Cotangents of networks whose structure is known: one backward pass for all outputs at once, without autograd's graph.

A rule runs a module forward on a batch and returns its output and its adjoint. The derivative of a pointwise module is
taken once for a batch and applied to the cotangents of all k outputs; a dense layer sends n·k rows through one matrix
product; other modules, whatever layers are inside them, send the cotangents of all outputs through autograd's graph of
their own. ``hooks`` is the same for any network, an output at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.products import inner
from ntklab.kernels.empirical.routes.hooks import Watch
from ntklab.kernels.empirical.routes.uses import Use, used_twice
from ntklab.networks import (
    Conv,
    ConvLocal,
    ConvTranspose,
    Dense,
    DotGeneral,
    GlobalPool,
    Index,
    LayerNorm,
    Merge,
    Pointwise,
    Pool,
    Resize,
    SelfAttention,
)  # fmt: skip

Cotangent = Tensor | None
"""(n, k, *shape of a value); None stands for the identity: each of k outputs is its own cotangent."""

Adjoint = Callable[[Cotangent], Cotangent]
"""From the cotangent of a module's output, which it may overwrite, to that of its input (None where it is unused)."""

Traced = tuple[Tensor, Adjoint | None]
"""A module's output on a batch, and its adjoint, None where no trained parameter affects that output."""


@dataclass
class _Pass:
    """One batch going through: the layers to look at and the factors found."""

    uses: dict[nn.Module, Use]
    factors: list[Factor] = field(default_factory=list)
    met: set[Use] = field(default_factory=set)


def covers(model: nn.Module) -> bool:
    """Whether each module of ``model`` has a rule here, and none has hooks of its own."""
    hooked = any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    return not hooked and _known(model)


def _known(module: nn.Module) -> bool:
    if isinstance(module, nn.Sequential | Merge):
        parts = module if isinstance(module, nn.Sequential) else module.branches
        return type(module) in RULES and all(_known(part) for part in parts)
    if type(module) is nn.Flatten:
        return (module.start_dim, module.end_dim) == (1, -1)
    return type(module) in RULES


def factors(model: nn.Module, uses: Sequence[Use], x: Tensor) -> list[Factor]:
    """Factors of the trained layers of ``model`` on the samples ``x`` (n, *sample shape)."""
    run = _Pass({use.module: use for use in uses})
    with torch.no_grad():
        z, adjoint = _trace(model, x, False, run)
        outputs_of(z, len(x))
        if adjoint is not None:
            adjoint(None)
    return run.factors


def _trace(module: nn.Module, a: Tensor, trained: bool, run: _Pass) -> Traced:
    """``trained``: whether a trained parameter affects ``a``."""
    return RULES[type(module)](module, a, trained, run)


def _sequential(module: Any, a: Tensor, trained: bool, run: _Pass) -> Traced:
    adjoints: list[Adjoint] = []
    for part in module:
        a, adjoint = _trace(part, a, trained, run)
        if adjoint is not None:
            trained = True
            adjoints.append(adjoint)

    def back(b: Cotangent) -> Cotangent:
        for adjoint in reversed(adjoints):
            b = adjoint(b)
        return b

    return a, back if trained else None


def _dense(module: Any, a: Tensor, trained: bool, run: _Pass) -> Traced:
    z = module(a)
    use = run.uses.get(module)
    if use is not None:
        _once(use, run)
    if use is None and not trained:
        return z, None

    def back(b: Cotangent) -> Cotangent:
        if b is None and z.ndim > 2:
            b = _identity(z)
        if use is not None:
            b = None if b is None else b.contiguous()
            run.factors.extend(use.factors(a, b))
        return _through(module, b, len(z)) if trained else None

    return z, back


def _once(use: Use, run: _Pass) -> None:
    if use in run.met:
        raise used_twice(use)
    run.met.add(use)


def _through(module: nn.Module, b: Cotangent, n: int) -> Tensor:
    """From (n, k, …, out) at a dense layer's output to (n, k, …, in) at its input."""
    W: Tensor = module.weight  # type: ignore[assignment]
    scale = float(getattr(module, "weight_scale", 1.0))
    if b is None:
        return (W * scale).expand(n, *W.shape)
    below = inner(b.reshape(-1, W.shape[0]), W.T).view(*b.shape[:-1], W.shape[1])
    return below if scale == 1.0 else below.mul_(scale)


def _pointwise(module: Any, a: Tensor, trained: bool, _: _Pass) -> Traced:
    if not trained:
        return module(a.clone() if getattr(module, "inplace", False) else a), None
    with torch.enable_grad():
        leaf = a.detach().requires_grad_()
        y = module(leaf.clone() if getattr(module, "inplace", False) else leaf)
    slope = torch.autograd.grad(y, leaf, torch.ones_like(y))[0] if y.requires_grad else torch.zeros_like(y)
    slope = slope.unsqueeze(1)

    def back(b: Cotangent) -> Cotangent:
        if b is None:
            b = _identity(y)
        return b.mul_(slope) if b.is_contiguous() else b * slope

    return y.detach(), back


def _identity(z: Tensor) -> Tensor:
    """(n, k, *output): row o is the o-th unit vector."""
    k = z[0].numel()
    unit = torch.eye(k, dtype=z.dtype, device=z.device)
    return unit.expand(len(z), k, k).reshape(len(z), k, *z.shape[1:])


def _flatten(module: Any, a: Tensor, trained: bool, _: _Pass) -> Traced:
    z = module(a)
    if not trained:
        return z, None
    return z, lambda b: b if b is None and a.ndim == 2 else (_identity(z) if b is None else b).unflatten(2, a.shape[1:])


def _same(_: Any, a: Tensor, trained: bool, __: _Pass) -> Traced:
    return a, (lambda b: b) if trained else None


def _by_autograd(module: Any, a: Tensor, trained: bool, run: _Pass) -> Traced:
    """Any module: its cotangents, and those of the layers inside it, for all outputs at once."""
    uses = [run.uses[part] for part in module.modules() if part in run.uses]
    for use in uses:
        _once(use, run)
    if not uses and not trained:
        return module(a), None
    watch = Watch(use for use in uses if use.module is not module)
    with torch.enable_grad(), watch.running():
        leaf = a.detach().requires_grad_()
        z = module(leaf)

    def back(b: Cotangent) -> Cotangent:
        b = (_identity(z) if b is None else b).contiguous()
        if module in run.uses:
            run.factors.extend(run.uses[module].factors(a, b))
        wanted = ([get_gradient_edge(leaf)] if trained else []) + [layer.edge for layer in watch.seen.values()]
        if not wanted:
            return None
        found = list(torch.autograd.grad(z, wanted, b.movedim(1, 0), is_grads_batched=True, allow_unused=True))
        below = found.pop(0) if trained else None
        for (use, layer), part in zip(watch.seen.items(), found, strict=True):
            if part is not None:  # else the outputs do not depend on the layer
                run.factors.extend(use.factors(layer.a, part.movedim(0, 1)))
        if not trained:
            return None
        return b.new_zeros(*b.shape[:2], *a.shape[1:]) if below is None else below.movedim(0, 1)

    return z.detach(), back


def _merge(module: Any, a: Tensor, trained: bool, run: _Pass) -> Traced:
    branches = [_trace(branch, a, trained, run) for branch in module.branches]
    z = module.join([value for value, _ in branches])
    if all(adjoint is None for _, adjoint in branches):
        return z, None
    split = _SPLITS[module.merge]

    def back(b: Cotangent) -> Cotangent:
        parts = split(module, (_identity(z) if b is None else b), [value for value, _ in branches])
        below = [adjoint(part) for (_, adjoint), part in zip(branches, parts, strict=True) if adjoint is not None]
        return _total([part for part in below if part is not None]) if trained else None

    return z, back


def _total(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _split_sum(_: Any, b: Tensor, values: list[Tensor]) -> list[Tensor]:
    return [b.clone() for _ in values[1:]] + [b]


def _split_prod(_: Any, b: Tensor, values: list[Tensor]) -> list[Tensor]:
    parts = []
    for i in range(len(values)):
        part = b.clone()
        for j, other in enumerate(values):
            if j != i:
                part *= other.unsqueeze(1)
        parts.append(part)
    return parts


def _split_concat(module: Any, b: Tensor, values: list[Tensor]) -> list[Tensor]:
    axis = module.axis if module.axis < 0 else module.axis + 1
    return list(torch.split(b, [value.shape[module.axis] for value in values], dim=axis))


_SPLITS: dict[str, Callable[[Any, Tensor, list[Tensor]], list[Tensor]]] = {
    "sum": _split_sum,
    "prod": _split_prod,
    "concat": _split_concat,
}

Rule = Callable[[Any, Tensor, bool, _Pass], Traced]

_POINTWISE = (
    Pointwise, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid,
    nn.LogSigmoid, nn.Tanh, nn.Tanhshrink, nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish,
)  # fmt: skip

BY_AUTOGRAD = (
    Conv, ConvTranspose, ConvLocal, SelfAttention, Pool, GlobalPool, LayerNorm, Resize, Index, DotGeneral,
)  # fmt: skip

RULES: dict[type[nn.Module], Rule] = {
    nn.Sequential: _sequential,
    Dense: _dense,
    nn.Linear: _dense,
    Merge: _merge,
    nn.Flatten: _flatten,
    nn.Identity: _same,
    nn.Dropout: _same,  # in evaluation mode, which ``layer_uses`` has checked
    **dict.fromkeys(_POINTWISE, _pointwise),
    **dict.fromkeys(BY_AUTOGRAD, _by_autograd),
}
