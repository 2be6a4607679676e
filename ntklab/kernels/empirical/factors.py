"""What a layer with weights contributes to the finite-width NTK.

For a dense layer z = W a + b with cotangents B[i, o] = ∂f_o(x_i)/∂z the layer's part of the kernel is
Θ[i, j, o, p] = (a_i·a_j + 1)(B[i, o]·B[j, p]): two Gram matrices and a product, never a Jacobian
(Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720). NTK parameterisation scales a and the 1 of the bias.
A convolution is a dense layer on the patches a_t of all its places t, which share W and b: its part is
Σ_ts (a_it·a_js + 1)(B[i, o, t]·B[j, p, s]), or the product of per-sample gradients Σ_t B_t a_tᵀ, whichever is cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Factor:
    """One layer's (A_i·A_j + offset)·(B_io·B_jp) for a batch of n samples.

    ``A`` (n, in), or None for the number 1 in place of the first bracket; ``B`` (n, k, out), or None where B_io·B_jp is
    1 for o = p and 0 otherwise (the layer is the network's output). Over several places: A (n, places, in) and
    B (n, k, places, out), for the sum over all pairs of places. ``layer`` names the layer that it is a part of.
    """

    A: Tensor | None
    B: Tensor | None
    offset: float = 0.0
    layer: str = ""

    @property
    def places(self) -> int:
        """Places of a sample that the factor sums over."""
        return 1 if self.A is None or self.A.ndim == 2 else self.A.shape[1]

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
