"""A data set as numbers: what ``datasets.load`` returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Data:
    """Train and test samples: X (n, d) float64, Y (n, k) float64 targets, labels (n,) or None for regression.

    ``labels`` are positions in ``class_names``. ``raw_train`` and ``raw_test`` are the features before scaling (for
    thumbnails and axes). ``image_shape`` is set where a sample is a picture. ``notes`` states what was done.
    """

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    labels_train: Labels | None
    labels_test: Labels | None
    raw_train: Array
    raw_test: Array
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """Number of features of a sample."""
        return int(self.X_train.shape[1])

    @property
    def outputs(self) -> int:
        """Number of targets of a sample."""
        return int(self.Y_train.shape[1])
