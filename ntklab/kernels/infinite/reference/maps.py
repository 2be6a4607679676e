"""Matrices of what layers do to the positions of one sample, (positions behind, positions before), found one by one.

Positions are numbered in C order over the spatial axes. Nothing here is shared with ``ntklab.geometry``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import ceil, exp, floor, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab import spec

Array = NDArray[np.float64]
Sizes = tuple[int, ...]
Place = tuple[int, ...]


def places(sizes: Sizes) -> Iterator[Place]:
    """Every position, in order."""
    return product(*(range(size) for size in sizes))


def window_sizes(window: Sizes, layer: Any, sizes: Sizes) -> Sizes:
    """Of what a window slides over."""
    return tuple(_slid(n, k, s, layer.padding)[0] for n, k, s in zip(sizes, window, layer.strides, strict=True))


def _slid(n: int, k: int, s: int, padding: str) -> tuple[int, int]:
    """Places of a window along one axis, and how far the first one sticks out in front."""
    if padding == "VALID":
        return (n - k) // s + 1, 0
    count = ceil(n / s)
    return count, max((count - 1) * s + k - n, 0) // 2


def window_taps(window: Sizes, layer: Any, sizes: Sizes) -> list[Array]:
    """For each offset in the window: the matrix of what each place of it sees there."""

    def seen(axis: int, place: int, offset: int) -> list[int]:
        n, s = sizes[axis], layer.strides[axis]
        position = place * s + offset - _slid(n, window[axis], s, layer.padding)[1]
        if layer.padding == "CIRCULAR":
            return [position % n]
        return [position] if 0 <= position < n else []

    return _taps(window, window_sizes(window, layer, sizes), sizes, seen)


def window_centres(window: Sizes, layer: Any, sizes: Sizes) -> list[int]:
    """For each place of the window: the position at its centre, the earlier one of two."""
    found = []
    for place in places(window_sizes(window, layer, sizes)):
        centre = [
            p * s + (k - 1) // 2 - _slid(n, k, s, layer.padding)[1]
            for p, n, k, s in zip(place, sizes, window, layer.strides, strict=True)
        ]
        found.append(int(np.ravel_multi_index(centre, sizes)))
    return found


def transposed_sizes(layer: spec.ConvTranspose, sizes: Sizes) -> Sizes:
    """Of the output of a transposed convolution."""
    return tuple(
        n * s + (max(k - s, 0) if layer.padding == "VALID" else 0)
        for n, k, s in zip(sizes, layer.kernel, layer.strides, strict=True)
    )


def transposed_taps(layer: spec.ConvTranspose, sizes: Sizes) -> list[Array]:
    """For each offset of the kernel: the matrix of what each position of the output gets through it.

    The input is spread out with zeros between, ``stride`` apart, padded, and convolved without a stride. CIRCULAR folds
    the VALID output onto the size of SAME, its middle in place.
    """

    def got(axis: int, place: int, offset: int) -> list[int]:
        n, k, s = sizes[axis], layer.kernel[axis], layer.strides[axis]
        front = k - 1
        if layer.padding == "SAME" and s <= k - 1:
            front = ceil((k + s - 2) / 2)
        folded = [place]
        if layer.padding == "CIRCULAR":
            length, cut = n * s + max(k - s, 0), max(k - s, 0) // 2
            folded = [whole for whole in range(length) if (whole - cut - place) % (n * s) == 0]
        spread = [whole + offset - front for whole in folded]
        return [position // s for position in spread if position % s == 0 and 0 <= position // s < n]

    return _taps(layer.kernel, transposed_sizes(layer, sizes), sizes, got)


def _taps(window: Sizes, behind: Sizes, before: Sizes, seen: Callable[[int, int, int], list[int]]) -> list[Array]:
    """``seen(axis, place, offset)`` lists positions along one axis."""
    matrices = []
    for offset in places(window):
        matrix = np.zeros((prod(behind), prod(before)))
        for row, place in enumerate(places(behind)):
            for source in product(*(seen(axis, place[axis], offset[axis]) for axis in range(len(before)))):
                matrix[row, np.ravel_multi_index(source, before)] += 1
        matrices.append(matrix)
    return matrices


def pool(layer: spec.AvgPool | spec.SumPool, sizes: Sizes) -> Array:
    """The sum over a window or its mean, over all of it or what is inside."""
    total: Array = np.sum(window_taps(layer.window, layer, sizes), axis=0)
    if isinstance(layer, spec.SumPool):
        return total
    inside = total.sum(axis=1, keepdims=True)
    return total / (inside if layer.normalize_edges else prod(layer.window))


def resize(layer: spec.ImageResize, sizes: Sizes) -> tuple[Array, Sizes]:
    """Resizing with half-pixel centres: position i of m stands at (i + ½)·n/m − ½ among n."""
    behind = tuple(n if size == -1 else size for n, size in zip(sizes, layer.shape[1:-1], strict=True))
    matrix = np.ones((prod(behind), prod(sizes)))
    for (row, place), (column, source) in product(enumerate(places(behind)), enumerate(places(sizes))):
        for axis, (i, j) in enumerate(zip(place, source, strict=True)):
            matrix[row, column] *= _weight(layer, i, j, behind[axis], sizes[axis])
    return matrix, behind


def _weight(layer: spec.ImageResize, i: int, j: int, m: int, n: int) -> float:
    if layer.method == "nearest":
        return float(floor((i + 0.5) * n / m) == j)
    filters = {"linear": _linear, "cubic": _cubic}
    stretch = max(n / m, 1.0) if layer.antialias else 1.0
    centre = (i + 0.5) * n / m - 0.5
    all_weights = [filters[layer.method](abs(centre - other) / stretch) for other in range(n)]
    return all_weights[j] / sum(all_weights)


def _linear(x: float) -> float:
    return max(0.0, 1.0 - x)


def _cubic(x: float) -> float:
    """Keys' kernel with a = −½ (Keys 1981, eq. 4)."""
    a = -0.5
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def index(layer: spec.Index, sizes: Sizes) -> tuple[Array, Sizes]:
    """A slice of the positions."""
    numbers = np.arange(prod(sizes)).reshape(sizes)
    taken = numbers[tuple(slice(*part) for part in layer.slices[1:-1])]
    return np.eye(prod(sizes))[taken.ravel()], taken.shape


def dot_general(layer: spec.DotGeneral, sizes: Sizes) -> tuple[Array, Sizes]:
    """The product with an array, entry by entry: axes that meet have equal indices, contracted ones are summed."""
    array = np.array(layer.array, dtype=np.float64)
    left, right = (0, 1) if layer.side == "rhs" else (1, 0)  # which of the two operands the values are
    contracted, shared = layer.dimension_numbers
    mine, theirs = (contracted[left], shared[left]), (contracted[right], shared[right])
    free = [axis for axis in range(1, len(sizes) + 1) if axis not in (*mine[0], *mine[1])]
    added = [axis for axis in range(array.ndim) if axis not in (*theirs[0], *theirs[1])]
    entries: dict[tuple[Place, int], float] = {}
    for (column, x), a in product(enumerate(places(sizes)), places(array.shape)):
        meet = zip((*mine[0], *mine[1]), (*theirs[0], *theirs[1]), strict=True)
        if all(x[i - 1] == a[j] for i, j in meet):
            kept, new = tuple(x[i - 1] for i in free), tuple(a[j] for j in added)
            rest = kept + new if layer.side == "rhs" else new + kept
            row = (*(x[i - 1] for i in mine[1]), *rest)
            entries[row, column] = entries.get((row, column), 0.0) + float(array[a])
    behind = tuple(max(row[axis] for row, _ in entries) + 1 for axis in range(len(next(iter(entries))[0])))
    matrix = np.zeros((prod(behind), prod(sizes)))
    for (row, column), value in entries.items():
        matrix[np.ravel_multi_index(row, behind) if behind else 0, column] = value
    return matrix, behind


def aggregate(layer: spec.Aggregate, sizes: Sizes, pattern: Array) -> Array:
    """From i to j along the aggregated axes as the pattern of a sample says; the others stay."""
    axes = [(axis if axis >= 0 else axis + len(sizes) + 2) - 1 for axis in layer.axis]
    matrix = np.zeros((prod(sizes), prod(sizes)))
    for (row, j), (column, i) in product(enumerate(places(sizes)), enumerate(places(sizes))):
        if all(j[axis] == i[axis] for axis in range(len(sizes)) if axis not in axes):
            matrix[row, column] = pattern[(*(i[axis] for axis in axes), *(j[axis] for axis in axes))]
    return matrix


def neighbours(axes: Sizes, sizes: Sizes) -> Array:
    """1 where two positions differ along ``axes`` (0 is the first spatial one) alone."""
    return np.array(
        [
            [float(all(i[a] == j[a] for a in range(len(sizes)) if a not in axes)) for j in places(sizes)]
            for i in places(sizes)
        ]
    )


def embedding(layer: spec.SelfAttention, sizes: Sizes) -> Array:
    """The covariance of positional embeddings: that of one-hot positions, or falling with distance."""

    def covariance(i: Place, j: Place) -> float:
        d = sum(abs(a - b) ** layer.pos_emb_p_norm for a, b in zip(i, j, strict=True))
        if layer.pos_emb_decay is None:
            return float(i == j)
        return exp(-d / 2) if layer.pos_emb_decay == "exp_neg_half_d" else 1 / (1 + d**2)

    return np.array([[covariance(i, j) for j in places(sizes)] for i in places(sizes)])
