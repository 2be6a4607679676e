"""Where positions of one spatial axis go: windows and padding, resizing, distances. Networks and kernels share it.

All these maps are products over axes, so everything is said of one axis. Plain numpy: no network, no kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """A window of ``kernel`` positions that moves by ``stride`` along an axis of ``size`` positions.

    ``padding`` "VALID" keeps it inside; "SAME" pads with zeros to ⌈size/stride⌉ places, the smaller half in front (as
    TensorFlow and XLA do); "CIRCULAR" wraps around by the amounts of SAME.
    """

    size: int
    kernel: int
    stride: int = 1
    padding: str = "VALID"

    @property
    def outputs(self) -> int:
        """How many places the window takes."""
        if self.padding == "VALID":
            return (self.size - self.kernel) // self.stride + 1
        return -(-self.size // self.stride)

    @property
    def pads(self) -> tuple[int, int]:
        """Positions added in front and behind."""
        if self.padding == "VALID":
            return 0, 0
        total = max((self.outputs - 1) * self.stride + self.kernel - self.size, 0)
        return total // 2, total - total // 2

    @property
    def wraps(self) -> bool:
        """Whether what is added continues the axis from its other end."""
        return self.padding == "CIRCULAR"

    @property
    def taps(self) -> Positions:
        """(outputs, kernel): the position that each place of the window sees, −1 outside."""
        seen = np.arange(self.outputs)[:, None] * self.stride + np.arange(self.kernel) - self.pads[0]
        if self.wraps:
            return seen % self.size
        return np.where((seen >= 0) & (seen < self.size), seen, -1)

    @property
    def inside(self) -> Positions:
        """(outputs,): how many positions of the axis the window covers at each place."""
        counts: Positions = (self.taps >= 0).sum(axis=1)
        return counts

    @property
    def centres(self) -> Positions:
        """(outputs,): the position in the middle of the window, the earlier of two; masks of places are theirs."""
        return np.arange(self.outputs) * self.stride + (self.kernel - 1) // 2 - self.pads[0]


@dataclass(frozen=True)
class Spread:
    """The transpose of a window: each of ``size`` positions is spread over ``kernel`` places, ``stride`` apart.

    The offset δ of the kernel takes position r to the place stride·r + kernel − 1 − δ of ``length`` places. Of these
    ``outputs`` are kept from ``first`` on; those beyond the last are 0. With ``padding`` "CIRCULAR" all that is not
    kept is added at the places a multiple of ``outputs`` away. As ``jax.lax.conv_transpose``.
    """

    size: int
    kernel: int
    stride: int = 1
    padding: str = "VALID"

    @property
    def length(self) -> int:
        """Places that positions are spread over."""
        return (self.size - 1) * self.stride + self.kernel

    @property
    def outputs(self) -> int:
        """Places that are kept."""
        more = max(self.kernel - self.stride, 0) if self.padding == "VALID" else 0
        return self.size * self.stride + more

    @property
    def first(self) -> int:
        """The first place that is kept."""
        if self.padding == "VALID":
            return 0
        if self.wraps:
            return max(self.kernel - self.stride, 0) // 2
        front = self.kernel - 1 if self.stride >= self.kernel else -(-(self.kernel + self.stride - 2) // 2)
        return self.kernel - 1 - front

    @property
    def wraps(self) -> bool:
        """Whether places that are not kept are added to those that are."""
        return self.padding == "CIRCULAR"

    @property
    def kept(self) -> Array:
        """(outputs, length): from all places to those kept."""
        places = np.arange(self.length) - self.first
        targets = places % self.outputs if self.wraps else places
        return np.asarray(np.arange(self.outputs)[:, None] == targets, dtype=np.float64)

    @property
    def matrices(self) -> Array:
        """(kernel, outputs, size): what each offset of the kernel adds of each position to each place kept."""
        spread = np.zeros((self.kernel, self.length, self.size))
        positions = np.arange(self.size)
        for offset in range(self.kernel):
            spread[offset, self.stride * positions + self.kernel - 1 - offset, positions] = 1.0
        matrices: Array = self.kept @ spread
        return matrices


def resize_matrix(before: int, after: int, *, method: str, antialias: bool = True) -> Array:
    """(after, before): what resizing one axis does, as ``jax.image.resize`` (half-pixel centres).

    "nearest" takes the pixel whose cell contains the new centre; "linear" and "cubic" (Keys 1981, a = −½) weigh
    neighbours, over a window as wide as the shrinkage with ``antialias``. Rows sum to 1.
    """
    if method == "nearest":
        return np.eye(before)[(2 * np.arange(after) + 1) * before // (2 * after)]
    centres = (np.arange(after) + 0.5) * before / after - 0.5
    width = max(before / after, 1.0) if antialias else 1.0
    weights = _FILTERS[method](np.abs(centres[:, None] - np.arange(before)) / width)
    rows: Array = weights / weights.sum(axis=1, keepdims=True)
    return rows


def _triangle(x: Array) -> Array:
    return np.maximum(0.0, 1 - x)


def _keys(x: Array) -> Array:
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_FILTERS: dict[str, Callable[[Array], Array]] = {"linear": _triangle, "cubic": _keys}


def position_covariance(sizes: tuple[int, ...], *, p_norm: float, decay: str | None) -> Array:
    """(L, L) over the L = Π ``sizes`` positions: ``decay`` of the distance d = Σ |i − j|^p, or the identity."""
    d = np.zeros((prod(sizes), prod(sizes)))
    for places in np.indices(sizes).reshape(len(sizes), -1):
        d += np.abs(places[:, None] - places) ** float(p_norm)
    return _DECAYS[decay](d)


_DECAYS: dict[str | None, Callable[[Array], Array]] = {
    None: lambda d: np.asarray(d == 0, dtype=np.float64),
    "exp_neg_half_d": lambda d: np.exp(-d / 2),
    "inv_1_plus_d2": lambda d: 1 / (1 + d * d),
}
