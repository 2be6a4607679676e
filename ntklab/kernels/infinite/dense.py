"""Dense layers in the NTK and the standard parameterisation."""

from __future__ import annotations

from dataclasses import replace

from ntklab import spec
from ntklab.kernels.infinite.state import Context, Cost, Samples, State, Step


def bind(layer: spec.Dense, samples: Samples, context: Context) -> Step:
    """S ← W_std² S + b_std², and T by parameterisation.

    NTK (Jacot et al. 2018, arXiv:1806.07572): T ← W_std² T + S with the new S. Standard (Sohl-Dickstein et al. 2020,
    arXiv:2001.07301): T ← W_std² T + fan_in·S with the old S, + 1 for the bias; fan_in is the true width of the layer
    below over s[0].
    """
    return _ntk(layer, samples, context) if layer.param == "ntk" else _standard(layer, samples, context)


def _ntk(layer: spec.Dense, samples: Samples, context: Context) -> Step:
    weight, bias = layer.W_std**2, (layer.b_std or 0.0) ** 2
    q = weight * samples.q + bias
    after = Samples(q=q, t=weight * samples.t + q, width=layer.width, gaussian=True)

    def run(state: State) -> State:
        S = state.nngp.mul_(weight)
        if bias:
            S.add_(bias)
        if not context.ntk:
            return replace(state, nngp=S)
        T = S.clone() if state.ntk is None else state.ntk.mul_(weight).add_(S)
        return replace(state, nngp=S, ntk=T)

    return Step(run, after, Cost(nanoseconds=0.8, buffers=0))


def _standard(layer: spec.Dense, samples: Samples, context: Context) -> Step:
    weight, bias = layer.W_std**2, (layer.b_std or 0.0) ** 2
    fan_in, ones = samples.width / layer.s[0], float(layer.b_std is not None)
    after = Samples(
        q=weight * samples.q + bias,
        t=weight * samples.t + fan_in * samples.q + ones,
        width=layer.s[1] * layer.width,
        gaussian=True,
    )

    def run(state: State) -> State:
        S = state.nngp
        T = None
        if context.ntk:
            T = S * fan_in if state.ntk is None else state.ntk.mul_(weight).add_(S, alpha=fan_in)
            T.add_(ones)
        return replace(state, nngp=S.mul_(weight).add_(bias), ntk=T)

    return Step(run, after, Cost(nanoseconds=1.0, buffers=0))
