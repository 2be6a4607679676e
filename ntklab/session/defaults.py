"""A new layer that suits the place where it is put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

from ntklab.spec import LAYER_TYPES, Branch, Layer, Spec, is_activation
from ntklab.spec.activations import ABRelu, Gelu, LeakyRelu, Relu
from ntklab.spec.faults import PlacedError, complaint, suggestion
from ntklab.spec.layers import own_width
from ntklab.spec.transitions import Shape, after

WIDTH = 512
CHANNELS = 64  # of a convolution where there is no other to follow, at most
KERNEL, WINDOW, HEADS = 3, 2, 8
Stack = tuple[Layer, ...]
Path = tuple[int, ...]

# W_std that keeps the variance of pre-activations through the activation (He 2015; 1.0 where it depends on the scale).
_GAINS: dict[type, Callable[[Any], float]] = {
    Relu: lambda _: sqrt(2.0),
    Gelu: lambda _: sqrt(2.0),
    LeakyRelu: lambda layer: sqrt(2.0 / (1.0 + layer.alpha**2)),
    ABRelu: lambda layer: sqrt(2.0 / (layer.a**2 + layer.b**2)) if layer.a or layer.b else 1.0,
}


@dataclass(frozen=True)
class _Place:
    """Where a layer is to come: before ``at`` in ``stack``, where samples have the shape ``before``.

    ``outer`` is the place of the block that the stack is a branch of.
    """

    stack: Stack
    at: int
    before: Shape
    outer: _Place | None = None

    def nearest(self, wanted: Callable[[Layer], bool]) -> Any:
        """The nearest layer that is ``wanted``, the earlier of two; of the stacks around where there is none here."""
        at = self.at
        found = [(abs(index + 0.5 - at), index, layer) for index, layer in enumerate(self.stack) if wanted(layer)]
        if found:
            return min(found, key=lambda candidate: candidate[:2])[2]
        return None if self.outer is None else self.outer.nearest(wanted)

    def stacks(self) -> Iterator[Stack]:
        """The stack here, and those around it."""
        yield self.stack
        if self.outer is not None:
            yield from self.outer.stacks()


def new_layer(layers: Stack, shape: Shape, path: Path, name: str) -> Layer:
    """A layer of type ``name`` for the place ``path`` of a network on samples of ``shape``.

    Layers with weights have the width, bias and parameterisation of the nearest such layer, and the W_std that suits
    the nearest activation; windows have a size for each spatial axis. A branch is a residual block of an activation and
    a layer with weights. Raises ``SpecError`` for an unknown type.
    """
    if name not in LAYER_TYPES:
        raise complaint("layer", "unknown type", name, suggestion(name, list(LAYER_TYPES)))
    make = _MAKERS.get(name)
    return LAYER_TYPES[name]() if make is None else make(_place(layers, shape, path))  # type: ignore[return-value]


def _place(layers: Stack, shape: Shape, path: Path, outer: _Place | None = None) -> _Place:
    """Shapes are those before the first layer that does not fit."""
    for layer in layers[: path[0]]:
        try:
            shape = after(layer, shape)
        except PlacedError:
            break
    here = _Place(layers, path[0], shape, outer)
    if len(path) == 1:
        return here
    return _place(layers[path[0]].branches[path[1]], shape, path[2:], here)  # type: ignore[union-attr]


def _common(place: _Place) -> dict[str, Any]:
    """W_std, bias and parameterisation for a new layer with weights."""
    like = place.nearest(lambda layer: _hidden(layer, place) and hasattr(layer, "param"))
    like = like or _readout(place)
    shared = {"b_std": like.b_std, "param": like.param, "s": like.s} if like else {}
    return {"W_std": _gain(place.nearest(is_activation)), **shared}


def _width(place: _Place, otherwise: int) -> int:
    like = place.nearest(lambda layer: _hidden(layer, place) and own_width(layer) is not None)
    return otherwise if like is None else own_width(like) or otherwise


def _hidden(layer: Layer, place: _Place) -> bool:
    return layer is not _readout(place)


def _readout(place: _Place) -> Any:
    """The dense layer at the very end, which has as many outputs as the data needs."""
    *_, whole = place.stacks()
    return whole[-1] if whole and type(whole[-1]).__name__ == "Dense" else None


def _dense(place: _Place) -> Layer:
    like = place.nearest(lambda layer: _hidden(layer, place) and type(layer).__name__ == "Dense")
    width = like.width if like is not None else _width(place, WIDTH)
    return LAYER_TYPES["Dense"](width=width, **_common(place))  # type: ignore[return-value]


def _convolution(name: str, kernel: int = KERNEL, stride: int | None = None) -> Callable[[_Place], Layer]:
    def make(place: _Place) -> Layer:
        sizes = place.before[:-1] or (1,)
        fitting = tuple(min(kernel, size) for size in sizes)
        strides = None if stride is None else tuple(stride for _ in sizes)
        like = place.nearest(lambda layer: hasattr(layer, "kernel"))
        channels = min(_width(place, CHANNELS), CHANNELS) if like is None else like.channels
        fields = {"channels": channels, "kernel": fitting, "stride": strides, "padding": "SAME", **_common(place)}
        return LAYER_TYPES[name](**fields)  # type: ignore[return-value]

    return make


def _pool(name: str) -> Callable[[_Place], Layer]:
    def make(place: _Place) -> Layer:
        window = tuple(min(WINDOW, size) for size in place.before[:-1] or (1,))
        return LAYER_TYPES[name](window=window, stride=window)  # type: ignore[return-value]

    return make


def _attention(place: _Place) -> Layer:
    """As many channels out as in, shared by the heads."""
    width = place.before[-1]
    each = max(1, width // HEADS)
    fields = {"n_chan_out": width, "n_chan_key": each, "n_chan_val": each, "n_heads": HEADS}
    return LAYER_TYPES["SelfAttention"](**fields)  # type: ignore[return-value]


def _resize(place: _Place) -> Layer:
    """Twice the size."""
    return LAYER_TYPES["ImageResize"](shape=(-1, *(2 * size for size in place.before[:-1] or (1,)), -1))  # type: ignore[return-value]


def _index(place: _Place) -> Layer:
    """Every second position."""
    whole, second = (None, None, None), (None, None, 2)
    return LAYER_TYPES["Index"](slices=(whole, *(second for _ in place.before[:-1] or (1,)), whole))  # type: ignore[return-value]


def _dot_general(place: _Place) -> Layer:
    """The mean along the first spatial axis."""
    size = place.before[0] if len(place.before) > 1 else 1
    pairs = (((1,), (0,)), ((), ()))
    return LAYER_TYPES["DotGeneral"](array=size * (1.0 / size,), dimension_numbers=pairs)  # type: ignore[return-value]


def _residual(place: _Place) -> Layer:
    activation = place.nearest(is_activation) or Relu()
    weights = _convolution("Conv")(place) if len(place.before) > 2 else _dense(place)
    width = "channels" if hasattr(weights, "channels") else "width"
    weights = weights.replace(**{width: place.before[-1], "W_std": _gain(activation)})
    return Branch(branches=((activation, weights), ()))


_MAKERS: dict[str, Callable[[_Place], Layer]] = {
    "Dense": _dense,
    "Conv": _convolution("Conv"),
    "ConvTranspose": _convolution("ConvTranspose", kernel=2, stride=2),
    "ConvLocal": _convolution("ConvLocal"),
    "AvgPool": _pool("AvgPool"),
    "SumPool": _pool("SumPool"),
    "SelfAttention": _attention,
    "ImageResize": _resize,
    "Index": _index,
    "DotGeneral": _dot_general,
    "Branch": _residual,
}


def _gain(activation: Spec | None) -> float:
    return _GAINS.get(type(activation), lambda _: 1.0)(activation)
