"""Where samples lie in a picture: on a line, on a circle by angle, in the plane, or in that of largest variance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntklab.figures import captions
from ntklab.figures.model import Array, Axis
from ntklab.results import Data

Float = NDArray[np.float64]
_FLATTEST = 3.0  # width over height, or height over width, of a plane drawn with one scale


@dataclass(frozen=True, eq=False)
class Layout:
    """Train and test samples as coordinates: (n, 1) along ``axes[0]`` or (n, 2) in the plane of two axes.

    ``note`` says how they were made where they are not the features themselves; ``equal`` asks for one scale.
    """

    train: Float
    test: Float
    axes: tuple[Axis, ...]
    note: str = ""
    equal: bool = True

    @property
    def line(self) -> bool:
        """Whether the samples lie on one axis."""
        return len(self.axes) == 1


@lru_cache(maxsize=8)
def layout(data: Data) -> Layout:
    """Coordinates of the samples before scaling; see ``Layout``."""
    train, test = np.asarray(data.raw_train, np.float64), np.asarray(data.raw_test, np.float64)
    d = train.shape[1]
    test = test.reshape(-1, d)
    names = (
        data.feature_names if len(data.feature_names) == d else tuple(f"x{captions.subscript(i + 1)}" for i in range(d))
    )
    if d == 1:
        return Layout(train, test, (Axis("input x" if not data.feature_names else names[0]),))
    if d == 2 and _on_circle(train):
        limits = (-180.0, 180.0)
        return Layout(_angle(train), _angle(test), (Axis("angle", "degrees", limits=limits),), "inputs on a circle")
    if d == 2:
        return Layout(train, test, (Axis(names[0]), Axis(names[1])), equal=_alike(np.concatenate([train, test])))
    return _principal(data)


def grid(points: Array) -> tuple[NDArray[np.intp], tuple[int, int], tuple[float, float, float, float]] | None:
    """Whether ``points`` (n, 2) fill a regular grid: the order that makes rows run down from high y, shape, extent."""
    xs, ys = np.unique(points[:, 0]), np.unique(points[:, 1])
    if len(xs) < 3 or len(ys) < 3 or len(xs) * len(ys) != len(points):
        return None
    steps = np.diff(xs), np.diff(ys)
    if any(np.ptp(step) > 1e-6 * step.max() for step in steps):
        return None
    half = steps[0][0] / 2, steps[1][0] / 2
    extent = (xs[0] - half[0], xs[-1] + half[0], ys[0] - half[1], ys[-1] + half[1])
    return np.lexsort((points[:, 0], -points[:, 1])), (len(ys), len(xs)), tuple(float(e) for e in extent)  # type: ignore[return-value]


def _alike(points: Float) -> bool:
    """Whether both coordinates (n, 2) spread about as far: one scale would flatten any other plane to a line."""
    spread = np.ptp(points, axis=0)
    return bool(spread.max() <= _FLATTEST * spread.min())


def _on_circle(points: Float) -> bool:
    radius = np.linalg.norm(points, axis=1)
    return len(points) > 2 and radius.min() > 0 and bool(np.ptp(radius) <= 1e-6 * radius.max())


def _angle(points: Float) -> Float:
    return np.rad2deg(np.arctan2(points[:, 1], points[:, 0]))[:, None]


def _principal(data: Data) -> Layout:
    """The plane of largest variance of the training samples as the network sees them (Pearson 1901), by SVD."""
    X = np.asarray(data.X_train, np.float64)
    mean = X.mean(axis=0)
    _, sizes, directions = np.linalg.svd(X - mean, full_matrices=False)
    directions = np.vstack([directions, np.zeros((2, X.shape[1]))])[:2]
    signs = np.where(directions[np.arange(2), np.abs(directions).argmax(axis=1)] < 0, -1.0, 1.0)
    directions = directions * signs[:, None]
    total = float((sizes**2).sum()) or 1.0
    shares = [100 * float(size**2) / total for size in (*sizes, 0.0, 0.0)[:2]]
    axes = tuple(Axis(f"PC {i}", f"{captions.number(share, 2)} % of variance")
                 for i, share in enumerate(shares, start=1))  # fmt: skip
    test = (np.asarray(data.X_test, np.float64).reshape(-1, X.shape[1]) - mean) @ directions.T
    note = f"principal components (PC) of {X.shape[1]} features"
    return Layout((X - mean) @ directions.T, test, axes, note, equal=False)
