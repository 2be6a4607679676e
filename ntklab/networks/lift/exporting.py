"""The other way in, for modules whose forward does not run on a stand-in: the graph that torch.export makes of them.

It runs the forward on tensors without contents, so that checks of types, scripted functions and the like pass. Modules
come taken apart into operators of ATen, whose rules are those of the functions they implement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from ntklab.networks.lift import normalisation, shaping
from ntklab.networks.lift.context import Constant, Settings, Spot
from ntklab.networks.lift.faults import place_of
from ntklab.networks.lift.functions import apply, call_function
from ntklab.networks.lift.values import BATCH, Value


class Exported:
    """Runs ``settings.module`` on a value, by its exported graph. ``count`` is how many operations were understood."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.count = 0

    def run(self, value: Value) -> Any:
        """What the module returns. Raises ``SpecError`` at the first operation without a rule, and torch's own errors
        for what cannot be exported."""
        module = self.settings.module
        like = next(module.parameters(), torch.zeros(1))
        example = torch.zeros(1, dtype=like.dtype, device=like.device).expand(BATCH, *value.sizes)  # takes no memory
        program = torch.export.export(module, (example,), strict=False)
        known = _inputs(program, value, self.settings)
        nodes: Any = program.graph.nodes
        for node in nodes:
            if node.op == "output":
                found = fx.map_arg(node.args[0], lambda used: known[used.name])
                return found[0] if len(found) == 1 else found
            if node.op == "call_function":
                self._call(node, known)
        raise AssertionError("a graph has an output")

    def _call(self, node: Any, known: dict[str, Any]) -> None:
        args, kwargs = (fx.map_arg(part, lambda used: known[used.name]) for part in (node.args, node.kwargs))
        found, in_place = _called(lambda name: self._spot(node, name), node.target, args, kwargs)
        known[node.name] = found
        if in_place:
            known[node.args[0].name] = found
        self.count += 1

    def _spot(self, node: Any, name: str) -> Spot:
        path, kind = list(node.meta["nn_module_stack"].values())[-1]
        return Spot(path, f"{place_of(path, kind.rpartition('.')[2])}, {name}()", self.settings)


def _inputs(program: ExportedProgram, value: Value, settings: Settings) -> dict[str, Any]:
    """What the graph begins with, by the names of its nodes."""
    signature, module = program.graph_signature, settings.module
    known: dict[str, Any] = {
        node: Constant(parameter, settings.name(parameter, path))
        for node, path in signature.inputs_to_parameters.items()
        for parameter in (module.get_parameter(path),)
    }
    known.update({node: _tensor(program, module, path) for node, path in signature.inputs_to_buffers.items()})
    constants = signature.inputs_to_lifted_tensor_constants
    known.update({node: program.constants[path] for node, path in constants.items()})
    known.update(dict.fromkeys(map(str, signature.user_inputs), value))
    return known


def _tensor(program: ExportedProgram, module: nn.Module, path: str) -> Any:
    return program.constants[path] if path in program.constants else module.get_buffer(path)


def _called(
    spot_of: Callable[[str], Spot], target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, bool]:
    """As ``call_function``, for the operators whose arguments come in another order than those of torch's function."""
    name = target.overloadpacket.__name__ if isinstance(target, torch._ops.OpOverload) else ""
    if name in _REORDERED and isinstance(args[0], Value):
        return apply(spot_of(name), _REORDERED[name], args, kwargs), False
    return call_function(spot_of, target, args, kwargs)


def _batch_norm(
    spot: Spot, x: Value, weight: Any, bias: Any, mean: Any, variance: Any, training: bool, *others: Any
) -> Value:  # fmt: skip
    return normalisation.batch_norm(spot, x, mean, variance, weight, bias, training, eps=others[1])


def _layer_norm(spot: Spot, x: Value, shape: Any, weight: Any = None, bias: Any = None, *others: Any) -> Value:
    return normalisation.layer_norm(spot, x, shape, weight, bias, *others[:1])


def _group_norm(spot: Spot, x: Value, groups: int, weight: Any = None, bias: Any = None, *others: Any) -> Value:
    return normalisation.group_norm(spot, x, groups, weight, bias, *others[:1])


def _slice(
    spot: Spot, x: Value, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:  # fmt: skip
    if dim == 0 and not start and (end is None or end >= BATCH) and step == 1:
        return x
    return shaping.getitem(spot, x, (*[slice(None)] * (dim % (len(x.axes) + 1)), slice(start, end, step)))


_REORDERED: dict[str, Callable[..., Value]] = {
    "batch_norm": _batch_norm, "layer_norm": _layer_norm, "group_norm": _group_norm, "slice": _slice,
}  # fmt: skip
