"""Where does depth lead this network: order, chaos, or the edge between?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ntklab import spec
from ntklab.errors import NtkLabError
from ntklab.experiments.forecast import phase_forecast
from ntklab.experiments.models import Models
from ntklab.experiments.stages import data_stage, subject_of
from ntklab.kernels.infinite import phase as theory
from ntklab.kernels.threads import beating, threads_for
from ntklab.progress import Partial, Progress, T, Work
from ntklab.results import Data, Phase, Provenance, Regime
from ntklab.spec import Architecture, Experiment, caption

Array = NDArray[np.float64]

_DIAGRAM = "phase diagram"
_CELLS = 64  # of the diagram along each side
_ROWS = 4  # of the diagram, at a time
_POINTS = 201  # of the correlation map
_LEAST_DEPTH, _MOST_DEPTH = 50, 200
_ORDERED, _CHAOTIC = 0.8, 1.5  # of the critical W_std, for the settings to compare with
_SAMPLES = 256  # whose mean correlation is taken


def phase(experiment: Experiment, data: Data | None = None, *, models: Models | None = None) -> Work[Phase]:
    """The phase of the experiment's architecture, on its training samples; with ``data`` given nothing is loaded.

    As that of a plain stack of its most frequent activation and deviations (see ``Phase``), and along its own layers.
    Of the user's own network, made by ``models``, the phase is that of its description. Yields ``Partial`` "phase".
    Raises ``DataError``, ``FileError`` or ``SpecError``, the last where there is no description.
    """
    subject = subject_of(experiment, models)
    yield phase_forecast(experiment, models)
    if data is None:
        data = yield from data_stage(experiment)
    X = subject.limit_samples(data.X_train)
    found = yield from phase_of(subject.described_limit(), X, spec_hash=experiment.content_hash())
    yield Partial("phase", found)
    return found


def phase_of(architecture: Architecture, X: Any | None = None, *, spec_hash: str = "") -> Work[Phase]:
    """The phase of ``architecture`` on the samples X (n, *shape); without any, on Gaussian ones of unit variance."""
    began = time.perf_counter()
    given = _gaussian(architecture) if X is None else np.asarray(X, dtype=np.float64)
    start, between = _moments(given)
    kind = theory.dominant(architecture)
    ends = yield from _steadily(lambda: theory.ranges(kind.activation, kind.W_std, kind.b_std, start))
    grid = yield from _diagram(kind, ends, start)
    regimes = yield from _steadily(lambda: _regimes(kind, start, ends[0]))
    profiles = yield from _profiles(kind, regimes, (start, between), _depth(kind))
    layers, notes = yield from _layers(architecture, given)
    hidden = theory.hidden_layers(architecture)
    finite = None if not hidden else theory.spread(hidden, _first_variance(architecture, start))
    return Phase(
        activation="linear" if kind.linear else caption(kind.activation),
        names=tuple(regime.name for regime in regimes),
        **_columns(regimes),
        **grid,
        **profiles,
        **layers,
        input_variance=start,
        input_correlation=between,
        pairs=kind.pairs,
        total=kind.total,
        beside=kind.beside,
        depth_to_width=None if finite is None else finite.depth_to_width,
        spread=None if finite is None else finite.relative,
        provenance=Provenance(
            kind="phase", parameterisation="ntk", spec=spec_hash, route="mean field theory of infinite width",
            seconds=time.perf_counter() - began, notes=notes,
        ),
    )  # fmt: skip


_SETTING = ("W_std", "b_std", "variance", "chi1", "correlation", "slope")


def _columns(regimes: list[Regime]) -> dict[str, Any]:
    return {part: np.array([getattr(regime, part) for regime in regimes]) for part in _SETTING}


def _steadily(act: Callable[[], T]) -> Work[T]:
    """What ``act`` returns; it may take longer than an event may be away."""
    found: list[T] = []
    for result in beating([None], lambda _: act(), 1):
        if result is None:
            yield Progress(0, 1, _DIAGRAM)
        else:
            found.append(result[1])
    return found[0]


def _diagram(kind: theory.Dominant, ends: tuple[float, float], start: float) -> Work[dict[str, Any]]:
    """χ₁ at the middles of the cells, and both lines."""
    W_std, b_std = ((np.arange(_CELLS) + 0.5) / _CELLS * end for end in ends)
    rows = []
    for row in range(0, _CELLS, _ROWS):
        with threads_for(0):
            part = tuple(b_std[row : row + _ROWS].tolist())
            rows.append(theory.susceptibilities(kind.activation, tuple(W_std.tolist()), part, start))
        yield Progress(row + _ROWS, _CELLS, _DIAGRAM)
    critical = yield from _steadily(lambda: theory.critical_line(kind.activation, *ends, start))
    diverging = yield from _steadily(lambda: theory.diverging_line(kind.activation, *ends, start))
    return {
        "grid_W_std": W_std, "grid_b_std": b_std, "grid_chi1": np.concatenate(rows),
        "critical_line": np.stack(critical), "diverging_line": np.stack(diverging),
    }  # fmt: skip


def _regimes(kind: theory.Dominant, start: float, W_end: float) -> list[Regime]:
    """The network's own setting, and those to compare it with."""
    here = _regime(kind, "here", kind.W_std, start)
    critical = theory.critical_weight(kind.activation, kind.b_std, start, W_end)
    if critical is None:
        return [here]
    others = [_regime(kind, "", share * critical, start) for share in (_ORDERED, 1.0, _CHAOTIC)]
    # Where the variance jumps, nothing is critical: only what lies on both sides is shown.
    return [here, *(Regime(o.word, *_rest(o)) for o in others if o is not others[1] or o.word == "critical")]


def _rest(regime: Regime) -> tuple[float, ...]:
    return tuple(getattr(regime, part) for part in _SETTING)


def _regime(kind: theory.Dominant, name: str, W_std: float, start: float) -> Regime:
    maps, weight, bias = theory.maps_of(kind.activation), W_std**2, kind.b_std**2
    weights, biases = (torch.tensor([value], dtype=torch.float64) for value in (weight, bias))
    variance = theory.fixed_variance(maps, weights, biases, start)
    chi1, q = float(theory.susceptibility(maps, weights, variance)), float(variance)
    c = theory.fixed_correlation(maps, weight=weight, bias=bias, q=q)
    slope = theory.correlation_slope(maps, weight=weight, bias=bias, q=q, c=c)
    return Regime(name, W_std, kind.b_std, q, chi1, c, slope)


def _profiles(
    kind: theory.Dominant, regimes: list[Regime], inputs: tuple[float, float], depth: int
) -> Work[dict[str, Any]]:
    """The correlation map and the profiles against depth of each setting."""
    maps, c = theory.maps_of(kind.activation), torch.linspace(0, 1, _POINTS, dtype=torch.float64)
    to = np.full((len(regimes), _POINTS), np.nan)
    found = []
    for row, regime in enumerate(regimes):
        weight, bias = regime.W_std**2, regime.b_std**2
        with threads_for(0):
            to[row] = maps.correlation_map(c, weight=weight, bias=bias, q=regime.variance).numpy()
        found.append((yield from theory.profile(
            kind.activation, W_std=regime.W_std, b_std=regime.b_std, variance=inputs[0], correlation=inputs[1],
            depth=depth,
        )))  # fmt: skip
    profiles = {
        f"{part}_profile": np.stack([getattr(one, part) for one in found])
        for part in ("variance", "tangent", "correlation")
    }
    return {"map_from": c.numpy(), "map_to": to, **profiles}


def _layers(architecture: Architecture, X: Array) -> Work[tuple[dict[str, Any], tuple[str, ...]]]:
    """The network's own layers; none, and why, where one of them has no rule."""
    try:
        found = yield from theory.walk(architecture, X)
    except NtkLabError as error:
        nothing = np.empty(0)
        empty = {"layers": (), "layer_variance": nothing, "layer_tangent": nothing, "layer_correlation": nothing}
        return empty, (f"not along its own layers: {error}",)
    return {
        "layers": found.names, "layer_variance": found.variance, "layer_tangent": found.tangent,
        "layer_correlation": found.correlation,
    }, ()  # fmt: skip


def _moments(X: Array) -> tuple[float, float]:
    """The mean of x·x/d over the samples, and the mean cosine between different ones."""
    flat = X.reshape(len(X), -1)
    some = flat[np.linspace(0, len(flat) - 1, min(len(flat), _SAMPLES)).astype(int)]
    norms = np.linalg.norm(some, axis=1)
    units = some[norms > 0] / norms[norms > 0, None]
    n = len(units)
    between = 0.0 if n < 2 else float((units.sum(axis=0) @ units.sum(axis=0) - n) / (n * (n - 1)))
    return float((flat**2).mean()), between


def _gaussian(architecture: Architecture) -> Array:
    return np.random.default_rng(0).normal(size=(16, *architecture.input.shape))


def _first_variance(architecture: Architecture, start: float) -> float:
    """Of the units of a stack's first layer."""
    first = architecture.layers[0]
    assert isinstance(first, spec.Dense)
    return float(first.W_std**2 * start + (first.b_std or 0.0) ** 2)


def _depth(kind: theory.Dominant) -> int:
    """Layers to show: several times what the network has."""
    return min(max(_LEAST_DEPTH, 2 * kind.total), _MOST_DEPTH)
