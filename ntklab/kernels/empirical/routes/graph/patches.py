"""The patches that a convolution sees, in one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """What a kernel of ``size`` reads at each place; ``padding`` with zeros (before, after) along each axis."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[Pair, ...]

    def places(self, shape: Sequence[int]) -> tuple[int, ...]:
        """How many places there are along each axis of an image of ``shape``."""
        extents = (d * (s - 1) + 1 for d, s in zip(self.dilation, self.size, strict=True))
        padded = (length + sum(p) for length, p in zip(shape, self.padding, strict=True))
        return tuple((a - e) // s + 1 for a, e, s in zip(padded, extents, self.stride, strict=True))

    def patches(self, image: Tensor, places: Sequence[int] | None = None) -> Tensor:
        """(n, *``places``, *size, channels) as a view where it can be, from ``image`` (n, channels, *shape)."""
        dims = len(self.size)
        if any(map(sum, self.padding)):
            image = pad(image, [width for sides in reversed(self.padding) for width in sides])
        last = image.movedim(1, -1).contiguous()
        if places is None:
            places = Window(self.size, self.stride, self.dilation, ((0, 0),) * dims).places(last.shape[1:-1])
        first, *along, channel = last.stride()
        steps = [a * s for a, s in zip(along, self.stride, strict=True)]
        within = [a * d for a, d in zip(along, self.dilation, strict=True)]
        shape = (len(last), *places, *self.size, last.shape[-1])
        return torch.as_strided(last, shape, (first, *steps, *within, channel), last.storage_offset())


def window(size: Sequence[int], stride: Any, padding: Any, dilation: Any) -> Window:
    """From the arguments of an operation: a number or one for each axis, "same" or "valid"."""
    dims = len(size)
    steps, spread = _each(stride, dims), _each(dilation, dims)
    if padding == "same":
        totals = [d * (s - 1) for d, s in zip(spread, size, strict=True)]
        sides = tuple((total // 2, total - total // 2) for total in totals)
    else:
        sides = tuple((p, p) for p in _each(0 if padding == "valid" else padding, dims))
    return Window(tuple(size), steps, spread, sides)


def _each(value: Any, dims: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return values * dims if len(values) == 1 else values


def flat_patches(image: Tensor, view: Window) -> Tensor:
    """(n, places, size · channels) of ``image`` (n, channels, *shape)."""
    seen = view.patches(image)
    dims = len(view.size)
    return seen.reshape(len(seen), prod(seen.shape[1 : 1 + dims]), -1)
