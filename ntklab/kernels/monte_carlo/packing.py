"""Networks on samples that bring something along in a row: a pattern, or the number that their masks go by."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

Shape = tuple[int, ...]

_STREAM = 0xD20F  # apart from those of the weights


class Packed(nn.Module):
    """A network on rows of (sample, pattern, number), for those who know samples alone.

    ``pattern_shape`` None: there is no pattern. Dropout layers are replaced by ``FixedDropout`` where ``numbered``.
    """

    def __init__(
        self, network: nn.Module, shape: Shape, pattern_shape: Shape | None, *, numbered: bool, seed: int
    ) -> None:
        super().__init__()
        self.network = network
        self._shape, self._pattern_shape, self._numbered = shape, pattern_shape, numbered
        self._dropouts = list(_fixed(network, seed)) if numbered else []

    def forward(self, packed: Tensor) -> Tensor:
        n, used = len(packed), prod(self._shape)
        x = packed[:, :used].reshape(n, *self._shape)
        if self._numbered:
            numbers = packed[:, -1].detach().long().tolist()
            for dropout in self._dropouts:
                dropout.numbers = numbers
        extra = {}
        if self._pattern_shape is not None:
            pattern = packed[:, used : used + prod(self._pattern_shape)]
            extra["pattern"] = pattern.reshape(n, *self._pattern_shape)
        return self.network(x, **extra)  # type: ignore[no-any-return]


class FixedDropout(nn.Module):
    """Dropout in training mode whose mask of a sample is drawn once and for all, by the sample's number.

    So a sample meets itself under one mask, as in the limit, and its gradient is that of one function.
    """

    def __init__(self, keep: float, key: tuple[int, int]) -> None:
        super().__init__()
        self.keep = keep
        self.numbers: list[int] = []
        self._key = key

    def forward(self, a: Tensor) -> Tensor:
        masks = np.stack([self._mask(number, a.shape[1:]) for number in self.numbers])
        return a * torch.from_numpy(masks).to(a.device, a.dtype).div_(self.keep)

    def _mask(self, number: int, shape: torch.Size) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        stream = np.random.SFC64(np.random.SeedSequence((*self._key, number)))
        return np.random.Generator(stream).random(tuple(shape), dtype=np.float32) < self.keep


def _fixed(module: nn.Module, seed: int) -> Iterator[FixedDropout]:
    """Replace every dropout inside ``module``; the replacements."""
    places = [(parent, name) for parent in module.modules() for name, part in parent.named_children()
              if isinstance(part, nn.Dropout)]  # fmt: skip
    for index, (parent, name) in enumerate(places):
        dropout = FixedDropout(1 - float(getattr(parent, name).p), (seed, _STREAM + index))
        setattr(parent, name, dropout)
        yield dropout
