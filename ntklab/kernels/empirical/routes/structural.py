"""Cotangents of networks whose structure is known: one backward pass for all outputs at once, without autograd's graph.

A rule runs a module forward on a batch and returns its output and its adjoint. The derivative of a pointwise module is
taken once for a batch and applied to the cotangents of all k outputs; a dense layer sends n·k rows through one matrix
product, and a few others have adjoints of their own (``adjoints``); the rest, whatever layers are inside them, send the
cotangents of all outputs through autograd's graph of their own. ``hooks`` is the same for any network, an output at a
time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.heads import Headed
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.adjoints import attention, conv, dense, evenly_padded, global_pool, layer_norm
from ntklab.kernels.empirical.routes.hooks import Watch
from ntklab.kernels.empirical.routes.tracing import Adjoint, Cotangent, Pass, Rule, Traced, identity
from ntklab.kernels.empirical.routes.uses import Use
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


def covers(model: nn.Module) -> bool:
    """Whether each module of ``model`` has a rule here, and none has hooks of its own."""
    hooked = any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    return not hooked and _known(model)


def _known(module: nn.Module) -> bool:
    if isinstance(module, nn.Sequential | Merge):
        parts = module if isinstance(module, nn.Sequential) else module.branches
        return type(module) in RULES and all(_known(part) for part in parts)
    if type(module) is Headed:
        return _known(module.network)
    if type(module) is nn.Flatten:
        return (module.start_dim, module.end_dim) == (1, -1)
    return type(module) in RULES


def factors(model: nn.Module, uses: Sequence[Use], x: Tensor) -> list[Factor]:
    """Factors of the trained layers of ``model`` on the samples ``x`` (n, *sample shape)."""
    run = Pass({use.module: use for use in uses})
    with torch.no_grad():
        z, adjoint = _trace(model, x, False, run)
        outputs_of(z, len(x))
        if adjoint is not None:
            adjoint(None)
    return run.factors


def _trace(module: nn.Module, a: Tensor, trained: bool, run: Pass) -> Traced:
    """``trained``: whether a trained parameter affects ``a``."""
    return RULES[type(module)](module, a, trained, run)


def _sequential(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
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


def _pointwise(module: Any, a: Tensor, trained: bool, _: Pass) -> Traced:
    if not trained:
        return module(a.clone() if getattr(module, "inplace", False) else a), None
    with torch.enable_grad():
        leaf = a.detach().requires_grad_()
        y = module(leaf.clone() if getattr(module, "inplace", False) else leaf)
    slope = torch.autograd.grad(y, leaf, torch.ones_like(y))[0] if y.requires_grad else torch.zeros_like(y)
    slope = slope.unsqueeze(1)

    def back(b: Cotangent) -> Cotangent:
        if b is None:
            b = identity(y)
        return b.mul_(slope) if b.is_contiguous() else b * slope

    return y.detach(), back


def _flatten(module: Any, a: Tensor, trained: bool, _: Pass) -> Traced:
    z = module(a)
    if not trained:
        return z, None
    return z, lambda b: b if b is None and a.ndim == 2 else (identity(z) if b is None else b).unflatten(2, a.shape[1:])


def _headed(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    """The head is a function of the outputs as rows, with constants for parameters."""
    f, inside = _trace(module.network, a, trained, run)
    g, outside = _by_autograd(module.head, outputs_of(f, len(f)), inside is not None, run)
    if inside is None or outside is None:
        return g, None

    def back(b: Cotangent) -> Cotangent:
        below = outside(b)
        assert below is not None, "cotangents of a head are explicit"
        return inside(below.reshape(*below.shape[:2], *f.shape[1:]))

    return g, back


def _same(_: Any, a: Tensor, trained: bool, __: Pass) -> Traced:
    return a, (lambda b: b) if trained else None


def _by_autograd(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    """Any module: its cotangents, and those of the layers inside it, for all outputs at once."""
    uses = [use for part in module.modules() if (use := run.meet(part)) is not None]
    if not uses and not trained:
        return module(a), None
    watch = Watch(use for use in uses if use.module is not module)
    with torch.enable_grad(), watch.running():
        leaf = a.detach().requires_grad_()
        z = module(leaf)

    def back(b: Cotangent) -> Cotangent:
        b = (identity(z) if b is None else b).contiguous()
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


def _conv(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    return (conv if evenly_padded(module) else _by_autograd)(module, a, trained, run)


def _attention(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    return (attention if module.embedding is None else _by_autograd)(module, a, trained, run)


def _merge(module: Any, a: Tensor, trained: bool, run: Pass) -> Traced:
    branches = [_trace(branch, a, trained, run) for branch in module.branches]
    z = module.join([value for value, _ in branches])
    if all(adjoint is None for _, adjoint in branches):
        return z, None
    split = _SPLITS[module.merge]

    def back(b: Cotangent) -> Cotangent:
        parts = split(module, (identity(z) if b is None else b), [value for value, _ in branches])
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

_POINTWISE = (
    Pointwise, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid,
    nn.LogSigmoid, nn.Tanh, nn.Tanhshrink, nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish,
)  # fmt: skip

BY_AUTOGRAD = (
    Conv, ConvTranspose, ConvLocal, SelfAttention, Pool, GlobalPool, LayerNorm, Resize, Index, DotGeneral,
)  # fmt: skip

RULES: dict[type[nn.Module], Rule] = {
    nn.Sequential: _sequential,
    Dense: dense,
    nn.Linear: dense,
    Merge: _merge,
    nn.Flatten: _flatten,
    Headed: _headed,
    nn.Identity: _same,
    nn.Dropout: _same,  # in evaluation mode, which ``layer_uses`` has checked
    **dict.fromkeys(_POINTWISE, _pointwise),
    **dict.fromkeys(BY_AUTOGRAD, _by_autograd),
    Conv: _conv,
    SelfAttention: _attention,
    GlobalPool: global_pool,
    LayerNorm: layer_norm,
}
