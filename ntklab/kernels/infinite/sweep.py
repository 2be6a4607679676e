"""Layers that never mix pairs of positions at different shifts, taken one shift at a time.

Behind a convolution of stride s, what positions p and p + d have with each other depends on what positions s·d apart
have before it; dense layers, activations and layer norms do not mix pairs of positions at all. So a run of such layers
can be taken shift by shift. Where all pairs are needed only the first axis is shifted: of a pair of samples P·W numbers
are held (P positions in rows of W) and not P², they stay in the cache, and pools take them in without the P² ever being
there. Where a pool needs but close positions every axis is shifted, and what lies further apart is not computed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf, prod

import torch
from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.activations import DUALS
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.gather import Gather
from ntklab.kernels.infinite.shifts import Shift, exchanged
from ntklab.kernels.infinite.state import Context, Cost, Pairs, State, Step

Make = Callable[[Context], Step]
Start = Callable[[Shift, bool], State]
"""What there is at a shift and, where asked for, at its opposite."""

_STILL: tuple[type[spec.Spec], ...] = (spec.Dense, spec.Dropout, spec.LayerNorm, *DUALS)
_WORTH = 0.5  # of the numbers of all pairs: where fewer are needed, every axis is shifted


@dataclass(frozen=True)
class Run:
    """``count`` layers that can be taken shift by shift. They take shifts of ``strides``·d to shifts of d.

    ``wraps``: convolutions wrap around the edges, so shifts are taken around them too.
    """

    count: int
    strides: tuple[int, ...]
    wraps: bool = False


def run_of(layers: Sequence[spec.Layer], axes: int) -> Run | None:
    """The longest run that ``layers`` begin with; None where no convolution is among them and nothing is won."""
    count, total, edges = 0, (1,) * axes, set[bool]()
    for layer in layers:
        strides, here = _strides(layer, axes), edges | _edges(layer)
        if strides is None or len(here) > 1:
            break
        count, edges = count + 1, here
        total = tuple(s * t for s, t in zip(strides, total, strict=True))
    worth = any(isinstance(layer, spec.Conv | spec.Branch) for layer in layers[:count])
    return Run(count, total, True in edges) if worth else None


def _strides(layer: spec.Layer, axes: int) -> tuple[int, ...] | None:
    """How far apart positions are before a layer that are neighbours behind it; None where it mixes shifts."""
    if isinstance(layer, spec.Conv):
        return None if layer.padding == "CIRCULAR" and max(layer.strides) > 1 else layer.strides
    if isinstance(layer, spec.Branch):
        channels = layer.merge != "concat" or layer.axis in (None, -1, axes + 1)
        ends = {_path_strides(path, axes) for path in layer.branches}
        return ends.pop() if channels and len(ends) == 1 else None
    return (1,) * axes if isinstance(layer, _STILL) else None


def _path_strides(layers: Sequence[spec.Layer], axes: int) -> tuple[int, ...] | None:
    total = (1,) * axes
    for layer in layers:
        strides = _strides(layer, axes)
        if strides is None:
            return None
        total = tuple(s * t for s, t in zip(strides, total, strict=True))
    return total


def _edges(layer: spec.Layer) -> set[bool]:
    """Whether the windows along the first axis wrap around its ends, or do not."""
    if isinstance(layer, spec.Branch):
        return {edge for path in layer.branches for part in path for edge in _edges(part)}
    return {layer.padding == "CIRCULAR"} if isinstance(layer, spec.Conv) and layer.kernel[0] > 1 else set()


@dataclass(frozen=True)
class Course:
    """The ``shifts`` behind a run, 0 the first, each with whether its opposite is another one, of the first ``axes``.

    Of two opposite shifts only one is here: the other is that of the samples exchanged.
    """

    shifts: tuple[tuple[Shift, bool], ...]
    axes: int

    def passes(self, sizes: tuple[int, ...]) -> float:
        """How many times the positions on axes of ``sizes`` are gone over."""
        return sum(shift.share(sizes) * (1 + twin) for shift, twin in self.shifts)

    @classmethod
    def around(cls, size: int) -> Course:
        """All shifts on a circle."""
        return cls(tuple((Shift((d,), wraps=True), 0 < 2 * d < size) for d in range(size // 2 + 1)), 1)

    @classmethod
    def along(cls, sizes: tuple[int, ...], reach: float) -> Course:
        """The shifts of positions up to ``reach`` apart, on every axis where that leaves fewer numbers."""
        rows, *_ = most = [int(min(reach, size - 1)) for size in sizes]
        course = cls(tuple((Shift((d,)), d > 0) for d in range(rows + 1)), 1)
        if reach == inf:
            return course
        zero = (0,) * len(sizes)
        close = sorted(d for d in product(*(range(-m, m + 1) for m in most)) if d >= zero)
        band = cls(tuple((Shift(d), d > zero) for d in close), len(sizes))
        return band if band.passes(sizes) <= _WORTH * prod(sizes[1:]) * course.passes(sizes) else course


class Sweep(Step):
    """Takes all pairs of positions through ``make(context)``, bound to a form whose first axes are at one shift.

    They come from the crossed state before it or, at the beginning of a network (``first``), from the samples. They go
    where ``gather`` (count of pairs) puts them. The layers take shifts of ``strides``·d to the shifts d of the course.
    """

    def __init__(
        self, make: Make, gather: Callable[[int], Gather], course: Course, *, strides: tuple[int, ...], first: bool,
        before: Form, after: Form, context: Context,
    ) -> None:  # fmt: skip
        super().__init__(before, after, context)
        self.first = first
        self.inner = make(context)
        self._make, self._gather, self._course, self._strides = make, gather, course, strides
        self._price()

    def alone(self, state: State) -> State:
        """The layers are bound to these samples once more, in double precision: shifts but 0 need their tables."""
        assert isinstance(state.pairs.left, slice)
        count = state.pairs.left.stop - state.pairs.left.start
        local = self._make(replace(self.context, dtype=torch.float64, samples=count))
        pairs = replace(Pairs.alone(slice(0, count)), shift=None)
        start = self._samples(state.pairs, pairs, pairs) if self.first else self._crossed(state, pairs, pairs)
        gather = self._gather(count)
        for shift, twin in self._course.shifts:
            part = start(shift, False)
            if any(shift.offset):
                part = local.run(part)
            else:
                self.inner.alone(replace(part.clone(), pairs=replace(state.pairs, shift=part.pairs.shift)))
                part = local.alone(part)
                local.settle()
            gather.add(part, twin=twin)
        return gather.state(state.pairs)

    def settle(self) -> None:
        self.inner.settle()
        self._price()
        self.notes = self.inner.notes

    def error(self) -> float:
        return self.inner.error()

    def run(self, state: State) -> State:
        left, right = state.pairs.left, state.pairs.right
        assert isinstance(left, Tensor)
        assert isinstance(right, Tensor)
        both = Pairs(torch.cat([left, right]), torch.cat([right, left]))
        start = self._samples(both, state.pairs, both) if self.first else self._crossed(state, state.pairs, both)
        gather = self._gather(len(left))
        for shift, twin in self._course.shifts:
            gather.add(self.inner.run(start(shift, twin)), twin=twin)
        return gather.state(state.pairs)

    def _price(self) -> None:
        inner, form, kinds = self.inner.cost, self.inner.before, self.context.kinds
        outside = float(kinds * self.after.entries)
        outside += 4 * self.before.positions * self.before.width if self.first else kinds * self.before.entries
        nanoseconds = inner.nanoseconds * self._course.passes(self.inner.after.sizes)
        self.cost = Cost(nanoseconds, 2 * (inner.held + inner.table / 4) + outside, inner.table, 2 * form.entries)

    def _samples(self, seen: Pairs, one: Pairs, both: Pairs) -> Start:
        """The input kernel of the samples ``seen``: of ``one`` or, their opposites behind them, of ``both``."""
        X, axes = self.context.inputs, self._course.axes
        assert X is not None
        double = X.double() if seen.selves else X
        left, right = (_rows(double[..., index, :], axes) for index in (seen.left, seen.right))
        rest = self.before.sizes[axes:]

        def start(shift: Shift, twin: bool) -> State:
            here = shift.over(self._strides)
            pairs = both if twin else one
            count = left.shape[axes] if twin or seen.selves else left.shape[axes] // 2
            L, R = here.left(left.narrow(axes, 0, count)), here.right(right.narrow(axes, 0, count))
            S = torch.matmul(L, R.transpose(-1, -2)) if rest else (L * R).sum(dim=-1)
            S = S.reshape(*L.shape[: axes + 1], *rest, *rest).div_(X.shape[-1])
            return State(S, None, replace(pairs, shift=here))

        return start

    def _crossed(self, state: State, one: Pairs, both: Pairs) -> Start:
        """From all pairs of positions: those of ``one`` or, their opposites behind them, of ``both``."""

        def start(shift: Shift, twin: bool) -> State:
            here = shift.over(self._strides)
            S, T = (None if part is None else self._line(part, here, twin) for part in (state.nngp, state.ntk))
            assert S is not None
            return State(S, T, replace(both if twin else one, shift=here))

        return start

    def _line(self, crossed: Tensor, shift: Shift, twin: bool) -> Tensor:
        sides = (crossed, exchanged(crossed))[: 1 + twin]
        return torch.cat([torch.cat([line for line, _ in shift.lines(side)]) for side in sides], dim=self._course.axes)


def _rows(X: Tensor, axes: int) -> Tensor:
    """(*sizes, n, channels) as (*first axes, n, other positions, channels)."""
    return X if axes == X.ndim - 2 else X.movedim(-2, axes).flatten(axes + 1, -2).contiguous()
