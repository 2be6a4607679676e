"""The kernel that an optimiser trains with: Θ_D = J D Jᵀ, where a step moves the parameters by −η·D∘gradient.

For a small rate η of the first parameter group the outputs then move by Δf = −η·Θ_D·∂L/∂f. With frozen second moments
the adaptive methods are gradient descent in the geometry D (Cohen et al. 2022, arXiv:2207.14484, sec. 2: P⁻¹ there).

| optimiser | D |
| --- | --- |
| ``SGD`` | (1 − dampening)/(1 − momentum): where a constant gradient takes the momentum; 1 without momentum |
| ``RMSprop`` | 1/(√v + ε), v less the squared mean gradient if centred; over (1 − momentum) |
| ``Adam``, ``AdamW`` | 1/(√v̂ + ε), v̂ = v/(1 − β₂ᵗ); the first moment of a constant gradient is that gradient |

Each is multiplied by the learning rate of its group relative to that of the first group. Weight decay pulls at the
parameters whatever the data, and is not part of the kernel.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized, register_parametrization
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from ntklab.errors import SpecError
from ntklab.kernels.empirical.routes.names import layer_name
from ntklab.kernels.empirical.wrapped import plain_name

Given = Mapping[str, Tensor | float] | Optimizer
"""Non-negative numbers by names of parameters, one for all of it or one for each of its entries; or an optimiser."""


@dataclass(frozen=True, eq=False)
class Metric:
    """The diagonal ``D`` by the names of all trained parameters: a number, or a tensor of the parameter's shape."""

    D: Mapping[str, Tensor | float]
    note: str


@dataclass(frozen=True, eq=False)
class Preconditioned:
    """A module whose NTK is the kernel, but for the factor ``scales[name]`` of the parts of parameters named there."""

    module: nn.Module
    scales: Mapping[str, float]
    note: str


def metric_of(module: nn.Module, given: Given) -> Metric:
    """``given`` for the trained parameters of ``module``, which an optimiser must hold itself. Raises ``SpecError``."""
    if isinstance(given, Optimizer):
        return _of_optimiser(module, given)
    if not isinstance(given, Mapping):
        raise SpecError(f"metric: expected a mapping from names to numbers or an optimiser, got {type(given).__name__}")
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    known = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    unknown = [name for name in given if name not in known]
    missing = [name for name in trained if name not in given]
    if unknown or missing:
        what = f"unknown {unknown[0]!r}" if unknown else f"missing {missing[0]!r}"
        raise SpecError(f"metric: {what}; name each trained parameter as in named_parameters(), 1 leaves it as it is")
    D = {name: _checked(name, given[name], p) for name, p in trained.items()}
    return Metric(D, "the kernel J D Jᵀ of a given metric D")


def preconditioned(network: nn.Module, metric: Metric, *, apart: bool = False) -> Preconditioned:
    """``network`` with θ = θ₀ + √D∘φ in place of its parameters θ, for which φ = 0 is trained.

    Layers with one number for all of their parameters keep them, and what is left to do is in ``scales``; ``apart``
    leaves nothing there. The numbers of ``network`` are shared, not copied, and it stays as it is.
    """
    scales = {} if apart else _scales(network, metric)
    if scales.keys() == metric.D.keys() and all(scales.values()):
        return Preconditioned(network, scales, metric.note)
    module = _sharing(network)
    for name, aliases in _aliases(module).items():
        D, parameter = metric.D.get(name), module.get_parameter(name)
        if D is None or not parameter.requires_grad:
            continue
        if not torch.as_tensor(D).any():
            parameter.requires_grad_(False)
        elif name not in scales:
            _parametrise(module, aliases, D)
    return Preconditioned(module, {name: scale for name, scale in scales.items() if scale}, metric.note)


class Root(nn.Module):
    """θ = θ₀ + √D∘φ."""

    base: Tensor
    root: Tensor

    def __init__(self, base: Tensor, D: Tensor | float) -> None:
        super().__init__()
        self.register_buffer("base", base)
        self.register_buffer("root", torch.as_tensor(D).to(base).sqrt())

    def forward(self, phi: Tensor) -> Tensor:
        """θ (of any shape) from φ of the same shape."""
        return self.base + self.root * phi

    def right_inverse(self, theta: Tensor) -> Tensor:
        """φ of the parameters as they are."""
        return torch.zeros_like(theta)


def given_name(module: nn.Module, name: str) -> str:
    """The name in the network that was given of a parameter of ``module``, which is in wrappers or preconditioned."""
    path, _, label = name.rpartition(".")
    roots = module.get_submodule(path)
    if label == "original" and isinstance(roots, ParametrizationList) and isinstance(roots[-1], Root):
        owner, _, kept = path.rpartition("parametrizations.")
        name = owner + kept
    return plain_name(module, name)


def _parametrise(module: nn.Module, names: list[str], D: Tensor | float) -> None:
    """A parameter in all the places where it stands, with the same φ."""
    base = module.get_parameter(names[0]).detach()  # before it is made 0
    phi: nn.Parameter | None = None
    for name in names:
        path, _, label = name.rpartition(".")
        owner = module.get_submodule(path)
        if is_parametrized(owner):  # its class is also that of the module it was copied from, and is about to change
            owner.__class__ = type(type(owner).__name__, (type(owner),), {})
        register_parametrization(owner, label, Root(base, D))
        found = owner.get_submodule(f"parametrizations.{label}")
        if phi is not None:
            found.original = phi
        phi = found.original  # type: ignore[assignment]


def _scales(module: nn.Module, metric: Metric) -> dict[str, float]:
    """Numbers of the parameters that have one, and share it with the rest of their layers."""
    numbers = {name: D for name, D in metric.D.items() if not isinstance(D, Tensor)}
    layers = {name: {layer_name(alias) for alias in aliases} for name, aliases in _aliases(module).items()}
    found: dict[str, set[float | None]] = {}
    for name in metric.D:
        for layer in layers[name]:
            found.setdefault(layer, set()).add(numbers.get(name))
    return {name: D for name, D in numbers.items() if all(found[layer] == {D} for layer in layers[name])}


def _aliases(module: nn.Module) -> dict[str, list[str]]:
    """All names of each parameter, by the first."""
    first = {id(p): name for name, p in module.named_parameters()}
    aliases: dict[str, list[str]] = {name: [] for name in first.values()}
    for name, p in module.named_parameters(remove_duplicate=False):
        aliases[first[id(p)]].append(name)
    return aliases


def _sharing(network: nn.Module) -> nn.Module:
    """A copy with parameters of its own that hold the same numbers in memory."""
    memo: dict[int, Any] = {id(p): nn.Parameter(p.detach(), p.requires_grad) for p in network.parameters()}
    memo |= {id(b): b for b in network.buffers()}
    return copy.deepcopy(network, memo)


def _checked(name: str, D: Tensor | float, p: Tensor) -> Tensor | float:
    """A number where all are the same. Raises ``SpecError``."""
    numbers = torch.as_tensor(D, dtype=torch.float64).detach()
    if numbers.ndim and numbers.shape != p.shape:
        raise SpecError(
            f"metric: {name!r} has shape {list(p.shape)}, got {list(numbers.shape)}; give a number for each"
        )
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.numel() else (0.0, 0.0)
    if not 0 <= low <= high < float("inf"):
        raise SpecError(
            f"metric: {name!r} must have finite numbers of at least 0, got {low:g} to {high:g}; change them"
        )
    return low if low == high else numbers


def _of_optimiser(module: nn.Module, optimiser: Optimizer) -> Metric:
    kind = type(optimiser)
    if kind not in OPTIMISERS:
        names = ", ".join(known.__name__ for known in OPTIMISERS)
        raise SpecError(f"metric: expected one of {names}, got {kind.__name__}; give D as a mapping by parameter names")
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    groups = {id(p): group for group in optimiser.param_groups for p in group["params"]}
    if not any(id(p) in groups for p in trained.values()):
        raise SpecError("metric: the optimiser holds no parameter of this module; build it on model.parameters()")
    first = float(optimiser.param_groups[0]["lr"])
    if not first > 0:
        raise SpecError(f"metric: the learning rate of the first group must be above 0, got {first:g}; raise it")
    D: dict[str, Tensor | float] = {}
    for name, p in trained.items():
        group = groups.get(id(p))
        found = 0.0 if group is None else OPTIMISERS[kind](group, optimiser.state.get(p, {}), name)
        relative = 0.0 if group is None else float(group["lr"]) / first
        D[name] = _checked(name, found * relative, p)
    left = [name for name, p in trained.items() if id(p) not in groups]
    rest = f"; not in the optimiser and not counted: {', '.join(left)}" if left else ""
    return Metric(D, f"the kernel J D Jᵀ of {kind.__name__} at a learning rate of {first:g}{rest}")


def _sgd(group: Mapping[str, Any], _: Mapping[str, Any], __: str) -> Tensor | float:
    momentum = float(group["momentum"])
    return (1 - float(group["dampening"])) / (1 - momentum) if momentum else 1.0


def _rmsprop(group: Mapping[str, Any], state: Mapping[str, Any], name: str) -> Tensor | float:
    v = _moment(state, "square_avg", name)
    if group["centered"]:
        v = v - _moment(state, "grad_avg", name) ** 2
    D: Tensor = 1 / ((v.clamp_min(0).sqrt() + group["eps"]) * (1 - float(group["momentum"])))
    return D


def _adam(group: Mapping[str, Any], state: Mapping[str, Any], name: str) -> Tensor | float:
    v = _moment(state, "max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq", name)
    steps = float(state["step"])
    D: Tensor = 1 / ((v / (1 - float(group["betas"][1]) ** steps)).sqrt() + group["eps"])
    return D


def _moment(state: Mapping[str, Any], key: str, name: str) -> Tensor:
    if key not in state:
        raise SpecError(
            f"metric: the optimiser has no moments of {name!r} yet; take a step before asking for the kernel"
        )
    moment: Tensor = state[key].detach().double()
    return moment


OPTIMISERS: dict[type[Optimizer], Callable[[Mapping[str, Any], Mapping[str, Any], str], Tensor | float]] = {
    SGD: _sgd,
    RMSprop: _rmsprop,
    Adam: _adam,
    AdamW: _adam,
}
"""D of a parameter from its group and state, before learning rates."""
