"""From layers to steps: the table of rules, what each needs of the layer before it, and the walk that binds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from ntklab import spec
from ntklab.errors import NtkLabError, NumericalError
from ntklab.kernels.infinite import (
    activations,
    attention,
    branch,
    convolution,
    dense,
    dropout,
    flatten,
    normalisation,
    pooling,
    positions,
)
from ntklab.kernels.infinite.activations import DUALS
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.masks import TRANSPARENT, Mask, masks_behind
from ntklab.kernels.infinite.state import Context, Cost, Cross, State, Step, Stopped, Uncross
from ntklab.kernels.infinite.sweep import Sweep, sweepable

Bind = Callable[[Any, Form, Context, str], Step]

RULES: dict[type[spec.Spec], Bind] = {
    spec.Dense: dense.bind,
    spec.Conv: convolution.bind,
    spec.ConvLocal: convolution.bind,
    spec.ConvTranspose: convolution.bind_transpose,
    spec.AvgPool: pooling.bind,
    spec.SumPool: pooling.bind,
    spec.Dropout: dropout.bind,
    spec.Flatten: flatten.bind,
    spec.GlobalAvgPool: pooling.bind_global,
    spec.GlobalSumPool: pooling.bind_global,
    spec.LayerNorm: normalisation.bind,
    spec.SelfAttention: attention.bind,
    spec.ImageResize: positions.bind_resize,
    spec.Index: positions.bind_index,
    spec.DotGeneral: positions.bind_dot_general,
    spec.Aggregate: positions.bind_aggregate,
    **dict.fromkeys(DUALS, activations.bind),
}

# Whether a layer needs all pairs of positions of the layer before it, if what comes behind it does or does not need
# all pairs of its own. Layers that are not named pass the need on.
NEEDS: dict[type[spec.Spec], Callable[[Any, bool], bool]] = {
    spec.Flatten: lambda _, __: False,
    spec.ConvLocal: lambda _, __: False,  # weights of different positions are independent
    spec.AvgPool: lambda layer, crossed: crossed or max(layer.window) > 1,
    spec.SumPool: lambda layer, crossed: crossed or max(layer.window) > 1,
    spec.GlobalAvgPool: lambda _, __: True,
    spec.GlobalSumPool: lambda _, __: True,
    spec.SelfAttention: lambda _, __: True,
    spec.Aggregate: lambda _, __: True,
    spec.ImageResize: lambda layer, crossed: crossed or layer.method != "nearest",
    spec.DotGeneral: lambda layer, crossed: crossed or bool(layer.contracted[0]),
}


def supported(layer: spec.Layer) -> bool:
    """Whether ``layer``, with everything inside it, has an infinite-width rule."""
    if isinstance(layer, spec.Branch):
        return all(supported(part) for path in layer.branches for part in path)
    return type(layer) in RULES


def needs(layers: Sequence[spec.Layer], *, crossed: bool) -> bool:
    """Whether ``layers`` need all pairs of positions of what comes before them; ``crossed``: what comes behind does."""
    for layer in reversed(layers):
        if isinstance(layer, spec.Branch):
            crossed = any(needs(path, crossed=crossed) for path in layer.branches)
        elif type(layer) in NEEDS:
            crossed = NEEDS[type(layer)](layer, crossed)
    return crossed


class Stack(Step):
    """Layers one after the other. ``places`` says where each step stands, for messages."""

    def __init__(self, steps: Sequence[Step], places: Sequence[str], before: Form, context: Context) -> None:
        super().__init__(before, steps[-1].after if steps else before, context)
        self.steps, self.places = steps, places
        self._add_up()

    def alone(self, state: State) -> State:
        for step, place in zip(self.steps, self.places, strict=True):
            self._check_wanted()
            state = step.alone(state)
            _check_finite(state, place)
        return state

    def settle(self) -> None:
        for step in self.steps:
            step.settle()
        self._add_up()
        self.notes = tuple(dict.fromkeys(note for step in self.steps for note in step.notes))

    def error(self) -> float:
        return sum(step.error() for step in self.steps)

    def run(self, state: State) -> State:
        for step in self.steps:
            self._check_wanted()
            state = step.run(state)
        return state

    @property
    def swept(self) -> bool:
        """Whether the first layers take the samples by themselves, offset by offset."""
        return bool(self.steps) and isinstance(self.steps[0], Sweep)

    @property
    def crosses(self) -> bool:
        return any(step.crosses for step in self.steps)

    def _add_up(self) -> None:
        total = Cost(held=self.context.kinds * self.before.entries)
        for step in self.steps:
            total = total.then(step.cost)
        self.cost = total

    def _check_wanted(self) -> None:
        if self.context.stop.is_set():
            raise Stopped


def bind_stack(
    layers: Sequence[spec.Layer], form: Form, context: Context, *, crossed: bool = False, place: str = ""
) -> Stack:
    """The layers one after the other, bound to what comes before them.

    ``crossed``: all pairs of positions are needed behind. Raises ``NtkLabError`` naming the layer that has no rule, or
    whose rule does not hold where it stands.
    """
    steps: list[Step] = []
    places: list[str] = []
    before, done = form, 0
    if not place and context.inputs is not None and form.crossed and form.masks is None:
        done = _sweep(layers, form, context, steps)
        places.extend([f"layers 1 to {done}"] * len(steps))
        form = steps[-1].after if steps else form
    for position, layer in enumerate([*layers, None], start=1):
        if position <= done:
            continue
        wanted = needs(layers[position - 1 :], crossed=crossed)
        here = f"{place}layer {position} ({type(layer).__name__})"
        if form.crossed and not wanted and not form.level:
            steps.append(Uncross(form, context))
            places.append(here)
            form = steps[-1].after
        if form.sizes and wanted and not form.crossed:
            steps.append(Cross(form, context))
            places.append(here)
            form = steps[-1].after
        if layer is not None:
            steps.append(_bind(layer, form, context, here, crossed=needs(layers[position:], crossed=crossed)))
            places.append(here)
            form = steps[-1].after
            if form.masks is not None and type(layer) not in TRANSPARENT:
                steps.append(Mask(form, context))
                places.append(here)
    return Stack(steps, places, before, context)


def _sweep(layers: Sequence[spec.Layer], form: Form, context: Context, steps: list[Step]) -> int:
    """Take the first layers offset by offset where they allow it; how many they are, a global pool included."""
    count = sweepable(layers)
    if not count:
        return 0
    flat, pool = form.but(level=1), _POOLS.get(type(layers[count])) if count < len(layers) else None

    def make(inside: Context) -> Stack:
        return bind_stack(layers[:count], flat, replace(inside, inputs=None))

    steps.append(Sweep(make, pool, form, context))
    return count + (pool is not None)


_POOLS: dict[type[spec.Spec], str] = {spec.GlobalAvgPool: "mean", spec.GlobalSumPool: "sum"}


def _bind(layer: spec.Layer, form: Form, context: Context, place: str, *, crossed: bool) -> Step:
    ends: list[Stack] = []
    if isinstance(layer, spec.Branch):
        ends = [
            bind_stack(path, form, context, crossed=crossed, place=f"{place}, branch {number}, ")
            for number, path in enumerate(layer.branches, start=1)
        ]
        step = branch.bind(layer, ends, form, context, place)
    elif type(layer) in RULES:
        step = RULES[type(layer)](layer, form, context, place)
    else:
        raise _unknown(place)
    step.after = step.after.but(masks=masks_behind(layer, step, place, [end.after.masks for end in ends]))
    return step


def _unknown(place: str) -> NtkLabError:
    return NtkLabError(
        f"{place}: there is no infinite-width rule for this layer; replace it, or use the empirical kernel of a "
        "finite network"
    )


def _check_finite(state: State, place: str) -> None:
    for part in (state.nngp, state.ntk):
        if part is not None and not bool(torch.isfinite(part.sum())):
            raise NumericalError(
                f"{place}: the variance of its units is not finite; make W_std smaller or scale the inputs down"
            )
