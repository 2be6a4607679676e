"""Which networks are drawn for an architecture: how wide, in which parameterisation, with which read-out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Literal

from ntklab import spec
from ntklab.errors import SpecError

Shape = tuple[int, ...]
Layers = tuple[spec.Layer, ...]

WIDTHS = (128, 256, 512)
"""Hidden widths drawn where none are asked for."""

AS_WRITTEN = 0
"""Stands for the widths written in the architecture."""

OUTPUTS = 4
"""Outputs over which the NTK of a network is averaged: beyond, its variance is that of the hidden layers."""

_KINDS: dict[int, Literal["vector", "sequence", "image", "volume"]] = {
    1: "vector",
    2: "sequence",
    3: "image",
    4: "volume",
}


@dataclass(frozen=True)
class Drawing:
    """The hidden ``widths`` to draw, ascending, and the network of each; a width of 0 is the network as written."""

    widths: tuple[int, ...]
    networks: tuple[spec.Architecture, ...]


def drawing(architecture: spec.Architecture, widths: int | Sequence[int] | None) -> Drawing:
    """What to draw for ``architecture`` at ``widths``; None takes the usual ones, or those written where they count.

    The NTK in standard parameterisation depends on the widths of the network, so these stay as they are written. Layers
    side by side (concatenated) count by their share of the channels: they keep it, so the widest layer gets the
    multiple that is nearest to the width asked for. Raises ``SpecError`` for widths asked for where they cannot be had,
    and for those that are no distinct whole numbers above 0.
    """
    reason = _why_as_written(architecture)
    if widths is not None:
        wanted = (widths,) if isinstance(widths, int) else tuple(widths)
        _check(wanted)
        if reason:
            raise SpecError(f"widths: {reason}, got {list(wanted)}; leave widths out")
    elif reason:
        return Drawing((AS_WRITTEN,), (_drawn_for(architecture),))
    else:
        wanted = WIDTHS
    found = dict(_widened(architecture, width) for width in sorted(wanted))
    return Drawing(tuple(found), tuple(_drawn_for(network) for network in found.values()))


def every_layer(layers: Iterable[spec.Layer]) -> Iterator[spec.Layer]:
    """All layers, those inside branches too."""
    for layer in layers:
        yield layer
        if isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from every_layer(branch)


def _check(widths: Sequence[int]) -> None:
    if not widths or len(set(widths)) < len(widths) or any(not isinstance(w, int) or w < 1 for w in widths):
        raise SpecError(
            f"widths: expected distinct whole numbers of at least 1, got {list(widths)}; give for example {WIDTHS}"
        )


def _why_as_written(architecture: spec.Architecture) -> str:
    """Why the kernel is one of the widths as written; empty where it is not."""
    if any(getattr(layer, "param", "") == "standard" for layer in every_layer(architecture.layers)):
        return "the kernel in standard parameterisation depends on the widths written in the architecture"
    shape = architecture.input.shape
    try:
        _, wider = _widened(architecture, 2 * max(_hidden(architecture), default=1))
    except SpecError:
        return "the widths of this architecture are tied to each other or to its input"
    if any(abs(a - b) > 1e-9 for a, b in zip(_shares(architecture.layers, shape), _shares(wider.layers, shape),
                                             strict=True)):  # fmt: skip
        return "the share of the input among concatenated channels depends on the widths written"
    return ""


def _drawn_for(network: spec.Architecture) -> spec.Architecture:
    """What is drawn for ``network``: an estimate of the same limit.

    Its read-out has ``OUTPUTS`` units; a network that ends otherwise gets one with unit variance, whose own part of the
    NTK is known and taken off again. muP becomes NTK parameterisation: it is the same function times √n, and the
    kernels of muP are those of √n·f (Yang & Hu 2021, arXiv:2011.14522).
    """
    layers = tuple(_mapped(layer, _in_ntk) for layer in network.layers)
    if network.readout_index is None:
        layers = (*layers, spec.Dense(OUTPUTS, W_std=1.0))
    drawn: spec.Architecture = network.replace(layers=layers)
    return drawn.with_outputs(OUTPUTS)


def _mapped(layer: spec.Layer, change: Callable[[spec.Layer], spec.Layer]) -> spec.Layer:
    """``change`` of the layer, or of those inside it."""
    if isinstance(layer, spec.Branch):
        branches = tuple(tuple(_mapped(part, change) for part in branch) for branch in layer.branches)
        return layer.replace(branches=branches)  # type: ignore[no-any-return]
    return change(layer)


def _in_ntk(layer: spec.Layer) -> spec.Layer:
    return layer.replace(param="ntk") if getattr(layer, "param", "") == "mup" else layer


# -- how networks are widened ------------------------------------------------------------------------------------------


def _widened(architecture: spec.Architecture, width: int) -> tuple[int, spec.Architecture]:
    """``architecture`` with hidden layers ``width`` wide, or as near to it as shares of channels allow; its width."""
    hidden, shape = _hidden(architecture), architecture.input.shape
    if not hidden or not _shares(architecture.layers, shape):
        layers = tuple(_mapped(layer, lambda part: _attention(part, width)) for layer in architecture.layers)
        return width, architecture.replace(layers=layers).with_width(width)
    unit = gcd(*hidden)
    factor = max(1, round(width * unit / max(hidden)))
    end = len(architecture.layers) if architecture.readout_index is None else architecture.readout_index
    scaled = _scaled(architecture.layers[:end], (shape, shape), lambda size: max(1, size * factor // unit))
    wide = architecture.replace(layers=(*scaled, *architecture.layers[end:]))
    return max(hidden) * factor // unit, wide


def _hidden(architecture: spec.Architecture) -> list[int]:
    """The widths of the layers with weights but the read-out."""
    layers = architecture.layers[:-1] if architecture.readout_index is not None else architecture.layers
    return [width for layer in every_layer(layers) if (width := spec.own_width(layer)) is not None]


def _attention(layer: spec.Layer, width: int) -> spec.Layer:
    """Attention with its keys and values widened like its output; its number of heads too where scores stay random."""
    if not isinstance(layer, spec.SelfAttention):
        return layer
    return _resized(layer, lambda size: max(1, round(size * width / layer.n_chan_out)))


def _resized(layer: spec.SelfAttention, scale: Callable[[int], int]) -> spec.SelfAttention:
    names = ["n_chan_key", "n_chan_val", *([] if layer.linear_scaling else ["n_heads"])]
    return layer.replace(**{name: scale(getattr(layer, name)) for name in names})  # type: ignore[no-any-return]


def _scaled(layers: Layers, shapes: tuple[Shape, Shape], scale: Callable[[int], int]) -> Layers:
    """``layers`` with every width scaled, positional channels like those that they stand beside.

    ``shapes`` are those of a sample before them: as written, and as it is now.
    """
    found = []
    for layer in layers:
        if isinstance(layer, spec.Branch):
            new = layer.replace(branches=tuple(_scaled(branch, shapes, scale) for branch in layer.branches))
        else:
            width = spec.own_width(layer)
            new = layer if width is None else spec.resized(layer, scale(width))
        if isinstance(new, spec.SelfAttention):
            new = _resized(new, scale)
            if new.n_chan_pos_emb is not None and shapes[0][-1] != shapes[1][-1]:
                new = new.replace(n_chan_pos_emb=scale(new.n_chan_pos_emb))
        found.append(new)
        shapes = _after(layer, shapes[0]), _after(new, shapes[1])
    return tuple(found)


def _shares(layers: Layers, shape: Shape) -> list[float]:
    """The shares of channels that kernels depend on: of branches side by side, and of positional embeddings."""
    found = []
    for layer in layers:
        parts: list[int] = []
        if isinstance(layer, spec.Branch):
            found += [share for branch in layer.branches for share in _shares(branch, shape)]
            parts = [_end(branch, shape)[-1] for branch in layer.branches] if _joins_channels(layer, shape) else []
        elif isinstance(layer, spec.SelfAttention) and layer.pos_emb_type == "CONCAT":
            parts = [shape[-1], layer.n_chan_pos_emb or shape[-1]]
        found += [part / sum(parts) for part in parts]
        shape = _after(layer, shape)
    return found


def _joins_channels(layer: spec.Branch, shape: Shape) -> bool:
    rank = len(_end(layer.branches[0], shape))
    return layer.merge == "concat" and layer.axis in (None, -1, rank)


def _end(layers: Layers, shape: Shape) -> Shape:
    for layer in layers:
        shape = _after(layer, shape)
    return shape


def _after(layer: spec.Layer, shape: Shape) -> Shape:
    kind = _KINDS[len(shape)]
    return spec.output_shape(spec.Architecture(spec.Input(kind, shape), (layer,)))
