"""Convolutions: the mean of covariances over a window that slides over both positions at once."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from torch import Tensor

from ntklab import spec
from ntklab.kernels.infinite.dense import Dense, true_width
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, State, Step


class Conv(Step):
    """S[p, p'] ← W_std²·A(S)[p, p'] + b_std² with A the mean over δ of S[s·p + δ, s·p' + δ], zero outside the image.

    T as in a dense layer on A(S) and A(T) (Novak et al. 2019, arXiv:1810.05148; Arora et al. 2019, arXiv:1904.11955).
    """

    def __init__(self, layer: spec.Conv, before: Form, after: Form, context: Context) -> None:
        super().__init__(before, after, context)
        self.layer = layer
        self.window = prod(layer.kernel)
        self.dense = Dense(layer, after.but(width=before.width), after, context, window=self.window)
        self.cost = self.moving(1.0 + 1.5 * sum(layer.kernel), buffers=2)

    def run(self, state: State) -> State:
        T = None if state.ntk is None else self._mean(state.ntk)
        return self.dense.run(replace(state, nngp=self._mean(state.nngp), ntk=T))

    def _mean(self, S: Tensor) -> Tensor:
        for axis in range(len(self.before.sizes)):
            S = self._sum(S, axis)
        return S.div_(self.window)

    def _sum(self, S: Tensor, axis: int) -> Tensor:
        """Along one spatial axis, for one or both positions of a pair."""
        crossed, axes = self.before.crossed, len(self.before.sizes)
        where = [S.ndim - 2 * axes + axis, S.ndim - axes + axis] if crossed else [axis]
        kernel, size = self.layer.kernel[axis], self.after.sizes[axis]
        stride = self.layer.stride[axis] if self.layer.stride else 1
        before = S.shape[where[0]]
        low = 0 if self.layer.padding == "VALID" else max((size - 1) * stride + kernel - before, 0) // 2
        total = S.new_zeros([size if i in where else n for i, n in enumerate(S.shape)])
        for delta in range(kernel):
            first = max(0, -((delta - low) // stride))
            last = min(size - 1, (before - 1 + low - delta) // stride)
            if last < first:
                continue
            start = first * stride + delta - low
            source, target = S, total
            for dim in where:
                source = source.narrow(dim, start, (last - first) * stride + 1)
                source = source[(slice(None),) * dim + (slice(None, None, stride),)]
                target = target.narrow(dim, first, last - first + 1)
            target.add_(source)
        return total


def bind(layer: spec.Conv, before: Form, context: Context, _: str) -> Step:
    """Sizes as in ``spec.layer_shapes``."""
    strides = layer.stride or (1,) * len(layer.kernel)
    sizes = tuple(
        -(-n // s) if layer.padding != "VALID" else (n - k) // s + 1
        for n, k, s in zip(before.sizes, layer.kernel, strides, strict=True)
    )
    after = before.but(sizes=sizes, width=true_width(layer, layer.channels), gaussian=True)
    return Conv(layer, before, after, context)
