"""Layers with weights or structure, and the union of all layers."""

from __future__ import annotations

from typing import Literal, Union, get_args

from ntklab.spec.activations import Activation, AnyActivation
from ntklab.spec.attention import SelfAttention
from ntklab.spec.base import Fraction, NonNegative, Positive, Spec
from ntklab.spec.convolution import Conv, ConvLocal, ConvTranspose
from ntklab.spec.faults import PlacedError
from ntklab.spec.normalisation import LayerNorm
from ntklab.spec.pooling import AvgPool, GlobalAvgPool, GlobalSumPool, SumPool
from ntklab.spec.positions import Aggregate, DotGeneral, ImageResize, Index
from ntklab.spec.weights import Axis, Parameterisation, Width


class Dense(Spec, frozen=True, tag=True):
    """z = W·x + b on the last axis.

    ``param="ntk"``: z = W_std/√fan_in·W x + b_std·b with W, b ~ N(0, 1).
    ``param="standard"``: z = W x/√s[0] + b with W ~ N(0, W_std²·s[0]/fan_in), b ~ N(0, b_std²), where the true input
    width is s[0] times the width written in the layer before. ``param="mup"``: as "ntk", but the read-out is divided by
    another √fan_in (Yang & Hu 2021, arXiv:2011.14522). ``b_std=None`` means no bias parameter at all.
    """

    width: Width
    W_std: Positive = 1.0
    b_std: NonNegative | None = None
    param: Parameterisation = "ntk"
    s: tuple[Positive, Positive] = (1.0, 1.0)


class Dropout(Spec, frozen=True, tag=True):
    """Keeps each unit with probability ``keep_rate`` and divides by it; mode "test" does nothing."""

    keep_rate: Fraction = 0.9
    mode: Literal["train", "test"] = "train"


class Flatten(Spec, frozen=True, tag=True):
    """Joins all axes but the batch axis."""


class Branch(Spec, frozen=True, tag=True):
    """Parallel branches on the same input, merged; an empty branch is the identity (a residual connection)."""

    branches: tuple[tuple[Layer, ...], ...]
    merge: Literal["sum", "concat", "prod"] = "sum"
    axis: Axis | None = None

    def check(self) -> None:
        if not self.branches:
            raise PlacedError(("branches",), "expected at least one branch, got none; use [[]] for the identity")


Layer = Union[  # noqa: UP007 (forward references)
    Dense, Conv, ConvTranspose, ConvLocal, SelfAttention, AvgPool, SumPool, GlobalAvgPool, GlobalSumPool, LayerNorm,
    ImageResize, Index, DotGeneral, Aggregate, Dropout, Flatten, Branch, AnyActivation,
]  # fmt: skip

LAYER_TYPES: dict[str, type[Spec]] = {cls.__name__: cls for cls in get_args(Layer)}

# The field that says how many channels come out of a layer with weights.
_WIDTHS: dict[type[Spec], str] = {
    Dense: "width", Conv: "channels", ConvTranspose: "channels", ConvLocal: "channels", SelfAttention: "n_chan_out",
}  # fmt: skip


def is_activation(layer: Spec) -> bool:
    """Whether ``layer`` acts on each unit alone."""
    return isinstance(layer, Activation)


def own_width(layer: Spec) -> int | None:
    """The channels that come out of a layer with weights, as its spec says; None for other layers."""
    field = _WIDTHS.get(type(layer))
    return None if field is None else getattr(layer, field)


def resized(layer: Layer, width: int) -> Layer:
    """A layer with weights with ``width`` channels; other layers as they are."""
    field = _WIDTHS.get(type(layer))
    return layer if field is None else layer.replace(**{field: width})
