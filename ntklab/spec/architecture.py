"""A network as data: the shape of its input and its layers from input to output."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

from ntklab.spec.base import Count, Spec
from ntklab.spec.codec import Document
from ntklab.spec.faults import complaint
from ntklab.spec.fitting import follow
from ntklab.spec.layers import Branch, Dense, Layer, resized

RANKS = {"vector": 1, "sequence": 2, "image": 3, "volume": 4}


class Input(Spec, frozen=True):
    """The shape of one sample, channels last: vector (D,), sequence (L, C), image (H, W, C), volume (X, Y, Z, C)."""

    word = "input"
    # What the golden manifest says about its samples beside their shape.
    ignored = frozenset({"n1", "n2", "n_channel_axis", "batch_axis", "normalize", "special", "masked"})

    kind: Literal["vector", "sequence", "image", "volume"] = "vector"
    shape: tuple[Count, ...] = (1,)

    def check(self) -> None:
        rank = RANKS[self.kind]
        if len(self.shape) != rank:
            sizes = "1 size" if rank == 1 else f"{rank} sizes"
            reason = f"expected {sizes} for the kind {self.kind!r}"
            raise complaint("shape", reason, list(self.shape), "give one size for each axis")


class Architecture(Document, frozen=True):
    """``input`` and ``layers``; widths are those of the finite network, ignored in the limit.

    Reads the form of the golden manifest: ``Architecture.from_dict({"input": …, "layers": […]})``.
    Making one also checks that the shapes fit together (see ``ntklab.spec.shapes``).
    """

    word = "architecture"

    input: Input
    layers: tuple[Layer, ...]
    name: str = ""

    def check(self) -> None:
        from ntklab.spec.shapes import layer_shapes  # the walk needs this class

        layer_shapes(self)

    @staticmethod
    def from_module(module: object, input_shape: Sequence[int], **options: Any) -> Architecture:
        """The architecture of a torch module; ``input_shape`` is that of one sample, as the module takes it.

        What can be read, the ``options`` (init, param, W_std, b_std, attention, closed_form, channels, name) and the
        errors that name what cannot: ``ntklab.networks.lift.examine``, which also says how it came about.
        """
        lifting = import_module("ntklab.networks.lift")  # by name: the one way from a description up to torch
        return lifting.lift(module, input_shape, **options)  # type: ignore[no-any-return]

    def with_width(self, width: int) -> Architecture:
        """The same network with ``width`` channels out of every layer with weights but the read-out, in branches too.

        A branch that is added to its own input keeps the width of that (see ``fitting``).
        """
        last = self.readout_index
        layers = tuple(layer if i == last else _widened(layer, width) for i, layer in enumerate(self.layers))
        return self.replace(layers=follow(layers, self.input.shape))  # type: ignore[no-any-return]

    def with_outputs(self, outputs: int) -> Architecture:
        """The same network with a read-out of ``outputs`` units."""
        last = self.readout_index
        if last is None:
            kind = type(self.layers[-1]).__name__
            raise complaint(
                ("architecture", "layers"), "expected a Dense read-out at the end", kind, "add a Dense layer"
            )
        layers = list(self.layers)
        layers[last] = layers[last].replace(width=outputs)
        return self.replace(layers=tuple(layers))  # type: ignore[no-any-return]

    @property
    def readout_index(self) -> int | None:
        """Position of the last layer if it is dense, else None."""
        return len(self.layers) - 1 if self.layers and isinstance(self.layers[-1], Dense) else None


def _widened(layer: Layer, width: int) -> Layer:
    if isinstance(layer, Branch):
        branches = tuple(tuple(_widened(part, width) for part in branch) for branch in layer.branches)
        return layer.replace(branches=branches)  # type: ignore[no-any-return]
    return resized(layer, width)
