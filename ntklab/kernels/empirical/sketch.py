"""The kernel's mean over outputs estimated from random projections, each entry with its standard error.

"outputs": a vector s of k random signs makes one output s·f/√k of all. Its kernel Σ_op s_o s_p Θ_op/k is the mean over
outputs on average, for one backward pass in place of k. "parameters": random signs r for all parameters make the
numbers Jr of the samples, and Σ_o (Jr)_io (Jr)_jo/k is that mean on average too, for a forward pass with tangents and
no backward pass, however many outputs there are (Hutchinson 1990: of all independent numbers with variance 1, signs
give the least variance).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.budget import require, resolve
from ntklab.kernels.empirical.asking import Asking, asked_of
from ntklab.kernels.empirical.ntk import empirical_ntk
from ntklab.kernels.empirical.operator import NtkOperator, operator_of
from ntklab.kernels.tiles import spans
from ntklab.progress import Forecast, Work, translated
from ntklab.results import Estimate, Gram, Provenance

BY = ("outputs", "parameters")
_GROUP = 16  # draws at a time, if memory allows
_BLOCK = 2**21  # numbers of some rows of all the draws of a group


def ntk_sketch(
    model: nn.Module | spec.Architecture,
    x1: ArrayLike | Tensor,
    x2: ArrayLike | Tensor | None = None,
    *,
    draws: int = 32,
    by: str = "outputs",
    seed: int = 0,
    memory: int | None = None,
    **options: Any,
) -> Work[Estimate]:
    """The mean over outputs of the NTK between ``x1`` (n1, …) and ``x2`` (n2, …), estimated from ``draws`` projections.

    ``by`` "outputs" projects the outputs (one backward pass a draw: worth it where there are many), "parameters" the
    parameters (one forward pass with tangents a draw). ``Estimate.mean`` and ``standard_error`` (n1, n2) of unbiased
    estimates; the error falls as 1/√draws. ``seed`` draws the projections, and the network of an architecture.
    ``options`` are ``dtype``, ``device``, ``layers``, ``parameters`` and ``metric`` of ``empirical_ntk``.

    Yields a ``Forecast``, then the events of the work. Raises ``SpecError`` for fewer than two draws,
    ``MemoryBudgetError``, and what ``empirical_ntk`` does.
    """
    started = time.perf_counter()
    if draws < 2:
        raise SpecError(f"draws: expected at least 2 to know the error, got {draws}; take more")
    if by not in BY:
        raise SpecError(f"by: expected 'outputs' or 'parameters', got {by!r}; choose one of them")
    place = {"dtype": options.pop("dtype", "float32"), "device": options.pop("device", "cpu")}
    asked, rows, columns = asked_of(model, x1, x2, Asking(**options), seed=seed, **place)
    moments = _Moments(len(rows), len(rows if columns is None else columns))
    budget = resolve(memory, asked.device) - moments.bytes
    require(moments.bytes, budget, "the estimate and its error", "use fewer samples, or raise memory")
    if by == "outputs":
        kernel = partial(empirical_ntk, model, x1, x2, outputs="diagonal", seed=seed, memory=budget, **place, **options)
        work = _by_outputs(kernel, moments, asked.outputs(rows[:1]), draws=draws, seed=seed)
    else:
        first = operator_of(asked, rows, budget // 2)
        second = first if columns is None else operator_of(asked, columns, budget // 2)
        work = _by_parameters(first, second, moments, draws=draws, seed=seed)
    yield from work
    provenance = Provenance(
        "empirical", asked.parameterisation, place["dtype"], str(asked.device), asked.seed, "mean", asked.content,
        f"{draws} random projections of the {by}", seconds=time.perf_counter() - started, notes=asked.notes,
    )  # fmt: skip
    return moments.estimate(provenance)


class Projections(nn.Module):
    """(n, m): random combinations s·f/√k of k outputs, for ``signs`` (m, k)."""

    signs: Tensor

    def __init__(self, count: int, outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        signs = rng.choice((-1.0, 1.0), (count, outputs)) / math.sqrt(outputs)
        self.register_buffer("signs", torch.from_numpy(signs))

    def forward(self, f: Tensor) -> Tensor:
        """Of outputs (n, k)."""
        return f @ self.signs.T


class _Moments:
    """Mean and squared deviations of draws (n1, n2), in float64 (Chan, Golub, LeVeque 1979)."""

    def __init__(self, n1: int, n2: int) -> None:
        self.mean = np.zeros((n1, n2))
        self.squares = np.zeros((n1, n2))
        self.count = 0

    @property
    def bytes(self) -> int:
        """Of both."""
        return self.mean.nbytes + self.squares.nbytes

    def add(self, draws: Callable[[slice], NDArray[np.floating]], count: int) -> None:
        """``count`` more draws; ``draws(rows)`` are some of their rows (count, rows, n2)."""
        n1, n2 = self.mean.shape
        for start, stop in spans(n1, max(1, _BLOCK // (count * n2))):
            rows = slice(start, stop)
            values = np.asarray(draws(rows), dtype=np.float64)
            centre = values.mean(axis=0)
            away = centre - self.mean[rows]
            share = count / (self.count + count)
            self.squares[rows] += np.square(values - centre).sum(axis=0) + np.square(away) * self.count * share
            self.mean[rows] += away * share
        self.count += count

    def estimate(self, provenance: Provenance) -> Estimate:
        """With the standard error of the mean."""
        error = np.sqrt(self.squares / (self.count * (self.count - 1)))
        return Estimate(self.mean, error, self.count, provenance)


def _by_outputs(
    kernel: Callable[..., Work[Gram]], moments: _Moments, k: int, *, draws: int, seed: int
) -> Work[None]:  # fmt: skip
    """``kernel(head=…)`` gives a kernel (n1, n2, m), one for each output of the head."""
    rng = np.random.default_rng(seed)
    groups = spans(draws, min(draws, _GROUP))
    for i, (start, stop) in enumerate(groups):
        work = kernel(head=Projections(stop - start, k, rng))
        gram = yield from translated(work, partial(_ahead, first=i == 0, times=len(groups), held=moments.bytes))
        values = gram.values
        moments.add(lambda rows, values=values: np.moveaxis(values[rows], 2, 0), stop - start)  # type: ignore[misc]


def _by_parameters(
    first: NtkOperator, second: NtkOperator, moments: _Moments, *, draws: int, seed: int
) -> Work[None]:  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    groups = spans(draws, min(draws, first.plan.together, second.plan.together))
    one = first.forecast(min(draws, first.plan.together))
    yield _ahead(one, first=True, times=len(groups) * (1 if second is first else 2), held=moments.bytes)
    for start, stop in groups:
        U = {name: _signs(stop - start, p, generator) for name, p in first.jacobian.trained.items()}
        G = yield from first.push(U)
        H = G if second is first else (yield from second.push(U))
        left, right = (_by_draw(part, operator.outputs) for part, operator in ((G, first), (H, second)))
        moments.add(lambda rows, a=left, b=right: a[:, rows] @ b.transpose(0, 2, 1), stop - start)  # type: ignore[misc]


def _ahead(event: Any, *, first: bool, times: int, held: int) -> Any:
    """The forecast of a part as that of all ``times`` parts beside ``held`` bytes, only before the ``first``."""
    if not isinstance(event, Forecast):
        return event
    seconds = None if event.seconds is None else event.seconds * times
    whole = replace(event, peak_bytes=event.peak_bytes + held, seconds=seconds, tiles=event.tiles * times)
    return whole if first else None


def _signs(m: int, p: Tensor, generator: torch.Generator) -> Tensor:
    """(m, *shape of ``p``)"""
    return (torch.randint(2, (m, *p.shape), generator=generator) * 2 - 1).to(p)


def _by_draw(G: NDArray[np.floating], k: int) -> NDArray[np.float64]:
    """(m, n, k) from (n·k, m), over √k."""
    m = G.shape[1]
    return np.ascontiguousarray(G.T, dtype=np.float64).reshape(m, -1, k) / math.sqrt(k)
