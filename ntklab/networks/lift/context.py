"""What the rules are told beside the tensors: the settings of the lift, and where an operation stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from torch import Tensor, nn

from ntklab.networks.lift.faults import LayoutError, listed, refuse
from ntklab.networks.lift.values import Value
from ntklab.networks.lift.weights import Scales
from ntklab.spec.weights import Parameterisation

Attention = Literal["linear_scaling", "standard"]


@dataclass(frozen=True)
class Constant:
    """A parameter, or what was computed from one; ``path`` is its name in the module."""

    tensor: Tensor
    path: str


@dataclass
class Settings:
    """What one lift was asked for, and what it found out on the way.

    ``obstacles``: operations without a closed form, first one first. ``differences`` between module and architecture,
    and ``choices`` of the user, stand with the places they concern. ``used``: the parameters that a layer has already,
    by name; ``merges``: what was merged already, so that a sum taken twice is one value.
    """

    module: nn.Module
    scales: Scales
    param: Parameterisation = "ntk"
    attention: Attention | None = None
    closed_form: bool = False
    obstacles: list[str] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    merges: dict[tuple[Any, ...], Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {id(parameter): name for name, parameter in self.module.named_parameters()}

    def name(self, tensor: Tensor, otherwise: str) -> str:
        """The name of a parameter; tied ones have one name."""
        return self._names.get(id(tensor), otherwise)

    def owner(self, parameter: str) -> nn.Module | None:
        """The module that has the parameter of this name."""
        path = parameter.rpartition(".")[0]
        return dict(self.module.named_modules()).get(path)

    def said(self, texts: dict[str, list[str]]) -> tuple[str, ...]:
        """``differences`` or ``choices`` as sentences."""
        return tuple(f"{listed(places)}: {text}" for text, places in texts.items())


@dataclass(frozen=True)
class Spot:
    """Where an operation stands: ``path`` of its module, and ``place``, what messages call it."""

    path: str
    place: str
    settings: Settings

    def refuse(self, reason: str, remedy: str) -> NoReturn:
        """Raises ``SpecError``: there is no rule for this."""
        refuse(self.place, reason, remedy)

    def mislaid(self, reason: str, remedy: str) -> NoReturn:
        """Raises ``LayoutError``: channels are not where this operation needs them."""
        raise LayoutError(f"{self.place}: {reason}; {remedy}")

    def obstruct(self, reason: str, remedy: str) -> None:
        """An architecture can say this, but no closed form is known. Raises ``SpecError`` if one was asked for."""
        if self.settings.closed_form:
            self.refuse(f"{reason}, so there is no infinite-width rule", remedy)
        self.settings.obstacles.append(f"{self.place}: {reason}; {remedy}")

    def differs(self, text: str) -> None:
        """The architecture differs from the module in this."""
        self.settings.differences.setdefault(text, []).append(self.path or self.place)

    def chose(self, text: str) -> None:
        """The user asked for this."""
        self.settings.choices.setdefault(text, []).append(self.path or self.place)

    def use(self, *parameters: Constant | None) -> None:
        """These belong to one layer now. Raises ``SpecError`` if one belongs to another: there is no rule for ties."""
        for parameter in parameters:
            if parameter is None:
                continue
            if parameter.path in self.settings.used:
                other = self.settings.used[parameter.path]
                reason = f"{parameter.path} is used again (first by {other}), and shared weights have no rule here"
                self.refuse(reason, "give each use a module of its own")
            self.settings.used[parameter.path] = self.place
