"""One builder for each kind of layer: a table from specs to modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.geometry import Spread, Window, position_covariance, resize_matrix
from ntklab.networks.activations import POINTWISE
from ntklab.networks.attention import Embedding, Scores, SelfAttention, root
from ntklab.networks.convolution import Conv, ConvLocal, ConvTranspose
from ntklab.networks.draws import Draws, Stream
from ntklab.networks.modules import Dense, Merge, Pointwise
from ntklab.networks.normalisation import LayerNorm
from ntklab.networks.pooling import GlobalPool, Pool, size_over_covered
from ntklab.networks.positions import Aggregate, DotGeneral, Index, Resize
from ntklab.spec.convolution import Convolution
from ntklab.spec.transitions import Shape, after, axis_numbers


@dataclass(frozen=True)
class Flow:
    """What goes from layer to layer: samples of ``shape``.

    A vector that was flattened has ``positions`` of equally many channels, so that weights behind it can be drawn
    nested in the channels.
    """

    shape: Shape
    positions: int = 1

    @property
    def space(self) -> Shape:
        """The spatial axes."""
        return self.shape[:-1]

    @property
    def channels(self) -> int:
        """The last axis."""
        return self.shape[-1]

    def behind(self, layer: Any, channels: int | None = None) -> Flow:
        """Behind ``layer``, with the true number of channels where the spec does not say it."""
        shape = after(layer, self.shape)
        return Flow(shape if channels is None else (*shape[:-1], channels))


Built = tuple[nn.Module, Flow]
Builder = Callable[[Any, Flow, Draws], Built]


def stack(layers: Sequence[spec.Layer], flow: Flow, draws: Draws) -> tuple[nn.Sequential, Flow]:
    """``layers`` one after the other, and what comes out. Raises ``SpecError`` for a layer without a finite network."""
    modules = []
    for layer in layers:
        module, flow = _layer(layer, flow, draws)
        modules.append(module)
    return nn.Sequential(*modules), flow


def _layer(layer: spec.Layer, flow: Flow, draws: Draws) -> Built:
    if type(layer) in POINTWISE:
        return Pointwise(layer), flow  # type: ignore[arg-type]
    if type(layer) not in BUILDERS:
        raise SpecError(
            f"{type(layer).__name__}: no finite network has this layer; use the infinite kernel, or another activation"
        )
    module, behind = BUILDERS[type(layer)](layer, flow, draws)
    module.spec = layer  # type: ignore[assignment]  # a module knows the layer that it was built from (see ``lift``)
    return module, behind


def _scaled(
    layer: spec.Dense | Convolution, weight: Tensor, bias: Tensor | None, fan_in: int
) -> tuple[Tensor, Tensor | None, dict[str, float]]:
    """Weights, biases and their multipliers: in standard parameterisation the weights themselves have the variance."""
    b_std = layer.b_std or 0.0
    if layer.param != "standard":
        return weight, bias, {"weight_scale": layer.W_std / math.sqrt(fan_in), "bias_scale": b_std}
    weight *= layer.W_std * math.sqrt(layer.s[0] / fan_in)
    bias = None if bias is None else bias * b_std
    return weight, bias, {"weight_scale": 1 / math.sqrt(layer.s[0]), "bias_scale": 1.0}


def _true_width(layer: spec.Dense | Convolution, field: str) -> int:
    """s[1]·width in standard parameterisation, which must be whole."""
    written: int = getattr(layer, field)
    if layer.param != "standard":
        return written
    width = layer.s[1] * written
    if abs(width - round(width)) > 1e-6 or round(width) < 1:
        name = type(layer).__name__
        raise SpecError(
            f"{name}.s: s[1]·{field} must be a whole number of units, got {layer.s[1]}·{written}; change one of them"
        )
    return round(width)


def _dense(layer: spec.Dense, flow: Flow, draws: Draws) -> Built:
    fan_in, width, stream = flow.channels, _true_width(layer, "width"), draws.next()
    weight = stream.matrix(width, fan_in)
    if flow.positions > 1:  # drawn channel by channel
        weight = weight.view(width, -1, flow.positions).transpose(1, 2).reshape(width, fan_in)
    bias = None if layer.b_std is None else stream.vector(width, part=1)
    weight, bias, scales = _scaled(layer, weight, bias, fan_in)
    return Dense(weight, bias, **scales), Flow((*flow.space, width))


def _convolution(layer: Convolution, flow: Flow, draws: Draws) -> Built:
    channels = _true_width(layer, "channels")
    end = flow.behind(layer, channels)
    make = _local if isinstance(layer, spec.ConvLocal) else _shared
    return make(layer, flow, end, draws.next()), end


def _shared(layer: Convolution, flow: Flow, end: Flow, stream: Stream) -> nn.Module:
    fan_in = flow.channels * math.prod(layer.kernel)
    weight = stream.matrix(end.channels, fan_in).view(end.channels, flow.channels, *layer.kernel)
    bias = None if layer.b_std is None else stream.vector(end.channels, part=1)
    weight, bias, scales = _scaled(layer, weight, bias, fan_in)
    if isinstance(layer, spec.ConvTranspose):
        return ConvTranspose(weight, bias, _moved(Spread, layer.kernel, layer, flow), **scales)
    return Conv(weight, bias, _moved(Window, layer.kernel, layer, flow), **scales)


def _local(layer: Convolution, flow: Flow, end: Flow, stream: Stream) -> nn.Module:
    fan_in, places = flow.channels * math.prod(layer.kernel), range(math.prod(end.space))
    weight = torch.stack([stream.matrix(end.channels, fan_in, place=place) for place in places])
    bias = None
    if layer.b_std is not None:
        bias = torch.stack([stream.vector(end.channels, part=1, place=place) for place in places])
    weight, bias, scales = _scaled(layer, weight, bias, fan_in)
    return ConvLocal(weight, bias, _moved(Window, layer.kernel, layer, flow), **scales)


def _moved(kind: Callable[..., Any], sizes: Shape, layer: Any, flow: Flow) -> list[Any]:
    """A window, or its transpose, for each spatial axis."""
    return [kind(n, k, s, layer.padding) for n, k, s in zip(flow.space, sizes, layer.strides, strict=True)]


def _pool(layer: spec.AvgPool | spec.SumPool, flow: Flow, draws: Draws) -> Built:
    windows = _moved(Window, layer.window, layer, flow)
    weight = None
    if isinstance(layer, spec.SumPool):
        weight = torch.tensor(math.prod(layer.window), dtype=draws.dtype)
    elif layer.normalize_edges:
        weight = size_over_covered(windows, draws.dtype)
    return Pool(windows, weight), flow.behind(layer)


def _global_pool(layer: spec.GlobalAvgPool | spec.GlobalSumPool, flow: Flow, _: Draws) -> Built:
    return GlobalPool(mean=isinstance(layer, spec.GlobalAvgPool)), flow.behind(layer)


def _layer_norm(layer: spec.LayerNorm, flow: Flow, _: Draws) -> Built:
    return LayerNorm(axis_numbers(layer.axis, flow.shape), layer.eps), flow


def _attention(layer: spec.SelfAttention, flow: Flow, draws: Draws) -> Built:
    stream, linear = draws.next(), layer.linear_scaling
    joined = 0 if layer.pos_emb_type != "CONCAT" else layer.n_chan_pos_emb or flow.channels
    embedded_values = layer.pos_emb_type != "NONE" and layer.val_pos_emb

    def inner(number: int, width: int, W_std: float, added: int) -> Dense:
        """Columns for embeddings that are joined are drawn on their own: the others stay nested in the channels."""
        weight = stream.matrix(layer.n_heads * width, flow.channels, part=2 * number)
        if added:
            weight = torch.cat([weight, stream.matrix(len(weight), added, part=2 * number + 1)], dim=1)
        return Dense(weight, None, weight_scale=W_std / math.sqrt(weight.shape[1]), bias_scale=0.0)

    return SelfAttention(
        query=None if linear else inner(0, layer.n_chan_key, layer.W_query_std, joined),
        key=inner(1, layer.n_chan_key, layer.W_key_std, joined),
        value=inner(2, layer.n_chan_val, layer.W_value_std, joined if embedded_values else 0),
        out=_attention_out(layer, stream),
        heads=layer.n_heads,
        scores=Scores(layer.mechanism, _score_scale(layer)),
        embedding=_embedding(layer, flow, stream, joined),
        embedded_values=embedded_values,
    ), flow.behind(layer)


def _score_scale(layer: spec.SelfAttention) -> float:
    """Tied queries are the keys, which have W_key_std already, times W_query_std/W_key_std."""
    if layer.linear_scaling:
        return layer.W_query_std / layer.W_key_std / layer.n_chan_key
    return 1 / math.sqrt(layer.n_chan_key)


def _attention_out(layer: spec.SelfAttention, stream: Stream) -> Dense:
    fan_in = layer.n_heads * layer.n_chan_val
    weight = stream.matrix(layer.n_chan_out, fan_in, part=6)
    bias = None if layer.b_std is None else stream.vector(layer.n_chan_out, part=7)
    return Dense(weight, bias, weight_scale=layer.W_out_std / math.sqrt(fan_in), bias_scale=layer.b_std or 0.0)


def _embedding(layer: spec.SelfAttention, flow: Flow, stream: Stream, joined: int) -> Embedding | None:
    if layer.pos_emb_type == "NONE":
        return None
    R = position_covariance(flow.space, p_norm=layer.pos_emb_p_norm, decay=layer.pos_emb_decay)
    places = root(torch.from_numpy(R))
    if places is None:
        raise SpecError(
            f"SelfAttention: the positional covariance {layer.pos_emb_decay} with pos_emb_p_norm "
            f"{layer.pos_emb_p_norm:g} has negative eigenvalues over {list(flow.space)} positions, so no random "
            "embedding has it; choose a pos_emb_p_norm of 1, or use the infinite kernel"
        )
    places = places.to(stream.dtype)
    weight = stream.matrix(joined or flow.channels, len(places), part=8)
    dense = Dense(weight, None, weight_scale=layer.W_pos_emb_std, bias_scale=0.0)
    return Embedding(dense, places, joined=joined > 0)


def _resize(layer: spec.ImageResize, flow: Flow, draws: Draws) -> Built:
    end = flow.behind(layer)
    matrices = [
        None if n == m else resize_matrix(n, m, method=layer.method, antialias=layer.antialias)
        for n, m in zip(flow.space, end.space, strict=True)
    ]
    return Resize([None if M is None else torch.from_numpy(M).to(draws.dtype) for M in matrices]), end


def _index(layer: spec.Index, flow: Flow, _: Draws) -> Built:
    return Index(layer.ranges(flow.shape)[:-1]), flow.behind(layer)


def _dot_general(layer: spec.DotGeneral, flow: Flow, draws: Draws) -> Built:
    return DotGeneral(layer, len(flow.space), draws.dtype), flow.behind(layer)


def _aggregate(layer: spec.Aggregate, flow: Flow, _: Draws) -> Built:
    return Aggregate(axis_numbers(layer.axis, flow.shape)), flow


def _dropout(layer: spec.Dropout, flow: Flow, _: Draws) -> Built:
    return nn.Dropout(1 - layer.keep_rate) if layer.mode == "train" else nn.Identity(), flow


def _flatten(_: spec.Flatten, flow: Flow, __: Draws) -> Built:
    positions = flow.positions if len(flow.shape) == 1 else math.prod(flow.space)
    return nn.Flatten(1), Flow((math.prod(flow.shape),), positions)


def _branch(layer: spec.Branch, flow: Flow, draws: Draws) -> Built:
    built = [stack(branch, flow, draws) for branch in layer.branches]
    axis = -1 if layer.axis is None else layer.axis
    shape = list(built[0][1].shape)
    if layer.merge == "concat":
        position = axis if axis < 0 else axis - 1  # the spec counts the batch axis
        shape[position] = sum(end.shape[position] for _, end in built)
    return Merge([module for module, _ in built], layer.merge, axis), Flow(tuple(shape))


BUILDERS: dict[type[spec.Spec], Builder] = {
    spec.Dense: _dense,
    spec.Conv: _convolution,
    spec.ConvTranspose: _convolution,
    spec.ConvLocal: _convolution,
    spec.AvgPool: _pool,
    spec.SumPool: _pool,
    spec.GlobalAvgPool: _global_pool,
    spec.GlobalSumPool: _global_pool,
    spec.LayerNorm: _layer_norm,
    spec.SelfAttention: _attention,
    spec.ImageResize: _resize,
    spec.Index: _index,
    spec.DotGeneral: _dot_general,
    spec.Aggregate: _aggregate,
    spec.Dropout: _dropout,
    spec.Flatten: _flatten,
    spec.Branch: _branch,
}
