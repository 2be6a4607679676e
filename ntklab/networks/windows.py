"""Values (n, *space, channels) seen through windows: padding, unfolding into patches, and the transposes of both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ntklab.geometry import Spread, Window


def padded(x: Tensor, windows: Sequence[Window]) -> Tensor:
    """``x`` with the positions that the windows add: zeros, or those of the other end where they wrap."""
    pads = [window.pads for window in windows]
    if not any(low or high for low, high in pads):
        return x
    if not windows[0].wraps:
        return functional.pad(x, _flat([*pads, (0, 0)]))
    for axis, (window, (low, high)) in enumerate(zip(windows, pads, strict=True), start=1):
        x = x.index_select(axis, torch.arange(-low, window.size + high, device=x.device) % window.size)
    return x


def patches(x: Tensor, windows: Sequence[Window]) -> Tensor:
    """(n, *places, channels·Π kernel): what each place of the windows sees, a channel's offsets next to each other."""
    return _unfolded(padded(x, windows), windows).flatten(-len(windows) - 1)


def spread_patches(x: Tensor, spreads: Sequence[Spread]) -> Tensor:
    """(n, *places, channels·Π kernel): what each place of the transposed windows sees, in the order of ``patches``."""
    for axis, spread in enumerate(spreads, start=1):
        apart = x.new_zeros(*x.shape[:axis], (spread.size - 1) * spread.stride + 1, *x.shape[axis + 1 :])
        x = apart.index_copy(axis, torch.arange(0, apart.shape[axis], spread.stride, device=x.device), x)
    x = functional.pad(x, _flat([*((s.kernel - 1, s.kernel - 1) for s in spreads), (0, 0)]))
    everywhere = [Window(x.shape[axis], spread.kernel) for axis, spread in enumerate(spreads, start=1)]
    return kept(_unfolded(x, everywhere), spreads).flatten(-len(spreads) - 1)


def kept(x: Tensor, spreads: Sequence[Spread], first: int = 1) -> Tensor:
    """Of all places (axes from ``first`` on) those that are kept, with what wraps around added."""
    for axis, spread in enumerate(spreads, start=first):
        if spread.wraps:
            places = (torch.arange(spread.length, device=x.device) - spread.first) % spread.outputs
            target = x.new_zeros(*x.shape[:axis], spread.outputs, *x.shape[axis + 1 :])
            x = target.index_add(axis, places, x)
        else:
            crop = (-spread.first, spread.outputs + spread.first - spread.length)
            x = functional.pad(x, (0, 0) * (x.ndim - axis - 1) + crop)
    return x


def _unfolded(x: Tensor, windows: Sequence[Window]) -> Tensor:
    """(n, *places, channels, *kernel). Not ``Tensor.unfold``, whose gradient vmap takes one sample at a time."""
    for axis, window in enumerate(windows, start=1):
        starts = torch.arange(window.outputs, device=x.device) * window.stride
        seen = starts[:, None] + torch.arange(window.kernel, device=x.device)
        shape = (*x.shape[:axis], *seen.shape, *x.shape[axis + 1 :])
        x = x.index_select(axis, seen.flatten()).reshape(shape).movedim(axis + 1, -1)
    return x


def _flat(pads: Sequence[tuple[int, int]]) -> list[int]:
    """As torch wants them: the last axis first."""
    return [amount for pair in reversed(pads) for amount in pair]
