"""A network as data: the shape of its input and its layers from input to output."""

from __future__ import annotations

from typing import Literal

import msgspec

from ntklab.errors import SpecError
from ntklab.spec.base import Count
from ntklab.spec.codec import Document
from ntklab.spec.fitting import follow
from ntklab.spec.layers import Branch, Dense, Layer

_RANKS = {"vector": 1, "sequence": 2, "image": 3, "volume": 4}


class Input(msgspec.Struct, frozen=True):
    """The shape of one sample, channels last: vector (D,), sequence (L, C), image (H, W, C), volume (X, Y, Z, C)."""

    kind: Literal["vector", "sequence", "image", "volume"] = "vector"
    shape: tuple[Count, ...] = (1,)

    def __post_init__(self) -> None:
        if len(self.shape) != _RANKS.get(self.kind):
            expected = _RANKS.get(self.kind)
            raise SpecError(
                f"input: a {self.kind} has {expected} axes, got shape {list(self.shape)}; give one size each"
            )


class Architecture(Document, frozen=True):
    """``input`` and ``layers``; widths are those of the finite network, ignored in the limit.

    Reads the form of the golden manifest: ``Architecture.from_dict({"input": …, "layers": […]})``.
    Making one also checks that the shapes fit together (see ``ntklab.spec.shapes``).
    """

    input: Input
    layers: tuple[Layer, ...]
    name: str = ""

    def check(self) -> None:
        from ntklab.spec.shapes import layer_shapes  # the walk needs this class

        layer_shapes(self)

    def with_width(self, width: int) -> Architecture:
        """The same network with every dense layer but the read-out ``width`` wide (those inside branches too).

        A branch that is added to its own input keeps the width of that (see ``fitting``).
        """
        last = self.readout_index
        layers = tuple(layer if i == last else _widened(layer, width) for i, layer in enumerate(self.layers))
        return self.replace(layers=follow(layers, self.input.shape))  # type: ignore[no-any-return]

    def with_outputs(self, outputs: int) -> Architecture:
        """The same network with a read-out of ``outputs`` units."""
        last = self.readout_index
        if last is None:
            raise SpecError("architecture: there is no dense read-out to resize; add a Dense layer at the end")
        layers = list(self.layers)
        layers[last] = layers[last].replace(width=outputs)
        return self.replace(layers=tuple(layers))  # type: ignore[no-any-return]

    @property
    def readout_index(self) -> int | None:
        """Position of the last layer if it is dense, else None."""
        return len(self.layers) - 1 if self.layers and isinstance(self.layers[-1], Dense) else None


def _widened(layer: Layer, width: int) -> Layer:
    if isinstance(layer, Dense):
        return layer.replace(width=width)  # type: ignore[no-any-return]
    if isinstance(layer, Branch):
        branches = tuple(tuple(_widened(part, width) for part in branch) for branch in layer.branches)
        return layer.replace(branches=branches)  # type: ignore[no-any-return]
    return layer
