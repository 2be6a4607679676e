"""Gradient descent of a real network: torch's SGD with momentum, written out so that it can be paused anywhere."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntklab.dynamics import losses
from ntklab.dynamics.products import Pieces
from ntklab.kernels.threads import threads

Array = NDArray[np.float64]
Batch = NDArray[np.intp] | None

PIECE_FLOPS = {"cpu": 5e8, "cuda": 3e11}  # of one forward and backward pass between two yields: about 15 ms
SINGLE_THREAD_FLOPS = 2.5e8  # below this a second thread costs more than it gives, and far more on a busy machine


class NetworkDescent:
    """The state of one descent of ``module``, whose parameters it changes in place.

    ``X`` (N, …), ``Y`` (N, k), ``X_test`` (M, …) are on the device and in the dtype of the module. v ← momentum·v + g,
    θ ← θ − rate·v, as ``torch.optim.SGD`` without dampening. Large batches are differentiated in pieces of samples
    whose gradients add up. The module must be deterministic (evaluation mode).
    """

    def __init__(
        self, module: nn.Module, X: Tensor, Y: Tensor, X_test: Tensor, *, rate: float, loss: str, momentum: float
    ) -> None:
        self.module = module
        self._X, self._Y, self._X_test = X, Y, X_test
        self._rate, self._loss, self._momentum = rate, loss, momentum
        self._parameters: list[Tensor] = [p for p in module.parameters() if p.requires_grad]
        self._velocity = [torch.zeros_like(p) for p in self._parameters]
        self._graph: Tensor | None = None  # f on all training samples with its graph, until the parameters change
        self._piece, self._single = _pieces(module, X)

    def step(self, batch: Batch = None) -> Pieces[None]:
        """One step on the samples of ``batch``, or on all of them."""
        X, Y = (self._X, self._Y) if batch is None else self._chosen(batch)
        c = losses.slope(self._loss, len(Y), Y.shape[1])
        total: list[Tensor] = []
        for x, y in zip(torch.split(X, self._piece), torch.split(Y, self._piece), strict=True):
            with threads(single=self._single):
                f = self.module(x) if self._graph is None or batch is not None else self._graph
                part = torch.autograd.grad(f, self._parameters, c * (f.detach() - y), materialize_grads=True)
                if total:
                    torch._foreach_add_(total, part)
                else:
                    total = list(part)
            yield
        self._graph = None
        with threads(single=self._single):
            self._update(total)

    def outputs(self) -> Pieces[tuple[Array, Array]]:
        """f on train (N, k) and on test (M, k) now, in float64; a full-batch step that follows has f for nothing."""
        if len(self._X) <= self._piece:
            with threads(single=self._single):
                self._graph = self.module(self._X) if self._graph is None else self._graph
            train = _numbers(self._graph)
        else:
            train = yield from forward(self.module, self._X)
        test = yield from forward(self.module, self._X_test)
        return train, test.reshape(len(test), train.shape[1])

    def _chosen(self, batch: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        index = torch.as_tensor(batch, device=self._X.device)
        return self._X[index], self._Y[index]

    @torch.no_grad()
    def _update(self, gradient: list[Tensor]) -> None:
        if self._momentum:
            torch._foreach_mul_(self._velocity, self._momentum)
            torch._foreach_add_(self._velocity, gradient)
            gradient = self._velocity
        torch._foreach_add_(self._parameters, gradient, alpha=-self._rate)


def forward(module: nn.Module, X: Tensor) -> Pieces[Array]:
    """Outputs (n, k) of ``module`` on samples ``X`` (n, …), in float64; (0, 0) without samples."""
    piece, single = _pieces(module, X)
    parts = []
    for x in torch.split(X, piece) if len(X) else ():
        with threads(single=single), torch.no_grad():
            parts.append(_numbers(module(x)))
        yield
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def _pieces(module: nn.Module, X: Tensor) -> tuple[int, bool]:
    """Samples that go forward and back between two yields, and whether one thread is best for so many."""
    count = max(1, sum(p.numel() for p in module.parameters()))
    piece = max(1, int(PIECE_FLOPS[X.device.type] // (6 * count)))
    return piece, 6 * count * min(piece, len(X)) < SINGLE_THREAD_FLOPS


def _numbers(outputs: Tensor) -> Array:
    return np.asarray(outputs.detach().to("cpu", torch.float64).numpy())
