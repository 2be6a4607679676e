"""Which way to the factors of a module is taken: the fastest one that agrees with autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical.probe import Probe
from ntklab.kernels.empirical.routes import structural
from ntklab.kernels.empirical.routes.graph import Graph
from ntklab.kernels.empirical.routes.graph.program import NotCaptured, capture
from ntklab.kernels.empirical.routes.jacobian import Jacobian
from ntklab.kernels.empirical.routes.known import Structural
from ntklab.kernels.empirical.routes.route import Route
from ntklab.kernels.empirical.routes.trial import Tried, tolerance, tried

Maker = Callable[[str], Route]
"""A way to the factors, given why those before it do not do. Raises ``NotCaptured`` or ``NtkLabError``."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A route, and what a reader must know of how it was chosen and checked."""

    route: Route
    notes: tuple[str, ...]


def choose(module: nn.Module, x: Tensor, *, pairs: bool, dtype: torch.dtype, trusted: bool) -> Choice:
    """The fastest route for ``module`` whose factors on the few samples ``x`` agree with autograd.

    ``trusted``: known to treat each sample by itself. Raises ``NtkLabError`` for a module without trained parameters or
    without gradients of single samples.
    """
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise NtkLabError("empirical NTK: the module has no trainable parameters; set requires_grad on those you train")
    seen = Tried(dtype) if trusted else tried(module, x, dtype)
    most, probe = tolerance(dtype, seen.coarsest), Probe(module, x)
    notes = []
    if seen.mixes:
        _check_mixing(module, x, seen.mixes)
        notes.append(f"{seen.mixes}: each sample was run by itself")
    if seen.coarsest != dtype:
        notes.append(f"parts of the module compute in {str(seen.coarsest).removeprefix('torch.')}")
    why = ""
    for make in _ways(module, x, pairs=pairs):
        try:
            route = make(why)
            error = probe.error(route.layers, route.factors(x))
        except (NotCaptured, NtkLabError) as failure:
            why = str(failure)
            notes.append(f"another way was taken because {why}")
            continue
        if error <= most:
            found = f"factors checked against autograd on {len(x)} samples: relative error {error:.1e}"
            return Choice(route, (*notes, found))
        why = f"{route.name}: misses the gradient of single samples by {error:.1e} (relative)"
        notes.append(why)
    raise NtkLabError(f"empirical NTK: no way to the gradients of single samples agrees with autograd: {why}")


def _check_mixing(module: nn.Module, x: Tensor, mixes: str) -> None:
    """Outputs may depend on the company of a sample where the way that it takes depends on values.

    Raises ``NtkLabError`` for any other module that mixes samples.
    """
    try:
        capture(module, x[:1])
    except NotCaptured as failure:
        if failure.by_value:
            return
    raise NtkLabError(
        f"empirical NTK: the module mixes the samples of a batch: {mixes}, so no gradient of one sample exists; call "
        "model.eval(), or treat each sample by itself"
    )


def _ways(module: nn.Module, x: Tensor, *, pairs: bool) -> Iterator[Maker]:
    if structural.covers(module):
        yield lambda _: Structural(module, pairs=pairs)
    yield lambda _: Graph(module, x[:1], pairs=pairs)
    yield lambda why: Jacobian(module, why)
