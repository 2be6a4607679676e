"""A new layer that suits the place where it is put."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

from ntklab.spec import LAYER_TYPES, Architecture, Branch, Dense, Layer, Spec, is_activation, layer_shapes
from ntklab.spec.activations import ABRelu, Gelu, LeakyRelu, Relu
from ntklab.spec.faults import complaint, suggestion

WIDTH = 512

# W_std that keeps the variance of pre-activations through the activation (He 2015; 1.0 where it depends on the scale).
_GAINS: dict[type, Callable[[Any], float]] = {
    Relu: lambda _: sqrt(2.0),
    Gelu: lambda _: sqrt(2.0),
    LeakyRelu: lambda layer: sqrt(2.0 / (1.0 + layer.alpha**2)),
    ABRelu: lambda layer: sqrt(2.0 / (layer.a**2 + layer.b**2)) if layer.a or layer.b else 1.0,
}


def new_layer(architecture: Architecture, path: tuple[int, ...], name: str) -> Layer:
    """A layer of type ``name`` for the place ``path``.

    A dense layer has the width, bias and parameterisation of the nearest hidden one, and the W_std that suits the
    nearest activation. A branch is a residual block of activation and dense layer. Raises ``SpecError`` for an unknown
    type.
    """
    if name not in LAYER_TYPES:
        raise complaint("layer", "unknown type", name, suggestion(name, list(LAYER_TYPES)))
    if name == "Dense":
        return _dense(architecture, path)
    if name == "Branch":
        return _residual(architecture, path)
    return LAYER_TYPES[name]()  # type: ignore[return-value]


def _dense(architecture: Architecture, path: tuple[int, ...]) -> Dense:
    readout = architecture.readout_index
    hidden = [(at, layer) for at, layer in enumerate(architecture.layers) if at != readout and isinstance(layer, Dense)]
    model = _nearest(hidden, path[0])
    fallback = architecture.layers[readout] if readout is not None else Dense(WIDTH)
    like = model or fallback.replace(width=WIDTH)
    return like.replace(W_std=_gain(_activation(architecture, path)))  # type: ignore[no-any-return]


def _residual(architecture: Architecture, path: tuple[int, ...]) -> Branch:
    shapes = layer_shapes(architecture)
    before = shapes[path[0]].before if path[0] < len(shapes) else shapes[-1].after
    activation = _activation(architecture, path) or Relu()
    dense = _dense(architecture, path).replace(width=before[-1], W_std=_gain(activation))
    return Branch(branches=((activation, dense), ()))


def _activation(architecture: Architecture, path: tuple[int, ...]) -> Any:
    return _nearest([(at, layer) for at, layer in enumerate(architecture.layers) if is_activation(layer)], path[0])


def _gain(activation: Spec | None) -> float:
    return _GAINS.get(type(activation), lambda _: 1.0)(activation)


def _nearest(candidates: list[tuple[int, Any]], index: int) -> Any:
    """The layer nearest to ``index``, the earlier of two."""
    return min(candidates, key=lambda candidate: (abs(candidate[0] + 0.5 - index), candidate[0]), default=(0, None))[1]
