"""The NNGP and the NTK of a network of infinite width."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels import budget
from ntklab.kernels.infinite.forecast import REMEDY, Plan, plan_of
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.inputs import Array, inputs
from ntklab.kernels.infinite.request import Request, listed
from ntklab.kernels.infinite.rules import Stack
from ntklab.kernels.infinite.state import Pairs, State
from ntklab.kernels.threads import beating, threads_for
from ntklab.kernels.tiles import Assembly, Block
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.progress import Partial, Progress, Work
from ntklab.results import Gram, Provenance

KINDS = ("nngp", "ntk")
_HALVED = "memory could not be had as planned, so tiles were made smaller"
_MUP = "muP: the kernels of √n·f and n·JJᵀ at initialisation, which are those of the NTK parameterisation"


def infinite_kernel(  # noqa: PLR0913 (one argument for each thing that comes with the samples)
    architecture: spec.Architecture,
    x1: Any,
    x2: Any | None = None,
    *,
    kinds: Sequence[str] = KINDS,
    dtype: str = "float64",
    device: str | torch.device = "cpu",
    memory: int | None = None,
    pattern1: Any | None = None,
    pattern2: Any | None = None,
    mask_constant: float | None = None,
) -> Work[dict[str, Gram]]:
    """Kernels of ``architecture`` at infinite width between the samples x1 (n1, *shape) and x2 (n2, *shape).

    Returns {"nngp": Gram (n1, n2), "ntk": Gram (n1, n2)} for the ``kinds`` asked for. Without x2 the kernel is of x1
    with itself: symmetric, its diagonal exact, and dropout acts there. The NTK sums products of derivatives over the
    parameters, in the parameterisation of the dense layers (Jacot et al. 2018, arXiv:1806.07572); the input kernel is
    <x, x'>/features. Widths matter in the standard parameterisation alone. ``memory`` is a budget in bytes for results
    and working memory; None takes half of what is free. ``Gram.error`` is relative to the largest entry: that of
    integrals without a closed form, and of float32 against float64, measured on a few samples; None where there is only
    the rounding of float64.

    A network without a read-out keeps its positions: Gram (n1, n2, H, H, W, W), axis by axis. ``pattern1`` (n1, L, L)
    and ``pattern2`` are the matrices of ``Aggregate`` layers; positions whose every channel equals ``mask_constant``
    are masked.

    Yields ``Forecast``, then for each tile ``Partial("tile", Tile)`` of each kind and ``Progress``. Raises
    ``SpecError``, ``DataError``, ``DeviceError``, ``MemoryBudgetError``, ``NumericalError``, and ``NoRuleError`` naming
    a layer that has no rule where it stands.
    """
    started = time.perf_counter()
    _check_kinds(kinds)
    data = inputs(
        architecture, x1, x2, dtype=torch_dtype(dtype), device=torch_device(device), patterns=(pattern1, pattern2),
        mask_constant=mask_constant,
    )  # fmt: skip
    request = Request(architecture.layers, data, ntk="ntk" in kinds)
    network = request.network()
    with threads_for(0):
        cost = request.cost()
    plan = plan_of(cost, data, (network.before, network.after), len(kinds), memory=memory, swept=network.sweeps)
    yield plan.forecast
    with budget.allocation(REMEDY):
        selves = yield from _alone(request, network, plan)
        assemblies = [Assembly(kind, plan.tiles, dtype, _outputs(network.after)) for kind in kinds]
        halved = yield from _fill(assemblies, request, network, plan, selves)
    notes = (*network.notes, *((_HALVED,) if halved else ()), *_conventions(architecture.layers))
    grams = _grams(assemblies, request, network, architecture, notes)
    seconds = time.perf_counter() - started
    return {kind: replace(gram, provenance=replace(gram.provenance, seconds=seconds)) for kind, gram in grams.items()}


def _grams(
    assemblies: Sequence[Assembly],
    request: Request,
    network: Stack,
    architecture: spec.Architecture,
    notes: tuple[str, ...],
) -> dict[str, Gram]:
    """The finished kernels with their errors and where they come from."""
    dtype = str(assemblies[0].values.dtype)
    with threads_for(0):
        rounding = request.rounding() if dtype == "float32" else {}
        error = network.error()
    origin = Provenance(
        kind="",
        parameterisation=_parameterisation(architecture.layers),
        dtype=dtype,
        device=str(request.data.X.device),
        spec=architecture.content_hash(),
        route="infinite width",
        notes=notes,
    )
    return {
        assembly.kernel: Gram(
            assembly.values,
            replace(origin, kind=assembly.kernel),
            symmetric=request.data.symmetric,
            error=error + rounding.get(assembly.kernel, 0.0) or None,
        )
        for assembly in assemblies
    }


def _alone(request: Request, network: Stack, plan: Plan) -> Work[State]:
    """Take all samples through with themselves, chunk by chunk: what they end with."""
    ends: list[State] = []
    total = len(plan.chunks) + len(plan.tiles)
    chunks = (slice(*chunk) for chunk in plan.chunks)
    with closing(beating(chunks, partial(request.alone, network), 1, stop=request.stop)) as states:
        for result in states:
            if result is not None:
                ends.append(result[1])
            yield Progress(len(ends), total, "Samples with themselves")
    network.settle()
    T = [end.ntk for end in ends if end.ntk is not None]
    return State(torch.cat([end.nngp for end in ends]), torch.cat(T) if T else None, Pairs.alone(slice(None)))


def _fill(assemblies: Sequence[Assembly], request: Request, network: Stack, plan: Plan, selves: State) -> Work[bool]:
    """Put the end of every tile where it belongs; whether tiles had to be made smaller than planned."""
    done, total, halved = len(plan.chunks), len(plan.chunks) + len(plan.tiles), False
    act = partial(_parts, request, network)
    with closing(beating(plan.tiles, act, plan.workers, stop=request.stop)) as states:
        for result in states:
            parts = [] if result is None else result[1]
            halved |= len(parts) > 1
            for block, state in parts:
                for assembly in assemblies:
                    values = _values(_kind(state, assembly.kernel), _kind(selves, assembly.kernel), block, request)
                    yield Partial("tile", assembly.put(block, values))
            done += result is not None
            yield Progress(done, total, "Infinite-width kernel")
    return halved


def _parts(request: Request, network: Stack, block: Block) -> list[tuple[Block, State]]:
    """A tile, or where its memory cannot be had its quarters."""
    try:
        return [(block, request.tile(network, block))]
    except (MemoryError, RuntimeError) as error:
        if not budget.is_allocation(error) or block.shape == (1, 1):
            raise
    budget.release(request.data.X.device)
    return [part for quarter in block.quarters for part in _parts(request, network, quarter)]


def _kind(state: State, kernel: str) -> Tensor:
    """T is zero where no layer has weights."""
    if kernel == "nngp":
        return state.nngp
    return torch.zeros_like(state.nngp) if state.ntk is None else state.ntk


def _values(tile: Tensor, selves: Tensor, block: Block, request: Request) -> Array:
    """(rows, columns, *outputs) of a block: its pairs in place, samples with themselves on its diagonal."""
    if request.listed:
        i, j = listed(block)
        pairs = _interleaved(tile)
        values = pairs.new_zeros((*block.shape, *pairs.shape[1:]))
        values[i, j] = pairs
    else:
        values = tile
    if block.diagonal:
        alone = torch.arange(block.shape[0])
        values[alone, alone] = _interleaved(selves[block.row_slice]).to(values)
    return values.cpu().numpy()


def _interleaved(pairs: Tensor) -> Tensor:
    """(pairs, H, W, H', W') as (pairs, H, H', W, W')."""
    axes = (pairs.ndim - 1) // 2
    return pairs.permute(0, *(1 + i + axes * k for i in range(axes) for k in range(2)))


def _outputs(form: Form) -> tuple[int, ...]:
    """Axes of the result behind rows and columns."""
    return tuple(size for size in form.sizes for _ in range(2))


def _conventions(layers: Sequence[spec.Layer]) -> tuple[str, ...]:
    return (_MUP,) if "mup" in _parameterisations(layers) else ()


def _parameterisation(layers: Sequence[spec.Layer]) -> str | None:
    found = set(_parameterisations(layers))
    return "mixed" if len(found) > 1 else next(iter(found), None)


def _parameterisations(layers: Sequence[spec.Layer]) -> Iterator[str]:
    for layer in layers:
        if hasattr(layer, "param"):
            yield layer.param
        elif isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from _parameterisations(branch)


def _check_kinds(kinds: Sequence[str]) -> None:
    if not kinds or isinstance(kinds, str) or any(kind not in KINDS for kind in kinds):
        raise SpecError(f"kinds: expected some of {list(KINDS)}, got {kinds!r}; give for example kinds=('ntk',)")
