"""The network that the kernels are of, where it is the user's own, and why a network lacks some of its kernels."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.progress import LayerForecast


@dataclass(frozen=True)
class Network:
    """A finite network that is not just drawn from a description.

    ``name`` says where it is from, and ``parameters_from`` the file of its parameters (empty: as it was made).
    ``trained`` of the ``parameters`` count in the kernel. ``outputs`` is the number k of outputs of a sample,
    ``layers`` says how each is treated in the kernel, by the ``route`` of the whole.
    ``differences`` are what its infinite-width description lacks.
    """

    name: str
    parameters: int
    trained: int
    outputs: int
    layers: tuple[LayerForecast, ...] = ()
    route: str = ""
    parameters_from: str = ""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absence:
    """Why a run cannot have some of its ``parts`` (names of fields of ``Run``): a sentence that names the cause."""

    parts: tuple[str, ...]
    reason: str
