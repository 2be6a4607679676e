"""W_std and b_std of lifted layers, from torch's documented initialisations or from the weights themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from ntklab.networks.lift.faults import refuse

Init = Literal["auto", "default", "measured"]

_DEVIATIONS = 5  # how many standard errors the spread of uniform weights may be off


@dataclass
class Scales:
    """How the scales of weights are found: see ``lift``. ``measured`` collects the modules whose weights were."""

    init: Init = "auto"
    W_std: float | None = None
    b_std: float | None = None
    measured: list[str] = field(default_factory=list)

    def weight(self, place: str, weight: Tensor, fan_in: int, default: float | None, *, name: str) -> float:
        """W_std of ``weight`` of the module ``name``; ``default`` is the deviation of torch's own initialisation."""
        if self.W_std is not None:
            return self.W_std
        std = self._std(place, weight, default, name)
        if std == 0:
            remedy = "initialise them, or state W_std (W_std=…) or init='default'"
            refuse(place, "its weights are all 0, so nothing passes through it", remedy)
        return std * math.sqrt(fan_in)

    def bias(self, place: str, bias: Tensor | None, default: float | None, *, name: str) -> float | None:
        """b_std of ``bias``; None without one."""
        if bias is None:
            return None
        return self._std(place, bias, default, name) if self.b_std is None else self.b_std

    def _std(self, place: str, values: Tensor, default: float | None, name: str) -> float:
        if values.is_meta or self.init == "default":
            if default is None:
                remedy = "use init='measured', or state W_std and b_std"
                refuse(place, "torch has no documented initialisation for these weights", remedy)
            return default
        if self.init == "auto" and default is not None and is_uniform(values, default):
            return default
        if name not in self.measured:
            self.measured.append(name)
        return root_mean_square(values)


def root_mean_square(values: Tensor) -> float:
    """√(mean of squares), the standard deviation of values of mean zero."""
    return math.sqrt(values.detach().double().square().mean().item())


def is_uniform(values: Tensor, std: float) -> bool:
    """Whether ``values`` can be draws from the uniform distribution of mean 0 and ``std``: all in range, and spread so.

    The relative standard error of the variance of n uniform draws is √(4/(5n)).
    """
    largest = values.detach().abs().max().item()
    if std == 0 or largest == 0:
        return std == largest
    if largest > math.sqrt(3) * std * (1 + 1e-3):
        return False
    error = math.sqrt(0.8 / values.numel())
    return abs((root_mean_square(values) / std) ** 2 - 1) <= _DEVIATIONS * error


def kaiming(fan_in: int) -> float:
    """The standard deviation of torch's default for linear and convolutional weights and biases.

    Uniform within ±1/√fan_in: ``kaiming_uniform_`` with a = √5 for weights.
    """
    return 1 / math.sqrt(3 * fan_in)


def xavier(fan_in: int, fan_out: int) -> float:
    """The standard deviation of ``xavier_uniform_``: √(2/(fan_in + fan_out))."""
    return math.sqrt(2 / (fan_in + fan_out))
