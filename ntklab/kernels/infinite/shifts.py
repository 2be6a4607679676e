"""Pairs of positions at the same distance from each other, along the first axes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

Offset = tuple[int, ...]


@dataclass(frozen=True)
class Shift:
    """Positions p of one sample with p + ``offset`` of another on the first axes, for those p where both are inside.

    With ``wraps`` the first axis, the only one then, is a circle.
    """

    offset: Offset
    wraps: bool = False

    def left(self, X: Tensor, start: int = 0) -> Tensor:
        """The positions p, along the axes of ``X`` from ``start`` on."""
        return X if self.wraps else _shortened(X, start, tuple(-o for o in self.offset))

    def right(self, X: Tensor, start: int = 0) -> Tensor:
        """The positions p + offset."""
        return X.roll(-self.offset[0], start) if self.wraps else _shortened(X, start, self.offset)

    def under(self, strides: Offset) -> Shift:
        """Of positions that are ``strides`` positions apart."""
        return Shift(tuple(o // s for o, s in zip(self.offset, strides, strict=False)), self.wraps)

    def over(self, strides: Offset) -> Shift:
        """The shift that ``under`` takes to this one."""
        return Shift(tuple(o * s for o, s in zip(self.offset, strides, strict=False)), self.wraps)

    def share(self, sizes: Offset) -> float:
        """Of the positions on axes of ``sizes``: that of those with a partner."""
        share = 1.0
        for size, offset in zip(sizes, self.offset, strict=False):
            share *= 1 - abs(offset) / size
        return 1.0 if self.wraps else share

    def lines(self, crossed: Tensor) -> list[tuple[Tensor, slice]]:
        """Views (positions p, pairs, *rest, *rest') of all pairs of positions (pairs, *sizes, *sizes').

        With which p each has on the first axis: there are two where a circle is cut."""
        size, (offset, *_) = crossed.shape[1], self.offset
        if not self.wraps or not offset:
            return [(line(crossed, self.offset), slice(None))]
        cut = size - offset
        return [(line(crossed, (offset,)), slice(0, cut)), (line(crossed, (offset - size,)), slice(cut, size))]


def line(crossed: Tensor, offset: Offset) -> Tensor:
    """A view (positions p, pairs, *rest, *rest') of the pairs at ``offset`` in (pairs, *sizes, *sizes')."""
    axes = (crossed.ndim - 1) // 2
    for axis, o in enumerate(offset):
        crossed = crossed.diagonal(o, dim1=1, dim2=1 + axes - axis)
    count = len(offset)
    return crossed.movedim(tuple(range(-count, 0)), tuple(range(count)))


def exchanged(crossed: Tensor) -> Tensor:
    """A view of (pairs, *sizes, *sizes') with the positions of both samples exchanged."""
    axes = (crossed.ndim - 1) // 2
    return crossed.permute(0, *range(1 + axes, 1 + 2 * axes), *range(1, 1 + axes))


def _shortened(X: Tensor, start: int, offset: Offset) -> Tensor:
    for axis, o in enumerate(offset, start):
        X = X.narrow(axis, max(0, o), X.shape[axis] - abs(o))
    return X
