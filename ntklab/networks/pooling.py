"""Pooling over positions of values (n, *space, channels)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from ntklab.geometry import Window
from ntklab.networks.windows import padded


class Pool(nn.Module):
    """Sums over windows times ``weight``: 1, one over the window's size, or, at each place, over what it covers."""

    weight: Tensor

    def __init__(self, windows: Sequence[Window], weight: Tensor) -> None:
        super().__init__()
        self.windows = tuple(windows)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, a: Tensor) -> Tensor:
        a = padded(a, self.windows)
        for axis, window in enumerate(self.windows, start=1):
            if (window.kernel, window.stride) != (1, 1):
                a = a.unfold(axis, window.kernel, window.stride).sum(-1)
        return a * self.weight

    def extra_repr(self) -> str:
        return f"window={[window.kernel for window in self.windows]}"


def mean_weight(windows: Sequence[Window], *, inside: bool, dtype: torch.dtype) -> Tensor:
    """One over the size of the window or, with ``inside``, (*places, 1) one over the positions that it covers."""
    if not inside:
        return torch.tensor(1 / prod(window.kernel for window in windows), dtype=dtype)
    counts = torch.ones(1, dtype=dtype)
    for window in reversed(windows):
        counts = torch.from_numpy(window.inside).to(dtype).view(-1, *(1,) * counts.ndim) * counts
    return counts.reciprocal()


class GlobalPool(nn.Module):
    """The mean or the sum over all positions that are not masked: (n, channels)."""

    def __init__(self, *, mean: bool) -> None:
        super().__init__()
        self.mean = mean

    def forward(self, a: Tensor, mask: Tensor | None = None) -> Tensor:
        """``mask`` (n, *space) is true at masked positions, where ``a`` is 0."""
        space = tuple(range(1, a.ndim - 1))
        total = a.sum(dim=space)
        if not self.mean:
            return total
        if mask is None:
            return total / prod(a.shape[1:-1])
        return total / (~mask).flatten(1).sum(dim=1, keepdim=True).clamp(min=1)

    def extra_repr(self) -> str:
        return "mean" if self.mean else "sum"
