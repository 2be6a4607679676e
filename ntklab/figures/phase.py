"""Order and chaos: χ₁ over the plane of deviations, the correlation map, and kernels against depth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntklab.figures import captions
from ntklab.figures.model import Axis, Curves, Mark, Norm, Plane, Points, Role, Rule, Series
from ntklab.results import Phase, Regime

Array = NDArray[np.float64]

_ROLES: dict[str, Role] = {"ordered": "class0", "critical": "target", "chaotic": "class1", "unbounded": "class1"}
_HERE: Role = "analytic"
_LEAST_FACTOR, _MOST_FACTOR = 2.0, 4.0  # ends of the colours of χ₁, about 1
_THIN = 0.5
_ROOM = 0.04  # of the height, below the diagram
_STEPS = 30  # of an input pair through the correlation map
_BESIDE = 30.0  # times as far as the network's own curves, others are followed
_SMALLEST = 1e-8
_APART = 0.02  # of the range: closer lines are one line


def phase_diagram(phase: Phase) -> Plane:
    """χ₁ at q*: blue below 1, where depth makes inputs alike and gradients vanish; orange above, where both explode.

    The line is where it is 1 (Poole et al. 2016; Schoenholz et al. 2017), the point the network's own setting.
    """
    W_end, b_end = (1.5 * float(axis[-1]) - 0.5 * float(axis[-2]) for axis in (phase.grid_W_std, phase.grid_b_std))
    chi = np.where(np.isfinite(phase.grid_chi1) & (phase.grid_chi1 > 0), phase.grid_chi1, np.nan)
    here = phase.here
    low = -_ROOM * b_end if here.b_std < _ROOM * b_end else 0.0  # a point on the edge is whole
    return Plane(
        title="Phase diagram",
        x=Axis("W_std", limits=(0.0, W_end)),
        y=Axis("b_std", limits=(low, b_end)),
        points=(Points("this network", np.array([here.W_std]), np.array([here.b_std]), _HERE, weight=2.0),),
        field_values=chi[::-1],
        extent=(0.0, W_end, 0.0, b_end),
        norm=_about_one(chi),
        value_label="χ₁",
        lines=_lines(phase, W_end),
        equal=False,
        caption=captions.join(_reading(here), _stands_for(phase), _greys(phase.grid_chi1), _finite(phase)),
    )


def correlation_map(phase: Phase) -> Curves:
    """What a layer makes of the correlation of two inputs, at q*; c* is where it meets the diagonal.

    The steps are two inputs with the mean correlation of the samples, layer by layer.
    """
    here, c = phase.here, np.array([0.0, 1.0])
    series = [Series("unchanged", c, c, "guide", "dashes", in_legend=False)]
    series += [
        Series(_name(phase, row), phase.map_from, phase.map_to[row], _role(phase, row), weight=0.8)
        for row in range(1, len(phase.names))
    ]
    x, y = _staircase(phase)
    series.append(Series("layer by layer", x, y, _HERE, weight=0.4, in_legend=False))
    series.append(Series(_name(phase, 0), phase.map_from, phase.map_to[0], _HERE))
    if math.isfinite(here.correlation):
        at = np.array([here.correlation])
        series.append(Series("fixed point c*", at, at, _HERE, "dots", in_legend=False))
    return Curves(
        title="Correlation map",
        x=Axis("correlation c in a layer", limits=(0.0, 1.0)),
        y=Axis("c in the next layer", limits=(0.0, 1.02)),
        series=tuple(series),
        caption=captions.join(_reading(here), _slope(here), _stands_for(phase)),
    )


def depth_diagonals(phase: Phase) -> Curves:
    """Variances q = K(x, x) and the diagonal of the NTK against depth, in a plain stack of each setting.

    Points are the network's own layers, on its own samples.
    """
    layers = np.arange(1, phase.variance_profile.shape[1] + 1, dtype=np.float64)
    series: list[Series] = []
    for row in _here_last(phase):
        name, role = _name(phase, row), _role(phase, row)
        series.append(Series(f"K(x, x), {name}", layers, _positive(phase.variance_profile[row]), role, key=name))
        series.append(
            Series(f"Θ(x, x), {name}", layers, _positive(phase.tangent_profile[row]), role, weight=_THIN,
                   in_legend=False)
        )  # fmt: skip
    series.append(_own(phase.layer_variance, "K(x, x), its own layers", weight=1.0))
    series.append(_own(phase.layer_tangent, "Θ(x, x), its own layers", weight=0.7))
    return Curves(
        title="Diagonals against depth",
        x=Axis("layer", limits=_layers_shown(layers)),
        y=Axis("mean K(x, x), thin: Θ(x, x)", scale="log", limits=_decades(phase, series)),
        series=tuple(one for one in series if one.x.size),
        caption=captions.join(_reading(phase.here), _stands_for(phase), _dots(phase), "NTK parameterisation"),
    )


def depth_correlation(phase: Phase) -> Curves:
    """The correlation of two inputs against depth, in a plain stack of each setting, towards c*."""
    layers = np.arange(1, phase.correlation_profile.shape[1] + 1, dtype=np.float64)
    series = [
        Series(_name(phase, row), layers, phase.correlation_profile[row], _role(phase, row))
        for row in _here_last(phase)
    ]
    own = _own(phase.layer_correlation, "its own layers", weight=1.0)
    here = phase.here
    shown = [*(one.y for one in series), own.y]
    low = min(0.0, *(float(np.nanmin(y)) for y in shown if np.isfinite(y).any()))
    return Curves(
        title="Correlation against depth",
        x=Axis("layer", limits=_layers_shown(layers)),
        y=Axis("mean correlation c", limits=(low - 0.02, 1.04)),
        series=(*series, *((own,) if own.x.size else ())),
        rules=(Rule("y", here.correlation, "c*"),) if here.correlation < 1 else (),
        caption=captions.join(_reading(here), _slope(here), _stands_for(phase), _dots(phase)),
    )


# -- words -------------------------------------------------------------------------------------------------------------


def _reading(here: Regime) -> str:
    """Phase, χ₁ and q* of a setting: what a narrow view must still show."""
    return captions.join(
        here.word, f"χ₁ = {captions.number(here.chi1)}", f"q* = {captions.number(here.variance)}",
        "c stays" if math.isnan(here.correlation) else f"c* = {captions.number(here.correlation)}",
        _depth(here),
    )  # fmt: skip


def _depth(here: Regime) -> str:
    depth = here.gradient_depth
    if not 0 < depth < math.inf:
        return ""
    return f"|∇|² {'grows' if here.chi1 > 1 else 'falls'} e-fold in {captions.number(depth)} layers"


def _slope(here: Regime) -> str:
    """How fast c* is approached."""
    depth = here.correlation_depth
    if math.isnan(here.correlation):
        return ""
    if math.isinf(depth):
        return "slope 1 at c*: approached like a power of depth"
    return f"ξ = {captions.number(depth)} layers to c*, slope {captions.number(here.slope)}"


def _stands_for(phase: Phase) -> str:
    """Which plain stack is meant, and what of the network it leaves out."""
    here = phase.here
    setting = f"W_std {captions.number(here.W_std)}, b_std {captions.number(here.b_std)}"
    if not phase.total:
        return f"no activation, {setting}"
    most = "" if phase.pairs == phase.total else f" ({phase.pairs} of {phase.total} activations)"
    beside = f"as a plain stack, without its {' and '.join(phase.beside)}" if phase.beside else ""
    return captions.join(f"{phase.activation}, {setting}{most}", beside)


def _finite(phase: Phase) -> str:
    """What finite width adds, by depth over width."""
    if phase.depth_to_width is None or phase.spread is None or not math.isfinite(phase.spread):
        return ""
    return (f"depth/width Σ1/n = {captions.number(phase.depth_to_width, 2)}: variances differ by "
            f"±{captions.number(100 * phase.spread, 2)} % between networks")  # fmt: skip


def _dots(phase: Phase) -> str:
    """What the points are, or why there are none."""
    if phase.layers:
        return "dots: its own layers and samples"
    return next(iter(phase.provenance.notes), "")


def _greys(chi: Array) -> str:
    if (chi == 0).all():
        return "grey: φ′ is 0 almost everywhere, so no gradient passes"
    return "grey: χ₁ grows for ever" if np.isinf(chi).any() else ""


# -- parts -------------------------------------------------------------------------------------------------------------


def _about_one(chi: Array) -> Norm:
    """Colours as far below 1 as above, wide enough for the chaotic side."""
    finite = chi[np.isfinite(chi)]
    factor = float(np.clip(finite.max() if finite.size else 1.0, _LEAST_FACTOR, _MOST_FACTOR))
    return Norm("log", 1 / factor, factor)


def _lines(phase: Phase, W_end: float) -> tuple[Series, ...]:
    """χ₁ = 1, and where that is another line, the edge beyond which the variance grows for ever."""
    lines = []
    critical, edge = phase.critical_line, phase.diverging_line
    if critical.shape[1]:
        lines.append(Series("critical, χ₁ = 1", critical[0], critical[1], "target"))
    good = np.isfinite(critical[0])
    if edge.shape[1]:
        apart = np.ones(edge.shape[1], dtype=bool)
        if good.any():
            order = np.argsort(critical[1][good])
            b, W = critical[1][good][order], critical[0][good][order]
            inside = (edge[1] >= b[0]) & (edge[1] <= b[-1])
            apart = ~inside | (np.abs(np.interp(edge[1], b, W) - edge[0]) > _APART * W_end)
        if apart.any():
            x = np.where(apart, edge[0], np.nan)
            lines.append(Series("variance diverges", x, edge[1], "target", "dashes", weight=0.8))
    return tuple(lines)


def _name(phase: Phase, row: int) -> str:
    """How a curve is called: the phase, and by which W_std."""
    if row == 0:
        return "this network"
    return f"{phase.names[row]}, W_std {captions.number(float(phase.W_std[row]))}"


def _role(phase: Phase, row: int) -> Role:
    return _HERE if row == 0 else _ROLES[phase.names[row]]


def _here_last(phase: Phase) -> list[int]:
    """Rows in the order to draw: the network's own over the others."""
    return [*range(1, len(phase.names)), 0]


def _staircase(phase: Phase) -> tuple[Array, Array]:
    """Corners of the path of a pair of inputs: up to the map, across to the diagonal."""
    c = float(np.clip(phase.input_correlation, 0.0, 1.0))
    x, y = [c], [c]
    for _ in range(_STEPS):
        after = float(np.interp(c, phase.map_from, phase.map_to[0]))
        x, y = [*x, c, after], [*y, after, after]
        if abs(after - c) < 1e-3:
            break
        c = after
    return np.array(x), np.array(y)


def _own(values: Array, name: str, *, weight: float) -> Series:
    mark: Mark = "dots"
    layers = np.arange(1, len(values) + 1, dtype=np.float64)
    return Series(name, layers, values, _HERE, mark, in_legend=False, weight=weight)


def _positive(values: Array) -> Array:
    return np.where(values > 0, values, np.nan)


def _layers_shown(layers: Array) -> tuple[float, float]:
    return 0.0, float(layers[-1]) + 1.0


def _decades(phase: Phase, series: list[Series]) -> tuple[float, float] | None:
    """Limits that show the network and what is critical, and of the others what is not too far from them."""
    settled = [row for row, name in enumerate(phase.names) if row == 0 or name == "critical"]
    kept = [part[settled].ravel() for part in (phase.variance_profile, phase.tangent_profile)]
    near = np.concatenate([*kept, phase.layer_variance, phase.layer_tangent])
    near, drawn = near[near > 0], np.concatenate([one.y for one in series])
    if near.size == 0 or not np.isfinite(near).any():
        return None
    low, high = max(float(np.nanmin(near)), _SMALLEST), min(float(np.nanmax(near)), 1 / _SMALLEST)
    return max(low / _BESIDE, float(np.nanmin(drawn)) / 2), min(high * _BESIDE, float(np.nanmax(drawn)) * 2)
