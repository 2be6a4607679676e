"""A kernel on disk as an array that reads only the tiles it is asked for."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ntklab.errors import FileError
from ntklab.progress import Progress, Work, drain
from ntklab.results import Health
from ntklab.results.stored import StoredValues
from ntklab.store import chunks, indexing, overview
from ntklab.store.layout import Layout, Place
from ntklab.store.log import TileLog
from ntklab.store.overview import Image

Array = NDArray[np.floating]
CACHE = 64 * 2**20  # bytes of tiles that are kept for the next question


class Tiles:
    """Reads the tiles of the array in ``folder``, keeping the last ones up to ``cache`` bytes (one at least).

    Safe to use from several threads. ``means``: the array holds the means over outputs.
    """

    def __init__(self, folder: Path, log: TileLog, layout: Layout, *, means: bool = False, cache: int = CACHE) -> None:
        self.folder = folder
        self.log = log
        self.layout = layout
        self._means = means
        self._room = max(1, cache // layout.tile_bytes)
        self._kept: OrderedDict[Place, tuple[int, Array]] = OrderedDict()
        self._lock = Lock()

    def read(self, place: Place) -> Array | None:
        """The tile at ``place``, in the lower triangle of a symmetric kernel too; None if it is not computed.

        Raises ``FileError`` for a tile that is damaged.
        """
        if self.layout.symmetric and place[0] > place[1]:
            tile = self.read((place[1], place[0]))
            return None if tile is None else mirrored(tile)
        entry = self.log.entries.get(place)
        checksum = None if entry is None else entry.mean if self._means else entry.crc
        if checksum is None:
            return None
        with self._lock:
            kept = self._kept.get(place)
            if kept is not None and kept[0] == checksum:
                self._kept.move_to_end(place)
                return kept[1]
        tile = self.load(place, checksum)
        with self._lock:
            self._kept[place] = checksum, tile
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        return tile

    def load(self, place: Place, checksum: int) -> Array:
        """The tile from the disk. Raises ``FileError`` if it is not the one with this ``checksum``."""
        layout, cell = self.layout, self.layout.cell(place)
        path, chunk = self.folder / layout.file_name(place), (layout.edge, layout.edge, *layout.kept)
        try:
            whole = chunks.read(path, chunk, layout.dtype, checksum=checksum)
        except FileError as error:
            remedy = "run the same request with this store, which computes the tile again"
            raise chunks.DamagedError(f"{error}; {remedy}") from error
        whole.flags.writeable = False
        return whole[: cell.rows[1] - cell.rows[0], : cell.columns[1] - cell.columns[0]]


def mirrored(tile: Array) -> Array:
    """The tile on the other side of the diagonal: Θ[j, i, p, o] = Θ[i, j, o, p]."""
    return tile.transpose((1, 0, 3, 2) if tile.ndim == 4 else (1, 0, 2)[: tile.ndim])


class LazyArray(ABC):
    """What numpy needs of an array, from tiles of ``edge`` rows and columns along its first two axes.

    Indices are integers, slices, one array of integers or truth values, or ``numpy.ix_`` of two; the result is an
    ordinary array, as is a product with one. ``numpy.asarray`` loads everything. Entries that are not
    computed are NaN. Reading raises ``FileError`` where a tile is damaged.
    """

    shape: tuple[int, ...]
    edge: int
    dtype: np.dtype[np.floating]
    layout: Layout

    @abstractmethod
    def tile(self, place: Place) -> Array | None:
        """The tile in row and column ``place`` of tiles; None if it is not computed."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory that all entries take once they are loaded."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        for i in range(len(self)):
            yield self[i]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shape} {self.dtype} in tiles of {self.edge}>"

    def __getitem__(self, index: Any) -> Any:
        rows, columns, rest = indexing.split(index, self.shape)
        found = np.empty((len(rows), len(columns), *self.shape[2:]), dtype=self.dtype)
        for i, down, from_rows in indexing.groups(rows, self.edge):
            for j, across, from_columns in indexing.groups(columns, self.edge):
                tile = self.tile((i, j))
                target = indexing.pair(down, across)
                found[target] = np.nan if tile is None else tile[indexing.pair(from_rows, from_columns)]
        return found[rest]

    def product(self, V: Array) -> Work[NDArray[np.float64]]:
        """The product of a kernel (n1, n2) with V (n2, m); each tile is read once, and yields ``Progress``.

        Tiles are multiplied in their own precision and added in float64. Raises ``FileError`` for a damaged tile.
        """
        right, total = V.astype(self.dtype, copy=False), np.zeros((len(self), V.shape[1]))
        for number, cell in enumerate(self.layout):
            tile = self.tile(cell.place)
            i, j = (slice(at * self.edge, (at + 1) * self.edge) for at in cell.place)
            total[i] += np.nan if tile is None else tile @ right[j]
            if cell.mirror:
                total[j] += np.nan if tile is None else tile.T @ right[i]
            yield Progress(number + 1, len(self.layout), "tiles")
        return total

    def __matmul__(self, other: Any) -> NDArray[np.float64]:
        """The product of a kernel (n1, n2) with (n2,) or (n2, m); see ``product``."""
        right = np.asarray(other)
        found = drain(self.product(right.reshape(len(right), -1)))
        return found.reshape(len(self), *right.shape[1:])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("a stored kernel cannot be an array without a copy; leave copy out")
        found: Array = self[...]
        return found if dtype is None else found.astype(dtype, copy=False)


class StoredKernel(LazyArray, StoredValues):
    """The values of a stored kernel, (n1, n2), (n1, n2, k) or (n1, n2, k, k); its ``Gram`` has them as ``values``."""

    def __init__(self, tiles: Tiles, means: Tiles) -> None:
        self._tiles = tiles
        self._means = means
        self.layout = tiles.layout
        self.shape = tiles.layout.shape
        self.edge = tiles.layout.edge
        self.dtype = np.dtype(tiles.layout.dtype)

    def tile(self, place: Place) -> Array | None:
        """The tile with its outputs; None if it is not computed."""
        return self._tiles.read(place)

    @cached_property
    def matrix(self) -> StoredKernel:
        """(n1, n2): the values themselves, or the means over the output diagonal, which are stored beside them."""
        return self if self.ndim == 2 else StoredKernel(self._means, self._means)

    @cached_property
    def operator(self) -> LazyArray:
        """The square matrix that acts on stacked outputs: see ``Gram.operator``."""
        return StackedKernel(self) if self.ndim == 4 else self.matrix

    @property
    def health(self) -> Health:
        """Of the kernel, from what was noted of each tile when it was written: reads nothing.

        Entries that are not computed count as bad.
        """
        layout, entries = self._tiles.layout, self._tiles.log.entries
        each, bad, stored = prod(layout.kept), 0, 0
        for entry in entries.values():
            cell = layout.cell(entry.place)
            times = 2 if cell.mirror else 1
            bad += times * entry.bad
            stored += times * (cell.rows[1] - cell.rows[0]) * (cell.columns[1] - cell.columns[0])
        bad += (layout.shape[0] * layout.shape[1] - stored) * each
        asymmetry, largest = (
            max((getattr(entry, name) for entry in entries.values()), default=0.0) for name in ("asymmetry", "largest")
        )
        return Health(0.0 if bad else asymmetry / (largest or 1.0), bad, layout.dtype)

    @property
    def missing(self) -> int:
        """Tiles that are not computed."""
        return len(self._tiles.layout) - len(self._tiles.log.entries)

    @property
    def tile_count(self) -> int:
        """Tiles in all; of a symmetric kernel those on and above the diagonal."""
        return len(self._tiles.layout)

    @property
    def overview_step(self) -> int:
        """Entries a side that a number of the ``overview`` stands for, a power of 2."""
        return overview.factor(*self.shape[:2])

    @property
    def overview(self) -> Image:
        """(h, w) float32, at most 1024 each: means over squares of ``overview_step`` entries, NaN where none is there.

        One small file, written while the kernel is computed, all NaN before. Raises ``FileError`` if it is damaged.
        """
        path, size = self._tiles.folder.parent / "overview" / "c.0.0", overview.size(*self.shape[:2])
        if self.missing and not os.path.lexists(path):
            return np.full(size, np.nan, dtype=np.float32)
        image: Image = chunks.read(path, size, "float32")
        return image


class StackedKernel(LazyArray):
    """A kernel (n1, n2, k, k) as (n1·k, n2·k) with index i·k + output."""

    def __init__(self, kernel: StoredKernel) -> None:
        n1, n2, k, _ = kernel.shape
        self._kernel = kernel
        self.shape = n1 * k, n2 * k
        self.layout = kernel.layout
        self.edge = kernel.edge * k
        self.dtype = kernel.dtype

    def tile(self, place: Place) -> Array | None:
        """The tile, rearranged."""
        tile = self._kernel.tile(place)
        if tile is None:
            return None
        rows, columns, k, _ = tile.shape
        return tile.transpose(0, 2, 1, 3).reshape(rows * k, columns * k)
