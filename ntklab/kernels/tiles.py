"""Kernels in tiles: which blocks to compute, how large, and how they become one matrix.

A symmetric kernel is computed on its upper triangle of tiles and mirrored once; any other kernel on all tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ntklab.results import Tile

Span = tuple[int, int]
Array = NDArray[np.floating]


@dataclass(frozen=True)
class Block:
    """Rows and columns (start, stop) of one tile. ``mirror``: its transpose is part of the kernel too and follows."""

    rows: Span
    columns: Span
    mirror: bool = False
    diagonal: bool = False

    @property
    def row_slice(self) -> slice:
        """The rows as an index."""
        return slice(*self.rows)

    @property
    def column_slice(self) -> slice:
        """The columns as an index."""
        return slice(*self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the tile."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def quarters(self) -> tuple[Block, ...]:
        """The same in up to four parts, of a symmetric tile those on and above its diagonal."""
        rows, columns = (spans(b - a, -(-(b - a) // 2)) for a, b in (self.rows, self.columns))
        parts = [
            ((r[0] + self.rows[0], r[1] + self.rows[0]), (c[0] + self.columns[0], c[1] + self.columns[0]))
            for r in rows for c in columns
        ]  # fmt: skip
        if not self.diagonal:
            return tuple(Block(r, c, mirror=self.mirror) for r, c in parts)
        return tuple(Block(r, c, mirror=c != r, diagonal=c == r) for r, c in parts if c[0] >= r[0])


@dataclass(frozen=True)
class TilePlan:
    """The tiles of an (n1, n2) kernel, row by row; each at most ``edge`` by ``edge`` samples.

    ``symmetric``: both sample sets are the same, so only tiles on and above the diagonal are computed.
    """

    n1: int
    n2: int
    edge: int
    symmetric: bool = False

    def __iter__(self) -> Iterator[Block]:
        for rows in spans(self.n1, self.edge):
            for columns in spans(self.n2, self.edge):
                if not self.symmetric:
                    yield Block(rows, columns)
                elif columns[0] >= rows[0]:
                    yield Block(rows, columns, mirror=columns != rows, diagonal=columns == rows)

    def __len__(self) -> int:
        down, across = -(-self.n1 // self.edge), -(-self.n2 // self.edge)
        return down * (down + 1) // 2 if self.symmetric else down * across


def spans(count: int, edge: int) -> tuple[Span, ...]:
    """(start, stop) pairs that cut ``count`` into pieces of ``edge``, the last one shorter."""
    return tuple((start, min(start + edge, count)) for start in range(0, count, edge))


def fitting_edge(free_bytes: int, bytes_per_pair: float, *, bytes_per_sample: float = 0.0, most: int = 256) -> int:
    """The largest tile edge up to ``most`` whose working memory fits ``free_bytes``; 0 if not even a single pair does.

    A tile of edge e is taken to need e²·``bytes_per_pair`` + 2e·``bytes_per_sample``. ``most`` keeps a tile in cache
    and well below 0.2 s.
    """
    p, s = max(bytes_per_pair, 1e-9), 2 * bytes_per_sample
    largest = ((s * s + 4 * p * max(free_bytes, 0)) ** 0.5 - s) / (2 * p)
    return max(0, min(most, int(largest)))


def even_edge(count: int, edge: int) -> int:
    """An edge of at most ``edge`` that cuts ``count`` into the same number of tiles, as equal as can be."""
    pieces = max(1, -(-count // edge))
    return max(1, -(-count // pieces))


def edge_for_seconds(seconds_per_pair: float, limit: float = 0.05) -> int:
    """The tile edge that keeps one tile below ``limit`` seconds, at least 1."""
    return max(1, isqrt(int(limit / max(seconds_per_pair, 1e-12))))


class Assembly:
    """Fills a preallocated kernel (n1, n2, *outputs) tile by tile; ``values`` is complete when every tile was put.

    ``outputs`` is () for one number a pair, (k,) for the output diagonal, (k, k) for all output pairs, (H, H, W, W) for
    all pairs of positions: then the mirror image of a tile swaps those too.
    """

    def __init__(self, kernel: str, plan: TilePlan, dtype: str, outputs: tuple[int, ...] = ()) -> None:
        self.kernel = kernel
        self.plan = plan
        self.values: Array = np.empty((plan.n1, plan.n2, *outputs), dtype=dtype)

    def put(self, block: Block, values: Array) -> Tile:
        """Store a tile (rows, columns, *outputs), mirror it where the plan says so, and return it for drawing."""
        target = self.values[block.row_slice, block.column_slice]
        target[...] = values
        flipped = (1, 0, *swapped(target.ndim - 2))
        if block.diagonal:
            lower = np.tril_indices(target.shape[0], -1)
            target[lower] = target.transpose(flipped)[lower]
        if block.mirror:
            self.values[block.column_slice, block.row_slice] = target.transpose(flipped)
        return Tile(
            self.kernel, (self.plan.n1, self.plan.n2), block.rows, block.columns, _shown(target), mirror=block.mirror
        )


def swapped(axes: int) -> tuple[int, ...]:
    """The axes behind rows and columns in the mirror image: neighbours change places, a single axis stays."""
    return tuple(2 + (i ^ 1) for i in range(axes)) if axes % 2 == 0 else (2,)


def _shown(values: Array) -> Array:
    """(rows, columns): the mean over the outputs kept, each with itself."""
    if values.ndim == 3:
        return np.asarray(values.mean(axis=-1))
    while values.ndim > 2:
        values = np.trace(values, axis1=2, axis2=3) / values.shape[2]
    return np.asarray(values)
