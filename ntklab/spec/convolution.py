"""Convolutions over the spatial axes of sequences, images and volumes."""

from __future__ import annotations

from ntklab.spec.base import NonNegative, Positive, Spec
from ntklab.spec.weights import Padding, Parameterisation, Sizes, Width


class Convolution(Spec, frozen=True):
    """Base of the convolutions: ``kernel`` and ``stride`` have a size for each spatial axis, no ``stride`` is 1."""

    channels: Width
    kernel: Sizes
    stride: Sizes | None = None
    padding: Padding = "VALID"
    W_std: Positive = 1.0
    b_std: NonNegative | None = None
    param: Parameterisation = "ntk"
    s: tuple[Positive, Positive] = (1.0, 1.0)

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride along each spatial axis."""
        return self.stride or (1,) * len(self.kernel)


class Conv(Convolution, frozen=True, tag=True):
    """z_p = W_std/√fan_in·Σ_δ W_δ x_{s·p+δ} + b_std·b with fan_in = channels·Π kernel.

    ``kernel`` and ``stride`` have one size for each spatial axis; no ``stride`` means 1 everywhere. SAME pads with
    zeros to an output of ⌈size/stride⌉ (the smaller half in front), VALID does not pad, CIRCULAR wraps around by the
    amounts of SAME. ``param`` and ``s`` as in Dense.
    """


class ConvTranspose(Convolution, frozen=True, tag=True):
    """z_p = W_std/√fan_in·Σ_{s·r+δ=p} W_δ x_r + b_std·b: the gradient of a convolution, fan_in = channels·Π kernel.

    SAME gives size·stride, VALID size·stride + max(kernel − stride, 0); CIRCULAR wraps the VALID output around to the
    size of SAME and adds.
    """


class ConvLocal(Convolution, frozen=True, tag=True):
    """z_p = W_std/√fan_in·Σ_δ W_{p,δ} x_{s·p+δ} + b_std·b_p: a convolution with weights of its own at each position."""
