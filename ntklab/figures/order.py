"""The order of samples along a kernel matrix that shows its structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntklab.figures.inputs import Layout, layout
from ntklab.results import Data

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Order:
    """``positions`` (n,) of the training samples as they are drawn, and the rule in ``words``."""

    positions: NDArray[np.intp]
    words: str


@lru_cache(maxsize=8)
def sample_order(data: Data) -> Order:
    """Training samples by class, and within a class so that neighbours are alike.

    On a line or circle by coordinate, in the plane by angle about the middle of the class, otherwise by the first
    principal component. Without classes: by coordinate on a line or circle, else by the first target.
    """
    place = layout(data)
    key, words = _along(place)
    if data.labels_train is None:
        if not place.line:
            key, words = data.Y_train[:, 0], "by target"
        return Order(np.argsort(key, kind="stable"), words)
    if not place.line and place.equal:
        key, words = _angles(place.train, data.labels_train), "angle"
    return Order(np.lexsort((key, data.labels_train)), f"by class, then {words.removeprefix('by ')}")


def _along(place: Layout) -> tuple[Float, str]:
    axis = place.axes[0]
    return place.train[:, 0], f"by {axis.label}"


def _angles(points: Float, labels: NDArray[np.int64]) -> Float:
    """(n,): angle of each point about the middle of its class."""
    angles = np.zeros(len(points))
    for label in np.unique(labels):
        mine = labels == label
        x, y = (points[mine] - points[mine].mean(axis=0)).T
        angles[mine] = np.arctan2(y, x)
    return angles
