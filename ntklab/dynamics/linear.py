"""A linear model seen in function space: its kernels, where it starts, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError
from ntklab.results import operator_of, outputs_of

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """f(x; u) = f0(x) + J(x) u, known through its kernels Θ = J Jᵀ alone (Lee et al. 2019, arXiv:1902.06720, eq. 8).

    ``start`` (N, k) and ``start_test`` (M, k) are f0, ``targets`` (N, k). Two layouts of the kernels: ``kernel`` (N, N)
    with ``kernel_test`` (M, N) acts on each output alike, as Θ ⊗ I_k (infinite width); (N·k, N·k) with (M·k, N·k)
    acts on outputs stacked with index i·k + output (finite width). ``precision`` is the dtype in which the kernels were
    computed: their rounding noise. Raises ``SpecError`` if shapes disagree.
    """

    kernel: Array
    kernel_test: Array
    start: Array
    start_test: Array
    targets: Array
    precision: str = "float64"

    def __post_init__(self) -> None:
        n, k = self.targets.shape
        size = self.kernel.shape[0]
        rows = len(self.start_test) * (size // n if n else 1)
        wanted = [(size, size), (rows, size), (n, k), (len(self.start_test), k)]
        given = [self.kernel.shape, self.kernel_test.shape, self.start.shape, self.start_test.shape]
        if size not in (n, n * k) or given != wanted:
            raise SpecError(f"linear model: kernels and outputs of shapes {given} do not fit targets {[n, k]}; "
                            f"give kernels of (N, N) or (N·k, N·k) between the same samples")  # fmt: skip

    @classmethod
    def of(
        cls, kernel: Any, targets: Any, *, kernel_test: Any = None, start: Any = None, start_test: Any = None
    ) -> LinearModel:
        """The model from a ``Gram``, arrays or tensors; ``targets`` (N, k) or (N,).

        ``kernel`` (N, N) or, outputs "full", (N, N, k, k); ``kernel_test`` between M test and the N training samples in
        the same layout. ``start`` and ``start_test`` are the outputs before training, None is zero: the mean over
        initialisations. Raises ``DataError`` for what is not finite numbers, ``SpecError`` if shapes disagree.
        """
        Y = outputs_of(targets, "targets")
        found = operator_of(kernel)
        K = np.asarray(found, dtype=np.float64)
        given = None if kernel_test is None else np.asarray(operator_of(kernel_test, "kernel_test"), dtype=np.float64)
        K_test = np.zeros((0, len(K))) if given is None else given
        k = Y.shape[1]
        rows = len(K_test) // (max(1, len(K) // len(Y)) if len(Y) else 1)
        f0 = np.zeros_like(Y) if start is None else outputs_of(start, "start")
        f0_test = np.zeros((rows, k)) if start_test is None else outputs_of(start_test, "start_test")
        return cls(K, K_test, f0, f0_test, Y, str(found.dtype))

    @property
    def stacked(self) -> bool:
        """Whether the kernels act on stacked outputs."""
        return len(self.kernel) != len(self.targets) or self.targets.shape[1] == 1

    def columns(self, values: Array) -> Array:
        """(n, k) as the columns that the kernels act on: (n·k, 1) or (n, k)."""
        return values.reshape(-1, 1) if self.stacked else values

    def rows(self, columns: Array) -> Array:
        """The inverse of ``columns``: back to (n, k), with whatever axes stand before."""
        k = self.targets.shape[1]
        return columns.reshape(*columns.shape[:-2], columns.shape[-2] * columns.shape[-1] // k, k)

    def indices(self, samples: NDArray[np.intp]) -> NDArray[np.intp]:
        """Positions in ``columns`` of the outputs of ``samples``."""
        if not self.stacked:
            return samples
        k = self.targets.shape[1]
        return np.asarray(samples[:, None] * k + np.arange(k)).ravel()
