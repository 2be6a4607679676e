"""What a tensor is while a module is lifted: where it comes from, by which layers, and how torch lays it out.

Every value remembers the value ``before`` it through which all paths from the input pass (its immediate dominator) and
the layers from there. So the values form a tree, and where parallel branches meet, the fork is the nearest common
ancestor of their ends: residual, concatenating and multiplying connections are read off any forward method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

from ntklab import spec
from ntklab.networks.lift.faults import listed, refuse
from ntklab.spec.transitions import after

Shape = tuple[int, ...]
Axes = tuple[tuple[int, ...], ...]

BATCH = 4099  # samples that torch sees: a size that no other axis is likely to have

_WEIGHTED = (spec.Dense, spec.Conv, spec.ConvTranspose, spec.ConvLocal, spec.SelfAttention)


_HOMOGENEOUS = (
    spec.AvgPool, spec.SumPool, spec.GlobalAvgPool, spec.GlobalSumPool, spec.Flatten, spec.Index, spec.DotGeneral,
    spec.Dropout,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Step:
    """A layer and the paths of the modules whose weights it has, depth first.

    ``scalar``: the layer only multiplies by this number, and may be taken into the weights before it.
    """

    layer: spec.Layer
    weights: tuple[str, ...] = ()
    scalar: float | None = None


@dataclass(frozen=True, eq=False)
class Value:
    """One sample's tensor.

    ``shape`` is that of the spec, channels last; ``axes`` says for each axis that torch sees (batch left out) which of
    those it is: none for an axis of size 1 that the spec lacks, several for joined ones. Axes of the spec that torch
    lacks have size 1. ``gaussian``: the units are Gaussian in the limit. ``place`` made it.
    """

    shape: Shape
    axes: Axes
    gaussian: bool = False
    before: Value | None = None
    steps: tuple[Step, ...] = ()
    depth: int = 0
    place: str = "the input"

    @property
    def sizes(self) -> Shape:
        """The sizes that torch sees, batch left out."""
        return tuple(prod(self.shape[axis] for axis in group) for group in self.axes)

    @property
    def channel(self) -> int:
        """The number of the channel axis in ``shape``."""
        return len(self.shape) - 1

    @property
    def canonical(self) -> bool:
        """Whether torch sees the axes of the spec, as they are."""
        return self.axes == tuple((axis,) for axis in range(len(self.shape)))

    def then(self, place: str, *steps: Step, axes: Axes | None = None) -> Value:
        """What comes out of the layers of ``steps``, laid out by ``axes`` (as before unless given)."""
        shape, gaussian = self.shape, self.gaussian
        for step in steps:
            shape, gaussian = after(step.layer, shape, (place,)), law(step.layer, gaussian)
        return Value(shape, self.axes if axes is None else axes, gaussian, self, steps, self.depth + 1, place)

    def seen(self, axes: Axes) -> Value:
        """The same numbers, laid out by ``axes``: nothing happens, so nothing comes between."""
        return replace(self, axes=axes)


def law(layer: spec.Layer, gaussian: bool) -> bool:
    """Whether units are Gaussian behind ``layer``, given whether they are before it."""
    if isinstance(layer, spec.Branch):
        ends = [law_of_stack(branch, gaussian) for branch in layer.branches]
        alike = len(ends) == 1 or layer.merge == "sum" or (layer.merge == "concat" and layer.axis not in (None, -1))
        return all(ends) and alike
    if isinstance(layer, _WEIGHTED):
        return True
    noisy = isinstance(layer, spec.Dropout) and layer.mode == "train"
    return gaussian and not spec.is_activation(layer) and not noisy


def law_of_stack(layers: Sequence[spec.Layer], gaussian: bool) -> bool:
    """``law`` of one layer after the other."""
    for layer in layers:
        gaussian = law(layer, gaussian)
    return gaussian


def path(end: Value, start: Value | None = None) -> tuple[Step, ...]:
    """The steps from ``start`` (None: the input) to ``end``, which descends from it."""
    parts: list[tuple[Step, ...]] = []
    value: Value | None = end
    while value is not None and not _same(value, start):
        parts.append(value.steps)
        value = value.before
    return tuple(step for part in reversed(parts) for step in part)


def _same(value: Value, other: Value | None) -> bool:
    """Whether both are one value, whatever their layout."""
    return other is not None and (value.before, value.steps) == (other.before, other.steps)


def fork_of(ends: Sequence[Value]) -> Value:
    """The last value through which all ``ends`` come."""
    fork = ends[0]
    for end in ends[1:]:
        fork = _common(fork, end)
    return fork


def _common(one: Value, other: Value) -> Value:
    while not _same(one, other):
        if one.depth < other.depth:
            one, other = other, one
        assert one.before is not None
        one = one.before
    return one


def merge(place: str, how: str, ends: Sequence[Value], axis: int | None = None) -> Value:
    """Parallel branches that end in ``ends``, added, multiplied, or joined along ``axis`` of the spec's shape.

    Raises ``SpecError`` where weights would stand in two branches.
    """
    fork = fork_of(ends)
    paths = [path(end, fork) for end in ends]
    _refuse_shared(place, paths)
    spatial = axis is not None and axis != ends[0].channel
    branches = paths if how == "concat" else [part for steps in paths for part in _opened(steps, how)]
    number = None if axis is None else (axis + 1 if spatial else -1)
    layers = tuple(tuple(step.layer for step in steps) for steps in map(folded, branches))
    weights = tuple(name for steps in branches for step in steps for name in step.weights)
    step = Step(spec.Branch(layers, how, number), weights)  # type: ignore[arg-type]
    return replace(fork.then(place, step), axes=ends[0].axes)


def _opened(steps: tuple[Step, ...], how: str) -> list[tuple[Step, ...]]:
    """The branches of a branch that itself is nothing but a merge of the same kind: (a + b) + c = a + b + c."""
    layer = steps[0].layer if len(steps) == 1 else None
    if not isinstance(layer, spec.Branch) or layer.merge != how:
        return [steps]
    names = iter(steps[0].weights)
    return [tuple(Step(part, tuple(islice(names, weights_of(part)))) for part in branch) for branch in layer.branches]


def weights_of(layer: spec.Layer) -> int:
    """How many layers with weights there are in ``layer``, itself included."""
    if isinstance(layer, spec.Branch):
        return sum(weights_of(part) for branch in layer.branches for part in branch)
    return int(isinstance(layer, _WEIGHTED))


def _refuse_shared(place: str, paths: Sequence[tuple[Step, ...]]) -> None:
    seen: set[str] = set()
    for steps in paths:
        own = {name for step in steps for name in step.weights}
        if own & seen:
            reason = f"the branches that meet here share the weights of {listed(sorted(own & seen))}"
            remedy = "nest the connections (fork at one value, meet once), or give each branch layers of its own"
            refuse(place, reason, remedy)
        seen |= own


def dependence(how: str, ends: Sequence[Value], axis: int | None = None) -> tuple[str, str] | None:
    """Why a merge of branches that end in ``ends`` has no closed form, and what to do; None if it has.

    Sums and blocks of positions need ends that are Gaussian with mean zero, and all merges independent ones. Channels
    side by side need nothing.
    """
    if how == "concat" and (axis is None or axis == ends[0].channel):
        return None
    fork = fork_of(ends)
    bare = [end.place for end in ends if not any(step.weights for step in path(end, fork))]
    if len(bare) > 1:
        reason = f"the branches that end at {listed(bare)} have no weights of their own, so they are not independent"
        return reason, "keep one of them, or put a layer with weights into the others"
    loose = [end.place for end in ends if not end.gaussian]
    if loose and how != "prod":
        reason = f"the branch that ends at {loose[0]} is not Gaussian in the limit"
        return reason, (
            "end it with a layer with weights: put a stem before the first block, activations inside the branches "
            "(He et al. 2016, arXiv:1603.05027), and dropout off"
        )
    return None


def folded(steps: Sequence[Step]) -> tuple[Step, ...]:
    """``steps`` with numbers that multiply the output of a layer with weights taken into its W_std and b_std.

    In the NTK and muP parameterisations c·(W_std W x + b_std b) is the same function of the same weights; the standard
    one would have other gradients, so there the factor stays. Signs go: weights are as often negative as positive.
    """
    found: list[Step] = []
    for step in steps:
        place = _scalable(found) if step.scalar else None
        if place is None:
            found.append(step)
        else:
            found[place] = _times(found[place], abs(step.scalar or 1.0))
    return tuple(found)


def _scalable(steps: Sequence[Step]) -> int | None:
    """Where a number that multiplies what ``steps`` give can go: to the last layer with weights, if only linear maps
    without weights follow."""
    for place in reversed(range(len(steps))):
        layer = steps[place].layer
        if isinstance(layer, spec.Dense | spec.Conv | spec.ConvTranspose):
            return place if layer.param != "standard" else None
        if not isinstance(layer, _HOMOGENEOUS):
            return None
    return None


def _times(step: Step, number: float) -> Step:
    layer = step.layer
    assert isinstance(layer, spec.Dense | spec.Conv | spec.ConvTranspose)
    b_std = None if layer.b_std is None else layer.b_std * number
    return replace(step, layer=layer.replace(W_std=layer.W_std * number, b_std=b_std))
