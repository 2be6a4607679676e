"""What a dense layer contributes to the finite-width NTK, and which modules have such layers.

For a layer z = W a + b with cotangents B[i, o] = ∂f_o(x_i)/∂z the layer's part of the kernel is
Θ[i, j, o, p] = (a_i·a_j + 1)(B[i, o]·B[j, p]): two Gram matrices and a product, never a Jacobian
(Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720). NTK parameterisation scales a and the 1 of the bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ntklab.errors import NtkLabError
from ntklab.networks import Dense


@dataclass(frozen=True, eq=False)
class Factor:
    """One layer's (A_i·A_j + offset)·(B_io·B_jp) for a batch of n samples.

    ``A`` (n, in), or None for the number 1 in place of the first bracket; ``B`` (n, k, out), or None where B_io·B_jp is
    1 for o = p and 0 otherwise (the layer is the network's output).
    """

    A: Tensor | None
    B: Tensor | None
    offset: float = 0.0

    def __getitem__(self, samples: slice) -> Factor:
        """The factor of some of the samples."""
        A, B = self.A, self.B
        return Factor(None if A is None else A[samples], None if B is None else B[samples], self.offset)

    def empty(self, n: int) -> Factor:
        """A factor of ``n`` samples, like this one and not filled yet."""
        A, B = self.A, self.B
        return Factor(
            None if A is None else A.new_empty(n, *A.shape[1:]),
            None if B is None else B.new_empty(n, *B.shape[1:]),
            self.offset,
        )

    def copy_(self, other: Factor) -> None:
        """Take over the numbers of ``other``, which has as many samples."""
        for target, source in ((self.A, other.A), (self.B, other.B)):
            if target is not None and source is not None:
                target.copy_(source)


@dataclass(frozen=True, eq=False)
class DenseUse:
    """A dense layer of a module: z = weight_scale·W a + bias_scale·b; a scale is None where nothing is trained."""

    name: str
    module: nn.Module
    weight_scale: float | None
    bias_scale: float | None

    def factor(self, a: Tensor, B: Tensor | None) -> Factor:
        """The factor of input ``a`` (n, …, in) and cotangents ``B`` (n, k, …, out), None for the identity.

        A layer applied at T positions of a sample shares its weights between them, so its per-sample gradients
        Σ_t B_t a_tᵀ take the place of the cotangents: (n, k, out·in).
        """
        offset = 0.0 if self.bias_scale is None else self.bias_scale**2
        if a[0].numel() == a.shape[-1]:
            a, B = a.flatten(1), None if B is None else B.flatten(2)
            A = None if self.weight_scale is None else a * self.weight_scale
            if A is None and B is not None:
                return Factor(None, B * offset**0.5)
            return Factor(a.new_zeros(len(a), 0) if A is None else A, B, offset)
        assert B is not None, "a layer at several positions has explicit cotangents"
        b, a = B.flatten(2, -2), a.flatten(1, -2)
        parts = []
        if self.weight_scale is not None:
            parts.append(torch.einsum("nkto,nti->nkoi", b, a * self.weight_scale).flatten(2))
        if self.bias_scale is not None:
            parts.append(b.sum(2) * self.bias_scale)
        return Factor(None, torch.cat(parts, dim=-1))


def _scales(module: nn.Module) -> tuple[float, float]:
    return module.weight_scale, module.bias_scale  # type: ignore[return-value]


DENSE_TYPES: dict[type[nn.Module], Callable[[nn.Module], tuple[float, float]]] = {
    Dense: _scales,
    nn.Linear: lambda _: (1.0, 1.0),
}


def dense_uses(model: nn.Module) -> tuple[DenseUse, ...]:
    """The layers of ``model`` that hold its trainable parameters.

    Raises ``NtkLabError`` naming the first module that per-layer factors do not cover, and the remedy.
    """
    uses, owners = [], dict[int, str]()
    for name, module in model.named_modules():
        _check_mode(name, module)
        trained = _trained(module)
        if not trained:
            continue
        _check_dense(name, module)
        for parameter, label in trained:
            if id(parameter) in owners:
                raise uncovered(
                    name, module, f"shares its {label} with {owners[id(parameter)]!r}", "give each its own parameters"
                )
            owners[id(parameter)] = name
        weight_scale, bias_scale = DENSE_TYPES[type(module)](module)
        labels = {label for _, label in trained}
        uses.append(
            DenseUse(
                name,
                module,
                weight_scale if "weight" in labels else None,
                bias_scale if "bias" in labels else None,
            )
        )
    if not uses:
        raise NtkLabError("empirical NTK: the module has no trainable parameters; set requires_grad on those you train")
    return tuple(uses)


def frozen(model: nn.Module) -> tuple[str, ...]:
    """Names of the parameters that do not count because they are not trained (``requires_grad`` is False)."""
    return tuple(name for name, parameter in model.named_parameters() if not parameter.requires_grad)


def uncovered(name: str, module: nn.Module, reason: str, remedy: str) -> NtkLabError:
    """The one form of the error for a module that the factors do not cover."""
    shown = f"{name!r} ({type(module).__name__})" if name else type(module).__name__
    return NtkLabError(f"empirical NTK: the module {shown} {reason}; {remedy}")


def _trained(module: nn.Module) -> list[tuple[nn.Parameter, str]]:
    return [(p, label) for label, p in _own_parameters(module) if p.requires_grad]


def _own_parameters(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return module.named_parameters(recurse=False, remove_duplicate=False)


def _check_dense(name: str, module: nn.Module) -> None:
    labels = {label for label, _ in _own_parameters(module)}
    if type(module) in DENSE_TYPES and labels <= {"weight", "bias"}:
        return
    reason = f"trains {', '.join(sorted(labels))} outside a plain dense layer"
    kinds = " and ".join(kind.__name__ for kind in DENSE_TYPES)
    raise uncovered(name, module, reason, f"use {kinds} layers, or freeze it with requires_grad_(False)")


def _check_mode(name: str, module: nn.Module) -> None:
    if not module.training:
        return
    if isinstance(module, _BatchNorm):
        reason = "mixes the samples of a batch in training mode, so no gradient of one sample exists"
        raise uncovered(name, module, reason, "call model.eval()")
    if isinstance(module, _DropoutNd) and module.p > 0:
        raise uncovered(name, module, "is random in training mode", "call model.eval()")


def used_twice(use: DenseUse) -> NtkLabError:
    """The error for a layer that a forward pass runs more than once."""
    return uncovered(use.name, use.module, "is applied more than once in a forward pass", "give each use its own layer")


def outputs_of(f: object, n: int) -> Tensor:
    """A module's outputs as (n, k). Raises ``NtkLabError`` unless they are one tensor with a row for each sample."""
    if isinstance(f, Tensor) and f.ndim > 0 and len(f) == n:
        return f if f.ndim == 2 else f.reshape(n, -1)
    given = f"shape {list(f.shape)}" if isinstance(f, Tensor) else type(f).__name__
    raise NtkLabError(
        f"empirical NTK: the module must return one tensor (n, k) for n samples, got {given} for n = {n}; "
        "wrap it in a module that does"
    )
