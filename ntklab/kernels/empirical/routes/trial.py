"""A module tried on a few samples: refused where the gradient of a single sample does not exist or changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.mode import Mode
from ntklab.kernels.empirical.routes.quiet import quiet
from ntklab.kernels.empirical.routes.uses import uncovered

TOLERANCES = {torch.float32: 2e-3, torch.float64: 1e-9}
"""Relative errors up to which two ways to the same numbers agree."""


def tolerance(dtype: torch.dtype, coarsest: torch.dtype) -> float:
    """Of results in ``dtype`` where parts of the module compute in the ``coarsest`` precision."""
    wanted = TOLERANCES.get(dtype, TOLERANCES[torch.float32])
    return max(wanted, 20 * torch.finfo(coarsest).eps) if coarsest != dtype else wanted


class Trial(Mode):
    """Sees every operation of a forward pass, and in which module it is."""

    def __init__(self, model: nn.Module, dtype: torch.dtype, n: int) -> None:
        super().__init__()
        self.n = n
        self.coarsest = dtype
        self.random: tuple[str, nn.Module] | None = None
        self._stack: list[tuple[str, nn.Module]] = [("", model)]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation. Raises ``NtkLabError`` for normalisation by the statistics of a batch."""
        given = _by_name(func, args, kwargs or {})
        trains = given.get("training", given.get("train", True))
        if "batch_norm" in func._schema.name and trains and given["input"].shape[0] == self.n:
            raise _by_batch(*self._stack[-1])
        if torch.Tag.nondeterministic_seeded in func.tags and trains is not False:
            self.random = self.random or self._stack[-1]
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.is_floating_point():
                self.coarsest = max(self.coarsest, leaf.dtype, key=lambda dtype: torch.finfo(dtype).eps)
        return result

    @contextmanager
    def following(self, model: nn.Module) -> Iterator[None]:
        """Keep track of the modules of ``model`` that are running."""
        handles = []
        for name, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(self._enter(name), prepend=True))
            handles.append(module.register_forward_hook(self._leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, name: str) -> Callable[..., None]:
        return lambda module, *_: self._stack.append((name, module))

    def _leave(self, *_: Any) -> None:
        self._stack.pop()


def _by_name(func: Any, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    names = (argument.name for argument in func._schema.arguments)
    return {**dict(zip(names, args, strict=False)), **kwargs}


def _by_batch(name: str, module: nn.Module) -> NtkLabError:
    remedy = "call model.eval()"
    if not module.training:
        remedy = "give it running statistics (track_running_stats=True), or pass training=False"
    reason = "normalises by the statistics of the whole batch (training mode), so no gradient of one sample exists"
    return uncovered(name, module, reason, remedy)


@dataclass(frozen=True)
class Tried:
    """What a trial found: the ``coarsest`` precision computed in, and what to say of samples that affect each other."""

    coarsest: torch.dtype
    mixes: str = ""


def tried(model: nn.Module, x: Tensor, dtype: torch.dtype) -> Tried:
    """Run ``model`` on the few samples ``x``.

    Raises ``NtkLabError`` for a module that is random, changes its own buffers or does not return a tensor with a row
    for each sample.
    """
    x = x if len(x) > 1 else torch.cat([x, x / 2 if x.is_floating_point() else x])
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    versions = {name: buffer._version for name, buffer in model.named_buffers()}
    trial = Trial(model, dtype, len(x))
    try:
        with torch.no_grad(), quiet(), trial.following(model), trial:
            f = outputs_of(model(x), len(x))
    finally:
        changed = [name for name, buffer in model.named_buffers() if buffer._version != versions.get(name)]
        _restore(model, buffers, changed)
    if changed:
        reason = f"changes its buffers in a forward pass ({', '.join(changed)}), so its kernel is another each time"
        raise uncovered("", model, reason, "call model.eval()")
    if trial.random is not None:
        _check_repeatable(model, x, f, trial)
    return Tried(trial.coarsest, _mixing(model, x, f, tolerance(dtype, trial.coarsest)))


def _restore(model: nn.Module, buffers: dict[str, Tensor], changed: list[str]) -> None:
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name in changed and name in buffers:
                buffer.copy_(buffers[name])


def _check_repeatable(model: nn.Module, x: Tensor, f: Tensor, trial: Trial) -> None:
    assert trial.random is not None
    with torch.no_grad(), quiet():
        again = outputs_of(model(x), len(x))
    if not torch.equal(f.nan_to_num(), again.nan_to_num()):
        name, module = trial.random
        mode = "is random in training mode" if module.training else "is random"
        raise uncovered(name, module, mode, "call model.eval(), or take the random part out")


def _mixing(model: nn.Module, x: Tensor, f: Tensor, most: float) -> str:
    """What to say if a sample alone does not give the row that it gives among the others."""
    with torch.no_grad(), quiet():
        alone = torch.cat([outputs_of(model(x[i : i + 1]), 1) for i in range(len(x))])
    if alone.shape != f.shape:
        raise uncovered("", model, "returns other shapes for other numbers of samples", "wrap it in one that does not")
    error = (alone - f).nan_to_num().abs().max() if f.numel() else f.new_zeros(())
    if error <= most * f.nan_to_num().abs().max():
        return ""
    return f"outputs of single samples differ by {error:.1e} from those among others"
