"""Layer normalisation: in the limit, division by a deviation that is known."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ntklab import spec
from ntklab.errors import NoRuleError
from ntklab.kernels.infinite.activations.dual import inverse_root
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Kept, Pairs, State, Step, variances
from ntklab.spec.transitions import axis_numbers


class LayerNorm(Step):
    """S[p, p'] ← S[p, p']/√((eps + q_p)(eps + q'_p')), T likewise; q are variances, averaged over the spatial axes.

    The mean over infinitely many channels is 0 and their variance is not random (Xiao et al. 2020, arXiv:1912.13053,
    appendix on normalisation).
    """

    def __init__(self, layer: spec.LayerNorm, before: Form, context: Context) -> None:
        super().__init__(before, before, context)
        shape = (*before.sizes, 1)
        self.eps = layer.eps
        self.axes = tuple(axis - 1 for axis in axis_numbers(layer.axis, shape) if axis < len(shape))
        self._kept, self._table = Kept(), Tensor()
        self.cost = self.moving(1.5, table=2 * 8 * before.positions)

    def alone(self, state: State) -> State:
        q = variances(state.nngp, self.before)
        assert isinstance(state.pairs.left, slice)
        masks = None if self.before.masks is None else self.before.masks[..., state.pairs.left]
        factors = inverse_root(self.eps + _mean(q, self.axes, masks)).expand_as(q)
        self._kept.add(state.pairs, factors)
        return replace(self._divide(state, factors[None], Pairs.alone(slice(None))), pairs=state.pairs)

    def settle(self) -> None:
        self._table = self.context.ready(self._kept.all())[None]

    def run(self, state: State) -> State:
        return self._divide(state, self._table, state.pairs)

    def _divide(self, state: State, table: Tensor, pairs: Pairs) -> State:
        left, right = (side[0] for side in pairs.beside(table, self.before))
        for part in (state.nngp, state.ntk):
            if part is not None:
                part.mul_(left).mul_(right)
        return state


def _mean(q: Tensor, axes: tuple[int, ...], masks: Tensor | None) -> Tensor:
    """Over the spatial ``axes`` of (*sizes, n), of positions that are not masked."""
    if not axes:
        return q
    if masks is None:
        return q.mean(dim=axes, keepdim=True)
    seen = (~masks).to(q)
    return (q * seen).sum(dim=axes, keepdim=True) / seen.sum(dim=axes, keepdim=True).clamp_(min=1)


def bind(layer: spec.LayerNorm, before: Form, context: Context, place: str) -> Step:
    """Raises ``NoRuleError`` unless the input is Gaussian: only then is its variance that of every channel."""
    if not before.gaussian:
        raise NoRuleError(
            f"{place}: its input is not Gaussian, so the normalised units have no closed form; put a layer with "
            "weights before it"
        )
    return LayerNorm(layer, before, context)
