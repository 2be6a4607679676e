"""The modules that networks are made of, beside those of torch itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ntklab.networks.activations import POINTWISE
from ntklab.spec.activations import Activation


class Dense(nn.Module):
    """z = weight_scale·W a + bias_scale·b on the last axis; W (out, in), b (out,) or None.

    NTK parameterisation: scales W_std/√in and b_std, W, b ~ N(0, 1) (Jacot et al. 2018, arXiv:1806.07572). Standard
    parameterisation: scales 1/√s[0] and 1, W ~ N(0, W_std²·s[0]/in), b ~ N(0, b_std²) (Sohl-Dickstein et al. 2020,
    arXiv:2001.07301). Parameters in order: ``weight``, ``bias``.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, weight_scale: float, bias_scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)
        self.weight_scale = weight_scale
        self.bias_scale = bias_scale

    def forward(self, a: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias * self.bias_scale
        return nn.functional.linear(a * self.weight_scale, self.weight, bias)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}, weight_scale={self.weight_scale:.6g}, bias={self.bias is not None}"


class Pointwise(nn.Module):
    """The activation described by ``spec``, applied to each unit."""

    def __init__(self, spec: Activation) -> None:
        super().__init__()
        self.spec = spec
        self._function = POINTWISE[type(spec)]

    def forward(self, z: Tensor) -> Tensor:
        return self._function(self.spec, z)

    def extra_repr(self) -> str:
        return repr(self.spec)


class Merge(nn.Module):
    """Parallel branches on one input: summed, multiplied, or joined on ``axis``; an empty branch is the identity."""

    def __init__(
        self, branches: Sequence[nn.Module], merge: Literal["sum", "concat", "prod"] = "sum", axis: int = -1
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.merge = merge
        self.axis = axis

    def forward(self, a: Tensor) -> Tensor:
        return self.join([branch(a) for branch in self.branches])

    def join(self, values: Sequence[Tensor]) -> Tensor:
        """The merged outputs of the branches."""
        if self.merge == "concat":
            return torch.cat(list(values), dim=self.axis)
        join = torch.add if self.merge == "sum" else torch.mul
        merged = values[0]
        for value in values[1:]:
            merged = join(merged, value)
        return merged

    def extra_repr(self) -> str:
        return self.merge if self.merge != "concat" else f"concat, axis={self.axis}"
