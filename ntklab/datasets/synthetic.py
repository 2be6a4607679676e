"""Synthetic data, made in exactly the number asked for. Noise and positions come from the generator passed in.

Test samples are drawn like training samples, except where drawing the function needs a grid: ``Circle`` and
``Regression1D`` have evenly spaced test inputs. Noise on regression targets is added to training targets alone, so that
the test targets are the function itself; noise of class sources moves the inputs of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.samples import Samples
from ntklab.results.data import Array, Labels
from ntklab.spec import dataset as sources

GOLDEN = (math.sqrt(5) - 1) / 2  # an irrational share of a step never meets the training grid


@dataclass(frozen=True)
class Draw:
    """``count`` samples of the ``classes`` (numbers; empty for regression), for testing if ``test``."""

    count: int
    classes: tuple[int, ...]
    rng: np.random.Generator
    test: bool


def circle(source: sources.Circle, draw: Draw) -> Samples:
    """x = √2·(cos θ, sin θ) with θ evenly spaced from 0 (training) or from between samples (test); y = cos(f·θ)."""
    angle = 2 * np.pi * (np.arange(draw.count) + (GOLDEN if draw.test else 0.0)) / max(draw.count, 1)
    X = math.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    wave = f"{source.frequency}θ" if source.frequency > 1 else "θ"
    return _values(X, np.cos(source.frequency * angle), f"Circle, y = cos {wave}", ("|x|² = 2",))


def two_circles(source: sources.TwoCircles, draw: Draw) -> Samples:
    """Radius 1 (class 0) and ½ (class 1), uniform angles, plus normal noise on the coordinates."""
    numbers = _class_numbers(draw)
    angle = draw.rng.uniform(0, 2 * np.pi, draw.count)
    radius = np.where(numbers == 0, 1.0, 0.5)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _classes(_noisy(X, source.noise, draw), draw, ("outer", "inner"), "Two circles")


def moons(source: sources.Moons, draw: Draw) -> Samples:
    """(cos θ, sin θ) (class 0) and (1 − cos θ, ½ − sin θ) (class 1), θ uniform in [0, π], plus normal noise."""
    lower = _class_numbers(draw) == 1
    angle = draw.rng.uniform(0, np.pi, draw.count)
    x, y = np.cos(angle), np.sin(angle)
    X = np.stack([np.where(lower, 1 - x, x), np.where(lower, 0.5 - y, y)], axis=1)
    return _classes(_noisy(X, source.noise, draw), draw, ("upper", "lower"), "Moons")


def spirals(source: sources.Spirals, draw: Draw) -> Samples:
    """Arm a of A: r·(cos θ, sin θ) with r uniform in [0.1, 1] and θ = 2π(turns·r + a/A), plus normal noise."""
    radius = draw.rng.uniform(0.1, 1.0, draw.count)
    angle = 2 * np.pi * (source.turns * radius + _class_numbers(draw) / source.arms)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    names = tuple(f"arm {number}" for number in range(source.arms))
    return _classes(_noisy(X, source.noise, draw), draw, names, "Spirals")


# name → (formula, function of x (n,) in [−1, 1])
FUNCTIONS_1D: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "sine": ("sin 2πx", lambda x: np.sin(2 * np.pi * x)),
    "step": ("1 if x ≥ 0 else −1", lambda x: np.where(x >= 0, 1.0, -1.0)),
    "sawtooth": ("2(x − ⌊x + ½⌋)", lambda x: 2 * (x - np.floor(x + 0.5))),
    "gaussian": ("exp(−x²/(2·0.2²))", lambda x: np.exp(-(x**2) / (2 * 0.2**2))),
    "polynomial": ("(5x³ − 3x)/2", lambda x: (5 * x**3 - 3 * x) / 2),
}

# name → (formula, function of x (n, 2) in [−1, 1]²)
FUNCTIONS_2D: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "product": ("x₁x₂", lambda x: x[:, 0] * x[:, 1]),
    "ripple": ("cos 2π|x|", lambda x: np.cos(2 * np.pi * np.hypot(x[:, 0], x[:, 1]))),
    "plane": ("(x₁ + x₂)/2", lambda x: (x[:, 0] + x[:, 1]) / 2),
    "gaussian": ("exp(−|x|²/(2·0.4²))", lambda x: np.exp(-(x[:, 0] ** 2 + x[:, 1] ** 2) / (2 * 0.4**2))),
}


def regression_1d(source: sources.Regression1D, draw: Draw) -> Samples:
    """x uniform in [−1, 1], sorted (training), or evenly spaced from −1 to 1 (test); y as in ``FUNCTIONS_1D``."""
    x = np.linspace(-1, 1, draw.count) if draw.test else np.sort(draw.rng.uniform(-1, 1, draw.count))
    formula, function = FUNCTIONS_1D[source.target]
    y, notes = _noisy_target(function(x), source.noise, draw)
    return _values(x[:, None], y, f"Regression, y = {formula}", notes)


def regression_2d(source: sources.Regression2D, draw: Draw) -> Samples:
    """x uniform in [−1, 1]²; y as in ``FUNCTIONS_2D``."""
    X = draw.rng.uniform(-1, 1, (draw.count, 2))
    formula, function = FUNCTIONS_2D[source.target]
    y, notes = _noisy_target(function(X), source.noise, draw)
    return _values(X, y, f"Regression, y = {formula}", notes)


def sphere(source: sources.Sphere, draw: Draw) -> Samples:
    """x uniform on the sphere of radius √d in d dimensions; y = √N(d, ℓ)·P_ℓ(x₁/√d), of mean square 1.

    P_ℓ is the Legendre polynomial of dimension d (Gegenbauer with P_ℓ(1) = 1; Müller 1966), an eigenfunction of every
    kernel that depends on x·x' alone, and N(d, ℓ) the number of spherical harmonics of degree ℓ: the mean square of
    P_ℓ on the sphere is 1/N(d, ℓ).
    """
    d, degree = source.dimension, source.degree
    X = draw.rng.normal(size=(draw.count, d))
    X *= math.sqrt(d) / np.linalg.norm(X, axis=1, keepdims=True)
    y = math.sqrt(harmonics(d, degree)) * legendre(X[:, 0] / math.sqrt(d), d, degree)
    return _values(X, y, f"Sphere in {d} dimensions, degree {degree}", ("target of mean square 1 on the sphere",))


def legendre(t: Array, dimension: int, degree: int) -> Array:
    """Legendre polynomial of ``dimension`` d ≥ 2 and ``degree`` ℓ at ``t`` in [−1, 1], equal to 1 at t = 1.

    (ℓ + d − 2)·P_{ℓ+1} = (2ℓ + d − 2)·t·P_ℓ − ℓ·P_{ℓ−1}; Legendre's own for d = 3, Chebyshev's for d = 2.
    """
    previous, current = np.ones_like(t), t
    if degree == 0:
        return previous
    for step in range(1, degree):
        following = (2 * step + dimension - 2) * t * current - step * previous
        previous, current = current, following / (step + dimension - 2)
    return current


def harmonics(dimension: int, degree: int) -> int:
    """Number of linearly independent spherical harmonics of ``degree`` in ``dimension``."""
    if degree == 0:
        return 1
    return (2 * degree + dimension - 2) * math.comb(degree + dimension - 3, degree - 1) // degree


GENERATORS: dict[type, Callable[[Any, Draw], Samples]] = {
    sources.Circle: circle,
    sources.TwoCircles: two_circles,
    sources.Moons: moons,
    sources.Spirals: spirals,
    sources.Regression1D: regression_1d,
    sources.Regression2D: regression_2d,
    sources.Sphere: sphere,
}


def _labels(draw: Draw) -> Labels:
    return np.arange(draw.count, dtype=np.int64) % len(draw.classes)


def _class_numbers(draw: Draw) -> Labels:
    """(count,): the class number of each sample, in turn, so that classes are balanced."""
    return np.asarray(draw.classes, dtype=np.int64)[_labels(draw)]


def _noisy(X: Array, noise: float, draw: Draw) -> Array:
    return X + noise * draw.rng.normal(size=X.shape)


def _noisy_target(y: Array, noise: float, draw: Draw) -> tuple[Array, tuple[str, ...]]:
    if draw.test or not noise:
        return y, ()
    note = f"noise of standard deviation {noise:g} on the training targets; test targets are the function itself"
    return y + noise * draw.rng.normal(size=y.shape), (note,)


def _names(d: int) -> tuple[str, ...]:
    return tuple(f"x{number + 1}" for number in range(d)) if d > 1 else ("x",)


def _classes(X: Array, draw: Draw, names: tuple[str, ...], title: str) -> Samples:
    return Samples(
        X,
        np.arange(draw.count),
        labels=_labels(draw),
        class_names=tuple(names[number] for number in draw.classes),
        class_numbers=draw.classes,
        feature_names=_names(X.shape[1]),
        title=title,
    )


def _values(X: Array, y: NDArray[np.float64], title: str, notes: tuple[str, ...]) -> Samples:
    rows = np.arange(len(X))
    return Samples(X, rows, values=y[:, None], feature_names=_names(X.shape[1]), title=title, notes=notes)
