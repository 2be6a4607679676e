"""The NTK as an operator: products Θv without Θ, for kernels that do not fit into memory.

Θv = J(Jᵀv), a chunk of samples at a time: Jᵀ sends all samples into one vector of parameters, J sends it back to the
samples. A product takes about as long as two passes of training over the samples for each vector, whatever their number
squared.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ntklab.errors import SpecError
from ntklab.kernels.budget import WORKSPACE, require, resolve
from ntklab.kernels.empirical.asking import Asking, Model, Samples, asked_of
from ntklab.kernels.empirical.heads import Head
from ntklab.kernels.empirical.linear_maps import Jacobian, Parameters
from ntklab.kernels.empirical.metric import Given
from ntklab.kernels.empirical.routes.choice import choose
from ntklab.kernels.empirical.routes.jacobian import Jacobian as AutogradRoute
from ntklab.kernels.empirical.routes.route import Route
from ntklab.kernels.empirical.selection import Layers
from ntklab.kernels.empirical.squares import squares
from ntklab.kernels.empirical.subject import PROBED, Subject
from ntklab.kernels.threads import threads_for
from ntklab.kernels.tiles import Span, spans
from ntklab.networks.checkpoints import Source
from ntklab.progress import Forecast, Progress, Work, drain
from ntklab.results import Estimate, Provenance

Array = NDArray[np.floating]

_STEP = 4e9
"""Multiply-adds of a chunk times bytes a number: 0.1 s in float32 at 10 GFLOP/s."""

_SPEED = 20e9  # multiply-adds a second that forecasts are made with, in float32
_TOGETHER = 16  # vectors that go through the network at a time, if memory allows


class NtkOperator:
    """Θ = J Jᵀ of ``module`` on the samples ``x`` (n, *sample shape), as (n·k, n·k) with the index i·k + output.

    Vectors are numpy arrays of any precision; products are computed in that of the module. ``memory`` in bytes bounds
    what they add to the process, or to a CUDA device. Raises ``NtkLabError`` for a module whose samples affect each
    other, ``MemoryBudgetError``.
    """

    def __init__(
        self, module: nn.Module, x: Tensor, *, memory: int | None = None, provenance: Provenance | None = None
    ) -> None:
        with threads_for(0):
            self.jacobian = Jacobian(module, x)
            sizes = _measured(self.jacobian, x[:1])
        self.x = x
        self.outputs = self.jacobian.outputs
        self.torch_dtype = next(iter(self.jacobian.trained.values())).dtype
        self.dtype = np.dtype(str(self.torch_dtype).removeprefix("torch."))
        self.provenance = provenance or Provenance("empirical", dtype=str(self.dtype), device=str(x.device))
        self.plan = _planned(sizes, len(x) * self.outputs, self.jacobian.count, self.dtype.itemsize,
                             resolve(memory, x.device))  # fmt: skip

    @property
    def shape(self) -> tuple[int, int]:
        """(n·k, n·k)"""
        size = len(self.x) * self.outputs
        return size, size

    def forecast(self, columns: int = 1) -> Forecast:
        """Of the product with so many vectors."""
        groups = spans(columns, self.plan.together)
        pieces = sum(2 * len(self._chunks(stop - start)) for start, stop in groups)
        adds = sum(len(self.x) * self.plan.adds(stop - start) for start, stop in groups)
        return Forecast(self.plan.peak_bytes(columns), adds * self.dtype.itemsize / 4 / _SPEED, pieces, "J(Jᵀv)")

    def product(self, V: Array) -> Work[Array]:
        """ΘV for V (n·k,) or (n·k, m), of the same shape.

        Yields a ``Forecast`` and then ``Progress``. Raises ``SpecError`` for another shape.
        """
        columns = self._columns(V)
        ahead = self.forecast(columns.shape[1])
        yield ahead
        parts, done = [], 0
        for start, stop in spans(columns.shape[1], self.plan.together):
            U = yield from self.pull(columns[:, start:stop], done, ahead.tiles)
            done += len(self._chunks(stop - start))
            part = yield from self.push(U, done, ahead.tiles)
            done += len(self._chunks(stop - start))
            parts.append(part)
        return np.concatenate(parts, axis=1).reshape(V.shape)

    def pull(self, columns: Array, done: int = 0, total: int = 0) -> Work[Parameters]:
        """JᵀV for V (n·k, m), few enough to go together; ``done`` of ``total`` chunks came before, for ``Progress``."""
        V = self._to_device(columns)
        U: Parameters | None = None
        for i, chunk in enumerate(self._chunks(len(V)), 1):
            x, v = self.x[slice(*chunk)], V[:, slice(*chunk)]
            with threads_for(len(x) * self.plan.adds(len(V))):
                part = self.jacobian.pull(x, v)
            if U is None:
                U = part
            else:
                for name, u in part.items():
                    U[name] += u
            yield Progress(done + i, total or done + len(self._chunks(len(V))), "Jᵀv")
        assert U is not None, "there is at least one sample"
        return U

    def push(self, U: Parameters, done: int = 0, total: int = 0) -> Work[Array]:
        """JU (n·k, m) for m vectors of parameters, few enough to go together; the others as in ``pull``."""
        m = len(next(iter(U.values())))
        result = np.empty((self.shape[0], m), dtype=self.dtype)
        for i, chunk in enumerate(self._chunks(m), 1):
            x = self.x[slice(*chunk)]
            with threads_for(len(x) * self.plan.adds(m)):
                found = self.jacobian.push(x, U).reshape(m, -1).T.cpu().numpy()
            result[chunk[0] * self.outputs : chunk[1] * self.outputs] = found
            yield Progress(done + i, total or done + len(self._chunks(m)), "J(Jᵀv)")
        return result

    def matvec(self, v: Array) -> Array:
        """Θv for v (n·k,)."""
        return drain(self.product(v))

    def matmat(self, V: Array) -> Array:
        """ΘV for V (n·k, m)."""
        return drain(self.product(V))

    def __matmul__(self, V: Array) -> Array:
        return drain(self.product(V))

    def trace(self, probes: int = 32, *, seed: int = 0) -> Work[Estimate]:
        """tr Θ from ``probes`` vectors of random signs: the mean of |Jᵀz|² (Hutchinson 1990), with its error.

        Unbiased, whatever Θ is. Raises ``SpecError`` for fewer than two probes.
        """
        if probes < 2:
            raise SpecError(f"probes: expected at least 2 to know the error, got {probes}; take more")
        started = time.perf_counter()
        yield self.forecast(probes)
        rng, found = np.random.default_rng(seed), list[float]()
        for start, stop in spans(probes, self.plan.together):
            signs = rng.choice((-1.0, 1.0), (self.shape[0], stop - start)).astype(self.dtype)
            U = yield from self.pull(signs)
            squares = [u.square().flatten(1).sum(1, dtype=torch.float64) for u in U.values()]
            found += torch.stack(squares).sum(0).tolist()
        return Estimate.of(np.array(found), self.provenance, seconds=time.perf_counter() - started)

    def diagonal(self) -> Work[Array]:
        """Θ[i·k + o, i·k + o] (n·k,), exactly: the squared lengths of the gradients of all outputs.

        By the factors of the layers, as ``empirical_ntk`` takes them, of samples that never meet.
        """
        route = self._route()
        needs = route.needs(self.x[:1], self.outputs)
        one = sum(factor.numbers for factor in route.factors(self.x[:1]))
        adds = needs.forward + self.outputs * needs.backward + one
        by_memory = self.plan.free // max(1, self.dtype.itemsize * (needs.passing + 2 * one))
        chunk = max(1, min(by_memory, int(_STEP / self.dtype.itemsize / max(1, adds)), len(self.x)))
        pieces = spans(len(self.x), chunk)
        peak = WORKSPACE + self.dtype.itemsize * (needs.weights + chunk * (needs.passing + 2 * one) + self.shape[0])
        seconds = len(self.x) * adds * self.dtype.itemsize / 4 / _SPEED
        yield Forecast(peak, seconds, len(pieces), route.name)
        found = np.zeros((len(self.x), self.outputs), dtype=self.dtype)
        for i, (start, stop) in enumerate(pieces, 1):
            with threads_for(chunk * adds):
                part = squares(route.factors(self.x[start:stop]))
            if part is not None:
                found[start:stop] = part.cpu().numpy()
            yield Progress(i, len(pieces), "diagonal")
        return found.reshape(-1)

    def _route(self) -> Route:
        """A way to the factors of samples one by one."""
        module = self.jacobian.module
        if self.jacobian.apart:
            return AutogradRoute(module, "what is computed depends on all samples of a batch")
        return choose(module, self.x[:PROBED], pairs=False, dtype=self.torch_dtype, trusted=False).route

    def _chunks(self, columns: int) -> tuple[Span, ...]:
        most = 1 if self.jacobian.apart else self.plan.chunk(columns)
        return spans(len(self.x), min(len(self.x), most))

    def _columns(self, V: Array) -> Array:
        if V.ndim not in (1, 2) or V.shape[0] != self.shape[0]:
            raise SpecError(
                f"NTK operator: it takes vectors of {self.shape[0]} numbers, or such columns, got shape "
                f"{list(V.shape)}; stack outputs with the index i·k + output"
            )
        return np.ascontiguousarray(V.reshape(len(V), -1), dtype=self.dtype)

    def _to_device(self, columns: Array) -> Tensor:
        """(m, n, k)"""
        V = torch.from_numpy(np.ascontiguousarray(columns.T)).to(self.x.device)
        return V.view(len(V), len(self.x), self.outputs)


def ntk_operator(  # noqa: PLR0913 (a request, all by name)
    model: Model,
    x: Samples,
    *,
    head: Head = None,
    layers: Layers | None = None,
    parameters: Source | None = None,
    metric: Given | None = None,
    seed: int = 0,
    dtype: str = "float64",
    device: str = "cpu",
    memory: int | None = None,
) -> NtkOperator:
    """The NTK of one network on the samples ``x`` (n, *sample shape) as an operator; no number of it is computed yet.

    ``dtype`` is that of products, ``memory`` in bytes bounds what they add to the process; the others are as for
    ``empirical_ntk``. Works for any module, whatever its layers. Raises what ``empirical_ntk`` and ``NtkOperator`` do.
    """
    asking = Asking(head, layers, parameters, metric)
    asked, rows, _ = asked_of(model, x, None, asking, seed=seed, dtype=dtype, device=device)
    return operator_of(asked, rows, memory)


def operator_of(asked: Subject, x: Tensor, memory: int | None) -> NtkOperator:
    """On the samples ``x``, which are on its device."""
    provenance = Provenance(
        "empirical", asked.parameterisation, str(asked.dtype).removeprefix("torch."), str(asked.device), asked.seed,
        "full", asked.content, "products Jᵀv and Ju, no kernel", notes=asked.notes,
    )  # fmt: skip
    return NtkOperator(asked.module, x, memory=memory, provenance=provenance)


@dataclass(frozen=True)
class _Sizes:
    """Of one sample: ``kept`` numbers from its forward pass to its backward one, and multiply-adds of the former."""

    kept: int
    forward: int


@dataclass(frozen=True)
class _Plan:
    """Products of ``size`` outputs and ``parameters`` with ``together`` vectors at a time."""

    sizes: _Sizes
    size: int
    parameters: int
    item: int
    together: int
    free: int

    def sample_bytes(self, columns: int) -> int:
        """Alive while a sample goes through the network: its values, and its tangents or cotangents."""
        return self.item * self.sizes.kept * 2 * (1 + columns)

    def adds(self, columns: int) -> int:
        """Multiply-adds of one sample, in both directions."""
        return max(1, self.sizes.forward) * (2 + 4 * columns)

    def chunk(self, columns: int) -> int:
        """Samples that go through the network at a time."""
        by_memory = self.free // max(1, self.sample_bytes(columns))
        by_time = int(_STEP / self.item / self.adds(columns))
        return max(1, min(by_memory, by_time))

    def peak_bytes(self, columns: int) -> int:
        """Of a product with so many vectors."""
        m = min(columns, self.together)
        samples = min(self.size, self.chunk(m))
        return self._fixed(m) + samples * self.sample_bytes(m) + 2 * self.size * columns * self.item

    def _fixed(self, columns: int) -> int:
        return WORKSPACE + self.item * columns * 3 * (self.parameters + self.size)


def _planned(sizes: _Sizes, size: int, parameters: int, item: int, budget: int) -> _Plan:
    """As many vectors at a time as fit. Raises ``MemoryBudgetError``."""
    for together in (_TOGETHER, 8, 4, 2, 1):
        plan = _Plan(sizes, size, parameters, item, together, 0)
        needed = plan._fixed(together) + plan.sample_bytes(together)
        if needed <= budget or together == 1:
            require(needed, budget, "NTK operator: a product", "use float32, or raise memory")
            break
    return _Plan(sizes, size, parameters, item, together, budget - plan._fixed(together))


def _measured(jacobian: Jacobian, x: Tensor) -> _Sizes:
    """Run one sample: what autograd keeps of it, and what it takes."""
    kept = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    counter = FlopCounterMode(display=False)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        jacobian.pull(x, x.new_zeros((1, 1, jacobian.outputs), dtype=next(iter(jacobian.trained.values())).dtype))
    with counter:
        jacobian.values(x)
    weights = sum(p.numel() for p in jacobian.module.parameters())
    return _Sizes(max(x.numel(), kept - weights, 1), max(counter.get_total_flops() // 2, kept))
