"""Inner products: the one matrix product that everything here is made of, by the fastest library at hand."""

from __future__ import annotations

import torch
from torch import Tensor

# Below this size (multiply-adds) oneDNN's dispatch costs more than it gains.
_ONEDNN_FROM = 3e7


def inner(X: Tensor, Y: Tensor, offset: float = 0.0) -> Tensor:
    """X Yᵀ + offset for X (m, d) and Y (n, d).

    On the CPU in float32 large products go through oneDNN, which on AMD processors with AVX-512 is 5 % (one thread) to
    25 % (two) faster than the BLAS that torch.mm calls; anything else goes to torch.mm.
    """
    if _ONEDNN is not None and _suits_onednn(X, Y):
        bias = X.new_full((len(Y),), offset) if offset else None
        product: Tensor = _ONEDNN(X, Y, bias, "none", [], "")
        return product
    product = X @ Y.T
    return product.add_(offset) if offset else product


def _suits_onednn(X: Tensor, Y: Tensor) -> bool:
    """Large, float32, on the CPU, and packed: rows apart from each other take oneDNN a hundred times longer."""
    large = len(X) * len(Y) * X.shape[1] >= _ONEDNN_FROM
    packed = X.is_contiguous() and (Y.is_contiguous() or Y.T.is_contiguous())
    return large and packed and X.dtype == torch.float32 and X.device.type == "cpu"


def _onednn() -> torch._ops.OpOverloadPacket | None:
    """torch's own fused linear layer; not a public name, so it may be missing."""
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch._C._has_mkldnn else None


_ONEDNN = _onednn()
