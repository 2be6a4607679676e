"""Dropout: noise that a sample shares with itself alone."""

from __future__ import annotations

from dataclasses import replace

from ntklab import spec
from ntklab.kernels.infinite.state import Context, Samples, Step


def bind(layer: spec.Dropout, samples: Samples, _: Context) -> Step:
    """In mode "train" q ← q/keep_rate and t ← t/keep_rate; pairs of different samples stay as they are.

    It acts as a ridge that depends on the data. Mode "test" does nothing.
    """
    if layer.mode == "test":
        return Step(lambda state: state, samples)
    keep = layer.keep_rate
    after = replace(samples, q=samples.q / keep, t=samples.t / keep, gaussian=False)
    return Step(lambda state: state.settled(after), after)
