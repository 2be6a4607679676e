"""Gradients by the derivative of single operations: what has no rule, and tensors made of parameters alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import vjp, vmap
from torch.fx import Node

from ntklab.kernels.empirical.routes.graph.flow import Flow, Use
from ntklab.kernels.empirical.routes.graph.program import FAILURES
from ntklab.kernels.empirical.routes.graph.run import Seen, Values, call
from ntklab.kernels.empirical.routes.quiet import quiet

Tensors = tuple[Tensor, ...]


def use_gradients(use: Use, seen: Seen, B: Sequence[Tensor | None]) -> dict[Node, Tensor]:
    """(n, k, *shape) for each tensor made of parameters that the use takes, from the cotangents of its results."""
    wanted = list(dict.fromkeys(use.slots.values()))
    moving = [node for node in use.node.all_input_nodes if node in use.moving]
    present = [i for i, b in enumerate(B) if b is not None]
    start = tuple(seen.inputs[node] for node in wanted)

    def one(data: Tensors, cotangents: Tensors) -> Tensors:
        def operation(*tensors: Tensor) -> Tensors:
            values = {**seen.inputs, **dict(zip(moving, data, strict=True)), **dict(zip(wanted, tensors, strict=True))}
            found = call(use.node, values)
            return tuple(_parts(found)[i] for i in present)

        pull = vjp(operation, *start)[1]
        back: Tensors = _over(pull, cotangents)
        return back

    given = tuple(seen.inputs[node] for node in moving)
    cotangents = tuple(b for b in B if b is not None)
    return dict(zip(wanted, _over(one, given, cotangents), strict=True))


def _parts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def _over(f: Callable[..., Tensors], *arguments: Tensors) -> Tensors:
    """``f`` for every entry of the first axis of its arguments, all at once, or else one after another."""
    with quiet():
        try:
            return vmap(f)(*arguments)
        except FAILURES:
            count = len(next(t for group in arguments for t in _parts(group)))
            rows = [f(*(tuple(t[i] for t in group) if isinstance(group, tuple) else group[i] for group in arguments))
                    for i in range(count)]  # fmt: skip
            return tuple(torch.stack(parts) for parts in zip(*rows, strict=True))


class Pull:
    """From gradients by a tensor that is made of parameters alone to those by the parameters."""

    def __init__(self, flow: Flow, node: Node, names: dict[str, str]) -> None:
        """``names``: from every name of a parameter to its first one."""
        self.node = node
        self.steps = flow.sources(node)
        self.program = flow.program
        self.names = names
        self.parameters = tuple(sorted(flow.fixed[node]))

    def __call__(self, G: Tensor, fixed: Values) -> dict[str, Tensor]:
        """(n, k, *shape of the parameter) by name, from ``G`` (n, k, *shape of the tensor)."""
        start = {self._name(node): fixed[node] for node in self.steps if self._name(node) in self.parameters}

        def made(*tensors: Tensor) -> Tensor:
            given = dict(zip(self.parameters, tensors, strict=True))
            values = dict(fixed)
            for node in self.steps:
                if node.op == "call_function":
                    values[node] = call(node, values)
                elif self._name(node) in given:
                    values[node] = given[self._name(node)]
            result: Tensor = values[self.node]
            return result

        with quiet():
            pull = vjp(made, *(start[name] for name in self.parameters))[1]
            back = _over(lambda g: pull(g), G.flatten(0, 1))  # type: ignore[arg-type]
        return {name: torch.unflatten(g, 0, G.shape[:2]) for name, g in zip(self.parameters, back, strict=True)}

    def _name(self, node: Node) -> str:
        name = self.program.named.get(node, "")
        return self.names.get(name, name)
