"""Which single activation and deviations stand for a network, so that a phase can be named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ntklab import spec
from ntklab.spec import activations as acts

LINEAR = acts.Polynomial(coef=(0.0, 1.0))  # stands in where a network has no activation


@dataclass(frozen=True)
class Dominant:
    """The most frequent (activation, W_std, b_std) of a network, the first of them where several are as frequent.

    ``pairs`` of ``total`` activations, each with the weights before it, are of this kind. ``beside`` names the kinds of
    layers that the theory of a plain stack leaves out.
    """

    activation: spec.Activation
    W_std: float
    b_std: float
    pairs: int
    total: int
    beside: tuple[str, ...]

    @property
    def linear(self) -> bool:
        """Whether there is no activation at all."""
        return self.total == 0


def dominant(architecture: spec.Architecture) -> Dominant:
    """The kind of layer that ``architecture`` has most of: an activation with the weights before it."""
    found = Counter(_pairs(architecture.layers, None))
    weights = list(_weights(architecture.layers))
    if not found:
        W_std, b_std = weights[0] if weights else (1.0, 0.0)
        return Dominant(LINEAR, W_std, b_std, 0, 0, _beside(architecture.layers))
    (activation, (W_std, b_std)), pairs = found.most_common(1)[0]  # in the order of first appearance
    return Dominant(activation, W_std, b_std, pairs, found.total(), _beside(architecture.layers))


Deviations = tuple[float, float]
_WEIGHTS = (spec.Dense, spec.Conv, spec.ConvTranspose, spec.ConvLocal)


def _deviations(layer: spec.Layer) -> Deviations | None:
    if not isinstance(layer, _WEIGHTS):
        return None
    return layer.W_std, layer.b_std or 0.0


def _pairs(layers: Sequence[spec.Layer], before: Deviations | None) -> Iterator[tuple[spec.Activation, Deviations]]:
    """Each activation with the deviations of the weights that it follows; those behind no weights are left out."""
    for layer in layers:
        if isinstance(layer, spec.Branch):
            for path in layer.branches:
                yield from _pairs(path, before)
            inside = [pair for path in layer.branches for pair in _weights(path)]
            before = inside[-1] if inside else before
        elif isinstance(layer, spec.Activation) and before is not None:
            yield layer, before
        else:
            before = _deviations(layer) or before


def _weights(layers: Sequence[spec.Layer]) -> Iterator[Deviations]:
    for layer in layers:
        if isinstance(layer, spec.Branch):
            for path in layer.branches:
                yield from _weights(path)
        elif (found := _deviations(layer)) is not None:
            yield found


_BESIDE: dict[type[spec.Spec], str] = {
    spec.Branch: "branches",
    spec.LayerNorm: "layer norm",
    spec.SelfAttention: "attention",
    spec.Dropout: "dropout",
}


def _beside(layers: Sequence[spec.Layer]) -> tuple[str, ...]:
    """In words, the layers that the theory of a plain stack does not know, each kind once."""
    found: dict[str, None] = {}
    for layer in layers:
        if type(layer) in _BESIDE:
            found[_BESIDE[type(layer)]] = None
        if isinstance(layer, spec.Branch):
            found |= dict.fromkeys(word for path in layer.branches for word in _beside(path))
    return tuple(found)
