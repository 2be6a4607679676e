"""Layers with weights in modules of known kinds, and how each uses its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical.factors import Factor, shared
from ntklab.networks import Conv, ConvLocal, ConvTranspose, Dense


@dataclass(frozen=True, eq=False)
class Use:
    """A layer of a module: z = weight_scale·W a + bias_scale·b; a scale is None where nothing is trained.

    ``pairs``: the kernel keeps all pairs of outputs, which makes products of cotangents dearer.
    """

    name: str
    module: nn.Module
    weight_scale: float | None
    bias_scale: float | None
    pairs: bool = True

    @property
    def kind(self) -> Kind:
        """How it uses its weights."""
        return KINDS[type(self.module)]

    @property
    def width(self) -> int:
        """Units at each place."""
        return self.module.get_parameter("weight").shape[0 if self.kind.shares else 1]

    @property
    def fan_in(self) -> int:
        """Numbers that the weights of a unit act on."""
        weight = self.module.get_parameter("weight")
        return weight[0].numel() if self.kind.shares else weight.shape[-1]

    def factors(self, a: Tensor, B: Tensor | None) -> list[Factor]:
        """The factors of input ``a`` (n, …, in) and cotangents ``B`` (n, k, …, out), None for the identity.

        Each place t of a sample sees a vector a_t: a position in a dense layer, a patch in a convolution. With weights
        of their own the places are layers of their own.
        """
        seen = self.kind.seen(self.module, a)
        if seen.shape[1] == 1:
            return [self._factor(seen[:, 0], None if B is None else B.flatten(2))]
        assert B is not None, "a layer at several positions has explicit cotangents"
        b = B.flatten(2, -2)
        if self.kind.shares:
            return [self._shared(seen, b)]
        return [self._factor(seen[:, t], b[:, :, t]) for t in range(seen.shape[1])]

    def _factor(self, a: Tensor, B: Tensor | None) -> Factor:
        offset = 0.0 if self.bias_scale is None else self.bias_scale**2
        A = None if self.weight_scale is None else a * self.weight_scale
        if A is None and B is not None:
            return Factor(None, B * offset**0.5, layer=self.name)
        return Factor(a.new_zeros(len(a), 0) if A is None else A, B, offset, self.name)

    def _shared(self, a: Tensor, b: Tensor) -> Factor:
        """Places that share their weights."""
        scales = {"weight_scale": self.weight_scale, "bias_scale": self.bias_scale}
        return shared(a, b, pairs=self.pairs, layer=self.name, **scales)


@dataclass(frozen=True)
class Kind:
    """How a type of layer uses its weights: the scales of W and b, and what W sees (n, places, in) of an input.

    ``shares``: all places have the same W and b.
    """

    scales: Callable[[Any], tuple[float, float]]
    seen: Callable[[Any, Tensor], Tensor]
    shares: bool = True


def _scales(module: Any) -> tuple[float, float]:
    return module.weight_scale, module.bias_scale


def _positions(_: Any, a: Tensor) -> Tensor:
    return a.unsqueeze(1) if a.ndim == 2 else a.flatten(1, -2)


def _patches(module: Any, a: Tensor) -> Tensor:
    seen: Tensor = module.patches(a)
    return seen.flatten(1, -2)


KINDS: dict[type[nn.Module], Kind] = {
    Dense: Kind(_scales, _positions),
    nn.Linear: Kind(lambda _: (1.0, 1.0), _positions),
    Conv: Kind(_scales, _patches),
    ConvTranspose: Kind(_scales, _patches),
    ConvLocal: Kind(_scales, _patches, shares=False),
}


def layer_uses(model: nn.Module, *, pairs: bool = True) -> tuple[Use, ...]:
    """The layers of ``model`` that hold its trainable parameters; ``pairs``: for a kernel with all pairs of outputs.

    Raises ``NtkLabError`` naming the first module that per-layer factors do not cover, and the remedy.
    """
    uses, owners = [], dict[int, str]()
    for name, module in model.named_modules():
        _check_mode(name, module)
        trained = _trained(module)
        if not trained:
            continue
        _check_layer(name, module)
        for parameter, label in trained:
            if id(parameter) in owners:
                raise uncovered(
                    name, module, f"shares its {label} with {owners[id(parameter)]!r}", "give each its own parameters"
                )
            owners[id(parameter)] = name
        weight_scale, bias_scale = KINDS[type(module)].scales(module)
        labels = {label for _, label in trained}
        uses.append(
            Use(
                name,
                module,
                weight_scale if "weight" in labels else None,
                bias_scale if "bias" in labels else None,
                pairs,
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


def _check_layer(name: str, module: nn.Module) -> None:
    labels = {label for label, _ in _own_parameters(module)}
    if type(module) in KINDS and labels <= {"weight", "bias"}:
        return
    reason = f"trains {', '.join(sorted(labels))} outside a plain dense layer"
    kinds = ", ".join(kind.__name__ for kind in KINDS)
    raise uncovered(name, module, reason, f"use {kinds} layers, or freeze it with requires_grad_(False)")


def _check_mode(name: str, module: nn.Module) -> None:
    if not module.training:
        return
    if isinstance(module, _BatchNorm):
        reason = "mixes the samples of a batch in training mode, so no gradient of one sample exists"
        raise uncovered(name, module, reason, "call model.eval()")
    if isinstance(module, _DropoutNd) and module.p > 0:
        raise uncovered(name, module, "is random in training mode", "call model.eval()")


def used_twice(use: Use) -> NtkLabError:
    """The error for a layer that a forward pass runs more than once."""
    return uncovered(use.name, use.module, "is applied more than once in a forward pass", "give each use its own layer")
