"""Layer normalisation without affine parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """(x − mean)/√(eps + variance), both over ``axes`` and over what is not masked (Ba et al. 2016, arXiv:1607.06450).

    ``axes`` count the batch axis as 0.
    """

    def __init__(self, axes: tuple[int, ...], eps: float) -> None:
        super().__init__()
        self.axes = axes
        self.eps = eps

    def forward(self, a: Tensor, mask: Tensor | None = None) -> Tensor:
        """``mask`` (n, *space) is true at masked positions, where ``a`` is 0 and something finite comes out."""
        if mask is None:
            centred = a - a.mean(self.axes, keepdim=True)
            return centred / (self.eps + centred.square().mean(self.axes, keepdim=True)).sqrt()
        seen = (~mask).unsqueeze(-1).to(a).expand_as(a)
        count = seen.sum(self.axes, keepdim=True)
        share = seen / count.clamp(min=1)
        centred = a - (a * share).sum(self.axes, keepdim=True)
        variance = (centred.square() * share).sum(self.axes, keepdim=True)
        return centred / (self.eps + torch.where(count > 0, variance, 1.0)).sqrt()

    def extra_repr(self) -> str:
        return f"axes={list(self.axes)}, eps={self.eps:g}"
