"""Terms of the kernel: each trained parameter of a program in one of them, with the way its factors come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import nn
from torch.fx import Node

from ntklab.kernels.empirical.routes.graph.flow import Flow, Use, aten, canonical_names
from ntklab.kernels.empirical.routes.graph.local import Pull
from ntklab.kernels.empirical.routes.graph.rules import Linear, rule_of, shape
from ntklab.kernels.empirical.routes.names import layer_name
from ntklab.kernels.empirical.routes.route import Layer

Place = tuple[Use, int]
"""A use and the slot of it that takes the parameter."""

_RESHAPES = {
    aten.view.default, aten.reshape.default, aten.flatten.using_ints, aten.unsqueeze.default, aten.squeeze.dim,
    aten.squeeze.dims, aten.squeeze.default, aten.alias.default, aten.clone.default, aten.contiguous.default,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of linear maps z_t = W a_t (+ b) at ``count`` places of a sample, all uses of one arrangement.

    ``bias``: the same uses add a trained b. ``outermost``: z are the outputs of the network.
    """

    layer: str
    parameter: str
    uses: tuple[Use, ...]
    rules: tuple[Linear, ...]
    bias: str | None
    fan_in: int
    width: int
    count: int
    outermost: bool


@dataclass(frozen=True, eq=False)
class Gradients:
    """A parameter whose per-sample gradients are summed over ``places``, or pulled back from tensors made of it."""

    layer: str
    parameter: str
    numbers: int
    places: tuple[Place, ...]
    pulls: tuple[Pull, ...] = ()

    @property
    def uses(self) -> tuple[Use, ...]:
        """All of its uses."""
        return tuple(dict.fromkeys(use for use, _ in self.places))


Term = Weights | Gradients


def terms_of(flow: Flow, module: nn.Module) -> tuple[list[Term], tuple[Layer, ...]]:
    """The terms, and the layers that they belong to: of a shared parameter that of its first owner."""
    sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
    places = _places(flow)
    terms: dict[str, Term] = {}
    for name in sizes:
        if name not in places or name in terms:
            continue
        weights = _weights(flow, name, places)
        if weights is None:
            terms[name] = _gradients(flow, name, places[name], sizes[name], canonical_names(module))
        else:
            terms[name] = weights
            if weights.bias is not None:
                terms[weights.bias] = weights
    return list(dict.fromkeys(terms.values())), _layers(list(sizes), terms)


def _places(flow: Flow) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = {}
    for use in flow.uses:
        for slot, node in use.slots.items():
            for name in flow.fixed[node]:
                places.setdefault(name, []).append((use, slot))
    return places


def _direct(flow: Flow, places: Sequence[Place]) -> bool:
    """Whether all uses take the same view of the parameter."""
    chains = [flow.chain(use.slots[slot]) for use, slot in places]
    return chains[0] is not None and all(chain == chains[0] for chain in chains)


def _weights(flow: Flow, name: str, places: dict[str, list[Place]]) -> Weights | None:
    mine = places[name]
    rules = [rule_of(use, slot) for use, slot in mine]
    linear = [rule for rule in rules if isinstance(rule, Linear)]
    if len(linear) < len(rules) or len({rule.layout for rule in linear}) > 1 or not _direct(flow, mine):
        return None
    uses = tuple(use for use, _ in mine)
    if len(set(uses)) < len(uses):
        return None
    width, fan_in = _sizes(linear[0].layout, shape(uses[0].slots[mine[0][1]]) or ())
    counts = [_count(use, rule, width) for use, rule in zip(uses, linear, strict=True)]
    bias = _bias(flow, mine, linear, places)
    outermost = len(uses) == 1 and counts[0] == 1 and _is_output(flow, uses[0].node)
    return Weights(layer_name(name), name, uses, tuple(linear), bias, fan_in, width, sum(counts), outermost)


def _sizes(layout: str, weights: tuple[int, ...]) -> tuple[int, int]:
    """(out, in) of the linear map with these weights."""
    if layout == "io":
        return weights[1], weights[0]
    if layout == "conv transpose":
        return prod(weights[1:]), weights[0]
    return weights[0], prod(weights[1:])


def _count(use: Use, rule: Linear, width: int) -> int:
    if rule.layout == "conv transpose":
        taken = shape(use.node.args[0]) or ()  # type: ignore[arg-type]
        return prod(taken) // (shape(use.slots[1]) or (1,))[0]
    return prod(shape(use.node) or ()) // width


def _bias(flow: Flow, mine: Sequence[Place], rules: Sequence[Linear], places: dict[str, list[Place]]) -> str | None:
    """The parameter that the same uses add to z, and nobody else takes."""
    slots = {rule.bias for rule in rules}
    slot = slots.pop()
    if slots or slot is None:
        return None
    chains = {flow.chain(use.slots[slot]) for use, _ in mine}
    chain = chains.pop()
    if chains or chain is None:
        return None
    same = {(use, slot) for use, _ in mine} == set(places[chain[0]])
    return chain[0] if same and layer_name(chain[0]) == layer_name(flow_name(flow, mine[0])) else None


def flow_name(flow: Flow, place: Place) -> str:
    """The parameter that a place takes a view of."""
    chain = flow.chain(place[0].slots[place[1]])
    assert chain is not None
    return chain[0]


def _is_output(flow: Flow, node: Node) -> bool:
    """Whether the outputs are the result of ``node``, in its order."""
    output = flow.program.output
    while output is not node and output.op == "call_function" and output.target in _RESHAPES:
        output = output.all_input_nodes[0]
    return output is node


def _gradients(flow: Flow, name: str, places: Sequence[Place], numbers: int, names: dict[str, str]) -> Gradients:
    pulls: tuple[Pull, ...] = ()
    if not _direct(flow, places):
        made = dict.fromkeys(use.slots[slot] for use, slot in places)
        pulls = tuple(Pull(flow, node, names) for node in made)
    return Gradients(layer_name(name), name, numbers, tuple(places), pulls)


def _layers(names: Sequence[str], terms: dict[str, Term]) -> tuple[Layer, ...]:
    members: dict[str, list[str]] = {}
    for name in names:
        if name in terms:
            members.setdefault(layer_name(name), []).append(name)
    layers = []
    for layer, parameters in members.items():
        rules = list(dict.fromkeys(_rule(terms[name]) for name in parameters))
        why = [reason for name in parameters if (reason := _why(name, terms[name]))]
        layers.append(Layer(layer, tuple(parameters), ", ".join(rules), "; ".join(why)))
    return tuple(layers)


def _rule(term: Term) -> str:
    if isinstance(term, Weights):
        return "inputs × cotangents"
    known = all(rule_of(use, slot) is not None for use, slot in term.places)
    return "per-sample gradients" if known else "per-sample gradients by the operation's own derivative"


def _why(name: str, term: Term) -> str:
    if isinstance(term, Weights):
        return ""
    last = name.rpartition(".")[2]
    if term.pulls:
        return f"{last} is used through other tensors"
    unruled = dict.fromkeys(str(u.node.target) for u, slot in term.places if rule_of(u, slot) is None)
    return f"no rule for {last} in {', '.join(unruled)}" if unruled else ""
