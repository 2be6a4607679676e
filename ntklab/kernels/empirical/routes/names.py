"""What layers are called."""

from __future__ import annotations


def layer_name(parameter: str) -> str:
    """The module that a parameter belongs to; one behind a parametrization belongs to the module it is made for."""
    owner = parameter.rpartition(".")[0]
    head, found, _ = f".{owner}.".partition(".parametrizations.")
    return head.strip(".") if found else owner
