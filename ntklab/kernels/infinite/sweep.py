"""The first layers of a network, one offset between rows of positions at a time.

Convolutions of stride 1, dense layers, activations and layer norms never mix pairs of positions of different offsets.
So the layers before the first pool can be taken offset by offset of the first axis: positions (p, r) with (p + d, r'),
for the p for which p + d is inside too. Of a pair of samples P·W numbers are held and not P² (P positions in rows of
W), they stay in the cache, and a global pool adds them up without ever holding all pairs of positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.activations import DUALS
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Cost, Pairs, State, Step, overlap

Make = Callable[[Context], Step]

_STILL: tuple[type[spec.Spec], ...] = (spec.Dense, spec.Dropout, spec.LayerNorm, *DUALS)


def keeps_offsets(layer: spec.Layer) -> bool:
    """Whether pairs of positions behind ``layer`` depend on pairs of the same offset before it alone."""
    if isinstance(layer, spec.Conv):
        return layer.padding != "CIRCULAR" and max(layer.strides) == 1
    if isinstance(layer, spec.Branch):
        channels = layer.merge != "concat" or layer.axis in (None, -1)
        return channels and all(keeps_offsets(part) for path in layer.branches for part in path)
    return isinstance(layer, _STILL)


def sweepable(layers: Sequence[spec.Layer]) -> int:
    """How many layers from the first on keep offsets; 0 where no convolution is among them and nothing is won."""
    count = next((i for i, layer in enumerate(layers) if not keeps_offsets(layer)), len(layers))
    return count if any(isinstance(layer, spec.Conv | spec.Branch) for layer in layers[:count]) else 0


class Sweep(Step):
    """Takes the input through ``make(context)``, the layers bound to a form with one level axis, at every offset.

    Gives all pairs of positions, or with ``pool`` ("mean" or "sum") their mean or sum.
    """

    def __init__(self, make: Make, pool: str | None, before: Form, context: Context) -> None:
        self.inner = make(context)
        self._make, self._pool, self._end = make, pool, self.inner.after
        after = self._end.but(sizes=(), level=0) if pool else self._end.but(crossed=True, level=0)
        super().__init__(before, after, context)
        self._price()

    def alone(self, state: State) -> State:
        """The layers are bound to these samples once more, in double precision: offsets but 0 need their tables."""
        assert isinstance(state.pairs.left, slice)
        X = self._samples(state.pairs.left).double()
        here = Pairs.alone(slice(0, X.shape[1]))
        local = self._make(replace(self.context, dtype=torch.float64, samples=X.shape[1]))
        rows = self._start(X, X, 0, here)
        self.inner.alone(replace(rows.clone(), pairs=replace(state.pairs, offset=0)))
        result = self._result(X.shape[1])
        result.add(local.alone(rows), 0)
        local.settle()
        for offset in range(1, self._end.sizes[0]):
            result.add(local.run(self._start(X, X, offset, here)), offset)
        return result.state(state.pairs)

    def settle(self) -> None:
        self.inner.settle()
        self._price()
        self.notes = self.inner.notes

    def error(self) -> float:
        return self.inner.error()

    def run(self, state: State) -> State:
        """Offsets d and −d at the same time: what (x, x') have at −d is what (x', x) have at d."""
        assert isinstance(state.pairs.left, Tensor)
        assert isinstance(state.pairs.right, Tensor)
        sides = state.pairs.left, state.pairs.right
        left, right = torch.cat(sides), torch.cat(sides[::-1])
        both, X, Y = Pairs(left, right), self._samples(left), self._samples(right)
        result = self._result(len(sides[0]))
        for offset in range(self._end.sizes[0]):
            result.add(self.inner.run(self._start(X, Y, offset, both)), offset)
        return result.state(state.pairs)

    def _price(self) -> None:
        inner, rows = self.inner.cost, self.before.sizes[0]
        held = 2 * (inner.held + inner.table / 4) + self.context.kinds * self.after.entries
        self.cost = Cost(inner.nanoseconds * rows, held, inner.table)

    def _samples(self, index: slice | Tensor) -> Tensor:
        """(first axis, samples, other positions, channels)."""
        assert self.context.inputs is not None
        X = self.context.inputs[..., index, :]
        return X.movedim(-2, 1).flatten(2, -2) if len(self.before.sizes) > 1 else X

    def _start(self, X: Tensor, Y: Tensor, offset: int, pairs: Pairs) -> State:
        """The input kernel between positions p of the left and p + ``offset`` of the right samples."""
        here, there = overlap(self.before.sizes[0], offset)
        X, Y, rest = X[here], Y[there], self.before.sizes[1:]
        S = torch.matmul(X, Y.transpose(-1, -2)).reshape(*X.shape[:2], *rest, *rest) if rest else (X * Y).sum(dim=-1)
        return State(S.div_(X.shape[-1]), None, replace(pairs, offset=offset))

    def _result(self, count: int) -> _Sum | _Crossed:
        return _Sum(self._end, count, self._pool) if self._pool else _Crossed(self._end, count)


class _Sum:
    """Adds up all pairs of positions of ``count`` pairs of samples."""

    def __init__(self, form: Form, count: int, pool: str) -> None:
        self._entries = form.positions**2 if pool == "mean" else 1
        self._count = count
        self._sums: list[Tensor | None] = [None, None]

    def add(self, state: State, offset: int) -> None:
        """What pairs have at an offset, the pairs turned around behind them; samples alone have as much at −offset."""
        for kind, part in enumerate((state.nngp, state.ntk)):
            if part is None:
                continue
            found = part.movedim(1, 0).flatten(1).sum(dim=1)
            if len(found) > self._count:
                found = found[: self._count] + found[self._count :] if offset else found[: self._count]
            elif offset:
                found *= 2
            before = self._sums[kind]
            self._sums[kind] = found if before is None else before.add_(found)

    def state(self, pairs: Pairs) -> State:
        """The pooled state."""
        S, T = (None if part is None else part.div_(self._entries) for part in self._sums)
        assert S is not None
        return State(S, T, pairs)


class _Crossed:
    """Puts offsets where they belong in a state of all pairs of positions, of ``count`` pairs of samples."""

    def __init__(self, form: Form, count: int) -> None:
        self._count, self._rest = count, len(form.sizes) - 1
        self._shape = (count, *form.sizes, *form.sizes)
        self._parts: list[Tensor | None] = [None, None]

    def add(self, state: State, offset: int) -> None:
        """What pairs have at an offset, the pairs turned around behind them; samples alone are turned by symmetry."""
        for kind, part in enumerate((state.nngp, state.ntk)):
            if part is None:
                continue
            whole = self._parts[kind]
            if whole is None:
                whole = self._parts[kind] = part.new_zeros(self._shape)
            self._rows(whole, offset).copy_(part[:, : self._count])
            if offset:
                self._rows(whole, -offset).copy_(self._turned(part[:, -self._count :]))

    def state(self, pairs: Pairs) -> State:
        """The crossed state."""
        S, T = self._parts
        assert S is not None
        return State(S, T, pairs)

    def _rows(self, whole: Tensor, offset: int) -> Tensor:
        """A view (first axis, pairs, *rest, *rest') of the positions at an offset of the first axis."""
        return whole.diagonal(offset, dim1=1, dim2=2 + self._rest).movedim(-1, 0)

    def _turned(self, part: Tensor) -> Tensor:
        """The positions of both samples exchanged."""
        axes = range(2, 2 + self._rest)
        return part.permute(0, 1, *(axis + self._rest for axis in axes), *axes)
