"""The order of samples along a kernel matrix that shows its structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntklab.figures.inputs import layout
from ntklab.results import Data

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Order:
    """``positions`` (n,) of the training samples as they are drawn, and the rule in ``words``."""

    positions: NDArray[np.intp]
    words: str


@lru_cache(maxsize=8)
def sample_order(data: Data) -> Order:
    """Training samples by class where there are classes, and within a class so that neighbours are alike.

    On a line or circle by coordinate, in the plane by angle about the middle of the class, otherwise by the first
    principal component.
    """
    place = layout(data)
    n = len(place.train)
    labels = np.zeros(n, dtype=np.int64) if data.labels_train is None else data.labels_train
    around = not place.line and place.equal
    key = _angles(place.train, labels) if around else place.train[:, 0]
    words = "angle" if around else place.axes[0].label
    words = f"by {words}" if data.labels_train is None else f"by class, then {words}"
    return Order(np.lexsort((key, labels)), words)


def _angles(points: Float, labels: NDArray[np.int64]) -> Float:
    """(n,): angle of each point about the middle of its class."""
    angles = np.zeros(len(points))
    for label in np.unique(labels):
        mine = labels == label
        x, y = (points[mine] - points[mine].mean(axis=0)).T
        angles[mine] = np.arctan2(y, x)
    return angles
