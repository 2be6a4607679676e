"""What the recursion carries: a tile of covariances between samples, and what is known of each sample alone.

For samples x, x' and the units u = z(x), v = z(x') of a layer: the NNGP covariance S = E[u v], the tangent kernel T,
and the diagonals q = E[u²], t = T(x, x). Diagonals are carried on their own, in float64 and in closed form: the pair
formulas lose half the digits where two samples coincide, so no diagonal entry is ever computed through them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntklab.kernels.tiles import Block


@dataclass(frozen=True)
class Samples:
    """Each sample alone, all of x1 and then all of x2: ``q`` and ``t`` (n,) float64.

    ``width`` is the number of units of the finite layer (the standard parameterisation depends on it). ``gaussian``:
    the units are jointly Gaussian, as they are after a dense layer.
    """

    q: Tensor
    t: Tensor
    width: float
    gaussian: bool = False


@dataclass(frozen=True)
class State:
    """A tile: ``nngp`` S and ``ntk`` T, both (rows, columns); T is None while it is zero or not asked for.

    Steps own the tensors they are given and may overwrite them.
    """

    nngp: Tensor
    ntk: Tensor | None
    block: Block

    def clone(self) -> State:
        """A copy that can be overwritten without harm to this one."""
        return replace(self, nngp=self.nngp.clone(), ntk=None if self.ntk is None else self.ntk.clone())

    def settled(self, samples: Samples) -> State:
        """The same with the exact diagonals of ``samples``, where the tile pairs each sample with itself."""
        if self.block.diagonal:
            rows = self.block.row_slice
            self.nngp.diagonal().copy_(samples.q[rows])
            if self.ntk is not None:
                self.ntk.diagonal().copy_(samples.t[rows])
        return self


@dataclass(frozen=True)
class Cost:
    """What a step needs: ``nanoseconds`` a pair on one thread, ``buffers`` tile-sized temporaries at the same time,
    ``table`` bytes a sample that stay for the whole run; and the relative ``error`` it makes beyond rounding."""

    nanoseconds: float = 0.0
    buffers: int = 0
    table: int = 0
    error: float = 0.0

    def then(self, other: Cost) -> Cost:
        """The cost of this step followed by ``other``."""
        return Cost(
            self.nanoseconds + other.nanoseconds,
            max(self.buffers, other.buffers),
            self.table + other.table,
            self.error + other.error,
        )


@dataclass(frozen=True)
class Step:
    """A layer bound to the samples: ``run`` takes a tile through it, ``after`` is each sample behind it."""

    run: Callable[[State], State]
    after: Samples
    cost: Cost = Cost()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """The request as the rules see it: ``n1`` rows; columns are the same samples where ``symmetric``, else the rest.

    ``probe``: only the cost is asked for, so errors need not be measured.
    """

    n1: int
    symmetric: bool
    ntk: bool
    dtype: torch.dtype
    device: torch.device
    probe: bool = False

    def sides(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """A table (m, n) of numbers for each sample as those of rows and of columns, in the dtype of the tiles."""
        cast = table.to(device=self.device, dtype=self.dtype)
        left = cast[:, : self.n1].contiguous()
        return left, left if self.symmetric else cast[:, self.n1 :].contiguous()
