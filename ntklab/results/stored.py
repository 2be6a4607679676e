"""What the values of a kernel offer when they are on disk rather than in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ntklab.results.gram import Health


class StoredValues(ABC):
    """Values of a ``Gram`` that are read when they are asked for: numpy's indices give arrays, ``asarray`` everything.

    ``shape``, ``dtype`` and ``ndim`` are those of the array that they stand for.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.floating]

    @abstractmethod
    def __getitem__(self, index: Any) -> Any: ...

    @property
    @abstractmethod
    def matrix(self) -> Any:
        """``Gram.matrix`` (n1, n2), read when asked for, too."""

    @property
    @abstractmethod
    def operator(self) -> Any:
        """``Gram.operator``, read when asked for, too."""

    @property
    @abstractmethod
    def health(self) -> Health:
        """``Gram.health``, without reading everything."""

    @property
    @abstractmethod
    def missing(self) -> int:
        """Tiles that are not computed; their entries are NaN."""

    @property
    @abstractmethod
    def overview_step(self) -> int:
        """Entries a side that a number of the ``overview`` stands for, a power of 2."""

    @property
    @abstractmethod
    def overview(self) -> NDArray[np.float32]:
        """(h, w), at most 1024 each: means of ``matrix`` over squares of ``overview_step`` entries a side."""
