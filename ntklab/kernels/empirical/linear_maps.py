"""Products with the Jacobian of a module and with its transpose, for several vectors at once and without the Jacobian.

Jᵀv is a backward pass, Ju a forward one with tangents. Where an operation of the module has no forward derivative, Ju
is taken from two backward passes: it is the derivative of u·(Jᵀv) by v, for Jᵀv is linear in v. Where an operation
cannot take several vectors at once they go one by one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm

from ntklab.errors import NtkLabError, NumericalError
from ntklab.kernels.empirical.outputs import outputs_of

Parameters = dict[str, Tensor]
"""For each trained parameter m vectors of its shape: (m, *shape)."""

_TOLERANCES = {torch.float32: 1e-3, torch.float64: 1e-9}
_LOOKED_AT = 8  # samples
_NO_RULE = (RuntimeError, NotImplementedError, UserWarning)  # of torch, for an operation without a rule


class Jacobian:
    """J of the outputs (n, k) of ``module`` by its trained parameters, as they are.

    ``x`` are the samples: on a few of them it is found out what the module supports, whether samples must
    go ``apart`` because what is computed depends on all of a batch, and that v·(Ju) = (Jᵀv)·u. Raises ``NtkLabError``,
    ``NumericalError``.
    """

    def __init__(self, module: nn.Module, x: Tensor) -> None:
        self.module = module
        self.trained = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
        self.fixed = {name: p.detach() for name, p in module.named_parameters() if not p.requires_grad}
        if not self.trained:
            raise NtkLabError("NTK operator: the module trains no parameter; set requires_grad on those that you train")
        x = x[_spread(len(x), _LOOKED_AT)]
        f = self.values(x)
        self.outputs = f.shape[1]
        self.apart = self._apart(x, f)
        few = 1 if self.apart else 2
        x, f = x[:few], f[:few]
        V, U = _random(f, 2), {name: _random(p, 2) for name, p in self.trained.items()}
        self.forward = _works(lambda: self._forward(x, {name: u[0] for name, u in U.items()}))
        self.pushes_together = self.forward and _works(lambda: vmap(lambda u: self._forward(x, u))(U))
        self.pulls_together = _works(lambda: self._pull(x, V, together=True))
        self._check_adjoint(x, V, U)

    @property
    def count(self) -> int:
        """Numbers in all trained parameters."""
        return sum(p.numel() for p in self.trained.values())

    def values(self, x: Tensor) -> Tensor:
        """Outputs (n, k)."""
        with torch.no_grad():
            return self._call(self.trained, x)

    def pull(self, x: Tensor, V: Tensor) -> Parameters:
        """JᵀV for V (m, n, k)."""
        return self._pull(x, V, together=self.pulls_together and len(V) > 1)

    def push(self, x: Tensor, U: Parameters) -> Tensor:
        """JU (m, n, k)."""
        m = len(next(iter(U.values())))
        if self.pushes_together and m > 1:
            together: Tensor = vmap(lambda u: self._forward(x, u))(U)
            return together
        if self.forward:
            return torch.stack([self._forward(x, {name: u[i] for name, u in U.items()}) for i in range(m)])
        return self._twice_backward(x, U, m)

    def _call(self, trained: Parameters, x: Tensor) -> Tensor:
        # A copy of the samples, which the module may overwrite.
        return outputs_of(functional_call(self.module, {**trained, **self.fixed}, (x.clone(),)), len(x))

    def _leaves(self) -> Parameters:
        return {name: p.detach().requires_grad_() for name, p in self.trained.items()}

    def _pull(self, x: Tensor, V: Tensor, *, together: bool) -> Parameters:
        leaves = self._leaves()
        with torch.enable_grad():
            f = self._call(leaves, x)
        if not f.requires_grad:
            return {name: p.new_zeros(len(V), *p.shape) for name, p in leaves.items()}
        if together:
            found = torch.autograd.grad(f, list(leaves.values()), V, is_grads_batched=True, allow_unused=True)
            rows = zip(leaves.items(), found, strict=True)
            return {name: p.new_zeros(len(V), *p.shape) if g is None else g for (name, p), g in rows}
        U = {name: p.new_zeros(len(V), *p.shape) for name, p in leaves.items()}
        for i, v in enumerate(V):
            found = torch.autograd.grad(
                f, list(leaves.values()), v, retain_graph=i < len(V) - 1, allow_unused=True
            )  # fmt: skip
            for u, g in zip(U.values(), found, strict=True):
                if g is not None:
                    u[i] = g
        return U

    def _forward(self, x: Tensor, u: Parameters) -> Tensor:
        with _plain_operations():
            found: Tensor = jvp(lambda trained: self._call(trained, x), (self.trained,), (u,))[1]
        return found

    def _twice_backward(self, x: Tensor, U: Parameters, m: int) -> Tensor:
        leaves = self._leaves()
        with torch.enable_grad(), _plain_operations():
            f = self._call(leaves, x)
            v = torch.zeros_like(f, requires_grad=True)
            total = f.new_zeros(m, *f.shape)
            if not f.requires_grad:
                return total.detach()
            found = torch.autograd.grad(f, list(leaves.values()), v, create_graph=True, allow_unused=True)
        linear = {name: g for name, g in zip(leaves, found, strict=True) if g is not None and g.requires_grad}
        for i in range(m if linear else 0):
            u = [U[name][i] for name in linear]
            (part,) = torch.autograd.grad(list(linear.values()), v, u, retain_graph=i < m - 1, allow_unused=True)
            if part is not None:
                total[i] = part
        return total.detach()

    def _apart(self, x: Tensor, f: Tensor) -> bool:
        """Whether what a sample gives depends on its batch, which has outputs ``f``: samples then go alone."""
        mixing = any(isinstance(m, _BatchNorm) and m.training for m in self.module.modules())
        if mixing or not _same(self.values(x), f):
            raise NtkLabError(
                "NTK operator: the outputs of a sample depend on the others of its batch, or on chance, so no gradient "
                "of one sample exists; call model.eval()"
            )
        return not _same(torch.cat([self.values(sample.unsqueeze(0)) for sample in x]), f)

    def _check_adjoint(self, x: Tensor, V: Tensor, U: Parameters) -> None:
        right = self.push(x, U)
        left = self.pull(x, V)
        a = (V * right).sum((1, 2))
        b = torch.stack([(left[name] * u).flatten(1).sum(1) for name, u in U.items()]).sum(0)
        scale = (V.flatten(1).norm(dim=1) * right.flatten(1).norm(dim=1)).max().clamp_min(torch.finfo(V.dtype).tiny)
        error = float((a - b).abs().max() / scale)
        if not error <= _TOLERANCES[V.dtype] and bool(torch.isfinite(a).all()):
            raise NumericalError(
                f"NTK operator: forward and backward derivatives of the module disagree by {error:.1e} (relative); "
                "check the derivatives of its own autograd functions"
            )


def _spread(n: int, most: int) -> list[int]:
    return sorted({round(i * (n - 1) / max(1, most - 1)) for i in range(most)})


def _same(a: Tensor, b: Tensor) -> bool:
    """Up to rounding; NaN is equal to NaN."""
    size = float(b.abs().max())
    return torch.allclose(a, b, rtol=0, atol=_TOLERANCES[a.dtype] * size if size == size else 0, equal_nan=True)


def _random(like: Tensor, m: int) -> Tensor:
    """(m, *shape), the same every time."""
    generator = torch.Generator().manual_seed(m + like.numel())
    return torch.randn(m, *like.shape, generator=generator, dtype=torch.float64).to(like)


@contextmanager
def _plain_operations() -> Iterator[None]:
    """Attention and recurrent layers by operations whose derivatives have derivatives, not by fused ones."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _works(act: Callable[[], object]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, which loads rules that use deprecated parts of its own
        warnings.simplefilter("error", UserWarning)  # a rule that is missing and made up for, slowly
        try:
            act()
        except _NO_RULE:
            return False
    return True
