"""Real data that comes with scikit-learn: there offline, from the first second."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntklab.datasets.samples import Samples
from ntklab.spec import dataset as sources

_PIXELS = tuple(f"pixel {row},{column}" for row in range(8) for column in range(8))

# source → scikit-learn's loader, its arguments, and what we know better
BUNDLED: dict[type, tuple[str, dict[str, Any], dict[str, Any]]] = {
    sources.Digits: (
        "load_digits",
        {},
        {"title": "Digits", "feature_names": _PIXELS, "image_shape": (8, 8), "notes": ("pixels from 0 to 16",)},
    ),
    sources.BreastCancer: ("load_breast_cancer", {}, {"title": "Breast cancer"}),
    sources.Wine: ("load_wine", {}, {"title": "Wine", "class_names": ("cultivar 0", "cultivar 1", "cultivar 2")}),
    sources.Diabetes: (
        "load_diabetes",
        {"scaled": False},
        {"title": "Diabetes", "notes": ("target: progression after one year, 25 to 346",)},
    ),
}


def bundled(source: Any) -> Samples:
    """All samples of a bundled ``source``, features in their own units."""
    from sklearn import datasets  # heavy: only when such data is asked for

    loader, arguments, facts = BUNDLED[type(source)]
    bunch = getattr(datasets, loader)(**arguments)
    X = np.asarray(bunch.data, dtype=np.float64)
    known: dict[str, Any] = {"feature_names": tuple(map(str, bunch.feature_names))}
    if hasattr(bunch, "target_names"):
        known["labels"] = bunch.target.astype(np.int64)
        known["class_names"] = tuple(map(str, bunch.target_names))
        known["class_numbers"] = tuple(range(len(bunch.target_names)))
    else:
        known["values"] = np.asarray(bunch.target, dtype=np.float64)[:, None]
    return Samples(X, np.arange(len(X)), **(known | facts))
