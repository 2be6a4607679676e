"""Factors of the terms of a program on one batch of samples, some outputs at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.fx import Node

from ntklab.kernels.empirical.factors import Factor, shared
from ntklab.kernels.empirical.routes.graph.flow import Use
from ntklab.kernels.empirical.routes.graph.local import Pull, use_gradients
from ntklab.kernels.empirical.routes.graph.rules import Linear, Local, rule_of
from ntklab.kernels.empirical.routes.graph.run import Backward, Cotangents, Passed, Values
from ntklab.kernels.empirical.routes.graph.terms import Gradients, Term, Weights

_SMALL = 4096  # numbers up to which the gradients of a layer's parameters are put side by side


class Batch:
    """The factors of ``terms`` on one batch; ``pairs``: for a kernel with all pairs of outputs."""

    def __init__(self, passed: Passed, fixed: Values, terms: Sequence[Term], *, pairs: bool) -> None:
        self.passed, self.fixed, self.pairs = passed, fixed, pairs
        self.n, self.k = passed.outputs.shape
        self.terms = [term for term in terms if all(use in passed.seen for use in term.uses)]
        self.inputs: dict[Term, Tensor] = {}
        self.filled: dict[Term, Tensor] = {}

    def factors(self, backward: Backward, step: int) -> list[Factor]:
        """All of them, with cotangents of ``step`` outputs at a time."""
        below = [term for term in self.terms if not (isinstance(term, Weights) and term.outermost)]
        uses = list(dict.fromkeys(use for term in below for use in term.uses))
        for term in self.terms:
            if isinstance(term, Weights):
                self.inputs[term] = _joined([rule.inputs(self.passed.seen[use]) for use, rule in _ruled(term)])
        for start in range(0, self.k if uses else 0, step):
            stop = min(start + step, self.k)
            found = backward(self.passed, uses, (start, stop), keep=stop < self.k)
            self._take(below, found, (start, stop))
        return self._put_together()

    def _take(self, terms: Sequence[Term], found: Cotangents, span: tuple[int, int]) -> None:
        gradients = _Cached(self.passed, found)
        for term in terms:
            if all(b is None for use in term.uses for b in found[use]):
                continue
            part = self._weights(term, found) if isinstance(term, Weights) else self._gradient(term, gradients)
            if span == (0, self.k):
                self.filled[term] = part
                continue
            if term not in self.filled:
                self.filled[term] = part.new_zeros(self.n, self.k, *part.shape[2:])
            self.filled[term][:, slice(*span)] = part

    def _weights(self, term: Weights, found: Cotangents) -> Tensor:
        """Cotangents (n, k', places, out)."""
        k = _outputs_in(found)
        parts = []
        for use, rule in _ruled(term):
            (b,), z = found[use], self.passed.seen[use].results[0]
            assert z is not None
            parts.append(rule.cotangents(self.passed.outputs.new_zeros(self.n, k, *z.shape) if b is None else b))
        return _joined(parts, dim=2)

    def _gradient(self, term: Gradients, gradients: _Cached) -> Tensor:
        """(n, k', numbers of the parameter)"""
        if not term.pulls:
            return _real(_total([gradients.of(use, use.slots[slot]) for use, slot in term.places]))
        return _real(_total([gradients.pulled(pull, term, self.fixed) for pull in term.pulls]))

    def _put_together(self) -> list[Factor]:
        factors = []
        small: dict[str, list[Tensor]] = {}
        for term in self.terms:
            if isinstance(term, Weights):
                if term.outermost or term in self.filled:
                    factors.append(self._linear(term))
            elif term in self.filled:
                G = self.filled.pop(term)
                if G.shape[2] > _SMALL:
                    factors.append(Factor(None, G, layer=term.layer))
                else:
                    small.setdefault(term.layer, []).append(G)
        return [*factors, *(Factor(None, _joined(Gs, dim=2), layer=name) for name, Gs in small.items())]

    def _linear(self, term: Weights) -> Factor:
        A, B = self.inputs.pop(term), self.filled.pop(term, None)
        if B is not None and term.count > 1:
            bias = None if term.bias is None else 1.0
            return shared(A, B, pairs=self.pairs, weight_scale=1.0, bias_scale=bias, layer=term.layer)
        offset = 0.0 if term.bias is None else 1.0
        return Factor(A[:, 0], None if B is None else B[:, :, 0], offset, term.layer)


def _ruled(term: Weights) -> list[tuple[Use, Linear]]:
    return list(zip(term.uses, term.rules, strict=True))


def _joined(parts: Sequence[Tensor], dim: int = 1) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=dim)


def _products(A: Tensor, B: Tensor) -> Tensor:
    """(n, k, out, in): Σ_t B_t a_tᵀ from (n, T, in) and (n, k, T, out)."""
    n, k, T, out = B.shape
    return torch.bmm(B.mT.reshape(n, k * out, T), A).view(n, k, out, -1)


def _total(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _outputs_in(found: Cotangents) -> int:
    """The number k' of outputs whose cotangents were found."""
    return next(b.shape[1] for parts in found.values() for b in parts if b is not None)


def _real(G: Tensor) -> Tensor:
    """(n, k, numbers): a complex number is two."""
    return (torch.view_as_real(G.resolve_conj()) if G.is_complex() else G).reshape(*G.shape[:2], -1)


class _Cached:
    """Gradients by the tensors that uses take, each computed once for one set of cotangents."""

    def __init__(self, passed: Passed, found: Cotangents) -> None:
        self.passed, self.found = passed, found
        self.generic: dict[Use, dict[Node, Tensor]] = {}
        self.by_node: dict[Node, dict[str, Tensor]] = {}

    def of(self, use: Use, node: Node) -> Tensor:
        """(n, k', *shape of ``node``)"""
        slot = next(i for i, taken in use.slots.items() if taken is node)
        rule, seen = rule_of(use, slot), self.passed.seen[use]
        b = self.found[use][0]
        if all(part is None for part in self.found[use]):
            like: Tensor = seen.inputs[node]
            return like.new_zeros(len(self.passed.outputs), _outputs_in(self.found), *like.shape)
        if isinstance(rule, Local):
            assert b is not None
            return rule.gradient(seen, b)
        if isinstance(rule, Linear):
            assert b is not None
            return rule.arranged(_products(rule.inputs(seen), rule.cotangents(b)))
        if use not in self.generic:
            self.generic[use] = use_gradients(use, seen, self.found[use])
        return self.generic[use][node]

    def pulled(self, pull: Pull, term: Gradients, fixed: Values) -> Tensor:
        """(n, k', *shape of the parameter) through one tensor that is made of it."""
        if pull.node not in self.by_node:
            uses = [use for use in self.found if pull.node in use.slots.values()]
            self.by_node[pull.node] = pull(_total([self.of(use, pull.node) for use in uses]), fixed)
        return self.by_node[pull.node][term.parameter]
