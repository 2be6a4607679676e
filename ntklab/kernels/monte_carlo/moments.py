"""Running means and variances of kernels, tile by tile, and of their extrapolation to infinite width."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.kernels.tiles import Block, spans

Array = NDArray[np.float64]

_BAND = 1 << 19  # entries that are updated in one step: some ms


class Moments:
    """Mean and sum of squared deviations of matrices (n1, n2) that arrive in tiles (Welford 1962, Technometrics 4:419).

    ``mean`` and ``squares`` (n1, n2) hold those of as many matrices as were counted in the tiles that came.
    """

    def __init__(self, mean: Array, squares: Array) -> None:
        """Begin with zeros in ``mean`` and ``squares``, which are written to."""
        self.mean, self.squares = mean, squares

    def add(self, block: Block, values: NDArray[np.floating], count: int) -> None:
        """Take in the tile of the matrix number ``count`` (from 1), and its mirror image where the block says so."""
        here = block.row_slice, block.column_slice
        mean, squares = self.mean[here], self.squares[here]
        change = values - mean
        step = change / count
        mean += step
        change *= values - mean
        squares += change
        if block.mirror:
            self.mean[here[::-1]] = mean.T
            self.squares[here[::-1]] = squares.T


@dataclass(frozen=True, eq=False)
class Found:
    """``means`` and ``errors`` (W, n1, n2) at each width, ``limit`` and ``limit_error`` (n1, n2) or None."""

    means: Array
    errors: Array
    limit: Array | None = None
    limit_error: Array | None = None


class Estimates:
    """``Moments`` of a kernel at each width, and of its extrapolation where ``weights`` say how (see ``intercept``).

    ``means`` and ``squares`` (W, n1, n2), ``limit`` and ``limit_squares`` (n1, n2) or None.
    """

    def __init__(self, n1: int, n2: int, widths: int, weights: Array | None) -> None:
        self.means, self.squares = np.zeros((widths, n1, n2)), np.zeros((widths, n1, n2))
        self.limit = self.limit_squares = self._sum = None
        if weights is not None:
            self.limit, self.limit_squares, self._sum = np.zeros((3, n1, n2))
        self._weights = weights
        self._count = 0

    def add(self, width: int, block: Block, values: NDArray[np.floating], count: int) -> None:
        """Take in a tile of the kernel number ``count`` at the width with index ``width``."""
        Moments(self.means[width], self.squares[width]).add(block, values, count)
        if self._sum is not None and self._weights is not None:
            target = self._sum[block.row_slice, block.column_slice]
            target += self._weights[width] * values
            if block.mirror:
                self._sum[block.column_slice, block.row_slice] = target.T

    def end_round(self, count: int) -> Iterator[None]:
        """Every width has its kernel number ``count``: take in what they extrapolate to, a band of rows at a time."""
        self._count = count
        if self._sum is None or self.limit is None or self.limit_squares is None:
            return
        n1, n2 = self._sum.shape
        limit = Moments(self.limit, self.limit_squares)
        for rows in spans(n1, max(1, _BAND // n2)):
            band = Block(rows, (0, n2))
            limit.add(band, self._sum[band.row_slice], count)
            self._sum[band.row_slice] = 0.0
            yield

    def found(self, *, final: bool) -> Generator[None, None, Found]:
        """What the last round led to, made a band of rows at a time.

        Copies; with ``final`` the arrays themselves, so that nothing can be added any more.
        """
        if final:
            self._sum = None
        means, errors = yield from _found(self.means, self.squares, self._count, final=final)
        if self.limit is None or self.limit_squares is None:
            return Found(means, errors)
        limit, limit_error = yield from _found(self.limit, self.limit_squares, self._count, final=final)
        return Found(means, errors, limit, limit_error)


def _found(mean: Array, squares: Array, count: int, *, final: bool) -> Generator[None, None, tuple[Array, Array]]:
    """Means and standard errors: the sample standard deviation over √count; NaN for fewer than two matrices."""
    means, errors = (mean, squares) if final else (np.empty_like(mean), np.empty_like(squares))
    rows = [array.reshape(-1, mean.shape[-1]) for array in (mean, squares, means, errors)]
    factor = 1 / (count * (count - 1)) if count > 1 else np.nan
    for start, stop in spans(len(rows[0]), max(1, _BAND // mean.shape[-1])):
        m, s, kept, error = (array[start:stop] for array in rows)
        if not final:
            kept[:] = m
        np.sqrt(np.multiply(s, factor, out=error), out=error)
        yield
    return means, errors


def intercept(widths: Sequence[int]) -> Array | None:
    """Weights w (W,) with Σ w_i K_i the intercept a of the least-squares line K_n = a + b/n; None below three widths.

    Points are weighted by n, as the variance of a kernel falls like 1/n: Σ w_i = 1 and Σ w_i/n_i = 0. Weights are
    fixed beforehand, so the intercept of each seed is an unbiased estimate up to O(1/n²), and the spread of these
    over seeds gives its standard error, whatever the correlation between widths.
    """
    n = np.asarray(sorted(set(widths)), dtype=np.float64)
    if len(n) < 3 or len(n) != len(widths):
        return None
    design = np.stack([np.ones_like(n), n.min() / n], axis=1)
    solution = np.linalg.solve(design.T @ (n[:, None] * design), design.T * n)
    return np.asarray(solution[0])
