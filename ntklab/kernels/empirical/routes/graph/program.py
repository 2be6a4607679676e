"""A module as the list of operations that one sample goes through, with every parameter an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, Node

from ntklab.kernels.empirical.routes.graph.substitutes import CELLS
from ntklab.kernels.empirical.routes.quiet import quiet, silent

FAILURES = (
    RuntimeError, TypeError, ValueError, NotImplementedError, AssertionError, AttributeError, LookupError,
)  # fmt: skip
"""What tracing or running a foreign module under a transformation may raise; the caller takes another way then."""

_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


class NotCaptured(Exception):  # noqa: N818 (a reason to take another way, not a fault)
    """A module has no graph that holds for every sample. The message says why, for a person.

    ``by_value``: the way that a sample takes depends on values.
    """

    def __init__(self, message: str, *, by_value: bool = False) -> None:
        super().__init__(message)
        self.by_value = by_value


@dataclass(frozen=True, eq=False)
class Program:
    """Operations in order. ``named`` are the inputs that are parameters or buffers, by their names in the module.

    ``constants`` are inputs whose values were found on the way. ``sample`` takes one sample (1, *shape), ``output`` is
    what the module returns.
    """

    graph: Graph
    named: dict[Node, str]
    constants: dict[Node, Tensor]
    sample: Node
    output: Node

    @property
    def operations(self) -> list[Node]:
        """Without inputs and output."""
        return [node for node in self.graph.nodes if node.op == "call_function"]


def capture(module: nn.Module, x: Tensor) -> Program:
    """The program of ``module`` for samples like the one of ``x`` (1, *sample shape). Raises ``NotCaptured``."""
    try:
        with quiet(), silent(), torch.enable_grad():
            exported = torch.export.export(module, (x,), strict=False)
            exported = _functional(exported)
    except FAILURES as error:
        by_value = "data-dependent" in str(error) or "DataDependent" in type(error).__name__
        raise NotCaptured(f"it cannot be exported ({reason(error)})", by_value=by_value) from error
    return _program(exported)


def reason(error: BaseException) -> str:
    """The first line of what an error says, shortened."""
    lines = str(error).strip().splitlines() or [""]
    text = f"{type(error).__name__}: {lines[0]}"
    return text if len(text) <= 160 else text[:157] + "..."


def _functional(exported: Any) -> Any:
    """Recurrent layers as their steps, and no operation that changes its input."""
    nodes = [node for node in exported.graph.nodes if node.op == "call_function"]
    recurrent = any(_name(node) in _RECURRENT or node.target in CELLS for node in nodes)
    if recurrent or not _replace_inplace(nodes):
        table: Any = torch.export.default_decompositions()
        wanted = {op: rule for op, rule in table.items() if op._schema.name.split("::")[1] in _RECURRENT}
        exported = exported.run_decompositions({**wanted, **CELLS} if recurrent else {})
        _replace_inplace([node for node in exported.graph.nodes if node.op == "call_function"])
    return exported


def _name(node: Node) -> str:
    schema = getattr(node.target, "_schema", None)
    return schema.name.split("::")[-1] if schema is not None else ""


def _replace_inplace(nodes: list[Node]) -> bool:
    """Every operation in place by the one that returns a new tensor; False where another name of the tensor lives on.

    The tracer has already pointed later readers at the result of an operation in place.
    """
    places = {node: i for i, node in enumerate(nodes)}
    changes = [(node, twin) for node in nodes if (twin := _twin(node)) is not None]
    groups = _aliases(nodes)
    for node, _ in changes:
        target = node.args[0]
        others = [other for other in groups.get(target, ()) if other is not node]
        if any(places.get(user, -1) > places[node] for other in others for user in other.users):
            return False
    for node, twin in changes:
        node.target = twin
    return not any(_mutates(node) for node in nodes)


def _twin(node: Node) -> Any:
    """``add`` for ``add_``, None for what has no such twin."""
    name = _name(node)
    if not name.endswith("_") or name.endswith("__") or not _mutates(node):
        return None
    packet = getattr(torch.ops.aten, name[:-1], None)
    overload = getattr(node.target, "_overloadname", "default")
    return getattr(packet, overload, None) if packet is not None else None


def _mutates(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


_MAY_ALIAS = (
    "reshape",
    "flatten",
    "contiguous",
    "to",
    "dropout",
    "unflatten",
    "getitem",
    "type_as",
    "chunk",
    "movedim",
)


def _aliases(nodes: list[Node]) -> dict[Any, list[Node]]:
    """For every tensor all names of the same memory, itself among them."""
    groups: dict[Any, list[Node]] = {}
    for node in nodes:
        schema = getattr(node.target, "_schema", None)
        view = schema is None or any(r.alias_info is not None for r in schema.returns)
        if not view and _name(node) not in _MAY_ALIAS:
            continue
        for source in node.all_input_nodes[:1]:
            group = groups.setdefault(source, [source])
            group.append(node)
            groups[node] = group
    return groups


def _program(exported: Any) -> Program:
    signature = exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    lifted = dict(signature.inputs_to_lifted_tensor_constants)
    named: dict[Node, str] = {}
    constants: dict[Node, Tensor] = {}
    samples = []
    for node in exported.graph.nodes:
        if node.op == "get_attr":
            value = getattr(exported.graph_module, str(node.target))
            if not isinstance(value, Tensor):
                raise NotCaptured("parts of it run in a context of their own (no_grad or autocast)")
            constants[node] = value
        elif node.op == "placeholder":
            if node.target in names:
                named[node] = names[node.target]
            elif node.target in lifted:
                constants[node] = exported.constants[lifted[node.target]]
            else:
                samples.append(node)
    results = next(node for node in exported.graph.nodes if node.op == "output").args[0]
    output = results[-1] if isinstance(results, tuple | list) else results
    if len(samples) != 1 or not isinstance(output, Node):
        raise NotCaptured("it does not return a tensor that depends on its input")
    return Program(exported.graph, named, constants, samples[0], output)
