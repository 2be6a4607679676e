"""How many trainable numbers the finite network of each kind of layer has: a table."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ntklab.spec.attention import SelfAttention
from ntklab.spec.base import Spec
from ntklab.spec.convolution import Conv, ConvLocal, Convolution, ConvTranspose
from ntklab.spec.layers import Dense

Shape = tuple[int, ...]


def parameters_of(layer: Spec, before: Shape, after: Shape) -> int:
    """Weights and biases of the finite ``layer`` between samples of shape ``before`` and ``after``; not of branches.

    In standard parameterisation the true widths are s times those written.
    """
    count = _COUNTS.get(type(layer))
    return 0 if count is None else count(layer, before, after)


def _true_widths(layer: Dense | Convolution, before: Shape, after: Shape) -> tuple[int, int]:
    factors = layer.s if layer.param == "standard" else (1.0, 1.0)
    return round(factors[0] * before[-1]), round(factors[1] * after[-1])


def _dense(layer: Dense, before: Shape, after: Shape) -> int:
    fan_in, width = _true_widths(layer, before, after)
    return width * (fan_in + (layer.b_std is not None))


def _conv(layer: Convolution, before: Shape, after: Shape) -> int:
    fan_in, channels = _true_widths(layer, before, after)
    return channels * (fan_in * prod(layer.kernel) + (layer.b_std is not None))


def _conv_local(layer: ConvLocal, before: Shape, after: Shape) -> int:
    """As a convolution, at each position anew."""
    return prod(after[:-1]) * _conv(layer, before, after)


def _attention(layer: SelfAttention, before: Shape, after: Shape) -> int:
    """Queries (tied to the keys with ``linear_scaling``), keys, values and outputs, biases, one row a position."""
    channels, embedded = before[-1], _embedding_channels(layer, before)
    joined = embedded if layer.pos_emb_type == "CONCAT" else 0
    score_inputs, value_inputs = channels + joined, channels + joined * layer.val_pos_emb
    scores = (1 if layer.linear_scaling else 2) * score_inputs * layer.n_chan_key
    values = (value_inputs + after[-1]) * layer.n_chan_val
    biases = after[-1] if layer.b_std is not None else 0
    return layer.n_heads * (scores + values) + biases + prod(before[:-1]) * embedded


def _embedding_channels(layer: SelfAttention, before: Shape) -> int:
    """Channels of the positional embedding; joined ones have as many as the input unless the layer says otherwise."""
    if layer.pos_emb_type == "NONE":
        return 0
    return (layer.pos_emb_type == "CONCAT" and layer.n_chan_pos_emb) or before[-1]


_COUNTS: dict[type[Any], Callable[[Any, Shape, Shape], int]] = {
    Dense: _dense, Conv: _conv, ConvTranspose: _conv, ConvLocal: _conv_local, SelfAttention: _attention,
}  # fmt: skip
