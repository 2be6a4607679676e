"""How the work is cut so that it keeps within a memory budget and takes the least time; both are stated beforehand.

The factors of all layers for a block of rows are held while blocks of columns pass by. Where the factors of all layers
are too many, groups of layers take turns: each needs a pass of its own through the network, and adds to the tiles. What
is too small a share of the budget costs passes again, so that all cuts that fit are compared by their multiply-adds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ntklab.kernels.budget import require
from ntklab.kernels.empirical.costs import Costs, LayerCost
from ntklab.kernels.tiles import Block, Span, even_edge, spans

_STEP = 1.6e10
"""Multiply-adds of one step times bytes a number: 0.08 s at 100 GFLOP/s in float32, 0.16 s in float64 at half that."""

_SLICE = 16 * 2**20  # bytes of gradients made at a time: more would be given back to the system and asked for again
_SHORTEST = 4096  # numbers of a sample in a slice: with fewer, adding to the tile takes longer than the product
_OVERHEAD = 2e7  # multiply-adds that take as long as what a pass costs whatever its size,
_WEIGHT = 40  # as reading one of its weights,
_TILE_OVERHEAD = 2e6  # as what a tile costs whatever its size, and
_REVISIT = 30  # as adding one number to a tile that left the cache
_NARROWEST = 32  # samples of a block of columns, if memory allows: products of fewer are slow
REMEDY = "ask for outputs='mean', use float32 or fewer samples, or raise memory"


@dataclass(frozen=True)
class Blocks:
    """Pairs of blocks of an (n1, n2) kernel: ``rows`` samples are held while ``columns`` at a time pass by.

    ``symmetric``: both sample sets are the same, so that a block of rows meets itself and what comes after it.
    """

    n1: int
    n2: int
    rows: int
    columns: int
    symmetric: bool = False

    def panels(self) -> Iterator[tuple[Span, tuple[Span, ...]]]:
        """Blocks of rows, each with the blocks of columns that it meets."""
        for rows in spans(self.n1, self.rows):
            yield rows, self.met_by(rows)

    def met_by(self, rows: Span) -> tuple[Span, ...]:
        """Blocks of columns that a block of rows meets."""
        if not self.symmetric:
            return spans(self.n2, self.columns)
        after = tuple((a + rows[1], b + rows[1]) for a, b in spans(self.n2 - rows[1], self.columns))
        return (rows, *after)

    def pair(self, rows: Span, columns: Span) -> Block:
        """The block of these rows and columns."""
        return Block(
            rows, columns, mirror=self.symmetric and rows != columns, diagonal=self.symmetric and rows == columns
        )

    @property
    def whole(self) -> bool:
        """Whether a single pair is all there is."""
        return self.rows >= self.n1 and (self.symmetric or self.columns >= self.n2)

    @property
    def held(self) -> int:
        """Samples whose factors are held at a time."""
        if self.whole and self.symmetric:
            return self.n1
        return min(self.rows, self.n1) + min(self.columns, self.n2)

    def passes(self) -> int:
        """How many samples go through the network, those again counted again."""
        if not self.symmetric:
            return self.n1 + -(-self.n1 // self.rows) * self.n2
        return self.n1 + sum(self.n2 - stop for _, stop in spans(self.n1, self.rows))

    def expansions(self) -> int:
        """How many samples have their lazy factors expanded, those again counted again."""
        return sum((rows[1] - rows[0]) * (columns != rows or not self.symmetric) + columns[1] - columns[0]
                   for rows, met in self.panels() for columns in met)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """``blocks`` of samples, ``groups`` of layers whose factors are held at a time, ``tile`` samples a side of a tile.

    ``chunk`` samples go through the network in one pass; slices of lazy factors have ``slice`` numbers for a sample.
    Multiply-adds of a sample in a pass, of a chunk, of a tile, and in all.
    """

    blocks: Blocks
    groups: tuple[tuple[str, ...], ...]
    chunk: int
    tile: int
    slice: int
    peak_bytes: int
    pass_adds: float
    chunk_adds: float
    tile_adds: float
    multiply_adds: float

    @property
    def passes(self) -> int:
        """How many samples go through the network, those again counted again."""
        return self.blocks.passes() * len(self.groups)


def upper_blocks(start: int, stop: int, leaf: int) -> Iterator[Block]:
    """Blocks that cover the upper triangle of a square, with squares of at most ``leaf`` on its diagonal."""
    if stop - start <= leaf:
        yield Block((start, stop), (start, stop), diagonal=True)
        return
    middle = start + (stop - start + 1) // 2
    yield from upper_blocks(start, middle, leaf)
    yield Block((start, middle), (middle, stop), mirror=True)
    yield from upper_blocks(middle, stop, leaf)


def make_plan(
    n1: int, n2: int | None, cost: Costs, *, side: int, budget: int, edge: int | None = None, copies: int = 1
) -> Plan:
    """Cut the kernel of n1 by n2 samples (None: n1 with itself) into tiles of at most ``side`` and what memory allows.

    With an ``edge`` the kernel is not held, but only squares of so many samples, ``copies`` of one at a time. Raises
    ``MemoryBudgetError`` saying how much would do.
    """
    whole = Blocks(n1, n1 if n2 is None else n2, n1, n1 if n2 is None else n2, n2 is None)
    room = _Room(whole, cost, budget, side, edge, copies)
    best = min((plan for plan in room.plans() if plan is not None), key=lambda plan: plan.multiply_adds, default=None)
    if best is None:
        needed = room.least()
        require(max(needed, budget + 1), budget, f"empirical NTK of {n1} × {whole.n2} samples", REMEDY)
    assert best is not None
    return best


@dataclass(frozen=True)
class _Room:
    """Cuts of the kernel ``whole`` that fit ``budget`` bytes."""

    whole: Blocks
    cost: Costs
    budget: int
    side: int
    edge: int | None
    copies: int

    @property
    def fixed(self) -> int:
        """Bytes that are there whatever the cut."""
        return self.cost.fixed + self._result(self.whole) * self.cost.pair_bytes

    def _result(self, blocks: Blocks) -> int:
        """Pairs of samples whose kernel is held."""
        if self.edge is None:
            return blocks.n1 * blocks.n2
        return self.copies * min(self.edge, max(blocks.n1, blocks.n2)) ** 2

    def _begun(self, groups: Sequence[Group], blocks: Blocks) -> int:
        """Bytes of pairs of blocks that are held until the last group of layers had its turn, in a store."""
        if self.edge is None or len(groups) == 1:
            return 0
        most = max(blocks.rows if blocks.symmetric else 0, blocks.columns)
        return blocks.rows * most * self.cost.pair_bytes

    def plans(self) -> Iterator[Plan | None]:
        """Candidates; None for what does not fit. Fewer groups are always better, if a block is all there is."""
        step = _STEP / self.cost.item
        longest = max(self.whole.n1, self.whole.n2)
        chunk = min(longest, max(1, int(step / self.cost.pass_adds)))
        tile = min(self.side, longest, max(1, math.isqrt(int(step / self._stage_adds()))))
        for groups in _groupings(self.cost.layers):
            found = [self._fitted(groups, c, t) for c in _halves(chunk, 1) for t in _halves(tile, 1)]
            yield from found
            if any(plan is not None and plan.blocks.whole for plan in found):
                return

    def _stage_adds(self) -> float:
        """Multiply-adds of a pair of samples in one step: of all that is kept, or a slice of gradients."""
        layers = self.cost.layers
        whole = sum(layer.adds for layer in layers if not layer.gradients)
        sliced = self._slice(self.whole.held)
        return max(
            1, whole, *(layer.adds * min(1.0, sliced / layer.gradients) for layer in layers if layer.gradients), 1
        )

    def least(self) -> int:
        """Bytes with which the smallest cut fits."""
        groups = [(layer,) for layer in self.cost.layers]
        return self.fixed + self._peak(
            groups, held=2 * (self.edge or 1), chunk=1, tile=1, sliced=_longest_unit(self.cost), partly=True
        )

    def _peak(self, groups: Sequence[Group], *, held: int, chunk: int, tile: int, sliced: int, partly: bool) -> int:
        """Bytes beside what is fixed; ``partly``: chunks are copied into the factors of a block."""
        kept = max(sum(layer.kept for layer in group) for group in groups)
        passing = chunk * (self.cost.passing + (kept if partly else 0))
        return held * kept + max(self.cost.tile_bytes(tile) + held * sliced * self.cost.item, passing)

    def _fitted(self, groups: Sequence[Group], chunk: int, tile: int) -> Plan | None:
        whole, cost = self.whole, self.cost
        sliced = self._slice(whole.held)
        free = self.budget - self.fixed
        if (
            self._peak(groups, held=whole.held, chunk=chunk, tile=tile, sliced=sliced, partly=chunk < whole.held)
            <= free
        ):
            return self._plan(groups, whole, chunk, tile, sliced)
        sliced = min(sliced, max(_SHORTEST, _longest_unit(cost)))
        alone = self._peak(groups, held=0, chunk=chunk, tile=tile, sliced=0, partly=True)
        each = self._peak(groups, held=1, chunk=0, tile=0, sliced=sliced, partly=True)
        blocks = self._cut((free - alone) // each)
        if blocks is None or blocks.held * each + alone + self._begun(groups, blocks) > free:
            return None
        return self._plan(groups, blocks, chunk, tile, sliced)

    def _cut(self, most: int) -> Blocks | None:
        """Blocks of which ``most`` samples are held at a time: many rows, so that fewer columns pass by again."""
        whole, edge = self.whole, self.edge or 1
        if most < 2 * edge:
            return None
        columns = min(whole.n2, max(most // 8, min(_NARROWEST, most // 2)))
        columns = max(edge, columns // edge * edge)
        rows = min(whole.n1, max(edge, (most - columns) // edge * edge))
        if self.edge is not None:
            return replace(whole, rows=rows, columns=min(columns, whole.n2))
        columns = even_edge(whole.n2, min(whole.n2, most - rows)) if rows == whole.n1 else columns
        return replace(whole, rows=even_edge(whole.n1, rows), columns=columns)

    def _slice(self, held: int) -> int:
        """Numbers of a sample in a slice of gradients, if memory allows."""
        longest, unit = max(layer.gradients for layer in self.cost.layers), _longest_unit(self.cost)
        return min(longest, max(unit, _SHORTEST, _SLICE // (self.cost.item * held)))

    def _plan(self, groups: Sequence[Group], blocks: Blocks, chunk: int, tile: int, sliced: int) -> Plan:
        cost = self.cost
        tile, chunk = min(tile, max(blocks.rows, blocks.columns)), min(chunk, max(blocks.rows, blocks.columns))
        tile = even_edge(max(blocks.rows, blocks.columns), tile)
        partly = chunk < max(blocks.rows, blocks.columns)
        peak = self._peak(groups, held=blocks.held, chunk=chunk, tile=tile, sliced=sliced, partly=partly)
        plan = Plan(
            blocks, tuple(tuple(layer.name for layer in group) for group in groups), chunk, tile, sliced,
            peak_bytes=self.fixed + peak + self._begun(groups, blocks), pass_adds=cost.pass_adds,
            chunk_adds=chunk * cost.pass_adds, tile_adds=tile * tile * self._stage_adds(), multiply_adds=0.0,
        )  # fmt: skip
        return replace(plan, multiply_adds=_work(plan, cost))


Group = Sequence[LayerCost]


def _work(plan: Plan, cost: Costs) -> float:
    """Multiply-adds of a plan, with what takes as long as so many."""
    blocks, n1, n2 = plan.blocks, plan.blocks.n1, plan.blocks.n2
    pairs = n1 * (n1 + 1) / 2 if blocks.symmetric else n1 * n2
    products = pairs * cost.pair_adds
    expansion = sum(layer.expansion for layer in cost.layers)
    slices = sum(-(-layer.gradients // max(1, plan.slice)) for layer in cost.layers)
    visits = len(plan.groups) + slices - 1
    tiles = pairs / plan.tile**2 * (len(cost.layers) + slices) * _TILE_OVERHEAD
    passes = plan.passes * (cost.pass_adds + (_OVERHEAD + _WEIGHT * cost.weights) / plan.chunk)
    expanded = blocks.expansions() * expansion if expansion else 0
    return products + passes + expanded + tiles + visits * pairs * _REVISIT * cost.cell / cost.item


def _groupings(layers: Sequence[LayerCost]) -> Iterator[list[Group]]:
    """Layers in order in one group, in two, in more: as equal in memory as can be."""
    count = 1
    while count < len(layers):
        yield _in_groups(layers, count)
        count += 1 + count // 4
    yield [(layer,) for layer in layers]


def _in_groups(layers: Sequence[LayerCost], count: int) -> list[Group]:
    """At most ``count`` groups of neighbours, the largest as small as can be."""
    low, high = max(layer.kept for layer in layers), sum(layer.kept for layer in layers)
    while low < high:
        middle = (low + high) // 2
        if len(_filled(layers, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    return _filled(layers, low)


def _filled(layers: Sequence[LayerCost], most: int) -> list[Group]:
    """Groups of neighbours of at most ``most`` bytes."""
    groups: list[list[LayerCost]] = [[]]
    size = 0
    for layer in layers:
        if groups[-1] and size + layer.kept > most:
            groups.append([])
            size = 0
        groups[-1].append(layer)
        size += layer.kept
    return [tuple(group) for group in groups]


def _halves(count: int, least: int) -> Iterator[int]:
    yield count
    while count > least:
        count = (count + 1) // 2
        yield count


def _longest_unit(cost: Costs) -> int:
    return max((layer.unit for layer in cost.layers), default=0)
