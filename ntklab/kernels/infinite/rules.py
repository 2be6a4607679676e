"""From layers to steps: the table of rules, what each needs of the layer before it, and the walk that binds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

import torch

from ntklab import spec
from ntklab.errors import NoRuleError, NumericalError
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
from ntklab.kernels.infinite.gather import gather_of
from ntklab.kernels.infinite.masks import TRANSPARENT, Mask, masks_behind
from ntklab.kernels.infinite.reach import needs, reach
from ntklab.kernels.infinite.state import Context, Cost, Cross, State, Step, Stopped, Uncross
from ntklab.kernels.infinite.sweep import Course, Sweep, run_of

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


def supported(layer: spec.Layer) -> bool:
    """Whether ``layer``, with everything inside it, has an infinite-width rule."""
    if isinstance(layer, spec.Branch):
        return all(supported(part) for path in layer.branches for part in path)
    return type(layer) in RULES


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
        """Whether the first layers take in the samples by themselves, shift by shift."""
        return bool(self.steps) and isinstance(self.steps[0], Sweep) and self.steps[0].first

    @property
    def sweeps(self) -> bool:
        """Whether layers are taken shift by shift: then large pairs of samples do not take long without a stop."""
        return any(isinstance(step, Sweep) for step in self.steps)

    @property
    def crosses(self) -> bool:
        return any(step.crosses for step in self.steps)

    def _add_up(self) -> None:
        total = Cost(held=0 if self.swept else self.context.kinds * self.before.entries)
        for step in self.steps:
            total = total.then(step.cost)
        self.cost = total

    def _check_wanted(self) -> None:
        if self.context.stop.is_set():
            raise Stopped


def bind_stack(
    layers: Sequence[spec.Layer],
    form: Form,
    context: Context,
    *,
    crossed: bool = False,
    place: str = "",
    first: int = 1,
) -> Stack:
    """The layers one after the other, bound to what comes before them; the first of them is number ``first``.

    ``crossed``: all pairs of positions are needed behind. Raises ``NoRuleError`` naming the layer that has no rule, or
    whose rule does not hold where it stands.
    """
    steps: list[Step] = []
    places: list[str] = []

    def add(step: Step, here: str) -> Form:
        steps.append(step)
        places.append(here)
        return step.after

    before, at = form, 0
    while at <= len(layers):
        rest = layers[at:]
        here = f"{place}layer {at + first} ({type(rest[0] if rest else None).__name__})"
        wanted = needs(rest, crossed=crossed)
        if form.crossed and not wanted and not form.level:
            form = add(Uncross(form, context), here)
        if form.sizes and wanted and not form.crossed:
            form = add(Cross(form, context), here)
        swept = None if place else _sweep(rest, form, context, crossed=crossed, number=at + first)
        if swept is not None:
            form = add(swept[0], f"layers {at + first} to {at + first + swept[1] - 1}")
            at += swept[1]
            continue
        if rest:
            form = add(_bind(rest[0], form, context, here, crossed=needs(rest[1:], crossed=crossed)), here)
            if form.masks is not None and type(rest[0]) not in TRANSPARENT:
                form = add(Mask(form, context), here)
        at += 1
    return Stack(steps, places, before, context)


def _sweep(
    layers: Sequence[spec.Layer], form: Form, context: Context, *, crossed: bool, number: int
) -> tuple[Sweep, int] | None:
    """The run that ``layers`` begin with, taken shift by shift with a pool behind it, and how many layers these are.

    None where there is no such run, or nothing is won by it.
    """
    if context.inputs is None or not form.crossed or form.level or form.masks is not None:
        return None
    run = run_of(layers, len(form.sizes))
    if run is None:
        return None

    def make(inside: Context, axes: int) -> Stack:
        inside = replace(inside, inputs=None)
        return bind_stack(layers[: run.count], form.but(level=axes), inside, first=number)

    behind = layers[run.count :]
    sizes = make(context, 1).after.sizes
    course = Course.around(sizes[0]) if run.wraps else Course.along(sizes, reach(behind, inf if crossed else 0))
    end = make(context, course.axes).after.but(crossed=True, level=course.axes)
    gather, after, pools = gather_of(
        behind, end, context, wraps=run.wraps, reach=reach(behind[1:], inf if crossed else 0)
    )
    sweep = Sweep(
        partial(make, axes=course.axes), gather, course, strides=run.strides, first=number == 1, before=form,
        after=after, context=context,
    )  # fmt: skip
    return sweep, run.count + pools


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


def _unknown(place: str) -> NoRuleError:
    return NoRuleError(
        f"{place}: there is no infinite-width rule for this layer; replace it, or use the empirical kernel of a "
        "finite network"
    )


def _check_finite(state: State, place: str) -> None:
    for part in (state.nngp, state.ntk):
        if part is not None and not bool(torch.isfinite(part.sum())):
            raise NumericalError(
                f"{place}: the variance of its units is not finite; make W_std smaller or scale the inputs down"
            )
