"""The three forms of a kernel with k outputs, each with its cheapest formula for a tile and its layout in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntklab.errors import SpecError
from ntklab.kernels.empirical.factors import Factor, stages
from ntklab.kernels.empirical.products import inner
from ntklab.kernels.tiles import Span

_ROWS = 112  # rows from which matrix products reach most of their speed
Array = NDArray[np.floating]
Factors = Sequence[Factor]


@dataclass(frozen=True)
class Form(ABC):
    """How ``k`` outputs are kept: the shape of the store, the product of factors in a tile, and where a tile goes."""

    k: int

    @abstractmethod
    def store(self, n1: int, n2: int) -> tuple[int, ...]:
        """Shape of the array that holds the whole kernel."""

    @abstractmethod
    def tile(self, rows: Factors, columns: Factors) -> Tensor:
        """The kernel between two batches of samples, in the layout of the store. No factor is lazy."""

    @abstractmethod
    def view(self, store: Tensor, rows: Span, columns: Span) -> Tensor:
        """The part of ``store`` that holds the samples ``rows`` by ``columns`` (start, stop)."""

    @abstractmethod
    def mirrored(self, tile: Tensor) -> Tensor:
        """The tile of the same samples with rows and columns swapped."""

    @abstractmethod
    def matrix(self, tile: Tensor) -> Tensor:
        """(rows, columns): the mean over outputs of a tile."""

    @abstractmethod
    def values(self, store: Array) -> Array:
        """The store as ``Gram.values``, without copying."""

    @abstractmethod
    def products(self) -> int:
        """Products of cotangents, for one pair of samples."""

    def multiply_adds(self, factor: Factor) -> int:
        """Of one factor, for one pair of samples."""
        if factor.lazy:
            return self.products() * factor.all_gradients // self.k
        return factor.places**2 * (_width(factor.A) + self.products() * _width(factor.B))

    def workspace(self, factor: Factor) -> int:
        """Numbers alive beside the tile, for one pair of samples."""
        pairs = 1 if factor.lazy else factor.places**2
        return 0 if pairs == 1 else pairs * (1 + 2 * prod(self.store(1, 1)))

    @abstractmethod
    def side(self) -> int:
        """Samples on the side of a tile whose products stay in a core's cache."""

    def leaf(self) -> int:
        """Samples on the side of the smallest squares on the diagonal: products of fewer rows are slow."""
        return _ROWS


class _Full(Form):
    """(n1, n2, k, k), stored as the matrix (n1·k, n2·k) that acts on stacked outputs."""

    def store(self, n1: int, n2: int) -> tuple[int, ...]:
        return n1 * self.k, n2 * self.k

    def tile(self, rows: Factors, columns: Factors) -> Tensor:
        n1, n2 = _count(rows), _count(columns)
        like = _any(rows)
        tile: Tensor | None = None
        diagonal: list[Tensor] = []
        for F, G in zip(rows, columns, strict=True):
            if F.places > 1:
                tile = _accumulated(tile, self._over_places(F, G), None)
                continue
            K = _inputs(F, G)
            if F.B is None or G.B is None:
                diagonal.append(like.new_ones(n1, n2) if K is None else K)
                continue
            B = inner(F.B.flatten(0, 1), G.B.flatten(0, 1)).view(n1, self.k, n2 * self.k)
            wide = None if K is None else K.repeat_interleave(self.k, dim=1).unsqueeze(1)
            tile = _accumulated(tile, B, wide)
        if tile is None:
            tile = like.new_zeros(n1, self.k, n2 * self.k)
        for K in diagonal:
            tile.view(n1, self.k, n2, self.k).diagonal(dim1=1, dim2=3).add_(K.unsqueeze(-1))
        return tile.view(n1 * self.k, n2 * self.k)

    def view(self, store: Tensor, rows: Span, columns: Span) -> Tensor:
        return store[rows[0] * self.k : rows[1] * self.k, columns[0] * self.k : columns[1] * self.k]

    def mirrored(self, tile: Tensor) -> Tensor:
        return tile.T

    def matrix(self, tile: Tensor) -> Tensor:
        blocks = tile.view(tile.shape[0] // self.k, self.k, tile.shape[1] // self.k, self.k)
        return blocks.diagonal(dim1=1, dim2=3).mean(-1)

    def values(self, store: Array) -> Array:
        n1, n2 = store.shape[0] // self.k, store.shape[1] // self.k
        return store.reshape(n1, self.k, n2, self.k).transpose(0, 2, 1, 3)

    def products(self) -> int:
        return self.k * self.k

    def side(self) -> int:
        return max(1, 1024 // self.k)

    def leaf(self) -> int:
        return max(1, _ROWS // self.k)

    def _over_places(self, F: Factor, G: Factor) -> Tensor:
        """(n1, k, n2·k)"""
        assert F.B is not None
        assert G.B is not None
        n1, n2, T, S = len(F.B), len(G.B), F.places, G.places
        B = inner(F.B.flatten(0, 2), G.B.flatten(0, 2)).view(n1, self.k, T, n2, self.k, S)
        return B.mul_(_place_inputs(F, G).view(n1, 1, T, n2, 1, S)).sum((2, 5)).view(n1, self.k, n2 * self.k)


class _Diagonal(Form):
    """(n1, n2, k), stored as k matrices (k, n1, n2)."""

    def store(self, n1: int, n2: int) -> tuple[int, ...]:
        return self.k, n1, n2

    def tile(self, rows: Factors, columns: Factors) -> Tensor:
        tile = _any(rows).new_zeros(self.k, _count(rows), _count(columns))
        for F, G in zip(rows, columns, strict=True):
            if F.places > 1:
                self._add_over_places(tile, F, G)
                continue
            K = _inputs(F, G)
            for o in range(self.k):
                if F.B is None or G.B is None:
                    tile[o] += 1.0 if K is None else K
                else:
                    _accumulated(tile[o], inner(F.B[:, o], G.B[:, o]), K)
        return tile

    def view(self, store: Tensor, rows: Span, columns: Span) -> Tensor:
        return store[:, slice(*rows), slice(*columns)]

    def mirrored(self, tile: Tensor) -> Tensor:
        return tile.mT

    def matrix(self, tile: Tensor) -> Tensor:
        return tile.mean(0)

    def values(self, store: Array) -> Array:
        return store.transpose(1, 2, 0)

    def products(self) -> int:
        return self.k

    def side(self) -> int:
        return 512

    def _add_over_places(self, tile: Tensor, F: Factor, G: Factor) -> None:
        assert F.B is not None
        assert G.B is not None
        K = _place_inputs(F, G)
        for o in range(self.k):
            tile[o] += _summed(inner(F.B[:, o].flatten(0, 1), G.B[:, o].flatten(0, 1)).mul_(K), F, G)


class _Mean(Form):
    """(n1, n2): the trace over outputs divided by k. Σ_o B_io·B_jo is one product of rows k·out long."""

    def store(self, n1: int, n2: int) -> tuple[int, ...]:
        return n1, n2

    def tile(self, rows: Factors, columns: Factors) -> Tensor:
        tile: Tensor | None = None
        for F, G in zip(rows, columns, strict=True):
            if F.places > 1:
                tile = _accumulated(tile, _summed(_place_cotangents(F, G).mul_(_place_inputs(F, G)), F, G), None)
                continue
            K = _inputs(F, G)
            if F.B is None or G.B is None:
                B = _any(rows).new_full((_count(rows), _count(columns)), float(self.k))
            else:
                B = inner(F.B.flatten(1), G.B.flatten(1))
            tile = _accumulated(tile, B, K)
        assert tile is not None, "a kernel has at least one factor"
        return tile.div_(self.k)

    def view(self, store: Tensor, rows: Span, columns: Span) -> Tensor:
        return store[slice(*rows), slice(*columns)]

    def mirrored(self, tile: Tensor) -> Tensor:
        return tile.T

    def matrix(self, tile: Tensor) -> Tensor:
        return tile

    def values(self, store: Array) -> Array:
        return store

    def products(self) -> int:
        return self.k

    def side(self) -> int:
        return 512


FORMS: dict[str, type[Form]] = {"full": _Full, "diagonal": _Diagonal, "mean": _Mean}


def form(outputs: str) -> type[Form]:
    """The form named ``outputs``. Raises ``SpecError``."""
    if outputs not in FORMS:
        raise SpecError(f"outputs: expected one of {', '.join(FORMS)}, got {outputs!r}; choose one of them")
    return FORMS[outputs]


def kernel(form: Form, rows: list[Factor], columns: list[Factor], *, most: int = 2**20) -> Tensor:
    """The kernel of a few samples, lazy factors or not; gradients are made ``most`` numbers of a sample at a time."""
    tiles = (form.tile(F, G) for F, G in stages(rows, columns, most))
    total = next(tiles)
    for tile in tiles:
        total += tile
    return total


def _accumulated(total: Tensor | None, B: Tensor, K: Tensor | None) -> Tensor:
    """``total`` + B∘K, in place while the tile is in cache; K None stands for ones."""
    if total is None:
        return B if K is None else B.mul_(K)
    return total.add_(B) if K is None else total.addcmul_(B, K)


def _inputs(F: Factor, G: Factor) -> Tensor | None:
    return None if F.A is None or G.A is None else inner(F.A, G.A, F.offset)


def _place_inputs(F: Factor, G: Factor) -> Tensor:
    """(n1·places, n2·places)"""
    assert F.A is not None
    assert G.A is not None
    return inner(F.A.flatten(0, 1), G.A.flatten(0, 1), F.offset)


def _place_cotangents(F: Factor, G: Factor) -> Tensor:
    """(n1·places, n2·places), summed over outputs: one product of rows k·out long."""
    assert F.B is not None
    assert G.B is not None
    b, c = (B.transpose(1, 2).flatten(2).flatten(0, 1) for B in (F.B, G.B))
    return inner(b, c)


def _summed(K: Tensor, F: Factor, G: Factor) -> Tensor:
    """(n1, n2) from (n1·places, n2·places)"""
    return K.view(len(K) // F.places, F.places, -1, G.places).sum((1, 3))


def _any(factors: Factors) -> Tensor:
    factor = factors[0]
    array = factor.B if factor.A is None else factor.A
    assert array is not None, "a factor has cotangents or inputs"
    return array


def _count(factors: Factors) -> int:
    return len(_any(factors))


def _width(array: Tensor | None) -> int:
    return 0 if array is None else array.shape[-1]
