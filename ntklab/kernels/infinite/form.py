"""What is tracked of the units of a layer, known before any sample goes through it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Form:
    """``sizes`` of the spatial axes (() for vectors); ``crossed``: every pair of positions is tracked, not only each
    position with itself, but on the first ``level`` axes only pairs of a given offset are.

    ``width`` is the number of units of the finite layer at each position (the standard parameterisation depends on it).
    ``gaussian``: the units are jointly Gaussian, as they are after a layer with weights. ``masks`` (*sizes, n) is true
    where a position of a sample is masked, None where none are.
    """

    sizes: tuple[int, ...] = ()
    crossed: bool = False
    level: int = 0
    width: float = 1.0
    gaussian: bool = False
    masks: Tensor | None = field(default=None, compare=False)

    @property
    def positions(self) -> int:
        """Number of positions, 1 for vectors."""
        return prod(self.sizes)

    @property
    def leading(self) -> tuple[int, ...]:
        """Sizes of the axes on which positions are not crossed; in tiles they stand before the batch."""
        return self.sizes[: self.level] if self.crossed else self.sizes

    @property
    def trailing(self) -> tuple[int, ...]:
        """Sizes of the axes on which they are; in tiles they stand behind the batch, twice."""
        return self.sizes[len(self.leading) :]

    @property
    def entries(self) -> int:
        """Numbers tracked for each pair of samples."""
        return prod(self.leading) * prod(self.trailing) ** 2

    def but(self, **changes: Any) -> Form:
        """The same with ``changes``; vectors have no pairs of positions to cross."""
        form = replace(self, **changes)
        return form if form.trailing or not form.crossed else replace(form, crossed=False)
