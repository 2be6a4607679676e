"""Where a function varies and how fast: edges between which it is smooth, found by trying it.

Between neighbouring edges a function and its slope are polynomials of low degree to nearly full precision, so Gauss
rules between them integrate it exactly. Kinks, where either jumps, are located to nearly full precision by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log2

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab.errors import NumericalError, SpecError

Array = NDArray[np.float64]
Pair = Callable[[Tensor], tuple[Tensor, Tensor]]

_DEGREE = 12  # products of two such polynomials and a Gaussian are still integrated exactly by 16 nodes
_CENTRAL_DEGREE = 24  # what 16 nodes integrate, with room for the Gaussian
_FEATURES = tuple(2.0**-j for j in range(-2, 7))
_NEAREST = 1e-13  # of a kink, relative to the larger of 1 and its size
_MOST = 4000  # intervals at the same time
_FEW = 300  # edges worth thinning out
_INNERMOST = 0.25


@dataclass(frozen=True)
class Mesh:
    """``edges`` (m,) in order, and the ``scales`` (m,) on which the function varies at each: 0 at its ``kinks``.

    ``jumps``: the function itself jumps at one of them, not only its slope.
    """

    edges: tuple[float, ...]
    scales: tuple[float, ...]
    kinks: tuple[float, ...]
    jumps: bool = False


def central_mesh(feature: float, reach: float, *, kinked: bool) -> Mesh:
    """For functions that vary on the scale ``feature`` at 0 and ever slower away from it, as far as ``reach``."""
    count = max(0, ceil(log2(max(reach / (1.5 * feature), 1.0)) / log2(3)))
    sizes = [1.5 * feature * 3.0**j for j in range(count)]
    edges = (*(-size for size in reversed(sizes)), 0.0, *sizes)
    scales = tuple((0.0 if kinked else feature) if edge == 0 else abs(edge) / 1.5 for edge in edges)
    return Mesh(edges, scales, (0.0,) if kinked else ())


def found_mesh(at: Pair, reach: float, kinks: Sequence[float], name: str) -> Mesh:
    """Of any function and its slope ``at`` numbers, for |x| ≤ ``reach``: by bisection wherever they are not polynomials
    yet. ``kinks`` are known ones.

    Raises ``SpecError`` for functions or slopes without bound and ``NumericalError`` for those that vary too often.
    """
    trial = _Trial(at, _DEGREE)
    sizes = _INNERMOST * 2.0 ** np.arange(max(1, ceil(log2(reach / _INNERMOST))) + 1)
    start = {0.0, *sizes, *-sizes, *kinks}
    _, sharp = _refined(trial, sorted(start), name)
    start |= set(_located(sharp))
    leaves, sharp = _refined(trial, sorted(start), name)
    _refuse_poles(trial, sharp, name)
    inside = np.array(leaves[1:-1])
    known = sorted({*kinks, *inside[trial.kinked(inside)].tolist()})
    return _mesh(trial, _merged(trial, leaves, known), known)


def feature_of(at: Pair, reach: float, *, kinked: bool) -> float | None:
    """The largest ``feature`` whose ``central_mesh`` resolves the function, None if it does not vary at 0 alone."""
    trial = _Trial(at, _CENTRAL_DEGREE)
    for feature in _FEATURES:
        edges = central_mesh(feature, reach, kinked=kinked).edges
        if trial.resolved(np.array([-reach, *edges]), np.array([*edges, reach])).all():
            return feature
    return None


class _Trial:
    """Tells between which points a function and its slope are polynomials of some ``degree``."""

    def __init__(self, at: Pair, degree: int) -> None:
        self._at, self._degree = at, degree
        self._nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
        self._inverse = np.linalg.inv(np.polynomial.chebyshev.chebvander(self._nodes, degree))
        self._checks = np.linspace(-0.97, 0.97, degree + 2) + 0.011
        self._through = np.polynomial.chebyshev.chebvander(self._checks, degree) @ self._inverse
        self.sizes = tuple(float(np.nanmax(np.abs(part))) for part in self.values(np.linspace(-1.003, 1, 100)))

    def values(self, x: Array) -> tuple[Array, Array]:
        """Of the function and of its slope."""
        value, slope = self._at(torch.from_numpy(x))
        return value.numpy(), slope.numpy()

    def resolved(self, low: Array, high: Array) -> NDArray[np.bool_]:
        """(m,) for the intervals ``low`` (m,) to ``high``. Where there is no finite value, there is nothing to do."""
        middle, half = (low + high)[:, None] / 2, (high - low)[:, None] / 2
        nodes, checks = self.values(middle + half * self._nodes), self.values(middle + half * self._checks)
        good = np.ones(len(low), dtype=bool)
        for at, between, size in zip(nodes, checks, self.sizes, strict=True):
            with np.errstate(invalid="ignore", over="ignore"):
                miss = np.abs(at @ self._through.T - between).max(axis=1)
                good &= ~(miss > self._allowed(at, low, high, size)) | ~np.isfinite(miss)
        return good

    def one_piece(self, low: float, high: float, leaves: Sequence[tuple[float, float]]) -> bool:
        """Whether one polynomial goes through the function on all ``leaves`` of the interval."""
        middle, half = (low + high) / 2, (high - low) / 2
        x = np.concatenate([(a + b) / 2 + (b - a) / 2 * self._checks for a, b in leaves])
        through = np.polynomial.chebyshev.chebvander((x - middle) / half, self._degree) @ self._inverse
        ends = np.array([low]), np.array([high])
        pairs = zip(self.values(middle + half * self._nodes), self.values(x), self.sizes, strict=True)
        with np.errstate(invalid="ignore", over="ignore"):
            return all(
                bool(np.abs(through @ at - between).max() <= self._allowed(at[None], *ends, size)[0])
                for at, between, size in pairs
            )

    def kinked(self, x: Array) -> NDArray[np.bool_]:
        """(m,): whether the function or its slope has a kink at the edges ``x``."""
        near = 1e-5 * np.maximum(1.0, abs(x))
        found: NDArray[np.bool_] = np.logical_not(self.resolved(x - near, x + 0.9 * near))
        return found

    @staticmethod
    def _allowed(at: Array, low: Array, high: Array, size: float) -> Array:
        """What rounding of the values and of their arguments may do."""
        largest = np.abs(at).max(axis=1)
        steepness = (at.max(axis=1) - at.min(axis=1)) / (high - low)
        allowed: Array = 3e-13 * largest + 1e-15 * size + 1e-14 * steepness * np.maximum(abs(low), abs(high))
        return allowed


def _refined(trial: _Trial, start: Sequence[float], name: str) -> tuple[list[float], list[tuple[float, float]]]:
    """Edges of intervals on which the function is resolved, and those intervals that cannot be divided further."""
    left = np.array(list(pairwise(start)))
    done: list[Array] = []
    sharp: list[tuple[float, float]] = []
    while len(left):
        if len(left) > _MOST:
            raise NumericalError(
                f"{name}: it varies too often or too fast for inputs as large as {abs(start[0]):.3g}; make W_std "
                "smaller, scale the inputs down, or choose a smoother function"
            )
        low, high = left.T
        good = trial.resolved(low, high)
        tiny = ~good & (high - low < 2 * _NEAREST * np.maximum(1, np.maximum(abs(low), abs(high))))
        sharp += [(float(a), float(b)) for a, b in left[tiny]]
        done.append(left[good | tiny])
        low, high = left[~good & ~tiny].T
        middle = (low + high) / 2
        left = np.concatenate([np.stack([low, middle], axis=1), np.stack([middle, high], axis=1)])
    return sorted({float(edge) for edge in np.concatenate(done).ravel()}), sharp


def _located(sharp: list[tuple[float, float]]) -> list[float]:
    """One kink for each group of neighbouring ``sharp`` intervals: a round number if one is in it."""
    groups: list[list[float]] = []
    for low, high in sorted(sharp):
        if groups and low - groups[-1][1] <= 4 * (high - low):
            groups[-1][1] = high
        else:
            groups.append([low, high])
    kinks = []
    for low, high in groups:
        middle, width = (low + high) / 2, high - low
        rounded = next((round(middle, d) for d in range(13) if abs(round(middle, d) - middle) <= width), middle)
        kinks.append(rounded + 0.0)
    return kinks


def _refuse_poles(trial: _Trial, sharp: list[tuple[float, float]], name: str) -> None:
    """Bounded functions do not grow a hundredfold in the last millionth before a point."""
    for low, high in sharp:
        sizes = zip(
            trial.values(np.array([(low + high) / 2, high + 1e-6])), trial.sizes, ("it", "its slope"), strict=True
        )
        for (near, far), size, what in sizes:
            if not abs(near) < 30 * abs(far) + 10 * size:
                raise SpecError(f"{name}: {what} has no bound near {low:.6g}; choose a function that has")


def _merged(trial: _Trial, edges: Sequence[float], kinks: Sequence[float]) -> list[float]:
    """Without the edges that are not needed."""
    if len(edges) > _FEW:
        return list(edges)
    kept, leaves = [edges[0]], [(edges[0], edges[1])]
    for here, after in pairwise(edges[1:]):
        if here in kinks or not trial.one_piece(kept[-1], after, [*leaves, (here, after)]):
            kept.append(here)
            leaves.clear()
        leaves.append((here, after))
    return [*kept, edges[-1]]


def _mesh(trial: _Trial, edges: Sequence[float], kinks: Sequence[float]) -> Mesh:
    lengths = [b - a for a, b in pairwise(edges)]
    scales = [0.0 if edge in kinks else min(pair) for edge, pair in zip(edges[1:-1], pairwise(lengths), strict=True)]
    jumps = False
    for kink in kinks:
        step = 1e-9 * max(1.0, abs(kink))
        (below, above), slopes = trial.values(np.array([kink - step, kink + step]))
        jumps |= bool(abs(above - below) > 1e-6 * trial.sizes[0] + 4 * step * np.abs(slopes).sum())
    return Mesh(tuple(edges[1:-1]), tuple(scales), tuple(kinks), jumps)
