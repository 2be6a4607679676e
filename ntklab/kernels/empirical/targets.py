"""Where the tiles of a kernel go: into one array in memory, or tile by tile to a store on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.tiles import Block, Span
from ntklab.progress import Work
from ntklab.results import Gram, Provenance
from ntklab.store import Cell, TileStore

Place = tuple[int, int]

Array = NDArray[np.floating]


class Target(ABC):
    """Takes the parts of a kernel, which may come several times and add up, on the host."""

    limited: bool
    """Whether what is held until the last group of layers had its turn is to be kept small."""

    @property
    @abstractmethod
    def values(self) -> Any:
        """As ``Gram.values``: an array or what reads like one."""

    @abstractmethod
    def checked(self) -> Work[None]:
        """Look at what is there already."""

    @abstractmethod
    def gram(self, about: Provenance, *, symmetric: bool, error: float | None, parts: Mapping[str, Array]) -> Gram:
        """The finished kernel."""

    @abstractmethod
    def cells(self, block: Block) -> Sequence[Block]:
        """Parts of ``block`` that are still to be computed; each is asked for by ``view`` and ends with ``close``."""

    @abstractmethod
    def view(self, cell: Block, rows: Span, columns: Span) -> Tensor:
        """What is held of a part of a cell, in the layout of the form."""

    @abstractmethod
    def mirrored(self, cell: Block, part: Block) -> Tensor | None:
        """What is held of the mirror image of a part of a cell; None where that is not kept."""

    @abstractmethod
    def close(self, cell: Block) -> None:
        """All of ``cell`` is computed, with what lies below the diagonal of a symmetric one."""


class Whole(Target):
    """One array that holds all of the kernel."""

    limited = False

    def __init__(self, form: Form, n1: int, n2: int, dtype: str) -> None:
        self.form = form
        self.store: Array = np.empty(form.store(n1, n2), dtype=dtype)
        self._tensor = torch.from_numpy(self.store)

    def cells(self, block: Block) -> Sequence[Block]:
        return (block,)

    def view(self, cell: Block, rows: Span, columns: Span) -> Tensor:  # noqa: ARG002 (all in one)
        return self.form.view(self._tensor, rows, columns)

    def mirrored(self, cell: Block, part: Block) -> Tensor | None:
        return self.view(cell, part.columns, part.rows) if part.mirror else None

    def close(self, cell: Block) -> None:
        pass

    @property
    def values(self) -> Array:
        return self.form.values(self.store)

    def checked(self) -> Work[None]:
        yield from ()

    def gram(self, about: Provenance, *, symmetric: bool, error: float | None, parts: Mapping[str, Array]) -> Gram:
        return Gram(self.values, about, symmetric=symmetric, error=error, parts=parts)


class Parts:
    """What each layer adds to the mean over outputs: (n1, n2) for each of the names ``layers``."""

    def __init__(self, layers: Sequence[str], n1: int, n2: int, dtype: str) -> None:
        self.arrays: dict[str, Array] = {name: np.zeros((n1, n2), dtype=dtype) for name in layers}

    def clear(self, block: Block) -> None:
        """Before the block is computed, perhaps again."""
        for array in self.arrays.values():
            array[block.row_slice, block.column_slice] = 0
            if block.mirror:
                array[block.column_slice, block.row_slice] = 0

    def add(self, layer: str, rows: Span, columns: Span, values: Tensor, *, mirror: bool) -> None:
        """Add to what a layer has so far for these samples, and to the mirror image."""
        array, more = self.arrays[layer], values.numpy()
        array[slice(*rows), slice(*columns)] += more
        if mirror:
            array[slice(*columns), slice(*rows)] += more.T


class Stored(Target):
    """A store on disk: its tiles are held from when they are begun until they are complete and written.

    Where the work is cut otherwise than the store, a tile of the store is computed in several parts.
    """

    limited = True

    def __init__(self, form: Form, store: TileStore) -> None:
        self.form, self.store = form, store
        self._todo = {cell.place: cell for cell in store.layout if cell.place not in store.log.entries}
        self._begun: dict[Place, _Begun] = {}

    @property
    def values(self) -> Any:
        return self.store.array(cache=0)

    def checked(self) -> Work[None]:
        missing = yield from self.store.verify()
        self._todo = {cell.place: cell for cell in missing}

    def gram(self, about: Provenance, *, symmetric: bool, error: float | None, parts: Mapping[str, Array]) -> Gram:
        assert symmetric == self.store.layout.symmetric
        assert not parts, "a store keeps no parts"
        return self.store.finish(about, error=error)

    def cells(self, block: Block) -> Sequence[Block]:
        edge = self.store.edge
        down, across = (range(a // edge, -(-b // edge)) for a, b in (block.rows, block.columns))
        found = []
        for place in ((i, j) for i in down for j in across):
            if place not in self._todo:
                continue
            cell = self._todo[place]
            part = _common(block, cell.rows, cell.columns)
            if not (place in self._begun and self._begun[place].has(part)):
                found.append(part)
        return found

    def view(self, cell: Block, rows: Span, columns: Span) -> Tensor:
        begun = self._held(cell)
        return self.form.view(begun.tensor, begun.rows_of(rows), begun.columns_of(columns))

    def mirrored(self, cell: Block, part: Block) -> Tensor | None:
        if not part.mirror or not self._held(cell).cell.diagonal:
            return None
        return self.view(cell, part.columns, part.rows)

    def close(self, cell: Block) -> None:
        begun = self._held(cell)
        begun.mark(cell)
        if begun.finished.all():
            self.store.write(begun.cell, self.form.values(begun.tensor.numpy()))
            del self._begun[begun.cell.place], self._todo[begun.cell.place]

    def _held(self, cell: Block) -> _Begun:
        place = cell.rows[0] // self.store.edge, cell.columns[0] // self.store.edge
        if place not in self._begun:
            self._begun[place] = _Begun.empty(self._todo[place], self.form, self.store.layout.dtype)
        return self._begun[place]


@dataclass(frozen=True, eq=False)
class _Begun:
    """A tile of the store that is being computed; ``finished`` (rows, columns) says which pairs are."""

    cell: Cell
    tensor: Tensor
    finished: NDArray[np.bool_]

    @classmethod
    def empty(cls, cell: Cell, form: Form, dtype: str) -> _Begun:
        n1, n2 = (b - a for a, b in (cell.rows, cell.columns))
        tensor = torch.empty(form.store(n1, n2), dtype=getattr(torch, dtype))
        return cls(cell, tensor, np.zeros((n1, n2), dtype=bool))

    def rows_of(self, span: Span) -> Span:
        return span[0] - self.cell.rows[0], span[1] - self.cell.rows[0]

    def columns_of(self, span: Span) -> Span:
        return span[0] - self.cell.columns[0], span[1] - self.cell.columns[0]

    def has(self, part: Block) -> bool:
        return bool(self.finished[slice(*self.rows_of(part.rows)), slice(*self.columns_of(part.columns))].all())

    def mark(self, part: Block) -> None:
        self.finished[slice(*self.rows_of(part.rows)), slice(*self.columns_of(part.columns))] = True
        if self.cell.diagonal:
            self.finished[slice(*self.rows_of(part.columns)), slice(*self.columns_of(part.rows))] = True


def _common(block: Block, rows: Span, columns: Span) -> Block:
    """The part of a block that these rows and columns have."""
    here = max(block.rows[0], rows[0]), min(block.rows[1], rows[1])
    there = max(block.columns[0], columns[0]), min(block.columns[1], columns[1])
    diagonal = block.diagonal and here == there
    return Block(here, there, mirror=block.mirror or (block.diagonal and not diagonal), diagonal=diagonal)
