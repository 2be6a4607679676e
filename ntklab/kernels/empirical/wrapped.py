"""Modules around a network, for those who know modules that take one tensor of samples alone."""

from __future__ import annotations

from torch import nn


class Wrapper(nn.Module):
    """Puts something before or behind ``network``, whose layers keep the names that they have in it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


def inside(module: nn.Module) -> nn.Module:
    """The network in all its wrappers."""
    while isinstance(module, Wrapper):
        module = module.network
    return module


def plain_name(module: nn.Module, name: str) -> str:
    """The name that a layer or parameter of ``module`` has in the network inside it."""
    while isinstance(module, Wrapper):
        module = module.network
        name = "" if name == "network" else name.removeprefix("network.")
    return name
