"""What a layer with weights contributes to the finite-width NTK.

For a dense layer z = W a + b with cotangents B[i, o] = ∂f_o(x_i)/∂z the layer's part of the kernel is
Θ[i, j, o, p] = (a_i·a_j + 1)(B[i, o]·B[j, p]): two Gram matrices and a product, never a Jacobian
(Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720). NTK parameterisation scales a and the 1 of the bias.
A convolution is a dense layer on the patches a_t of all its places t, which share W and b: its part is
Σ_ts (a_it·a_js + 1)(B[i, o, t]·B[j, p, s]), or the product of per-sample gradients Σ_t B_t a_tᵀ, whichever is cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

_GAIN = 0.7  # gradients are kept if they have at most so many times the numbers that they are made of


@dataclass(frozen=True, eq=False)
class Factor:
    """One layer's (A_i·A_j + offset)·(B_io·B_jp) for a batch of n samples.

    ``A`` (n, in), or None for the number 1 in place of the first bracket; ``B`` (n, k, out), or None where B_io·B_jp is
    1 for o = p and 0 otherwise (the layer is the network's output). Over several places: A (n, places, in) and
    B (n, k, places, out), for the sum over all pairs of places. ``layer`` names the layer that it is a part of.

    ``lazy`` says that the sum over places is cheaper as a product of gradients Σ_t B_iot A_itᵀ, which need not be kept:
    ``slices`` makes them, some of the out units at a time. B is then (n, k, out, places), and the offset is in A.
    """

    A: Tensor | None
    B: Tensor | None
    offset: float = 0.0
    layer: str = ""
    lazy: bool = False

    @property
    def places(self) -> int:
        """Places of a sample that the factor sums over."""
        return 1 if self.A is None or self.A.ndim == 2 else self.A.shape[1]

    @property
    def numbers(self) -> int:
        """How many the factor holds."""
        return sum(part.numel() for part in (self.A, self.B) if part is not None)

    def __getitem__(self, samples: slice) -> Factor:
        """The factor of some of the samples."""
        A, B = self.A, self.B
        return replace(self, A=None if A is None else A[samples], B=None if B is None else B[samples])

    def empty(self, n: int) -> Factor:
        """A factor of ``n`` samples, like this one and not filled yet."""
        A, B = self.A, self.B
        return replace(
            self,
            A=None if A is None else A.new_empty(n, *A.shape[1:]),
            B=None if B is None else B.new_empty(n, *B.shape[1:]),
        )

    def copy_(self, other: Factor) -> None:
        """Take over the numbers of ``other``, which has as many samples."""
        for target, source in ((self.A, other.A), (self.B, other.B)):
            if target is not None and source is not None:
                target.copy_(source)

    @property
    def unit(self) -> int:
        """Numbers of the gradient of one of the out units of a lazy factor, for a sample: (k, in)."""
        assert self.A is not None
        assert self.B is not None
        return self.B.shape[1] * self.A.shape[-1]

    @property
    def all_gradients(self) -> int:
        """Numbers of the gradients of a sample, of a lazy factor."""
        assert self.B is not None
        return self.unit * self.B.shape[2]

    def slices(self, most: int) -> Iterator[slice]:
        """Out units of a lazy factor whose gradients have at most ``most`` numbers for a sample, one at least."""
        assert self.B is not None
        count = max(1, most // self.unit)
        out = self.B.shape[2]
        pieces = -(-out // count)
        for i in range(pieces):
            yield slice(i * out // pieces, (i + 1) * out // pieces)

    def gradients(self, units: slice) -> Factor:
        """The gradients of some of the out units of a lazy factor: B (n, k, units·in)."""
        assert self.A is not None
        assert self.B is not None
        b = self.B[:, :, units]
        n, k, out, T = b.shape
        G = torch.bmm(b.reshape(n, k * out, T), self.A)
        return Factor(None, G.view(n, k, -1), layer=self.layer)


def shared(
    a: Tensor, b: Tensor, *, pairs: bool, weight_scale: float | None, bias_scale: float | None, layer: str
) -> Factor:
    """The factor of weights that several places share: inputs ``a`` (n, T, in), cotangents ``b`` (n, k, T, out).

    z_t = weight_scale·W a_t + bias_scale·c at every place; a scale is None where nothing is trained. ``pairs``: the
    kernel keeps all pairs of outputs, which makes products of cotangents dearer. The cheapest order is taken: all pairs
    of places, or products of gradients; these are kept as they are, or lazy where that takes less memory.
    """
    (_, k, T, out), fan_in = b.shape, a.shape[-1]
    offset = 0.0 if bias_scale is None else bias_scale**2
    if weight_scale is None:
        return Factor(None, b.sum(2) * offset**0.5, layer=layer)
    products = (k * k if pairs else k) * out
    if T * T * (fan_in + products) < products * fan_in:
        return Factor(a * weight_scale, b, offset, layer)
    lazy = Factor(_with_offset(a, weight_scale, bias_scale), b.transpose(2, 3).contiguous(), 0.0, layer, lazy=True)
    if k * out * fan_in <= _GAIN * (T * fan_in + k * T * out):
        return lazy.gradients(slice(None))
    return lazy


def _with_offset(a: Tensor, weight_scale: float, bias_scale: float | None) -> Tensor:
    """``a`` scaled, with a column for the bias: (n, T, in + 1)."""
    if bias_scale is None:
        return a * weight_scale
    A = a.new_empty(*a.shape[:-1], a.shape[-1] + 1)
    torch.mul(a, weight_scale, out=A[..., :-1])
    A[..., -1] = bias_scale
    return A


Sides = tuple[list[Factor], list[Factor]]


def stages(rows: list[Factor], columns: list[Factor], most: int) -> Iterator[Sides]:
    """The factors of two batches in stages whose kernels add up: those that are kept first, then lazy ones in slices.

    A slice has at most ``most`` numbers for a sample, if one of the out units has no more. ``columns`` may be ``rows``.
    """
    same = columns is rows
    kept = [factor for factor in rows if not factor.lazy]
    if kept:
        yield kept, kept if same else [factor for factor in columns if not factor.lazy]
    for F, G in zip(rows, columns, strict=True):
        for units in F.slices(most) if F.lazy else ():
            made = [F.gradients(units)]
            yield made, made if same else [G.gradients(units)]
            made = []  # not held while the next is made


def stage_count(factors: list[Factor], most: int) -> int:
    """How many stages there are."""
    kept = any(not factor.lazy for factor in factors)
    return kept + sum(sum(1 for _ in factor.slices(most)) for factor in factors if factor.lazy)
