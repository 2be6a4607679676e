"""The NNGP and the NTK of a network of infinite width."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels import budget
from ntklab.kernels.infinite.forecast import REMEDY, plan_of
from ntklab.kernels.infinite.inputs import inputs
from ntklab.kernels.infinite.request import Request
from ntklab.kernels.infinite.state import State
from ntklab.kernels.threads import each, threads_for
from ntklab.kernels.tiles import Assembly, Block
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.progress import Partial, Progress, Work
from ntklab.results import Gram, Provenance

KINDS = ("nngp", "ntk")


def infinite_kernel(
    architecture: spec.Architecture,
    x1: Any,
    x2: Any | None = None,
    *,
    kinds: Sequence[str] = KINDS,
    dtype: str = "float64",
    device: str | torch.device = "cpu",
    memory: int | None = None,
) -> Work[dict[str, Gram]]:
    """Kernels of ``architecture`` at infinite width between the samples x1 (n1, *shape) and x2 (n2, *shape).

    Returns {"nngp": Gram (n1, n2), "ntk": Gram (n1, n2)} for the ``kinds`` asked for. Without x2 the kernel is of x1
    with itself: symmetric, its diagonal exact, and dropout acts there. The NTK sums products of derivatives over the
    parameters, in the parameterisation of the dense layers (Jacot et al. 2018, arXiv:1806.07572); the input kernel is
    <x, x'>/features. Widths matter in the standard parameterisation alone. ``memory`` is a budget in bytes for results
    and working memory; None takes half of what is free. ``Gram.error`` is relative to the largest entry: that of
    integrals without a closed form, and of float32 against float64, measured on a few samples; None where there is only
    the rounding of float64.

    Yields ``Forecast``, then for each tile ``Partial("tile", Tile)`` of each kind and ``Progress``. Raises
    ``SpecError``, ``DataError``, ``DeviceError``, ``MemoryBudgetError``, ``NumericalError``, and ``NtkLabError`` naming
    a layer that has no rule where it stands.
    """
    started = time.perf_counter()
    _check_kinds(kinds)
    data = inputs(architecture, x1, x2, torch_dtype(dtype), torch_device(device))
    request = Request(architecture.layers, data, ntk="ntk" in kinds)
    with threads_for(0):
        cost = request.cost()
    plan = plan_of(cost, data, len(kinds), memory)
    yield plan.forecast
    with threads_for(0):
        network = request.network()
    with budget.allocation(REMEDY):
        assemblies = [Assembly(kind, plan.tiles, dtype) for kind in kinds]
        yield from _fill(assemblies, each(plan.tiles, lambda block: network.run(request.start(block)), plan.workers))
    with threads_for(0):
        rounding = request.rounding() if dtype == "float32" else {}
    origin = Provenance(
        kind="",
        parameterisation=_parameterisation(architecture.layers),
        dtype=dtype,
        device=str(data.X.device),
        spec=architecture.content_hash(),
        route="infinite width",
        seconds=time.perf_counter() - started,
        notes=network.notes,
    )
    return {
        assembly.kernel: Gram(
            assembly.values,
            replace(origin, kind=assembly.kernel),
            symmetric=data.symmetric,
            error=network.cost.error + rounding.get(assembly.kernel, 0.0) or None,
        )
        for assembly in assemblies
    }


def _fill(assemblies: Sequence[Assembly], states: Generator[tuple[Block, State], None, None]) -> Work[None]:
    """Put the end of every tile where it belongs."""
    with closing(states):
        for done, (block, state) in enumerate(states, start=1):
            for assembly in assemblies:
                tile = state.nngp if assembly.kernel == "nngp" else state.ntk
                values = torch.zeros_like(state.nngp) if tile is None else tile
                yield Partial("tile", assembly.put(block, values.cpu().numpy()))
            yield Progress(done, len(assemblies[0].plan), "Infinite-width kernel")


def _parameterisation(layers: Sequence[spec.Layer]) -> str | None:
    found = set(_parameterisations(layers))
    return "mixed" if len(found) > 1 else next(iter(found), None)


def _parameterisations(layers: Sequence[spec.Layer]) -> Iterator[str]:
    for layer in layers:
        if isinstance(layer, spec.Dense):
            yield layer.param
        elif isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from _parameterisations(branch)


def _check_kinds(kinds: Sequence[str]) -> None:
    if not kinds or isinstance(kinds, str) or any(kind not in KINDS for kind in kinds):
        raise SpecError(f"kinds: expected some of {list(KINDS)}, got {kinds!r}; give for example kinds=('ntk',)")
