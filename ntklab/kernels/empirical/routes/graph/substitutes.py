"""Operations written in terms of others, because torch cannot run them, or not rightly, for many samples at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

aten = torch.ops.aten


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """max(x, 0) + w·min(x, 0): torch 2.13 mixes up the axes where there are as many samples as outputs."""
    shaped = weight.reshape(-1, *(1,) * max(0, x.ndim - 2)) if x.ndim > 1 else weight
    return torch.where(x > 0, x, shaped * x)


def bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """xᵀ W_o y + b_o"""
    z = torch.einsum("...i,oij,...j->...o", x, weight, y)
    return z if bias is None else z + bias


def copied(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """``source`` in the shape and precision of ``target``: torch's own has no derivative."""
    return source.to(target.dtype, non_blocking=non_blocking).expand(target.shape)


def select_scatter(target: Tensor, source: Tensor, dim: int, index: int) -> Tensor:
    """``target`` with one slice replaced; torch's own has twice the derivative for many samples at once."""
    index %= target.shape[dim]
    after = target.narrow(dim, index + 1, target.shape[dim] - index - 1)
    return torch.cat([target.narrow(dim, 0, index), source.unsqueeze(dim), after], dim)


def slice_scatter(
    target: Tensor, source: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """``target`` with the slices start, start + step, … replaced; see ``select_scatter``."""
    changed = range(target.shape[dim])[slice(start, end, step)]
    pieces, done = [], 0
    for i, position in enumerate(changed):
        if position > done:
            pieces.append(target.narrow(dim, done, position - done))
        if step == 1:
            pieces.append(source)
            done = changed.stop
            break
        pieces.append(source.narrow(dim, i, 1))
        done = position + 1
    return torch.cat([*pieces, target.narrow(dim, done, target.shape[dim] - done)], dim)


SUBSTITUTES: dict[Any, Callable[..., Any]] = {
    aten.select_scatter.default: select_scatter,
    aten.slice_scatter.default: slice_scatter,
    aten.prelu.default: prelu,
    aten.bilinear.default: bilinear,
    aten.copy.default: copied,
}


def lstm_cell(
    x: Tensor,
    state: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One step of long short-term memory (Hochreiter, Schmidhuber 1997), in torch's order of gates."""
    h, c = state
    i, f, g, o = (linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a gated recurrent unit (Cho et al. 2014), as torch writes it."""
    r, z, n = linear(x, w_ih, b_ih).chunk(3, -1)
    from_r, from_z, from_n = linear(h, w_hh, b_hh).chunk(3, -1)
    update = torch.sigmoid(z + from_z)
    new = torch.tanh(n + torch.sigmoid(r + from_r) * from_n)
    return new + update * (h - new)


def _elman(activation: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def cell(
        x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
    ) -> Tensor:
        return activation(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh))

    return cell


CELLS: dict[Any, Callable[..., Any]] = {
    aten.lstm_cell.default: lstm_cell,
    aten.gru_cell.default: gru_cell,
    aten.rnn_tanh_cell.default: _elman(torch.tanh),
    aten.rnn_relu_cell.default: _elman(torch.relu),
}
"""Recurrent cells as linear maps, whose weights then have rules."""
