"""Samples as they come out of a source, before they are split, scaled and turned into targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.results.data import Labels

MAX_BYTES = 2**31  # of one array that is loaded or generated


@dataclass(frozen=True, eq=False)
class Samples:
    """``X`` (n, d), any real dtype. Classes have ``labels`` (n,), positions in ``class_names``; else ``values`` (n, k).

    ``class_numbers`` are the numbers by which a spec's ``classes`` names them. ``rows`` (n,) are the places of the
    samples in their source, for messages. ``title`` and ``notes`` go to ``Data``.
    """

    X: NDArray[Any]
    rows: NDArray[np.intp]
    labels: Labels | None = None
    values: NDArray[Any] | None = None
    class_names: tuple[str, ...] = ()
    class_numbers: tuple[int, ...] = ()
    feature_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    title: str = ""
    notes: tuple[str, ...] = ()

    def take(self, places: NDArray[np.intp]) -> Samples:
        """The samples at ``places``, in that order."""
        return replace(
            self,
            X=self.X[places],
            rows=self.rows[places],
            labels=None if self.labels is None else self.labels[places],
            values=None if self.values is None else self.values[places],
        )

    def __len__(self) -> int:
        return len(self.X)
