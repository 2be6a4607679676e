"""Variance, tangent kernel and correlation along the layers that a network has, by the rules of its kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.inputs import inputs
from ntklab.kernels.infinite.request import Request
from ntklab.kernels.infinite.rules import Stack
from ntklab.kernels.infinite.state import State, laid_out, positions_diagonal, variances
from ntklab.kernels.threads import beating
from ntklab.kernels.tiles import Block
from ntklab.progress import Progress, Work

Array = NDArray[np.float64]

_MOST_SAMPLES = 16
_NUMBERS = 4_000_000  # held at once, by networks that pair positions


@dataclass(frozen=True, eq=False)
class LayerWalk:
    """Behind each layer with weights, each (K,): its name, the mean variance of its units over samples and positions,
    the mean diagonal of the NTK of the network that ends there, and the mean correlation of different samples."""

    names: tuple[str, ...]
    variance: Array
    tangent: Array
    correlation: Array


def walk(architecture: spec.Architecture, X: Any) -> Work[LayerWalk]:
    """Along ``architecture``, on a few of the samples X (n, *shape), evenly chosen. A branch counts as one layer.

    Raises as ``infinite_kernel`` does. Yields ``Progress`` that beats while layers are computed.
    """
    request = _request(architecture, np.asarray(X, dtype=np.float64))
    recorder = Recorder(request.network())
    count = request.data.samples
    yield from _beaten(partial(request.alone, recorder), slice(0, count), request, 0)
    recorder.settle()
    if count > 1:
        yield from _beaten(partial(request.tile, recorder), Block((0, count), (0, count), diagonal=True), request, 1)
    rows = [recorder.found[place] for place in _places(architecture) if place in recorder.found]
    names = tuple(place for place in _places(architecture) if place in recorder.found)
    return LayerWalk(names, *(np.array([row[part] for row in rows]) for part in range(3)))


class Recorder(Stack):
    """A stack that notes, behind each of its layers, what a ``LayerWalk`` tells. ``found`` is by place."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.steps, stack.places, stack.before, stack.context)
        self.found: dict[str, list[float]] = {}
        self._variances: list[Tensor] = []

    def alone(self, state: State) -> State:
        for step, place in zip(self.steps, self.places, strict=True):
            state = step.alone(state)
            q = variances(state.nngp, step.after)
            t = torch.zeros_like(q) if state.ntk is None else variances(state.ntk, step.after)
            self._variances.append(q.clone())
            self.found[place] = [float(q.mean()), float(t.mean()), float("nan")]
        return state

    def run(self, state: State) -> State:
        for step, place, q in zip(self.steps, self.places, self._variances, strict=True):
            state = step.run(state)
            self.found[place][2] = _correlation(state, q, step)
        return state


def _correlation(state: State, q: Tensor, step: Any) -> float:
    """Mean of S/√(q q') over pairs of different samples at the same position, of those that are there."""
    S = state.nngp
    if step.after.crossed:
        S, q = positions_diagonal(S, step.after).T, laid_out(q, step.after).T
    if state.pairs.grid:
        scale = (q[..., :, None] * q[..., None, :]).sqrt()
        there = (scale > 0) & ~torch.eye(q.shape[-1], dtype=torch.bool)
    else:
        scale = (q[..., state.pairs.left] * q[..., state.pairs.right]).sqrt()
        there = scale > 0
    return float((S[there] / scale[there]).mean()) if bool(there.any()) else float("nan")


def _request(architecture: spec.Architecture, X: Array) -> Request:
    """For as many of the samples as fit, at least two."""

    def of(samples: Array) -> Request:
        data = inputs(architecture, samples, None, dtype=torch.float64, device=torch.device("cpu"))
        return Request(architecture.layers, data, ntk=True, sweep=False)

    fit = isqrt(int(_NUMBERS / max(of(X[:1]).network().cost.held, 1.0)))
    few = np.linspace(0, len(X) - 1, min(len(X), max(2, min(_MOST_SAMPLES, fit)))).astype(int)
    return of(X[few])


def _beaten(act: Any, task: Any, request: Request, done: int) -> Work[None]:
    for _ in beating([task], act, 1, stop=request.stop):
        yield Progress(done, 2, "Layers")


def _places(architecture: spec.Architecture) -> list[str]:
    """How the layers with weights are called, as the rules call them."""
    return [
        f"layer {position} ({type(layer).__name__})"
        for position, layer in enumerate(architecture.layers, start=1)
        if _has_weights(layer)
    ]


def _has_weights(layer: spec.Layer) -> bool:
    if isinstance(layer, spec.Branch):
        return any(_has_weights(part) for path in layer.branches for part in path)
    return hasattr(layer, "W_std") or isinstance(layer, spec.SelfAttention)
