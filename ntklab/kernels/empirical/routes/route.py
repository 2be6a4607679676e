"""What every way to the factors of a module answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor


@dataclass(frozen=True)
class Layer:
    """Trained parameters whose part of the kernel is taken as a whole: the kernel is the sum over its layers.

    ``rule`` is how its factors come about, ``why`` the reason where that is not the fastest way there is.
    """

    name: str
    parameters: tuple[str, ...]
    rule: str
    why: str = ""


@dataclass(frozen=True)
class Needs:
    """Of one sample with k outputs: ``passing`` numbers are alive while it goes through the network and back.

    ``weights`` numbers belong to the network, whatever the samples. Multiply-adds are ``forward`` of a pass and
    ``backward`` of the cotangents of one output.
    """

    passing: int
    weights: int
    forward: int
    backward: int


class Route(ABC):
    """A way to the factors of ``module``, which is on the device and in the precision that are asked for."""

    name: str
    """In a line, for forecasts and provenance."""
    module: nn.Module
    layers: tuple[Layer, ...]

    @abstractmethod
    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        """Factors of the samples ``x`` (n, *sample shape) for the layers of these names, None for all of them.

        Layers that do not affect the outputs have none.
        """

    @abstractmethod
    def needs(self, x: Tensor, k: int) -> Needs:
        """Measured on the one sample of ``x`` (1, *sample shape)."""
