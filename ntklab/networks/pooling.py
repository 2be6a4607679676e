"""Pooling over positions of values (n, *space, channels)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntklab.geometry import Window
from ntklab.networks.windows import padded

_MEANS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


class Pool(nn.Module):
    """Means over windows times ``weight``: their size for sums, or, at each place, size over positions covered."""

    weight: Tensor | None

    def __init__(self, windows: Sequence[Window], weight: Tensor | None) -> None:
        super().__init__()
        self.windows = tuple(windows)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, a: Tensor) -> Tensor:
        """(n, *places, channels) from (n, *space, channels)."""
        sizes, strides = zip(*((window.kernel, window.stride) for window in self.windows), strict=True)
        mean: Tensor = _MEANS[len(sizes)](padded(a, self.windows).movedim(-1, 1), sizes, strides).movedim(1, -1)
        return mean if self.weight is None else mean * self.weight

    def extra_repr(self) -> str:
        return f"window={[window.kernel for window in self.windows]}"


def size_over_covered(windows: Sequence[Window], dtype: torch.dtype) -> Tensor:
    """(*places, 1): the size of the window over the number of positions inside the axes that it covers."""
    weight = torch.ones(1, dtype=dtype)
    for window in reversed(windows):
        counts = torch.from_numpy(window.inside).to(dtype)
        weight = (window.kernel / counts).view(-1, *(1,) * weight.ndim) * weight
    return weight


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
