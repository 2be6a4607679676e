"""Where the tiles of a kernel go: into one array in memory, or tile by tile to a store on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.tiles import Block, Span

Array = NDArray[np.floating]


class Target(ABC):
    """Takes the parts of a kernel, which may come several times and add up, on the host."""

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
        """As ``Gram.values``."""
        return self.form.values(self.store)


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
