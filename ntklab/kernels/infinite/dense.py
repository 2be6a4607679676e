"""Dense layers, at every position: in the NTK, the standard and the muP parameterisation."""

from __future__ import annotations

from dataclasses import replace

from ntklab import spec
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, State, Step


class Dense(Step):
    """S ← W_std² S + b_std², and T by parameterisation.

    NTK (Jacot et al. 2018, arXiv:1806.07572): T ← W_std² T + S with the new S. Standard (Sohl-Dickstein et al. 2020,
    arXiv:2001.07301): T ← W_std² T + fan_in·S with the old S, + 1 for the bias; fan_in is the true width of the layer
    below over s[0]. What comes in may be sums over the ``window`` positions that a unit sees: its fan_in is that many
    times as large, and S and T are meant to be their means.
    """

    def __init__(
        self, layer: spec.Dense | spec.Convolution, before: Form, after: Form, context: Context, *, window: int = 1
    ) -> None:
        super().__init__(before, after, context)
        self.weight, self.bias = layer.W_std**2 / window, (layer.b_std or 0.0) ** 2
        self.standard = layer.param == "standard"
        self.fan_in = before.width / layer.s[0]
        self.ones = float(layer.b_std is not None)
        self.cost = self.moving(0.8)

    def run(self, state: State) -> State:
        return self._standard(state) if self.standard else self._ntk(state)

    def _ntk(self, state: State) -> State:
        S = state.nngp.mul_(self.weight)
        if self.bias:
            S.add_(self.bias)
        if not self.context.ntk:
            return replace(state, nngp=S)
        T = S.clone() if state.ntk is None else state.ntk.mul_(self.weight).add_(S)
        return replace(state, nngp=S, ntk=T)

    def _standard(self, state: State) -> State:
        S, T = state.nngp, None
        if self.context.ntk:
            T = S * self.fan_in if state.ntk is None else state.ntk.mul_(self.weight).add_(S, alpha=self.fan_in)
            T.add_(self.ones)
        return replace(state, nngp=S.mul_(self.weight).add_(self.bias), ntk=T)


def bind(layer: spec.Dense, before: Form, context: Context, _: str) -> Step:
    """A dense layer acts on the last axis, so on every position alike."""
    return Dense(layer, before, before.but(width=true_width(layer, layer.width), gaussian=True), context)


def true_width(layer: spec.Dense | spec.Convolution, width: int) -> float:
    """Units of the finite layer: s[1] times those written, in standard parameterisation."""
    return layer.s[1] * width if layer.param == "standard" else width
