"""How the work is cut so that it keeps within a memory budget and no step lasts long; both are stated beforehand."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch

from ntklab.kernels.budget import WORKSPACE, require
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.empirical.products import inner
from ntklab.kernels.empirical.routes.route import Needs
from ntklab.kernels.tiles import Block, TilePlan, even_edge

_STEP = 1.6e10
"""Multiply-adds of one step times bytes a number: 0.08 s at 100 GFLOP/s in float32, 0.16 s in float64 at half that."""

_WORTH_TIMING = 2e9  # multiply-adds from which measuring the machine's speed is worth its time
_EFFICIENCY = 0.7  # of that speed that the whole reaches
REMEDY = "ask for outputs='mean', use float32 or fewer samples, or raise memory"


@dataclass(frozen=True)
class Costs:
    """Of one module and form: bytes and multiply-adds, per sample unless said otherwise.

    ``item`` bytes of one number, ``fixed`` bytes for inputs, parameters and work space; ``kept`` bytes of the factors,
    ``passing`` bytes alive while a sample goes through the network; ``cell`` bytes of one pair of samples in the
    result, ``workspace`` bytes of one in a tile beside it. ``pass_adds`` of a forward and backward pass, ``pair_adds``
    of one pair of samples in a tile.
    """

    item: int
    fixed: int
    kept: int
    passing: int
    cell: int
    workspace: int
    pass_adds: int
    pair_adds: int

    def tile_bytes(self, side: int) -> int:
        """Alive while a tile is computed: the sum, and the two products of the next layer."""
        return side * side * (3 * self.cell + self.workspace)


@dataclass(frozen=True)
class Plan:
    """Two levels of tiles: ``blocks`` of samples whose factors are held at a time, ``tile`` samples a side within one.

    ``chunk`` samples go through the network in one pass. Multiply-adds of a sample in a pass, of a chunk, of a tile,
    and in all.
    """

    blocks: TilePlan
    chunk: int
    tile: int
    peak_bytes: int
    pass_adds: float
    chunk_adds: float
    tile_adds: float
    multiply_adds: float

    def tiles(self, block: Block) -> TilePlan:
        """The tiles of a pair of blocks, counted from its first row and column."""
        return TilePlan(*block.shape, self.tile, symmetric=block.diagonal)

    def count(self) -> int:
        """Number of tiles."""
        return sum(len(self.tiles(block)) for block in self.blocks)


def upper_blocks(start: int, stop: int, leaf: int) -> Iterator[Block]:
    """Blocks that cover the upper triangle of a square, with squares of at most ``leaf`` on its diagonal."""
    if stop - start <= leaf:
        yield Block((start, stop), (start, stop), diagonal=True)
        return
    middle = start + (stop - start + 1) // 2
    yield from upper_blocks(start, middle, leaf)
    yield Block((start, middle), (middle, stop), mirror=True)
    yield from upper_blocks(middle, stop, leaf)


def costs(factors: Sequence[Factor], needs: Needs, form: Form, *, item: int, inputs: int) -> Costs:
    """From the factors of one sample; a number has ``item`` bytes, all samples together ``inputs`` numbers."""
    kept = sum(part.numel() for factor in factors for part in (factor.A, factor.B) if part is not None)
    return Costs(
        item=item,
        fixed=WORKSPACE + item * (needs.weights + inputs),
        kept=item * max(1, kept),
        passing=item * needs.passing,
        cell=item * prod(form.store(1, 1)),
        workspace=item * max((form.workspace(factor) for factor in factors), default=0),
        pass_adds=max(1, needs.forward + form.k * needs.backward),
        pair_adds=max(1, sum(form.multiply_adds(factor) for factor in factors)),
    )


def make_plan(n1: int, n2: int | None, cost: Costs, *, side: int, budget: int) -> Plan:
    """Cut the kernel of n1 by n2 samples (None: n1 with itself) into tiles of at most ``side`` and what memory allows.

    Raises ``MemoryBudgetError`` saying how much would do.
    """
    symmetric, n2 = n2 is None, n1 if n2 is None else n2
    longest, result, step = max(n1, n2), n1 * n2 * cost.cell, _STEP / cost.item
    free = budget - cost.fixed - result
    tile = min(side, longest, max(1, math.isqrt(int(step / cost.pair_adds))))
    tile = _fitted(tile, cost.tile_bytes, free // 4)
    chunk = min(longest, max(1, int(step / cost.pass_adds)))
    chunk = _fitted(chunk, lambda samples: samples * (cost.passing + cost.kept), free // 4)
    working = max(cost.tile_bytes(tile), chunk * (cost.passing + cost.kept))
    block, held = _block(n1, n2, symmetric=symmetric, most=(free - working) // cost.kept)
    if block < 1:
        needed = cost.fixed + result + 2 * cost.kept + 4 * working
        require(max(needed, budget + 1), budget, f"empirical NTK of {n1} × {n2} samples", REMEDY)
    tile, chunk = even_edge(block, tile), min(chunk, block)
    working = max(cost.tile_bytes(tile), chunk * (cost.passing + (cost.kept if chunk < block else 0)))
    pairs = n1 * (n1 + 1) / 2 if symmetric else n1 * n2
    return Plan(
        TilePlan(n1, n2, block, symmetric), chunk, tile,
        peak_bytes=cost.fixed + result + held * cost.kept + working,
        pass_adds=cost.pass_adds,
        chunk_adds=chunk * cost.pass_adds,
        tile_adds=tile * tile * cost.pair_adds,
        multiply_adds=_passes(n1, n2, block, symmetric=symmetric) * cost.pass_adds + pairs * cost.pair_adds,
    )  # fmt: skip


def _block(n1: int, n2: int, *, symmetric: bool, most: int) -> tuple[int, int]:
    """Samples of a block, and held in all, when factors of ``most`` samples fit: of all, else of a row and a column."""
    wanted = n1 if symmetric else n1 + n2
    if most >= wanted:
        return max(n1, n2), wanted
    block = even_edge(max(n1, n2), most // 2) if most >= 2 else 0
    return block, 2 * block


def _passes(n1: int, n2: int, block: int, *, symmetric: bool) -> float:
    """How many samples go through the network, those again counted again."""
    rows = -(-n1 // block)
    if not symmetric:
        return n1 + rows * n2
    return n1 + block * rows * (rows - 1) / 2


def _fitted(count: int, size: Callable[[int], int], limit: int) -> int:
    while count > 1 and size(count) > limit:
        count = (count + 1) // 2
    return count


def seconds(multiply_adds: float, dtype: torch.dtype, device: torch.device) -> float:
    """About how long the work takes here: measured on a small product where the work is long enough to ask."""
    if multiply_adds < _WORTH_TIMING:
        return multiply_adds / 20e9
    X = torch.ones(128, 2048, dtype=dtype, device=device)
    best = math.inf
    for _ in range(2):
        start = time.perf_counter()
        float(inner(X, X)[0, 0])  # reading a number waits for the device
        best = min(best, time.perf_counter() - start)
    return multiply_adds / (len(X) * X.numel() / best * _EFFICIENCY)
