"""Convolutions of finite networks, channels last: dense layers on the patches that windows see."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntklab.geometry import Spread, Window
from ntklab.networks.windows import kept, padded, patches, spread_patches

_CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_SPREAD = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


class Convolution(nn.Module):
    """z = weight_scale·W p + bias_scale·b on the patches p of each place. Parameters in order: ``weight``, ``bias``.

    Scales as in ``Dense``: W_std/√fan_in and b_std in NTK parameterisation with fan_in = channels·Π kernel.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, weight_scale: float, bias_scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)
        self.weight_scale = weight_scale
        self.bias_scale = bias_scale

    def patches(self, a: Tensor) -> Tensor:
        """(n, *places, fan_in): the numbers that W acts on at each place, in the order of its columns."""
        raise NotImplementedError

    def _scaled_bias(self) -> Tensor | None:
        return None if self.bias is None else self.bias * self.bias_scale

    def extra_repr(self) -> str:
        return f"{list(self.weight.shape)}, weight_scale={self.weight_scale:.6g}, bias={self.bias is not None}"


class Conv(Convolution):
    """One W for all places: ``weight`` (out, in, *kernel), ``bias`` (out,)."""

    def __init__(self, weight: Tensor, bias: Tensor | None, windows: Sequence[Window], **scales: float) -> None:
        super().__init__(weight, bias, **scales)
        self.windows = tuple(windows)

    def patches(self, a: Tensor) -> Tensor:
        return patches(a, self.windows)

    def forward(self, a: Tensor) -> Tensor:
        sides = [window.pads for window in self.windows]
        even = not self.windows[0].wraps and all(low == high for low, high in sides)
        x = a if even else padded(a, self.windows)
        convolve = _CONVOLVE[len(sides)]
        strides = [window.stride for window in self.windows]
        padding = [low if even else 0 for low, _ in sides]
        x = (x * self.weight_scale).movedim(-1, 1)
        return convolve(x, self.weight, self._scaled_bias(), strides, padding).movedim(1, -1)


class ConvTranspose(Convolution):
    """The transpose of a convolution: ``weight`` (out, in, *kernel), ``bias`` (out,), as ``jax.lax.conv_transpose``."""

    def __init__(self, weight: Tensor, bias: Tensor | None, spreads: Sequence[Spread], **scales: float) -> None:
        super().__init__(weight, bias, **scales)
        self.spreads = tuple(spreads)

    def patches(self, a: Tensor) -> Tensor:
        return spread_patches(a, self.spreads)

    def forward(self, a: Tensor) -> Tensor:
        axes = len(self.spreads)
        # The offset δ of W meets what torch numbers kernel − 1 − δ.
        W = self.weight.flip(tuple(range(2, 2 + axes))).transpose(0, 1)
        x = (a * self.weight_scale).movedim(-1, 1)
        everywhere = _SPREAD[axes](x, W, stride=[spread.stride for spread in self.spreads])
        z = kept(everywhere, self.spreads, first=2).movedim(1, -1)
        bias = self._scaled_bias()
        return z if bias is None else z + bias


class ConvLocal(Convolution):
    """A W and b of its own at each place: ``weight`` (places, out, in·Π kernel), ``bias`` (places, out)."""

    def __init__(self, weight: Tensor, bias: Tensor | None, windows: Sequence[Window], **scales: float) -> None:
        super().__init__(weight, bias, **scales)
        self.windows = tuple(windows)

    def patches(self, a: Tensor) -> Tensor:
        return patches(a, self.windows)

    def forward(self, a: Tensor) -> Tensor:
        seen = self.patches(a * self.weight_scale)
        z = torch.einsum("npi,poi->npo", seen.flatten(1, -2), self.weight)
        bias = self._scaled_bias()
        z = z if bias is None else z + bias
        return z.reshape(*seen.shape[:-1], z.shape[-1])
