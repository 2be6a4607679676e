"""Networks on samples that bring something along: masked positions, or a graph between their positions.

Conventions of neural-tangents (Novak et al. 2020, arXiv:1912.02803), as in the kernels of infinite width: masked
positions are 0 behind every layer, windows are masked where their central position is, and a position that is mixed
from others is masked where all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from ntklab.errors import DataError
from ntklab.geometry import Window
from ntklab.networks.attention import SelfAttention
from ntklab.networks.convolution import Conv, ConvLocal
from ntklab.networks.modules import Merge
from ntklab.networks.normalisation import LayerNorm
from ntklab.networks.pooling import GlobalPool, Pool
from ntklab.networks.positions import Aggregate, DotGeneral, Index, Resize


@dataclass(frozen=True)
class Values:
    """Units ``a`` (n, *space, channels), 0 where ``mask`` (n, *space) is true; ``pattern`` is the graphs'."""

    a: Tensor
    mask: Tensor | None
    pattern: Tensor | None

    def then(self, a: Tensor, mask: Tensor | None) -> Values:
        """What a layer makes of them, masked anew."""
        if mask is None or a.ndim == 2:
            return replace(self, a=a, mask=None)
        return replace(self, a=a.masked_fill(mask.unsqueeze(-1), 0.0), mask=mask)


class Network(nn.Sequential):
    """Layers one after the other that also see masks and patterns.

    Positions whose every channel equals ``mask_constant`` (may be NaN) are masked; None masks nothing.
    """

    def __init__(self, *layers: nn.Module, mask_constant: float | None = None) -> None:
        super().__init__(*layers)
        self.mask_constant = mask_constant

    def forward(self, x: Tensor, pattern: Tensor | None = None) -> Tensor:
        """``pattern`` (n, *axes, *axes) of the positions that ``Aggregate`` layers sum over. Raises ``DataError``."""
        mask = None if self.mask_constant is None else masked(x, self.mask_constant)
        if mask is not None:
            x = x.masked_fill(mask.unsqueeze(-1), 0.0)
        return through(self, Values(x, mask if x.ndim > 2 else None, pattern)).a


def masked(x: Tensor, constant: float) -> Tensor:
    """(n, *space): where every channel is ``constant``."""
    same = torch.isnan(x) if constant != constant else x == constant
    return same.all(dim=-1)


def through(layer: nn.Module, values: Values) -> Values:
    """``values`` behind ``layer``."""
    return _RULES.get(type(layer), _plain)(layer, values)


def _plain(layer: nn.Module, values: Values) -> Values:
    mask = values.mask
    behind = _MASKS.get(type(layer))
    return values.then(layer(values.a), mask if mask is None or behind is None else behind(layer, mask))


def _told(layer: nn.Module, values: Values) -> Values:
    """A layer that treats masked positions in its own way."""
    return values.then(layer(values.a, values.mask), values.mask)


def _stack(layer: Any, values: Values) -> Values:
    for part in layer:
        values = through(part, values)
    return values


def _merge(layer: Any, values: Values) -> Values:
    ends = [through(branch, values) for branch in layer.branches]
    masks = [end.mask for end in ends if end.mask is not None]
    a = layer.join([end.a for end in ends])
    if not masks:
        return replace(values, a=a, mask=None)
    spatial = layer.merge == "concat" and layer.axis not in (-1, a.ndim - 1)
    axis = layer.axis if layer.axis >= 0 else layer.axis + 1  # masks have no channels
    return values.then(a, torch.cat(masks, dim=axis) if spatial else reduce(torch.logical_and, masks))


def _aggregate(layer: Any, values: Values) -> Values:
    if values.pattern is None:
        axes = [values.a.shape[axis] for axis in layer.axes]
        raise DataError(
            "pattern: a network with an Aggregate layer needs a matrix for each sample, got none; "
            f"call network(x, pattern=…) with pattern of shape (n, {', '.join(map(str, axes + axes))})"
        )
    return values.then(layer(values.a, values.pattern), values.mask)


_RULES: dict[type[nn.Module], Callable[[nn.Module, Values], Values]] = {
    nn.Sequential: _stack,
    Network: _stack,
    Merge: _merge,
    Aggregate: _aggregate,
    GlobalPool: _told,
    LayerNorm: _told,
    SelfAttention: _told,
}


def _central(layer: Any, mask: Tensor) -> Tensor:
    windows: Iterable[Window] = layer.windows
    for axis, window in enumerate(windows, start=1):
        mask = mask.index_select(axis, torch.from_numpy(window.centres).to(mask.device))
    return mask


def _mixed(layer: Any, mask: Tensor) -> Tensor:
    seen: Tensor = layer.reach((~mask).unsqueeze(-1).to(_dtype(layer)))
    return (seen <= _NOTHING).squeeze(-1)


def _dtype(layer: nn.Module) -> torch.dtype:
    """That of its fixed arrays; float32 without any."""
    return next((array.dtype for array in layer.buffers()), torch.float32)


_NOTHING = 1e-6  # weights of interpolation that are 0 but for rounding

_MASKS: dict[type[nn.Module], Callable[[Any, Tensor], Tensor]] = {
    Conv: _central,
    ConvLocal: _central,
    Pool: _central,
    Resize: _mixed,
    Index: _mixed,
    DotGeneral: _mixed,
}
