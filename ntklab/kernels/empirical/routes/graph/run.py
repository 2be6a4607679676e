"""A program run for many samples at once: what each use of a parameter saw, and the cotangents of its result."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.fx import Node
from torch.fx.node import map_arg

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical.routes.graph.flow import Flow, Use
from ntklab.kernels.empirical.routes.graph.program import FAILURES, NotCaptured, reason
from ntklab.kernels.empirical.routes.graph.substitutes import SUBSTITUTES
from ntklab.kernels.empirical.routes.quiet import quiet

Values = dict[Node, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """A tensor that an operation returned: its place in autograd's graph, where its samples are counted, its shape."""

    edge: GradientEdge
    axis: int
    shape: torch.Size
    dtype: torch.dtype


@dataclass(frozen=True, eq=False)
class Seen:
    """What a use took, (n, *shape) of what depends on samples, and its results (None for one without a derivative)."""

    use: Use
    inputs: Values
    results: list[Result | None]


@dataclass(frozen=True, eq=False)
class Passed:
    """One batch that went through: outputs (n, k) with autograd's graph, and what the uses saw."""

    outputs: Tensor
    seen: dict[Use, Seen]


def fixed_values(flow: Flow, tensors: dict[str, Tensor]) -> Values:
    """Everything in a program that depends on no sample, from the parameters and buffers ``tensors`` by name."""
    values: Values = {}
    with torch.no_grad(), quiet():
        for node in flow.fixed:
            if node.op == "call_function":
                values[node] = call(node, values)
            else:
                name = flow.program.named.get(node)
                values[node] = tensors[name].detach() if name is not None else flow.program.constants[node]
    return values


def call(node: Node, values: Values) -> Any:
    """One operation on the values of its inputs."""
    operation: Any = SUBSTITUTES.get(node.target, node.target)
    return operation(*map_arg(node.args, values.__getitem__), **map_arg(node.kwargs, values.__getitem__))


def forward(flow: Flow, fixed: Values, x: Tensor, wanted: Collection[Use]) -> Passed:
    """Run the samples ``x`` (n, *shape) through; the uses ``wanted`` are watched. Raises ``NotCaptured``."""
    watched = {use.node: use for use in flow.uses}
    record = set(wanted)
    seen: dict[Use, Seen] = {}
    last = _last_uses(flow)
    n = len(x)

    def one(sample: Tensor, zero: Tensor) -> Tensor:
        values = {**fixed, flow.program.sample: sample.unsqueeze(0)}
        for node in flow.moving:
            use = watched.get(node)
            result = call(node, values)
            if use is not None and use in record:
                inputs = {
                    source: _physical(values[source], n) if source in use.moving else values[source]
                    for source in node.all_input_nodes
                }
                result, found = _followed(result, zero)
                seen[use] = Seen(use, inputs, found)
            values[node] = result
            for done in last.get(node, ()):
                del values[done]
        output: Tensor = values[flow.program.output]
        return output.reshape(-1)

    try:
        with torch.enable_grad(), quiet(), _starts_allowed():
            outputs = torch.vmap(one)(x, torch.zeros(n, dtype=torch.int8, device=x.device))
    except NtkLabError:
        raise
    except FAILURES as error:
        raise NotCaptured(f"it does not run for many samples at once ({reason(error)})") from error
    return Passed(outputs, seen)


@contextmanager
def _starts_allowed() -> Iterator[None]:
    """Tensors inside vmap may become starts of autograd's graph, whose gradients are taken outside."""
    before = _functorch.get_inplace_requires_grad_allowed()
    _functorch.set_inplace_requires_grad_allowed(True)
    try:
        yield
    finally:
        _functorch.set_inplace_requires_grad_allowed(before)


def _last_uses(flow: Flow) -> dict[Node, list[Node]]:
    """For each operation the values that nobody reads after it."""
    last: dict[Node, Node] = {}
    for node in flow.moving:
        for source in node.all_input_nodes:
            last[source] = node
    ends: dict[Node, list[Node]] = {}
    moving = set(flow.moving)
    for source, node in last.items():
        if source in moving and source is not flow.program.output:
            ends.setdefault(node, []).append(source)
    return ends


def _physical(value: Any, n: int) -> Any:
    """(n, *shape) from a tensor inside vmap, without autograd's graph."""
    if not isinstance(value, Tensor):
        return value
    axis = _functorch.maybe_get_bdim(value)
    if axis < 0:
        return value.detach().expand(n, *value.shape)
    return _functorch.get_unwrapped(value).movedim(axis, 0).detach()


def _followed(value: Any, zero: Tensor) -> tuple[Any, list[Result | None]]:
    """The result of an operation, made a start of autograd's graph where it is none yet."""
    if isinstance(value, tuple | list):
        pairs = [_followed(part, zero) for part in value]
        return type(value)(part for part, _ in pairs), [found[0] for _, found in pairs]
    if not isinstance(value, Tensor) or not (value.is_floating_point() or value.is_complex()):
        return value, [None]
    if _functorch.maybe_get_bdim(value) < 0:
        value = value + zero  # the same for all samples, whose cotangents differ
    axis = _functorch.maybe_get_bdim(value)
    inner = _functorch.get_unwrapped(value)
    if not inner.requires_grad:
        inner.requires_grad_()
    shape = inner.movedim(axis, 0).shape[1:]
    return value, [Result(get_gradient_edge(inner), axis, shape, inner.dtype)]


Cotangents = dict[Use, list[Tensor | None]]


class Backward:
    """Cotangents (n, k', *shape) of the results of uses, for some outputs at a time."""

    def __init__(self) -> None:
        self.batched, self.proven = True, False
        self.why = ""

    def __call__(self, passed: Passed, uses: Sequence[Use], span: tuple[int, int], *, keep: bool) -> Cotangents:
        """For the outputs ``span`` = (start, stop); ``keep``: more will follow. None where outputs do not depend."""
        results = [(use, r) for use in uses for r in passed.seen[use].results]
        edges = [r.edge for _, r in results if r is not None]
        found = iter(self._gradients(passed.outputs, edges, span, keep=keep) if edges else ())
        cotangents: Cotangents = {use: [] for use in uses}
        for use, r in results:
            g = None if r is None else next(found)
            cotangents[use].append(None if g is None or r is None else g.movedim((r.axis + 1, 0), (0, 1)))
        return cotangents

    def _gradients(
        self, f: Tensor, edges: list[GradientEdge], span: tuple[int, int], *, keep: bool
    ) -> list[Tensor | None]:
        """(k', *as in autograd's graph) each."""
        if not f.requires_grad:
            return [None] * len(edges)
        start, stop = span
        unit = f.new_zeros(stop - start, *f.shape)
        unit[torch.arange(stop - start), :, torch.arange(start, stop)] = 1
        if self.batched:
            try:
                found = list(_quietly(f, edges, unit, is_grads_batched=True, retain_graph=keep or not self.proven))
                self.proven = True
                return found
            except FAILURES as error:
                self.batched, self.why = False, f"outputs one after another: {reason(error)}"
        rows = [_quietly(f, edges, v, retain_graph=keep or i + 1 < len(unit)) for i, v in enumerate(unit)]
        return [None if parts[0] is None else torch.stack(parts) for parts in zip(*rows, strict=True)]


def _quietly(f: Tensor, edges: list[GradientEdge], v: Tensor, **options: Any) -> tuple[Tensor | None, ...]:
    with quiet():
        return torch.autograd.grad(f, edges, v, allow_unused=True, **options)
