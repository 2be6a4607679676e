"""From layers to steps: the table of rules, and the walk that binds a network to its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ntklab import spec
from ntklab.errors import NtkLabError, NumericalError
from ntklab.kernels.infinite import branch, dense, dropout, flatten
from ntklab.kernels.infinite.activations import DUALS, bind_activation
from ntklab.kernels.infinite.state import Context, Cost, Samples, State, Step

RULES: dict[type[spec.Spec], Callable[[Any, Samples, Context], Step]] = {
    spec.Dense: dense.bind,
    spec.Dropout: dropout.bind,
    spec.Flatten: flatten.bind,
}


def supported(layer: spec.Layer) -> bool:
    """Whether ``layer``, with everything inside it, has an infinite-width rule."""
    if isinstance(layer, spec.Branch):
        return all(supported(part) for path in layer.branches for part in path)
    return type(layer) in RULES or type(layer) in DUALS


def bind_stack(layers: Sequence[spec.Layer], samples: Samples, context: Context, place: str = "") -> Step:
    """The layers one after the other, as a single step bound to ``samples``.

    Raises ``NtkLabError`` naming the layer that has no rule, or whose rule does not hold where it stands, and
    ``NumericalError`` naming the layer behind which a variance is no longer a finite number.
    """
    steps, after = [], samples
    for position, layer in enumerate(layers, start=1):
        here = f"{place}layer {position} ({type(layer).__name__})"
        step = _bind(layer, after, context, here)
        after = step.after
        _check_finite(after, here)
        steps.append(step)

    def run(state: State) -> State:
        for step in steps:
            state = step.run(state)
        return state

    cost = Cost()
    for step in steps:
        cost = cost.then(step.cost)
    return Step(run, after, cost, tuple(dict.fromkeys(note for step in steps for note in step.notes)))


def _bind(layer: spec.Layer, samples: Samples, context: Context, place: str) -> Step:
    if isinstance(layer, spec.Branch):
        ends = [
            bind_stack(path, samples, context, f"{place}, branch {number}, ")
            for number, path in enumerate(layer.branches, start=1)
        ]
        return branch.merge(layer, ends, place)
    if type(layer) in DUALS:
        return bind_activation(layer, samples, context, place)
    if type(layer) in RULES:
        return RULES[type(layer)](layer, samples, context)
    raise NtkLabError(
        f"{place}: there is no infinite-width rule for this layer; replace it, or use the empirical kernel of a "
        "finite network"
    )


def _check_finite(samples: Samples, place: str) -> None:
    if not bool(torch.isfinite(samples.q).all() & torch.isfinite(samples.t).all()):
        raise NumericalError(
            f"{place}: the variance of its units is not finite; make W_std smaller or scale the inputs down"
        )
