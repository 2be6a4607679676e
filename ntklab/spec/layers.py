"""Layers with weights or structure, and the union of all layers."""

from __future__ import annotations

from typing import Annotated, Literal, Union, get_args

import msgspec

from ntklab.spec.activations import Activation, AnyActivation
from ntklab.spec.base import Fraction, NonNegative, Positive, Spec
from ntklab.spec.faults import PlacedError

Width = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=10_000_000,
        extra={"remedy": "give a width of at least 1; for the limit use the infinite kernel"},
    ),
]

Axis = Annotated[int, msgspec.Meta(ge=-8, le=8)]


class Dense(Spec, frozen=True, tag=True):
    """z = W·x + b on the last axis.

    ``param="ntk"``: z = W_std/√fan_in·W x + b_std·b with W, b ~ N(0, 1).
    ``param="standard"``: z = W x/√s[0] + b with W ~ N(0, W_std²·s[0]/fan_in), b ~ N(0, b_std²), where the true input
    width is s[0] times the width written in the layer before. ``b_std=None`` means no bias parameter at all.
    """

    width: Width
    W_std: Positive = 1.0
    b_std: NonNegative | None = None
    param: Literal["ntk", "standard"] = "ntk"
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


Layer = Union[Dense, Dropout, Flatten, Branch, AnyActivation]  # noqa: UP007 (forward references)

LAYER_TYPES: dict[str, type[Spec]] = {cls.__name__: cls for cls in get_args(Layer)}


def is_activation(layer: Spec) -> bool:
    """Whether ``layer`` acts on each unit alone."""
    return isinstance(layer, Activation)
