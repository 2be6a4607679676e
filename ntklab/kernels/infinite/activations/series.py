"""Power series in the correlation with a product of one number of each sample as coefficient."""

from __future__ import annotations

import torch
from torch import Tensor


def scale_of(q: Tensor) -> Tensor:
    """√q, and 1 where q is 0: what S is divided by, and coefficient k multiplied k times with."""
    return torch.where(q > 0, q, 1.0).sqrt()


def hermite_pair(
    rho: Tensor, left: Tensor, right: Tensor, *, derivative: bool, stride: int = 1
) -> tuple[Tensor, Tensor | None]:
    """Σ_k c_k c_k' ρ^k and its derivative by ρ: E φφ and √(q q')·E φ'φ' if c_k are the Hermite coefficients of φ.

    Tables: c_0, then c_1, c_{1+stride}, c_{1+2·stride}, …; those between are zero.
    """
    k = (left[0] * right[0]).expand(rho.shape)
    if len(left) == 1:
        return k.contiguous(), torch.zeros_like(rho) if derivative else None
    x = rho if stride == 1 else rho**stride
    value, slope = power_series(x, left[1:], right[1:], derivative=derivative)
    k = k.addcmul(rho, value)
    return k, None if slope is None else value.addcmul_(slope, x, value=stride)


def power_series(x: Tensor, left: Tensor, right: Tensor, *, derivative: bool) -> tuple[Tensor, Tensor | None]:
    """Σ_j left[j]·right[j]·x^j and its derivative by x, by Horner's rule in three buffers of the size of x."""
    value, coefficient = left[-1] * right[-1], torch.empty_like(x)
    slope = torch.zeros_like(x) if derivative else None
    for j in range(len(left) - 2, -1, -1):
        if slope is not None:
            torch.addcmul(value, slope, x, out=slope)
        torch.mul(left[j], right[j], out=coefficient)
        torch.addcmul(coefficient, value, x, out=value)
    return value, slope
