import math

import pytest

from ntklab.spectra.modes import half_life


def residual(steps: int, a: float, momentum: float) -> float:
    """|residual| after ``steps`` of heavy-ball descent on ½·a·r² with unit step."""
    r, v = 1.0, 0.0
    for _ in range(steps):
        v = momentum * v + a * r
        r -= v
    return abs(r)


@pytest.mark.parametrize(("a", "momentum"), [(0.01, 0.0), (0.4, 0.0), (1.7, 0.0), (0.001, 0.9)])
def test_residual_halves_in_the_half_life(a, momentum):
    steps = half_life(a, rate=1.0, n=1, momentum=momentum)
    long = round(20 * steps)
    measured = long * math.log(2) / -math.log(residual(long, a, momentum))
    assert measured == pytest.approx(steps, rel=0.03)


def test_oscillating_momentum_shrinks_by_the_root_of_mu():
    assert half_life(0.5, rate=1.0, n=1, momentum=0.64) == pytest.approx(math.log(2) / -math.log(0.8))


@pytest.mark.parametrize("eigenvalue", [0.0, -1.0, 2.0, 3.0])
def test_a_mode_that_never_shrinks(eigenvalue):
    assert half_life(eigenvalue, rate=1.0, n=1) == math.inf


def test_learned_in_one_step():
    assert half_life(1.0, rate=1.0, n=1) == 0.0


def test_tiny_eigenvalues_keep_their_digits():
    assert half_life(1e-13, rate=1.0, n=1) == pytest.approx(math.log(2) * 1e13, rel=1e-9)


def test_torch_loss_counts_outputs():
    expected = half_life(0.1 * 2 / 5, rate=1.0, n=4)
    assert half_life(0.1, rate=1.0, n=4, k=5, loss="torch_mse") == pytest.approx(expected)
