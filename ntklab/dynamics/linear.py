"""A linear model seen in function space: its kernels, where it starts, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import SpecError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """f(x; u) = f0(x) + J(x) u, known through its kernels Θ = J Jᵀ alone (Lee et al. 2019, arXiv:1902.06720, eq. 8).

    ``start`` (N, k) and ``start_test`` (M, k) are f0, ``targets`` (N, k). Two layouts of the kernels: ``kernel`` (N, N)
    with ``kernel_test`` (M, N) acts on each output alike, as Θ ⊗ I_k (infinite width); (N·k, N·k) with (M·k, N·k)
    acts on outputs stacked with index i·k + output (finite width). Raises ``SpecError`` if shapes disagree.
    """

    kernel: Array
    kernel_test: Array
    start: Array
    start_test: Array
    targets: Array

    def __post_init__(self) -> None:
        n, k = self.targets.shape
        size = self.kernel.shape[0]
        rows = len(self.start_test) * (size // n if n else 1)
        wanted = [(size, size), (rows, size), (n, k), (len(self.start_test), k)]
        given = [self.kernel.shape, self.kernel_test.shape, self.start.shape, self.start_test.shape]
        if size not in (n, n * k) or given != wanted:
            raise SpecError(f"linear model: kernels and outputs of shapes {given} do not fit targets {[n, k]}; "
                            f"give kernels of (N, N) or (N·k, N·k) between the same samples")  # fmt: skip

    @property
    def stacked(self) -> bool:
        """Whether the kernels act on stacked outputs."""
        return len(self.kernel) != len(self.targets) or self.targets.shape[1] == 1

    def columns(self, values: Array) -> Array:
        """(n, k) as the columns that the kernels act on: (n·k, 1) or (n, k)."""
        return values.reshape(-1, 1) if self.stacked else values

    def rows(self, columns: Array) -> Array:
        """The inverse of ``columns``: back to (n, k)."""
        return columns.reshape(-1, self.targets.shape[1])

    def indices(self, samples: NDArray[np.intp]) -> NDArray[np.intp]:
        """Positions in ``columns`` of the outputs of ``samples``."""
        if not self.stacked:
            return samples
        k = self.targets.shape[1]
        return np.asarray(samples[:, None] * k + np.arange(k)).ravel()
