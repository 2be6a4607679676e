"""What the recursion carries through the layers: covariances of a tile of sample pairs.

For samples x, x' and the units u = z(x), v = z(x') of a layer: the NNGP covariance S = E[u v] and the tangent kernel T.
Every pair of samples evolves on its own; all that a rule needs beside it are the variances q = E[u²] of both samples.
So each sample is taken through the network with itself first (``Step.alone``), in float64 and with exact diagonals: the
pair formulas lose half the digits where two units coincide. Rules keep what they need of it, and tiles follow.

Layout: without crossing, axes of positions come first and pairs of samples last, (*sizes, *batch): a shift of positions
moves whole rows. Crossed states are (*batch, *sizes, *sizes'), where the batch is a list of pairs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from math import prod

import torch
from torch import Tensor

from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.shifts import Shift

Index = slice | Tensor


@dataclass(frozen=True)
class Pairs:
    """Which samples a batch pairs: ``left`` with ``right``, indices into all samples.

    ``grid``: every one of the left with every one of the right, batch shape (rows, columns); else one by one, (pairs,).
    ``diagonal``: a grid of samples with themselves, whose diagonal is not computed here. ``shift``: which positions are
    paired on the first axes, where not all or each with itself are.
    """

    left: Index
    right: Index
    grid: bool = False
    diagonal: bool = False
    shift: Shift | None = None
    _gathered: dict[int, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def alone(cls, samples: slice) -> Pairs:
        """Each of ``samples`` with itself."""
        return cls(samples, samples)

    @property
    def selves(self) -> bool:
        """Whether these are samples with themselves."""
        return self.left is self.right

    def beside(self, table: Tensor, form: Form) -> tuple[Tensor, Tensor]:
        """Entries of ``table`` (m, *sizes, n) for both samples of each pair, to broadcast against tiles of ``form``."""
        if self.grid:
            return table[..., self.left][..., :, None], table[..., self.right][..., None, :]
        left, right = self._looked_up(table, form)
        if self.shift is not None:
            left, right = self.shift.left(left, 1), self.shift.right(right, 1)
        ones, batch = (1,) * len(form.trailing), len(form.leading) + 2
        return left.reshape(*left.shape, *ones), right.reshape(*right.shape[:batch], *ones, *right.shape[batch:])

    def _looked_up(self, table: Tensor, form: Form) -> tuple[Tensor, Tensor]:
        """(m, *leading, pairs, *trailing) for both sides, once for all shifts; tables are kept as long as these."""
        if id(table) in self._gathered:
            return self._gathered[id(table)][1:]
        batch = len(form.leading) + 1
        left, right = (table[..., side].movedim(-1, batch).contiguous() for side in (self.left, self.right))
        if self.shift is not None:
            self._gathered[id(table)] = table, left, right
        return left, right


@dataclass(frozen=True)
class State:
    """A tile: ``nngp`` S and ``ntk`` T in the layout of its form; T is None while it is zero or not asked for.

    Steps own the tensors they are given and may overwrite them.
    """

    nngp: Tensor
    ntk: Tensor | None
    pairs: Pairs

    def clone(self) -> State:
        """A copy that can be overwritten without harm to this one."""
        return replace(self, nngp=self.nngp.clone(), ntk=None if self.ntk is None else self.ntk.clone())

    def with_alone(self, q: Tensor, t: Tensor | None, form: Form) -> State:
        """Samples with themselves: the same with ``q`` and ``t`` (*sizes, n) where a position is paired with itself."""
        if not form.crossed:
            return replace(self, nngp=q, ntk=t)
        positions_diagonal(self.nngp, form).copy_(laid_out(q, form))
        if self.ntk is not None and t is not None:
            positions_diagonal(self.ntk, form).copy_(laid_out(t, form))
        return self


def positions_diagonal(crossed: Tensor, form: Form) -> Tensor:
    """A view (*leading, pairs, crossed positions) of what positions have with themselves, of a crossed state."""
    count = prod(form.trailing)
    return crossed.view(*crossed.shape[: len(form.leading) + 1], count, count).diagonal(dim1=-2, dim2=-1)


def laid_out(table: Tensor, form: Form) -> Tensor:
    """(*sizes, n) as (*leading, n, crossed positions)."""
    return table.reshape(*form.leading, -1, table.shape[-1]).transpose(-1, -2)


def variances(S: Tensor, form: Form) -> Tensor:
    """(*sizes, n): of the units of each sample alone, from a state of samples with themselves."""
    if not form.crossed:
        return S
    return positions_diagonal(S, form).transpose(-1, -2).reshape(*form.sizes, -1).contiguous()


@dataclass(frozen=True)
class Cost:
    """What a step needs: ``nanoseconds`` a pair of samples on one thread, ``held`` numbers a pair at the same time
    (what comes in and goes out included), ``table`` bytes a sample that stay for the whole run. ``span`` are the
    numbers a pair that a single operation goes over: they should be in the cache. ``prepares``: a first tile takes
    longer than others, for what it leaves to them."""

    nanoseconds: float = 0.0
    held: float = 0.0
    table: int = 0
    span: float = 0.0
    prepares: bool = False

    def then(self, other: Cost) -> Cost:
        """The cost of this step followed by ``other``."""
        return Cost(
            self.nanoseconds + other.nanoseconds,
            max(self.held, other.held),
            self.table + other.table,
            max(self.span, other.span),
            self.prepares or other.prepares,
        )


@dataclass(frozen=True)
class Context:
    """The request as the rules see it. ``samples`` is how many there are, of rows and columns together.

    ``same``: rows and columns are the same samples. ``inputs`` (*sizes, n, channels) are the samples,
    ``patterns`` (n, *axes, *axes) their graphs.
    ``stop`` is set when nobody waits for the result any more.
    """

    samples: int
    same: bool
    ntk: bool
    dtype: torch.dtype
    device: torch.device
    inputs: Tensor | None = None
    patterns: Tensor | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def kinds(self) -> int:
        """How many kernels a tile carries."""
        return 2 if self.ntk else 1

    def ready(self, table: Tensor) -> Tensor:
        """``table`` as tiles need it: on their device, in their precision."""
        return table.to(device=self.device, dtype=self.dtype).contiguous()


class Stopped(Exception):  # noqa: N818 (not an error)
    """Nobody waits for this tile any more."""


class Step:
    """A layer bound to the request. ``before`` and ``after`` are the forms of what it takes and gives."""

    def __init__(self, before: Form, after: Form, context: Context, cost: Cost | None = None) -> None:
        self.before, self.after, self.context = before, after, context
        self.notes: tuple[str, ...] = ()
        self.cost = self.moving(2.0) if cost is None else cost

    def moving(self, nanoseconds: float, *, buffers: float = 0.0, table: int = 0) -> Cost:
        """A cost of ``nanoseconds`` for each number that comes in or goes out, whichever are more.

        ``buffers`` are temporaries of that size beside what comes in and goes out.
        """
        before, after = self.before.entries, self.after.entries
        most, kinds = max(before, after), self.context.kinds
        return Cost(nanoseconds * most, kinds * (before + after) + buffers * most, table, most)

    @property
    def crosses(self) -> bool:
        """Whether all pairs of positions are tracked somewhere inside: then pairs of samples are taken one by one."""
        return self.before.crossed or self.after.crossed

    def alone(self, state: State) -> State:
        """Take samples with themselves through, and keep what tiles will need of them."""
        return self.run(state)

    def settle(self) -> None:
        """All samples have been through ``alone``: get ready for tiles."""

    def error(self) -> float:
        """The relative error of this step beyond rounding, measured; 0 for closed forms."""
        return 0.0

    def run(self, state: State) -> State:
        """Take a tile through."""
        raise NotImplementedError


class Cross(Step):
    """From each position with itself to all pairs of positions, where different ones are independent."""

    def __init__(self, before: Form, context: Context) -> None:
        super().__init__(before, before.but(crossed=True), context)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._spread(state.ntk)
        return replace(state, nngp=self._spread(state.nngp), ntk=T)

    def _spread(self, S: Tensor) -> Tensor:
        batch = S.shape[-1]
        crossed = S.new_zeros(batch, *self.before.sizes, *self.before.sizes)
        positions_diagonal(crossed, self.after).copy_(laid_out(S, self.after))
        return crossed


class Uncross(Step):
    """From all pairs of positions to each position with itself."""

    def __init__(self, before: Form, context: Context) -> None:
        super().__init__(before, before.but(crossed=False), context)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._diagonal(state.ntk)
        return replace(state, nngp=self._diagonal(state.nngp), ntk=T)

    def _diagonal(self, crossed: Tensor) -> Tensor:
        return positions_diagonal(crossed, self.before).T.reshape(*self.before.sizes, len(crossed)).contiguous()


class Kept:
    """What is kept of samples when they go through a step alone, chunk by chunk, in any order, along ``dim``."""

    def __init__(self, dim: int = -1) -> None:
        self._dim = dim
        self._chunks: dict[int, Tensor] = {}

    def add(self, pairs: Pairs, values: Tensor) -> None:
        """``values`` of the samples in ``pairs``."""
        assert isinstance(pairs.left, slice)
        self._chunks[pairs.left.start] = values.clone()

    def all(self) -> Tensor:
        """The values of all samples; the chunks are let go."""
        table = torch.cat([self._chunks[start] for start in sorted(self._chunks)], dim=self._dim)
        self._chunks.clear()
        return table
