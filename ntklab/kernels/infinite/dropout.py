"""Dropout: noise that a sample shares with itself alone."""

from __future__ import annotations

from ntklab import spec
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Cost, State, Step, variances


class Dropout(Step):
    """Divides what a position of a sample has with itself by the share that is kept, in S and T.

    Pairs of different samples or positions stay as they are, so it acts as a ridge that depends on the data.
    """

    def __init__(self, layer: spec.Dropout, before: Form, context: Context) -> None:
        super().__init__(before, before.but(gaussian=False), context, Cost(held=context.kinds * before.entries))
        self.keep = layer.keep_rate

    def alone(self, state: State) -> State:
        q = variances(state.nngp, self.before) / self.keep
        t = None if state.ntk is None else variances(state.ntk, self.before) / self.keep
        return state.with_alone(q, t, self.before)

    def run(self, state: State) -> State:
        return state


def bind(layer: spec.Dropout, before: Form, context: Context, _: str) -> Step:
    """Mode "test" does nothing."""
    return Dropout(layer, before, context) if layer.mode == "train" else Same(before, context)


class Same(Step):
    """Does nothing."""

    def __init__(self, before: Form, context: Context) -> None:
        super().__init__(before, before, context, Cost(held=context.kinds * before.entries))

    def run(self, state: State) -> State:
        return state
