"""Everything that must exist before the first step: the network, its kernels, the limit, and a learning rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntklab import networks, spec, spectra
from ntklab.dynamics import cost
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.network import forward
from ntklab.dynamics.products import Pieces, largest_eigenvalue
from ntklab.errors import DataError, SpecError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.networks.subject import Subject
from ntklab.progress import Event, Forecast, Progress, T, Work, translated
from ntklab.results import RUNS, Data, Gram

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of ``training.train``, checked when made; ``runs`` in any order."""

    subject: Subject
    data: Data
    training: spec.Training
    seed: int
    dtype: str
    device: str
    memory: int | None
    runs: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.runs or not set(self.runs) <= set(RUNS):
            given = ", ".join(self.runs) or "none"
            raise SpecError(f"runs: expected some of {', '.join(RUNS)}, got {given}; choose among them")
        if not len(self.data.X_train):
            raise DataError("training: the data has no training samples; ask for at least one")
        self.subject.check(self.data.features, self.data.outputs)

    def left(self, held: int) -> int | None:
        """Of a budget in bytes what is left beside ``held`` bytes of kernels; None where none was set."""
        return None if self.memory is None else max(1, self.memory - held)

    def inputs(self, X: Array) -> Array:
        """Samples in the shape that the network takes."""
        return self.subject.samples(X)

    def forecast(self) -> Forecast:
        """See ``cost.forecast``."""
        n, m, k = len(self.data.X_train), len(self.data.X_test), self.data.outputs
        size = self.subject.size()
        return cost.forecast(size, self.training, n=n, m=m, k=k, runs=self.runs, memory=self.memory)


@dataclass(frozen=True, eq=False)
class Start:
    """The state before the first step. ``linear`` is on stacked outputs, ``infinite`` acts on each output alike.

    ``kernel`` is the network's train kernel, mean over outputs; ``critical_rate`` that of ``linear``. Models of runs
    that were not asked for are None.
    """

    module: nn.Module
    X: Tensor
    Y: Tensor
    X_test: Tensor
    kernel: Array
    critical_rate: float
    linear: LinearModel | None
    infinite: LinearModel | None
    parameterisation: str | None


def prepare(request: Request) -> Work[Start]:
    """Draw the network and compute the kernels that ``request`` needs, from the training samples to all."""
    data, training = request.data, request.training
    module = request.subject.module(seed=request.seed, dtype=request.dtype, device=request.device)
    samples = (request.inputs(data.X_train), request.inputs(data.X_test), data.Y_train)
    X, X_test, Y = (_tensor(request, values) for values in samples)
    drawn = Progress(0, 1, "outputs at initialisation")
    start = yield from pieces(forward(module, X), drawn)
    start_test = (yield from pieces(forward(module, X_test), drawn)).reshape(-1, data.outputs)

    gram = yield from _finite(request, module, data.X_train)
    theta = np.asarray(gram.operator, dtype=np.float64)
    kernel = np.asarray(gram.matrix, dtype=np.float64)
    parameterisation = request.subject.parameterisation or gram.provenance.parameterisation
    del gram
    top = yield from pieces(largest_eigenvalue(theta), Progress(0, 1, "largest stable rate"))
    critical = spectra.critical_rate(
        top, n=len(data.X_train), k=data.outputs, loss=training.loss, momentum=training.momentum
    )
    linear = infinite = None
    if "linearised" in request.runs:
        cross = yield from _cross(request, module, held=theta.nbytes)
        linear = LinearModel(theta, cross, start, start_test, data.Y_train)
    held = theta.nbytes + (0 if linear is None else linear.kernel_test.nbytes)
    if "infinite" in request.runs:
        kernels = yield from _limit(request, held=held)
        infinite = LinearModel(*kernels, start, start_test, data.Y_train)
    return Start(module, X, Y, X_test, kernel, critical, linear, infinite, parameterisation)


def mean_kernel(request: Request, start: Start, progress: Progress) -> Work[Array]:
    """The train kernel of the network as it is now, mean over outputs; ``progress`` is all that is told meanwhile."""
    held = sum(m.kernel.nbytes + m.kernel_test.nbytes for m in (start.linear, start.infinite) if m is not None)
    work = empirical_ntk(
        start.module, start.X, outputs="mean", dtype=request.dtype, device=request.device, memory=request.left(held)
    )
    gram: Gram = yield from translated(work, lambda _: progress)
    return np.asarray(gram.matrix, dtype=np.float64)


def pieces(work: Pieces[T], progress: Progress) -> Work[T]:
    """``work`` with ``progress`` told between its pieces."""
    try:
        while True:
            next(work)
            yield progress
    except StopIteration as stop:
        result: T = stop.value
        return result


def _progress_alone(event: Event) -> Event | None:
    """Leaves out tiles, which would be taken for those of the kernel that is shown."""
    return event if isinstance(event, Progress) else None


def _finite(request: Request, module: nn.Module, x1: Array, x2: Array | None = None, *, held: int = 0) -> Work[Gram]:
    drawn = request.subject.finite if isinstance(request.subject.finite, spec.Architecture) else module
    work = empirical_ntk(
        drawn, request.inputs(x1), None if x2 is None else request.inputs(x2), outputs="full",
        seed=request.seed, dtype=request.dtype, device=request.device, memory=request.left(held),
    )  # fmt: skip
    return translated(work, _progress_alone)


def _cross(request: Request, module: nn.Module, *, held: int) -> Work[Array]:
    X, X_test = request.data.X_train, request.data.X_test
    if not len(X_test):
        return np.zeros((0, len(X) * request.data.outputs))
    gram = yield from _finite(request, module, X_test, X, held=held)
    return np.asarray(gram.operator, dtype=np.float64)


def _limit(request: Request, *, held: int) -> Work[tuple[Array, Array]]:
    X, X_test = (request.subject.limit_samples(x) for x in (request.data.X_train, request.data.X_test))
    train = yield from _infinite(request, X, held=held)
    if not len(X_test):
        return train, np.zeros((0, len(X)))
    return train, (yield from _infinite(request, X_test, X, held=held + train.nbytes))


def _infinite(request: Request, x1: Array, x2: Array | None = None, *, held: int) -> Work[Array]:
    limit = request.subject.described_limit()
    work = infinite_kernel(
        limit, x1, x2, kinds=("ntk",), dtype="float64", device=request.device,
        memory=request.left(held),
    )  # fmt: skip
    grams = yield from translated(work, _progress_alone)
    return _of_outputs(limit, np.asarray(grams["ntk"].values, dtype=np.float64))


def _of_outputs(architecture: spec.Architecture, ntk: Array) -> Array:
    """The analytic NTK of the network's own outputs: that of muP is of √n·f, but for the bias of the read-out."""
    readout = architecture.layers[-1]
    if not isinstance(readout, spec.Dense) or readout.param != "mup":
        return ntk
    width, bias = spec.layer_shapes(architecture)[-1].before[-1], (readout.b_std or 0.0) ** 2
    return (ntk - bias) / width + bias


def _tensor(request: Request, values: Array) -> Tensor:
    return torch.as_tensor(values, dtype=networks.torch_dtype(request.dtype), device=request.device)
