"""Architectures to begin with, made to fit the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from ntklab.spec import Architecture, Branch, Dense, Input, Layer
from ntklab.spec.activations import Erf, Relu


@dataclass(frozen=True)
class Preset:
    """``layers(outputs)`` ends in the read-out."""

    id: str
    title: str
    help: str
    layers: Callable[[int], tuple[Layer, ...]]

    def architecture(self, features: int, outputs: int) -> Architecture:
        """The network on ``features`` numbers with ``outputs``."""
        return Architecture(input=Input("vector", (features,)), layers=self.layers(outputs), name=self.title)


def _hidden(width: int, depth: int, activation: Layer, *, W_std: float, b_std: float | None) -> tuple[Layer, ...]:
    return depth * (Dense(width, W_std=W_std, b_std=b_std), activation)


def _residual(outputs: int) -> tuple[Layer, ...]:
    block = Branch(branches=((Relu(), Dense(256, W_std=sqrt(2))), ()))
    return (Dense(256, W_std=sqrt(2)), block, block, Relu(), Dense(outputs))


PRESETS: tuple[Preset, ...] = (
    Preset("mlp", "MLP 2×512 ReLU", "Two hidden layers; W_std √2 keeps the variance through ReLU",
           lambda k: (*_hidden(512, 2, Relu(), W_std=sqrt(2), b_std=0.5), Dense(k))),
    Preset("erf", "MLP 3×256 erf", "Three smooth hidden layers",
           lambda k: (*_hidden(256, 3, Erf(), W_std=1.5, b_std=0.1), Dense(k))),
    Preset("residual", "Residual MLP 256", "A dense layer, two residual blocks, a read-out", _residual),
    Preset("deep", "Deep MLP 8×256 ReLU", "Eight hidden layers: off the diagonal its kernel flattens",
           lambda k: (*_hidden(256, 8, Relu(), W_std=sqrt(2), b_std=None), Dense(k))),
    Preset("linear", "Linear", "No hidden layer: the kernel is x·x′/d",
           lambda k: (Dense(k),)),
)  # fmt: skip
