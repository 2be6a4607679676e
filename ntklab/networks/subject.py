"""What kernels and training are asked of: a finite network, and what is known of it at infinite width."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntklab.errors import SpecError
from ntklab.networks.build import build
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.results import Absence, Network
from ntklab.spec import Architecture, check_fit, layer_shapes, parameter_count

Array = NDArray[np.float64]

_ANALYTIC = ("ntk", "nngp", "ntk_spectrum")


@dataclass(frozen=True, eq=False)
class Subject:
    """``finite`` is a description to draw from, or a module as it is; ``shape`` that of a sample as it takes it.

    ``limit`` describes the network at infinite width, where there is a description, and else ``why`` says why not;
    ``axes`` are the axes of ``shape`` in the order of the limit's input. ``origin`` is told where ``finite`` is a
    module, and ``seed`` where that was made with one.
    """

    finite: Architecture | nn.Module
    shape: tuple[int, ...]
    limit: Architecture | None
    axes: tuple[int, ...]
    why: str = ""
    parameterisation: str | None = None
    notes: tuple[str, ...] = ()
    seed: int | None = None
    origin: Network | None = None

    @property
    def described(self) -> bool:
        """Whether the network is drawn from a description, its parameters too."""
        return isinstance(self.finite, Architecture)

    def samples(self, X: Array) -> Array:
        """(n, d) samples in the shape that the finite network takes. Raises ``SpecError`` where they do not fill it."""
        check_shape(self.shape, X.shape[1])
        return X.reshape(len(X), *self.shape)

    def limit_samples(self, X: Array) -> Array:
        """(n, d) samples in the layout that the description of the limit takes."""
        return np.ascontiguousarray(self.samples(X).transpose(0, *(axis + 1 for axis in self.axes)))

    def described_limit(self) -> Architecture:
        """The description of the limit. Raises ``SpecError`` saying why there is none."""
        if self.limit is None:
            raise SpecError(self.why)
        return self.limit

    def absence(self, reason: str = "") -> Absence | None:
        """Why there are no analytic kernels, where there is no description of the limit, or for that ``reason``."""
        why = reason or (self.why if self.limit is None else "")
        return Absence((*_ANALYTIC, *(() if self.limit else ("phase",))), why) if why else None

    def fits(self, outputs: int) -> bool:
        """Whether the network can be trained on data of so many targets."""
        return self.origin is None or self.origin.outputs == outputs

    def check(self, features: int, outputs: int) -> None:
        """Raise ``SpecError`` unless the network can be trained on data of so many features and targets."""
        if isinstance(self.finite, Architecture):
            check_fit(self.finite, features, outputs)
        elif self.origin is not None and not self.fits(outputs):
            raise SpecError(
                f"training: expected a network of {outputs} outputs, as the data has {outputs} targets, got "
                f"{self.origin.outputs}; kernels do not need that, training does: choose data or a network that fits"
            )

    def module(self, *, seed: int, dtype: str, device: str) -> nn.Module:
        """A network to train, (n, *shape) → (n, k): drawn, or a copy of the module."""
        if isinstance(self.finite, Architecture):
            return build(self.finite, seed=seed, dtype=dtype, device=device)
        copied = copy.deepcopy(self.finite).to(torch_device(device), torch_dtype(dtype))
        return copied if _gives_rows(copied, self.shape) else _Rows(copied).eval()

    def size(self) -> tuple[int, int]:
        """Numbers of parameters, and of units behind layers with parameters (of a module: rows of its parameters)."""
        if isinstance(self.finite, Architecture):
            units = sum(entry.after[-1] for entry in layer_shapes(self.finite) if entry.parameters)
            return parameter_count(self.finite), units
        parameters = list(self.finite.parameters())
        return sum(p.numel() for p in parameters), sum(len(p) for p in parameters if p.ndim > 1)


def check_shape(shape: tuple[int, ...], features: int) -> None:
    """Raise ``SpecError`` unless so many features fill a sample of ``shape``."""
    if prod(shape) != features:
        raise SpecError(
            f"model, input: expected a shape of {features} numbers, as the data has {features} features, got "
            f"{list(shape)}; give the shape of one sample as the network takes it"
        )


def described(architecture: Architecture) -> Subject:
    """The network that is drawn from ``architecture``, which is its own limit."""
    shape = architecture.input.shape
    return Subject(architecture, shape, architecture, tuple(range(len(shape))))


class _Rows(nn.Module):
    """The outputs of ``inner`` as (n, k), whatever their shape."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found.reshape(len(found), -1)


@torch.no_grad()
def _gives_rows(module: nn.Module, shape: tuple[int, ...]) -> bool:
    like = next(module.parameters(), torch.zeros(1))
    found: Tensor = module(torch.ones(2, *shape, dtype=like.dtype, device=like.device))
    return found.ndim == 2
