"""Linear maps between positions, without weights: resizing, slicing, contraction with an array, graph aggregation."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ntklab.spec.base import Spec
from ntklab.spec.faults import complaint
from ntklab.spec.nested import Nested
from ntklab.spec.weights import Axis

Size = Annotated[int, msgspec.Meta(ge=-1, le=2**31 - 1)]
Bound = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Axes = tuple[Annotated[int, msgspec.Meta(ge=0, le=8)], ...]
Pairs = tuple[Axes, Axes]


class ImageResize(Spec, frozen=True, tag=True):
    """Resizes the spatial axes to ``shape`` (batch and channels included; −1 keeps an axis).

    "linear" and "cubic" interpolate between pixel centres (smoothed beforehand with ``antialias`` when shrinking),
    "nearest" takes the nearest pixel.
    """

    shape: tuple[Size, ...]
    method: Literal["linear", "nearest", "cubic"] = "linear"
    antialias: bool = True

    def check(self) -> None:
        for number, size in enumerate(self.shape, start=1):
            if size == 0:
                raise complaint(("shape", f"entry {number}"), "expected at least 1", 0, "use −1 to keep an axis")


class Index(Spec, frozen=True, tag=True):
    """Takes a slice of the positions: (start, stop, step) for batch, each spatial axis and channels; none is open.

    Starts and stops below 0 count from the end and steps below 0 run backwards, as in Python.
    """

    slices: tuple[tuple[Bound | None, Bound | None, Bound | None], ...]

    def check(self) -> None:
        for number, (_, _, step) in enumerate(self.slices, start=1):
            if step == 0:
                raise complaint(("slices", f"entry {number}"), "expected a step other than 0", 0, "use none for 1")

    def ranges(self, shape: tuple[int, ...]) -> tuple[range, ...]:
        """The indices taken along each axis of one sample of ``shape``, channels last."""
        return tuple(range(*slice(*part).indices(size)) for part, size in zip(self.slices[1:], shape, strict=True))


class DotGeneral(Spec, frozen=True, tag=True):
    """The product of the spatial axes with a fixed ``array`` (a number or nested lists), as in XLA's dot_general.

    ``dimension_numbers`` = ((contracted axes of left, of right), (batch axes of left, of right)); ``side`` says on
    which side the array stands. Axes of the network's values count batch (0) and channels (last), which stay as they
    are. The spatial axes of the result are the batch axes, what remains of the left, what remains of the right.
    """

    array: Nested
    dimension_numbers: tuple[Pairs, Pairs] = (((), ()), ((), ()))
    side: Literal["lhs", "rhs"] = "rhs"

    @property
    def contracted(self) -> Pairs:
        """Axes summed over: (of the network's values, of the array)."""
        return self._own_first(self.dimension_numbers[0])

    @property
    def shared(self) -> Pairs:
        """Axes multiplied entry by entry (XLA's batch axes): (of the network's values, of the array)."""
        return self._own_first(self.dimension_numbers[1])

    def _own_first(self, pairs: Pairs) -> Pairs:
        return pairs if self.side == "rhs" else (pairs[1], pairs[0])


class Aggregate(Spec, frozen=True, tag=True):
    """y_j = Σ_i A_ij x_i over the spatial ``axis``, with a matrix A ("pattern") for each sample: graph convolution.

    ``axis`` counts the batch axis (0). The pattern of a sample has the shape of these axes twice.
    """

    axis: tuple[Axis, ...] = (1,)
