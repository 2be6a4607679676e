"""A kernel evaluated on data, with its health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance
from ntklab.results.stored import StoredValues

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Gram:
    """``values`` of a kernel between n1 and n2 samples.

    Shape (n1, n2); or (n1, n2, k) with ``provenance.outputs`` "diagonal", (n1, n2, k, k) with "full". ``symmetric``
    says that both sample sets were the same. ``error`` is a measured or estimated relative error where there is one.
    Values on disk (``StoredValues``) are read when they are asked for, and so are ``matrix`` and ``operator`` then.
    ``parts`` are, where they were asked for, what each layer adds to ``matrix``: (n1, n2), mean over outputs.
    """

    values: Array
    provenance: Provenance
    symmetric: bool = True
    error: float | None = None
    parts: Mapping[str, Array] = field(default_factory=dict)

    @cached_property
    def matrix(self) -> Array:
        """(n1, n2): the values themselves, or the mean over the output diagonal."""
        if isinstance(self.values, StoredValues):
            read: Array = self.values.matrix
            return read
        if self.values.ndim == 2:
            return self.values
        if self.values.ndim == 3:
            return np.asarray(self.values.mean(axis=-1))
        return np.asarray(np.trace(self.values, axis1=2, axis2=3) / self.values.shape[-1])

    @property
    def operator(self) -> Array:
        """The square matrix that acts on stacked outputs: (n1·k, n2·k) with index i·k + output for "full"."""
        if isinstance(self.values, StoredValues):
            read: Array = self.values.operator
            return read
        if self.values.ndim != 4:
            return self.matrix
        n1, n2, k, _ = self.values.shape
        return self.values.transpose(0, 2, 1, 3).reshape(n1 * k, n2 * k)

    @cached_property
    def health(self) -> Health:
        """Symmetry, NaN count and precision of this kernel; no eigenvalues (see ``spectra``)."""
        return health(self)


@dataclass(frozen=True)
class Health:
    """``asymmetry`` is max|K − Kᵀ| / max|K| (0 for rectangular kernels), ``bad`` counts NaN and infinite entries."""

    asymmetry: float
    bad: int
    dtype: str

    @property
    def good(self) -> bool:
        """Whether the kernel can be trusted as a symmetric matrix of numbers at its precision."""
        return self.bad == 0 and self.asymmetry <= 64 * float(np.finfo(self.dtype).eps)


def health(gram: Gram) -> Health:
    """Check ``gram``; see ``Health``."""
    if isinstance(gram.values, StoredValues):
        return gram.values.health
    K = gram.operator
    bad = int(K.size - np.count_nonzero(np.isfinite(K)))
    asymmetry = 0.0
    if gram.symmetric and bad == 0 and K.size:
        scale = float(np.abs(K).max()) or 1.0
        asymmetry = float(np.abs(K - K.T).max()) / scale
    return Health(asymmetry, bad, str(K.dtype))


@dataclass(frozen=True, eq=False)
class Tile:
    """A finished block of the kernel named ``kernel``: rows and columns (start, stop), and their values.

    ``shape`` is the shape of the whole kernel's ``matrix``; ``values`` has the tile's rows × columns (mean over outputs
    when the kernel keeps several). ``mirror`` says that the transposed block is finished too.
    """

    kernel: str
    shape: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]
    values: Array
    mirror: bool = False
