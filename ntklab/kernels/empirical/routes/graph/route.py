"""The factors of any module that can be exported."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.routes.graph.factors import Batch
from ntklab.kernels.empirical.routes.graph.flow import Flow, flow_of
from ntklab.kernels.empirical.routes.graph.program import capture
from ntklab.kernels.empirical.routes.graph.run import Backward, Values, fixed_values, forward
from ntklab.kernels.empirical.routes.graph.terms import terms_of
from ntklab.kernels.empirical.routes.measure import measured
from ntklab.kernels.empirical.routes.route import Needs, Route

_COTANGENTS = 2**23
"""Numbers of cotangents of one sample that are held at a time: more outputs take several backward passes."""


class Graph(Route):
    """Operations of one sample, run for many at once; every use of a parameter by the rule of its operation.

    ``x`` (1, *sample shape) is a sample to export the module with; ``pairs``: the kernel keeps all pairs of outputs.
    Raises ``NotCaptured``.
    """

    name = "per-layer factors, by the module's graph of operations"

    def __init__(self, module: nn.Module, x: Tensor, *, pairs: bool) -> None:
        self.module, self.pairs = module, pairs
        self.flow: Flow = flow_of(capture(module, x), module)
        self.terms, self.layers = terms_of(self.flow, module)
        self.backward = Backward()
        self._fixed: Values | None = None

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        terms = [term for term in self.terms if layers is None or term.layer in layers]
        passed = forward(self.flow, self.fixed, x, [use for term in terms for use in term.uses])
        with torch.no_grad():
            batch = Batch(passed, self.fixed, terms, pairs=self.pairs)
            return batch.factors(self.backward, self._step(passed.outputs.shape[1]))

    @property
    def fixed(self) -> Values:
        """Parameters, buffers and what is made of them alone, computed once."""
        if self._fixed is None:
            tensors = dict(self.module.named_parameters(remove_duplicate=False))
            self._fixed = fixed_values(
                self.flow, {**tensors, **dict(self.module.named_buffers(remove_duplicate=False))}
            )
        return self._fixed

    def _step(self, k: int) -> int:
        """Outputs whose cotangents are held at a time."""
        each = sum(self._numbers(use.node) for use in self.flow.uses)
        return max(1, min(k, _COTANGENTS // max(1, each)))

    def _numbers(self, node: torch.fx.Node) -> int:
        value = node.meta.get("val")
        parts = value if isinstance(value, tuple | list) else (value,)
        return sum(part.numel() for part in parts if isinstance(part, Tensor))

    def needs(self, x: Tensor, k: int) -> Needs:
        made = (value for node, value in self.fixed.items() if node.op == "call_function" and isinstance(value, Tensor))
        return measured(self, x, k, held=sum(value.numel() for value in made))
