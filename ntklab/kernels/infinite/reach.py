"""How far apart two positions may be for a network to need what they have with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from ntklab import spec

# How far apart pairs of positions before a layer matter, along every axis, if pairs behind it matter up to ``behind``:
# 0 is each position with itself, ``inf`` all pairs. Layers that are not named pass on what is asked of them.
REACH: dict[type[spec.Spec], Callable[[Any, float], float]] = {
    spec.Flatten: lambda _, __: 0,
    spec.ConvLocal: lambda _, __: 0,  # weights of different positions are independent
    spec.Conv: lambda layer, behind: _slid(layer, behind, 0),
    spec.ConvTranspose: lambda layer, behind: _around(layer, behind, behind),
    spec.AvgPool: lambda layer, behind: _slid(layer, behind, max(layer.window) - 1),
    spec.SumPool: lambda layer, behind: _slid(layer, behind, max(layer.window) - 1),
    spec.GlobalAvgPool: lambda _, __: inf,
    spec.GlobalSumPool: lambda _, __: inf,
    spec.SelfAttention: lambda _, __: inf,
    spec.Aggregate: lambda _, __: inf,
    spec.Index: lambda _, behind: _any(behind),
    spec.ImageResize: lambda layer, behind: _any(behind) if layer.method == "nearest" else inf,
    spec.DotGeneral: lambda layer, behind: inf if layer.contracted[0] else _any(behind),
}


def reach(layers: Sequence[spec.Layer], behind: float) -> float:
    """How far apart pairs of positions before ``layers`` matter, if pairs behind them matter up to ``behind``."""
    for layer in reversed(layers):
        if isinstance(layer, spec.Branch):
            behind = max(reach(path, behind) for path in layer.branches)
        elif type(layer) in REACH:
            behind = REACH[type(layer)](layer, behind)
    return behind


def needs(layers: Sequence[spec.Layer], *, crossed: bool) -> bool:
    """Whether ``layers`` need pairs of different positions before them; ``crossed``: all of them are needed behind."""
    return reach(layers, inf if crossed else 0) > 0


def _slid(layer: Any, behind: float, window: int) -> float:
    """``window`` is how far apart positions that are mixed can be."""
    return _around(layer, behind * max(layer.strides) + window if behind < inf else inf, behind + window)


def _around(layer: Any, apart: float, mixed: float) -> float:
    """Around the edges positions far apart are neighbours."""
    return _any(mixed) if layer.padding == "CIRCULAR" else apart


def _any(behind: float) -> float:
    return inf if behind else 0
