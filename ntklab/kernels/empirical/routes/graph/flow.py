"""Which operations of a program use parameters, and through what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.fx import Node

from ntklab.kernels.empirical.routes.graph.program import Program

aten = torch.ops.aten

VIEWS = {
    aten.t.default, aten.transpose.int, aten.permute.default, aten.view.default, aten.reshape.default,
    aten.unsqueeze.default, aten.squeeze.default, aten.squeeze.dim, aten.squeeze.dims, aten.contiguous.default,
    aten.alias.default, aten.clone.default, aten.flatten.using_ints, aten.numpy_T.default, aten.movedim.int,
    aten.mT.default if hasattr(aten, "mT") else aten.t.default, aten.unflatten.int, aten._unsafe_view.default,
}  # fmt: skip
"""Operations that keep every number of a tensor, once: the sum of squares of a gradient passes through unchanged."""

_LINEAR = {aten.linear.default: 0, aten.addmm.default: 1, aten.mm.default: 0}
"""Linear maps of single rows, with the argument that is mapped."""

_STOPS = {aten.detach.default, aten.detach_.default}


@dataclass(frozen=True, eq=False)
class Use:
    """An operation on data that also takes tensors made of trained parameters alone: ``slots``, each by its place.

    A place is the number of an argument, or -1 - i for the i-th of those inside lists or keywords.
    """

    node: Node
    slots: dict[int, Node]
    moving: frozenset[Node]
    """Those of its inputs that depend on the samples."""


@dataclass(frozen=True, eq=False)
class Flow:
    """``fixed``: operations that depend on no sample, each with the trained parameters whose gradient it hands on.

    ``moving``: operations on samples, in order; ``uses`` those among them that take trained parameters.
    """

    program: Program
    fixed: dict[Node, frozenset[str]]
    moving: list[Node]
    uses: list[Use]

    def sources(self, node: Node) -> list[Node]:
        """``node`` and all that it is made of, in order."""
        seen: set[Node] = set()
        stack = [node]
        while stack:
            top = stack.pop()
            if top not in seen:
                seen.add(top)
                stack.extend(top.all_input_nodes)
        return [n for n in self.fixed if n in seen]

    def chain(self, node: Node) -> tuple[str, tuple[Any, ...]] | None:
        """The parameter that ``node`` is, and the views that led to it; None where more than a view lies between."""
        steps: list[Any] = []
        while node.op == "call_function":
            if node.target not in VIEWS or len(node.all_input_nodes) != 1:
                return None
            steps.append((node.target, str(node.args[1:]), str(node.kwargs)))
            node = node.all_input_nodes[0]
        (name,) = self.fixed[node] or ("",)
        return (name, tuple(steps)) if name else None


def canonical_names(module: nn.Module) -> dict[str, str]:
    """From every name of a parameter to the first one of the same parameter."""
    first: dict[int, str] = {}
    return {name: first.setdefault(id(p), name) for name, p in module.named_parameters(remove_duplicate=False)}


def flow_of(program: Program, module: nn.Module) -> Flow:
    """Follow the trained parameters of ``module`` through its ``program``."""
    names = canonical_names(module)
    trained = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    fixed: dict[Node, frozenset[str]] = {}
    moving: list[Node] = []
    data = {program.sample}
    needed = _needed(program)
    for node in program.graph.nodes:
        if node in program.named or node in program.constants:
            name = names.get(program.named.get(node, ""), "")
            fixed[node] = frozenset({name} & trained)
        elif node.op == "call_function" and node in needed:
            if any(source in data for source in node.all_input_nodes) or _promoted(node, fixed):
                data.add(node)
                moving.append(node)
            else:
                sources = [fixed[source] for source in node.all_input_nodes]
                fixed[node] = frozenset() if node.target in _STOPS else frozenset().union(*sources)
    uses = [
        Use(node, slots, frozenset(data.intersection(node.all_input_nodes)) or _constant_input(node, fixed))
        for node in moving
        if (slots := _slots(node, fixed))
    ]
    return Flow(program, fixed, moving, uses)


def _promoted(node: Node, fixed: dict[Node, frozenset[str]]) -> bool:
    """Whether ``node`` is a linear map with trained weights of something constant, as in the first recurrent step.

    It counts as an operation on samples then: its weights have more uses of that kind.
    """
    data = node.args[_LINEAR[node.target]] if node.target in _LINEAR else None
    weights = [source for source in node.all_input_nodes if source is not data]
    return isinstance(data, Node) and not fixed[data] and any(fixed[source] for source in weights)


def _constant_input(node: Node, fixed: dict[Node, frozenset[str]]) -> frozenset[Node]:
    return frozenset(source for source in node.all_input_nodes if not fixed.get(source))


def _needed(program: Program) -> set[Node]:
    """What the output is made of."""
    seen: set[Node] = set()
    stack = [program.output]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.all_input_nodes)
    return seen


def _slots(node: Node, fixed: dict[Node, frozenset[str]]) -> dict[int, Node]:
    if node.target in _STOPS:
        return {}
    trained = [source for source in node.all_input_nodes if fixed.get(source)]
    slots = {i: arg for i, arg in enumerate(node.args) if isinstance(arg, Node) and arg in trained}
    plain = set(slots.values())
    return {**slots, **{-1 - i: source for i, source in enumerate(s for s in trained if s not in plain)}}
