"""Each output of each sample with itself: the diagonal of the kernel, from factors of samples that never meet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ntklab.kernels.empirical.factors import Factor

_SLICE = 2**22  # numbers of gradients of a batch of samples made at a time


def squares(factors: Sequence[Factor]) -> Tensor | None:
    """Σ_θ (∂f_o(x_i)/∂θ)² as (n, k), or (n, 1) where it is the same for every output; None without factors."""
    parts = [_square(factor) for factor in factors]
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _square(factor: Factor) -> Tensor:
    if factor.lazy:
        return _of_gradients(factor)
    if factor.places > 1:
        return _over_places(factor)
    assert factor.A is not None or factor.B is not None, "a factor has inputs or cotangents"
    total: Tensor | None = None
    if factor.B is not None:
        total = factor.B.square().sum(2)
    if factor.A is not None:
        inputs = (factor.A.square().sum(1) + factor.offset).unsqueeze(1)
        total = inputs if total is None else total * inputs
    assert total is not None
    return total


def _over_places(factor: Factor) -> Tensor:
    """Σ_ts (a_t·a_s + offset)(b_ot·b_os)"""
    assert factor.A is not None
    assert factor.B is not None
    K = (factor.A @ factor.A.mT).add_(factor.offset).unsqueeze(1)
    return (factor.B @ factor.B.mT).mul_(K).sum((2, 3))


def _of_gradients(factor: Factor) -> Tensor:
    assert factor.B is not None
    total = factor.B.new_zeros(factor.B.shape[:2])
    for units in factor.slices(max(1, _SLICE // len(factor.B))):
        G = factor.gradients(units).B
        assert G is not None
        total += torch.linalg.vector_norm(G, dim=2).square_()
    return total
