"""Computes a kernel as planned, in blocks, groups of layers and tiles; in smaller ones where memory cannot be had."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isqrt

from torch import Tensor

from ntklab.errors import DeviceError, MemoryBudgetError, NtkLabError
from ntklab.kernels.budget import is_allocation, release
from ntklab.kernels.empirical.factors import Factor, stage_count, stages
from ntklab.kernels.empirical.finite import NotFinite
from ntklab.kernels.empirical.foreign import naming
from ntklab.kernels.empirical.forms import Form
from ntklab.kernels.empirical.outbox import Outbox
from ntklab.kernels.empirical.plan import REMEDY, Plan, upper_blocks
from ntklab.kernels.empirical.subject import Subject
from ntklab.kernels.empirical.targets import Parts, Target
from ntklab.kernels.threads import threads_for
from ntklab.kernels.tiles import Block, Span, TilePlan, even_edge, spans
from ntklab.progress import Event, Partial, Progress, Work
from ntklab.results import Tile

_PASSES, _TILES, _SMALLER = "cotangents", "tiles", "memory could not be had: going on with smaller pieces"
_LEAF = 1e7  # multiply-adds of a product that takes longer than what is around it
_ALLOCATION = (MemoryError, RuntimeError)  # torch's CPU allocator raises a plain RuntimeError


@dataclass(frozen=True, eq=False)
class Job:
    """Who is asked, for what, and how the work is cut. ``x2`` is ``x1`` for a symmetric kernel."""

    asked: Subject
    form: Form
    plan: Plan
    x1: Tensor
    x2: Tensor


@dataclass(frozen=True, eq=False)
class _Stage:
    """Factors of a pair of blocks whose kernels are added up; ``first`` and ``last`` for its tiles."""

    block: Block
    rows: list[Factor]
    columns: list[Factor]
    first: bool = True
    last: bool = True
    share: float = 1.0

    def sides(self, part: Block) -> tuple[list[Factor], list[Factor]]:
        """The factors of a part of the block."""
        i, j = self.block.rows[0], self.block.columns[0]
        rows, columns = slice(part.rows[0] - i, part.rows[1] - i), slice(part.columns[0] - j, part.columns[1] - j)
        return [F[rows] for F in self.rows], [G[columns] for G in self.columns]


@dataclass(eq=False)
class Run:
    """The work on a job into ``target`` and ``parts``; ``notes`` are what a reader must know of how it went."""

    job: Job
    target: Target
    parts: Parts | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan, blocks = self.job.plan, self.job.plan.blocks
        self.groups, self.chunk, self.edge = plan.groups, plan.chunk, plan.tile
        self.total, _ = tile_count(plan, self.target)
        self.area, self.share = sum(map(_pairs_in, _cells_of(plan, self.target))), 0.0
        self.bad = NotFinite(blocks.n1, blocks.n2, symmetric=blocks.symmetric)
        self.outbox = Outbox(self.job.asked.device)

    def work(self) -> Work[None]:
        """Compute every tile. Raises ``MemoryBudgetError`` or ``DeviceError`` when no piece can be made smaller."""
        for rows, met in self.job.plan.blocks.panels():
            if self.target.limited and len(self.groups) > 1:  # so that few tiles wait for the last group
                for columns in met:
                    yield from self._panel(rows, (columns,))
            else:
                yield from self._panel(rows, met)
        yield Progress(self.total, self.total, _TILES)

    def remarks(self) -> tuple[str, ...]:
        """Notes on how it went, and on numbers that are not finite."""
        said = self.bad.said()
        return (*self.notes, said) if said else tuple(self.notes)

    def spared(self, act: Callable[[], float]) -> float | None:
        """What ``act`` gives, or None where there is no memory for it."""
        try:
            return act()
        except _ALLOCATION as error:
            if not _out_of_memory(error):
                raise
        self._say_smaller("the error of float32 was not measured")
        return None

    def _panel(self, rows: Span, met: Sequence[Span]) -> Work[None]:
        """Compute a block of rows with all blocks of columns that it meets; with halves of them where that fails."""
        left = deque(columns for columns in met if self.target.cells(self.job.plan.blocks.pair(rows, columns)))
        try:
            yield from self._pairs(rows, left)
        except _ALLOCATION as error:
            if not _out_of_memory(error):
                raise
            if max(b - a for a, b in (rows, *left)) == 1 and not self._regrouped():
                raise self._nothing_left() from error
        if left:  # outside of the handler: the error would hold on to what was allocated
            self._say_smaller("blocks of samples were halved")
            yield self._progress(_SMALLER)
            for half in _halves(rows):
                below = [part for span in left for part in _halves(span)]
                yield from self._panel(half, [c for c in below if not self._symmetric or c[0] >= half[0]])

    def _pairs(self, rows: Span, left: deque[Span]) -> Work[None]:
        """Every group of layers in turn; what is finished leaves ``left``."""
        for index, names in enumerate(self.groups if left else ()):
            last = index == len(self.groups) - 1
            F = yield from self._factors(self.job.x1, rows, names)
            for columns in tuple(left):
                block = self.job.plan.blocks.pair(rows, columns)
                if index == 0 and self.parts is not None:
                    self.parts.clear(block)
                G = F
                if not block.diagonal:
                    G = yield from self._factors(self.job.x2, columns, names)
                yield from self._pair(block, F, G, first=index == 0, last=last)
                del G  # before the next are computed: both together may exceed the budget
                if last:
                    left.popleft()
            del F

    def _factors(self, x: Tensor, span: Span, names: Sequence[str]) -> Work[list[Factor]]:
        """Factors of a block of samples, a chunk at a time."""
        whole: list[Factor] = []
        start, n = span[0], span[1] - span[0]
        while start < span[1]:
            stop = min(start + self.chunk, span[1])
            part = self._pass(x[start:stop], names)
            yield self._progress(_SMALLER if part is None else _PASSES)
            if part is None:
                continue
            if stop - start == n:
                return part
            whole = whole or [factor.empty(n) for factor in part]
            for target, source in zip(whole, part, strict=True):
                target[start - span[0] : stop - span[0]].copy_(source)
            start = stop
            del part
        return whole

    def _pass(self, x: Tensor, names: Sequence[str]) -> list[Factor] | None:
        """Factors of a chunk; None after halving the chunks because memory could not be had."""
        try:
            with threads_for(len(x) * self.job.plan.pass_adds), naming(self.job.asked.module):
                return self.job.asked.factors(x, None if len(self.groups) == 1 else names)
        except _ALLOCATION as error:
            if not _out_of_memory(error) or len(x) == 1:
                raise
        self.chunk = (len(x) + 1) // 2
        self._say_smaller("fewer samples went through the network at a time")
        return None

    def _pair(self, block: Block, rows: list[Factor], columns: list[Factor], *, first: bool, last: bool) -> Work[None]:
        """Add what a group of layers gives to the tiles of a pair of blocks, and finish them after the last."""
        cells = self.target.cells(block)
        if not self.target.limited or len(self.groups) > 1:
            yield from self._cells(_Stage(block, rows, columns, first, last), cells)
            return
        for cell in cells:
            F, G = _Stage(block, rows, columns).sides(cell)
            yield from self._cells(_Stage(cell, F, F if cell.diagonal else G), (cell,))

    def _cells(self, whole: _Stage, cells: Sequence[Block]) -> Work[None]:
        """Add all that ``whole`` gives to some cells, lazy factors slice by slice."""
        most = self.job.plan.slice
        count = stage_count(whole.rows, most)
        for index, (F, G) in enumerate(stages(whole.rows, whole.columns, most)):
            share = 1 / (count * len(self.groups))
            stage = _Stage(whole.block, F, G, whole.first and index == 0, whole.last and index == count - 1, share)
            for cell in cells:
                yield from self._cell(stage, cell)
            del F, G, stage

    def _cell(self, stage: _Stage, cell: Block) -> Work[None]:
        """All tiles of a cell."""
        tiles = self._tiles(cell)
        waiting: list[Block] = []
        for number, tile in enumerate(tiles, start=1):
            placed = _moved(tile, cell)
            for part in self._parts_of(placed):
                yield from self._part(stage, cell, part)
            waiting.append(placed)
            if not self.outbox.busy and number < len(tiles):
                yield from self._events(stage, cell, waiting)
                waiting.clear()
        self.outbox.flush()
        events = self._events(stage, cell, waiting)
        if stage.last:
            self.target.close(cell)  # before it is told of, so that what was told of stays
        yield from events

    def _tiles(self, cell: Block) -> TilePlan:
        return _tiles(cell, self.edge)

    def _parts_of(self, tile: Block) -> Iterator[Block]:
        """A tile on the diagonal in parts of its upper triangle."""
        if not tile.diagonal:
            return iter((tile,))
        form, plan = self.job.form, self.job.plan
        worth = isqrt(int(_LEAF * plan.tile**2 / plan.tile_adds))
        return upper_blocks(*tile.rows, max(form.leaf(), min(form.side() // 4, worth)))

    def _part(self, stage: _Stage, cell: Block, part: Block) -> Work[None]:
        """Compute a tile, or where its memory cannot be had its quarters."""
        try:
            T, by_layer = self._product(stage, part)
            self.outbox.send(T, by_layer, lambda t, each: self._settle(stage, cell, part, t, each))
            return
        except _ALLOCATION as error:
            if not _out_of_memory(error) or part.shape == (1, 1):
                raise
        self.edge = max(1, min(self.edge, (max(part.shape) + 1) // 2))
        self._say_smaller("tiles were made smaller")
        yield self._progress(_SMALLER)
        for quarter in part.quarters:
            yield from self._part(stage, cell, quarter)

    def _product(self, stage: _Stage, part: Block) -> tuple[Tensor, list[Tensor]]:
        """The kernel of a stage between the samples of ``part``; with the mean over outputs of each of its layers."""
        form = self.job.form
        F, G = stage.sides(part)
        adds = self.job.plan.tile_adds / self.job.plan.tile**2 * (part.shape[0] * part.shape[1])
        with threads_for(adds):
            if self.parts is None:
                return self._symmetrised(form.tile(F, G), part), []
            total: Tensor | None = None
            means: list[Tensor] = []
            for name in _names(F):
                chosen = [i for i, factor in enumerate(F) if factor.layer == name]
                T = self._symmetrised(form.tile([F[i] for i in chosen], [G[i] for i in chosen]), part)
                means.append(form.matrix(T).clone())
                total = T if total is None else total.add_(T)
            assert total is not None, "a stage has factors"
            return total, means

    def _symmetrised(self, T: Tensor, part: Block) -> Tensor:
        """Exactly symmetric on the diagonal, whatever order the sums were taken in."""
        return (T + self.job.form.mirrored(T)).div_(2) if part.diagonal else T

    def _settle(self, stage: _Stage, cell: Block, part: Block, T: Tensor, by_layer: Sequence[Tensor]) -> None:
        """Add a part to the target, and mirror it after the last stage."""
        form = self.job.form
        view = self.target.view(cell, part.rows, part.columns)
        if stage.first:
            view.copy_(T)
        else:
            view.add_(T)
        image = self.target.mirrored(cell, part) if stage.last else None
        if image is not None:
            image.copy_(form.mirrored(view))
        if self.parts is not None:
            for name, mean in zip(_names(stage.rows), by_layer, strict=True):
                self.parts.add(name, part.rows, part.columns, mean, mirror=part.mirror)

    def _events(self, stage: _Stage, cell: Block, tiles: Sequence[Block]) -> list[Event]:
        """That tiles are done, and after the last stage how they look."""
        events: list[Event] = []
        shape = self.job.plan.blocks.n1, self.job.plan.blocks.n2
        for tile in tiles:
            self.share += stage.share * _pairs_in(tile) / self.area
            if stage.last:
                seen = self.job.form.matrix(self.target.view(cell, tile.rows, tile.columns)).clone()
                self.bad.look(tile, seen)
                shown = Tile("empirical", shape, tile.rows, tile.columns, seen.numpy(), mirror=tile.mirror)
                events.append(Partial("tile", shown))
            events.append(self._progress(_TILES))
        return events

    @property
    def _symmetric(self) -> bool:
        return self.job.plan.blocks.symmetric

    def _progress(self, text: str) -> Progress:
        return Progress(min(self.total, int(self.total * self.share + 1e-6)), self.total, text)

    def _say_smaller(self, what: str) -> None:
        release(self.job.asked.device)
        note = f"memory could not be had as planned: {what}"
        if note not in self.notes:
            self.notes.append(note)

    def _regrouped(self) -> bool:
        """Hold the factors of a layer at a time, unless that is done already."""
        single = tuple((layer.name,) for layer in self.job.asked.route.layers)
        if len(self.groups) >= len(single):
            return False
        self.groups = single
        return True

    def _nothing_left(self) -> NtkLabError:
        device = self.job.asked.device
        if device.type == "cpu":
            return MemoryBudgetError(f"empirical NTK: there is not enough free memory for a pair of samples; {REMEDY}")
        return DeviceError(f"empirical NTK: {device} has not enough free memory for a pair of samples; {REMEDY}")


def tile_count(plan: Plan, target: Target) -> tuple[int, float]:
    """Tiles that are to be computed, and what share of all pairs of samples is in them."""
    cells, blocks = _cells_of(plan, target), plan.blocks
    pairs = blocks.n1 * (blocks.n1 + 1) / 2 if blocks.symmetric else blocks.n1 * blocks.n2
    return sum(len(_tiles(cell, plan.tile)) for cell in cells), sum(map(_pairs_in, cells)) / pairs


def _cells_of(plan: Plan, target: Target) -> list[Block]:
    pairs = (plan.blocks.pair(rows, columns) for rows, met in plan.blocks.panels() for columns in met)
    return [cell for pair in pairs for cell in target.cells(pair)]


def _tiles(cell: Block, edge: int) -> TilePlan:
    return TilePlan(*cell.shape, even_edge(max(cell.shape), edge), symmetric=cell.diagonal)


def _out_of_memory(error: BaseException) -> bool:
    return is_allocation(error) and not isinstance(error, NtkLabError)


def _names(factors: Sequence[Factor]) -> list[str]:
    return list(dict.fromkeys(factor.layer for factor in factors))


def _pairs_in(block: Block) -> float:
    rows, columns = block.shape
    return rows * (rows + 1) / 2 if block.diagonal else rows * columns


def _moved(tile: Block, cell: Block) -> Block:
    """A tile counted from the first row and column of its cell, among all samples."""
    (i, _), (j, _) = cell.rows, cell.columns
    rows, columns = (tile.rows[0] + i, tile.rows[1] + i), (tile.columns[0] + j, tile.columns[1] + j)
    return Block(rows, columns, mirror=tile.mirror or cell.mirror, diagonal=tile.diagonal)


def _halves(span: Span) -> list[Span]:
    return [(a + span[0], b + span[0]) for a, b in spans(span[1] - span[0], (span[1] - span[0] + 1) // 2)]
