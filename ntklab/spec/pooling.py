"""Pooling over spatial axes."""

from __future__ import annotations

from ntklab.spec.base import Spec
from ntklab.spec.weights import Padding, Sizes


class Pool(Spec, frozen=True):
    """Base of the pools over a ``window``: it and ``stride`` have a size for each spatial axis, no ``stride`` is 1."""

    window: Sizes
    stride: Sizes | None = None
    padding: Padding = "VALID"

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride along each spatial axis."""
        return self.stride or (1,) * len(self.window)


class AvgPool(Pool, frozen=True, tag=True):
    """The mean over a window of positions.

    Divides by the window size or, with ``normalize_edges``, by the number of positions inside the image; CIRCULAR wraps
    around. No ``stride`` means 1 everywhere.
    """

    normalize_edges: bool = False


class SumPool(Pool, frozen=True, tag=True):
    """The sum over a window of positions. No ``stride`` means 1 everywhere; CIRCULAR wraps around."""


class GlobalAvgPool(Spec, frozen=True, tag=True):
    """The mean over all positions."""


class GlobalSumPool(Spec, frozen=True, tag=True):
    """The sum over all positions."""
