"""What people call the layers of a network that is built here, by the names of its modules."""

from __future__ import annotations

from typing import Any

from ntklab.spec.architecture import Architecture
from ntklab.spec.catalogue import caption
from ntklab.spec.layers import Branch


def layer_title(architecture: Architecture | None, name: str) -> str:
    """What people call the layer with the module name ``name``: its kind and size, or that name.

    Modules of a network that is built here are numbered: "2.branches.0.1" is the second layer of the first branch of
    the third layer.
    """
    words = name.split(".") if name else []
    stack: Any = () if architecture is None else architecture.layers
    layer: Any = None
    while words and words[0].isdigit() and int(words[0]) < len(stack):
        layer = stack[int(words.pop(0))]
        stack = ()
        if isinstance(layer, Branch) and len(words) > 2:
            stack, words = layer.branches[int(words[1])], words[2:]
    if layer is None:
        return name or "parameters"
    return " ".join([caption(layer), *words])
