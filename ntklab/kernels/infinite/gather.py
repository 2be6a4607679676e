"""Where what is computed shift by shift comes together: in a sum, in all pairs of positions, in windows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Protocol

from torch import Tensor

from ntklab import spec
from ntklab.geometry import Window
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.pooling import Pool
from ntklab.kernels.infinite.shifts import Offset, exchanged, line
from ntklab.kernels.infinite.state import Context, Pairs, State

Moves = tuple[tuple[slice, slice], ...]


class Gather(Protocol):
    """Takes what pairs of samples have at one shift after the other."""

    def add(self, state: State, *, twin: bool) -> None:
        """``state`` is at the shift of its pairs. With ``twin`` at the opposite shift too, the samples exchanged: those
        pairs stand behind the pairs themselves, or are their mirror images where samples are with themselves."""
        ...

    def state(self, pairs: Pairs) -> State:
        """What came together, for ``pairs``."""
        ...


class _Both:
    """Base of gathers: S and T alike, of ``count`` pairs of samples. ``level``: axes that stand before the pairs."""

    def __init__(self, form: Form, count: int) -> None:
        self._level, self._count, self._shape = len(form.leading), count, form.sizes
        self._parts: list[Tensor | None] = [None, None]

    def add(self, state: State, *, twin: bool) -> None:
        for kind, part in enumerate((state.nngp, state.ntk)):
            if part is not None:
                self._put(kind, part, state.pairs, twin=twin)

    def state(self, pairs: Pairs) -> State:
        S, T = (None if part is None else self._finished(part) for part in self._parts)
        assert S is not None
        return State(S, T, pairs)

    def _put(self, kind: int, part: Tensor, pairs: Pairs, *, twin: bool) -> None:
        raise NotImplementedError

    def _finished(self, part: Tensor) -> Tensor:
        return part

    def _sides(self, part: Tensor) -> tuple[Tensor, Tensor]:
        """What is at the shift, and at its opposite with the samples exchanged."""
        last = part.shape[self._level] - self._count
        return part.narrow(self._level, 0, self._count), part.narrow(self._level, last, self._count)

    def _whole(self, kind: int, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        whole = self._parts[kind]
        if whole is None:
            whole = self._parts[kind] = like.new_zeros(shape)
        return whole


class Total(_Both):
    """Adds up all pairs of positions, and divides by their number for a ``mean``."""

    def __init__(self, form: Form, count: int, *, mean: bool) -> None:
        super().__init__(form, count)
        self._entries = form.positions**2 if mean else 1

    def _put(self, kind: int, part: Tensor, pairs: Pairs, *, twin: bool) -> None:  # noqa: ARG002
        total = self._whole(kind, part, (self._count,))
        sums = part.movedim(self._level, 0).flatten(1).sum(dim=1) if part.ndim > 1 else part
        total.add_(sums[: self._count])
        if twin:
            total.add_(sums[-self._count :])

    def _finished(self, part: Tensor) -> Tensor:
        return part.div_(self._entries)


class All(_Both):
    """Puts them where they belong among all pairs of positions; those that never come are 0."""

    def _put(self, kind: int, part: Tensor, pairs: Pairs, *, twin: bool) -> None:
        whole = self._whole(kind, part, (self._count, *self._shape, *self._shape))
        assert pairs.shift is not None
        for crossed, side in zip((whole, exchanged(whole)), self._sides(part)[: 1 + twin], strict=False):
            for target, places in pairs.shift.lines(crossed):
                target.copy_(side[places])


class Windows(_Both):
    """Adds them up in the windows of ``pool``: all pairs of windows up to ``reach`` apart, or where nothing is crossed
    behind it (0) each window with itself."""

    def __init__(self, pool: Pool, form: Form, count: int, *, reach: float) -> None:
        super().__init__(form, count)
        self._pool, self._reach = pool, reach

    def _put(self, kind: int, part: Tensor, pairs: Pairs, *, twin: bool) -> None:
        assert pairs.shift is not None
        for start in (part.ndim - 2 * (len(self._shape) - self._level), part.ndim - len(self._shape) + self._level):
            for axis in range(self._level, len(self._shape)):
                part = self._pool.summed(part, start + axis - self._level, axis)
        sizes = self._pool.after.sizes
        whole = self._whole(kind, part, (self._count, *sizes, *sizes) if self._crossed else (*sizes, self._count))
        for offset, found in self._landed(part, pairs.shift.offset):
            for turned, side in enumerate(self._sides(found)[: 1 + twin]):
                self._at(whole, offset, turned=bool(turned)).add_(side)

    def _landed(self, part: Tensor, offset: Offset, found: Offset = ()) -> Iterator[tuple[Offset, Tensor]]:
        """(offset of windows, sums over what both windows of a pair see) of what is at ``offset``."""
        axis = len(found)
        if axis == self._level:
            yield found, part
            return
        window = self._pool.windows[axis]
        for apart, moves in landings(window, offset[axis]):
            if abs(apart) <= self._reach:
                size = window.outputs - abs(apart)
                total = part.new_zeros([size if dim == axis else n for dim, n in enumerate(part.shape)])
                here = (slice(None),) * axis
                for source, target in moves:
                    total[(*here, target)].add_(part[(*here, source)])
                yield from self._landed(total, offset, (*found, apart))

    def _at(self, whole: Tensor, offset: Offset, *, turned: bool) -> Tensor:
        return line(exchanged(whole) if turned else whole, offset) if self._crossed else whole

    @property
    def _crossed(self) -> bool:
        return self._reach > 0 or self._level < len(self._shape)

    def _finished(self, part: Tensor) -> Tensor:
        return self._pool.divided(part, crossed=self._crossed)


def gather_of(
    layers: Sequence[spec.Layer], form: Form, context: Context, *, wraps: bool, reach: float
) -> tuple[Callable[[int], Gather], Form, int]:
    """How a run that ends in ``form`` comes together for ``layers``: in what form, and how many of the layers do it.

    ``reach`` is how far apart pairs matter behind the first of the layers.
    """
    layer, crossed = next(iter(layers), None), form.but(crossed=True, level=0)
    if isinstance(layer, spec.GlobalAvgPool | spec.GlobalSumPool):
        mean = isinstance(layer, spec.GlobalAvgPool)
        return partial(Total, form, mean=mean), crossed.but(sizes=()), 1
    if isinstance(layer, spec.AvgPool | spec.SumPool) and layer.padding != "CIRCULAR" and not wraps:
        pool = Pool(layer, crossed, context)
        single = not (reach or form.trailing)
        return partial(Windows, pool, form, reach=reach), pool.after.but(crossed=not single), 1
    return partial(All, form), crossed, 0


@lru_cache(maxsize=4096)
def landings(window: Window, offset: int) -> tuple[tuple[int, Moves], ...]:
    """(how far two windows are apart, the moves of positions p to the first) for positions p and p + ``offset``.

    A move is which of the positions with a partner, counted from the first one, go to which of the windows with one.
    """
    found: dict[int, list[tuple[slice, slice]]] = {}
    first, last = max(0, -offset), window.size - 1 - max(0, offset)
    for a in range(window.kernel):
        for b in range(window.kernel):
            apart, rest = divmod(offset + a - b, window.stride)
            shift = a - window.pads[0]  # window q sees the position stride·q + shift
            low = max(0, -apart, -((shift - first) // window.stride))
            high = min(window.outputs - 1 - max(0, apart), (last - shift) // window.stride)
            if not rest and low <= high:
                start, stop = window.stride * low + shift - first, window.stride * high + shift - first + 1
                target = slice(low - max(0, -apart), high + 1 - max(0, -apart))
                found.setdefault(apart, []).append((slice(start, stop, window.stride), target))
    return tuple((apart, tuple(moves)) for apart, moves in found.items())
