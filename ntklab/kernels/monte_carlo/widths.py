"""Which networks are drawn for an architecture: how wide, in which parameterisation, with which read-out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ntklab import spec
from ntklab.errors import SpecError

WIDTHS = (128, 256, 512)
"""Hidden widths drawn where none are asked for."""

AS_WRITTEN = 0
"""Stands for the widths written in the architecture."""

OUTPUTS = 4
"""Outputs over which the NTK of a network is averaged: beyond, its variance is that of the hidden layers."""


def chosen_widths(architecture: spec.Architecture, widths: int | Sequence[int] | None) -> tuple[int, ...]:
    """The hidden widths to draw, ascending; (0,) for those written.

    The NTK in standard parameterisation depends on the widths of the network, so these stay as they are written. Raises
    ``SpecError`` for widths asked for nevertheless, and for those that are no distinct whole numbers above 0.
    """
    written = any(getattr(layer, "param", "") == "standard" for layer in every_layer(architecture.layers))
    if widths is None:
        return (AS_WRITTEN,) if written else WIDTHS
    wanted = (widths,) if isinstance(widths, int) else tuple(widths)
    if not wanted or len(set(wanted)) < len(wanted) or any(not isinstance(w, int) or w < 1 for w in wanted):
        raise SpecError(
            f"widths: expected distinct whole numbers of at least 1, got {list(wanted)}; give for example {WIDTHS}"
        )
    if written:
        raise SpecError(
            f"widths: the kernel in standard parameterisation depends on the widths written in the architecture, got "
            f"{list(wanted)}; leave widths out, or use param='ntk'"
        )
    return tuple(sorted(wanted))


def network_at(architecture: spec.Architecture, width: int) -> spec.Architecture:
    """The network that is drawn for ``architecture`` at a hidden ``width``: its kernel is an estimate of the limit.

    Its read-out has ``OUTPUTS`` units; a network that ends otherwise gets one with unit variance, whose own part of the
    NTK is known and taken off again. muP becomes NTK parameterisation: it is the same function times √n, and the
    kernels of muP are those of √n·f (Yang & Hu 2021, arXiv:2011.14522). Attention has its keys and values widened by
    the factor of its output, and its number of heads too where scores stay random.
    """
    wide = architecture if width == AS_WRITTEN else _widened(architecture, width)
    layers = tuple(_in_ntk(layer) for layer in wide.layers)
    if wide.readout_index is None:
        layers = (*layers, spec.Dense(OUTPUTS, W_std=1.0))
    network: spec.Architecture = wide.replace(layers=layers)
    return network.with_outputs(OUTPUTS)


def every_layer(layers: Iterable[spec.Layer]) -> Iterator[spec.Layer]:
    """All layers, those inside branches too."""
    for layer in layers:
        yield layer
        if isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from every_layer(branch)


def _widened(architecture: spec.Architecture, width: int) -> spec.Architecture:
    layers = tuple(_attention_widened(layer, width) for layer in architecture.layers)
    widened: spec.Architecture = architecture.replace(layers=layers).with_width(width)
    return widened


def _attention_widened(layer: spec.Layer, width: int) -> spec.Layer:
    if isinstance(layer, spec.Branch):
        branches = tuple(tuple(_attention_widened(part, width) for part in branch) for branch in layer.branches)
        return layer.replace(branches=branches)  # type: ignore[no-any-return]
    if not isinstance(layer, spec.SelfAttention):
        return layer
    names = ["n_chan_key", "n_chan_val"] + ([] if layer.linear_scaling else ["n_heads"])
    factor = width / layer.n_chan_out
    sizes = {name: max(1, round(factor * getattr(layer, name))) for name in names}
    return layer.replace(**sizes)  # type: ignore[no-any-return]


def _in_ntk(layer: spec.Layer) -> spec.Layer:
    """``layer`` with muP replaced by the NTK parameterisation, inside branches too."""
    if isinstance(layer, spec.Branch):
        branches = tuple(tuple(_in_ntk(part) for part in branch) for branch in layer.branches)
        return layer.replace(branches=branches)  # type: ignore[no-any-return]
    if getattr(layer, "param", "") == "mup":
        return layer.replace(param="ntk")  # type: ignore[no-any-return]
    return layer
