"""Running moments and the extrapolation in width, against numpy."""

import numpy as np
import pytest

from ntklab.kernels.monte_carlo.moments import Estimates, intercept
from ntklab.kernels.tiles import TilePlan
from ntklab.progress import drain


def kernels(count, n1, n2, *, symmetric, seed=0):
    K = 1e4 + np.random.default_rng(seed).standard_normal((count, n1, n2))  # a large mean: naive sums lose the variance
    return (K + K.transpose(0, 2, 1)) / 2 if symmetric else K


@pytest.mark.parametrize(("n1", "n2", "symmetric"), [(7, 7, True), (7, 5, False)])
def test_tiles_give_the_moments_of_whole_kernels(n1, n2, symmetric):
    widths, count = 3, 9
    K = np.stack([kernels(count, n1, n2, symmetric=symmetric, seed=width) for width in range(widths)])
    weights = np.array([-0.5, 0.5, 1.0])
    estimates = Estimates(n1, n2, widths, weights)
    for number in range(count):
        for width in range(widths):
            for block in TilePlan(n1, n2, 3, symmetric=symmetric):
                estimates.add(width, block, K[width, number][block.row_slice, block.column_slice], number + 1)
        drain(_whole(estimates.end_round(number + 1)))
    extrapolated = np.tensordot(weights, K, 1)
    for final in (False, True):
        found = drain(estimates.found(final=final))
        np.testing.assert_allclose(found.means, K.mean(1), rtol=1e-13)
        np.testing.assert_allclose(found.errors, K.std(1, ddof=1) / 3, rtol=1e-9)
        np.testing.assert_allclose(found.limit, extrapolated.mean(0), rtol=1e-13)
        np.testing.assert_allclose(found.limit_error, extrapolated.std(0, ddof=1) / 3, rtol=1e-9)


def _whole(steps):
    yield from steps


def test_one_kernel_has_no_standard_error():
    estimates = Estimates(2, 2, 1, None)
    for block in TilePlan(2, 2, 2):
        estimates.add(0, block, np.ones((2, 2)), 1)
    drain(_whole(estimates.end_round(1)))
    found = drain(estimates.found(final=True))
    assert np.isnan(found.errors).all()
    assert found.limit is None


@pytest.mark.parametrize("widths", [(64, 128, 256), (10, 11, 12, 500), (1, 2, 4096)])
def test_the_intercept_of_a_line_in_one_over_width_is_found(widths):
    n = np.array(widths, dtype=float)
    weights = intercept(widths)
    assert weights @ (3.0 - 40.0 / n) == pytest.approx(3.0, rel=1e-9)
    design = np.stack([np.ones_like(n), 1 / n], axis=1) * np.sqrt(n)[:, None]
    noisy = np.random.default_rng(0).standard_normal(len(n))
    line, *_ = np.linalg.lstsq(design, np.sqrt(n) * noisy, rcond=None)
    assert weights @ noisy == pytest.approx(line[0], rel=1e-6)


@pytest.mark.parametrize("widths", [(64,), (64, 128), (64, 64, 128)])
def test_no_extrapolation_below_three_widths(widths):
    assert intercept(widths) is None
