"""Each quantity against its definition, on matrices whose answer is known."""

import math

import numpy as np
import pytest

from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.spectra import (
    centred_target_alignment,
    condition_number,
    critical_rate,
    effective_dimension,
    eigen,
    participation_ratio,
    rounding_floor,
    stable_rank,
    target_alignment,
    target_power,
)


def random_kernel(n: int, rank: int | None = None, seed: int = 0) -> np.ndarray:
    A = np.random.default_rng(seed).normal(size=(n, rank or n))
    return A @ A.T


def test_eigen_rebuilds_the_matrix_in_descending_order():
    K = random_kernel(20)
    values, vectors = eigen(K)
    assert np.all(np.diff(values) <= 0)
    np.testing.assert_allclose((vectors * values) @ vectors.T, K, atol=1e-12 * values[0])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(20), atol=1e-13)


def test_eigen_fixes_signs_by_the_largest_entry():
    _, vectors = eigen(random_kernel(15))
    assert np.all(vectors[np.abs(vectors).argmax(axis=0), np.arange(15)] > 0)


def test_eigen_takes_the_symmetric_part_and_leaves_its_argument_alone():
    K = np.array([[2.0, 1.0], [0.0, 2.0]])
    values, _ = eigen(K)
    np.testing.assert_allclose(values, [2.5, 1.5])
    assert K[1, 0] == 0.0


def test_eigen_works_in_float64_for_float32_kernels():
    K = np.diag([1.0, 1e-9]).astype(np.float32)
    assert eigen(K)[0].dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_eigen_refuses_numbers_that_are_not_finite(bad):
    K = np.eye(3)
    K[0, 1] = bad
    with pytest.raises(NumericalError, match=r"2 entries that are NaN or infinite.*float64"):
        eigen(K)


@pytest.mark.parametrize("shape", [(2, 3), (0, 0), (4,)])
def test_eigen_needs_a_square_matrix(shape):
    with pytest.raises(NumericalError, match="square matrix"):
        eigen(np.zeros(shape))


def test_condition_is_infinite_at_the_rounding_floor():
    values = np.array([10.0, 1.0, 1e-14])
    floor = rounding_floor(values)
    assert floor == 3 * np.finfo(np.float64).eps * 10
    assert condition_number(values, 1e-13) == math.inf
    assert condition_number(values, 0.0) == pytest.approx(1e15)
    assert condition_number(np.zeros(3), rounding_floor(np.zeros(3))) == math.inf


def test_the_floor_follows_the_precision_of_the_kernel():
    values = np.ones(4)
    assert rounding_floor(values, np.float32) == 4 * np.finfo(np.float32).eps


@pytest.mark.parametrize(
    ("values", "stable", "participation"),
    [([1, 1, 1, 1], 4, 4), ([5, 0, 0], 1, 1), ([2, 1], 1.25, 9 / 5), ([0, 0], 0, 0), ([1e200, 1e200], 2, 2)],
)
def test_ranks_of_known_spectra(values, stable, participation):
    eigenvalues = np.array(values, dtype=float)
    assert stable_rank(eigenvalues) == pytest.approx(stable)
    assert participation_ratio(eigenvalues) == pytest.approx(participation)


def test_ranks_equal_their_norm_definitions():
    K = random_kernel(12)
    values, _ = eigen(K)
    assert stable_rank(values) == pytest.approx(np.linalg.norm(K) ** 2 / np.linalg.norm(K, 2) ** 2)
    assert participation_ratio(values) == pytest.approx(np.trace(K) ** 2 / np.linalg.norm(K) ** 2)


def test_effective_dimension_is_the_trace_of_the_smoother():
    K = random_kernel(10, rank=6)
    values = np.maximum(eigen(K)[0], 0)
    smoother = K @ np.linalg.inv(K + 0.3 * np.eye(10))
    assert effective_dimension(values, 0.3) == pytest.approx(np.trace(smoother))


def test_effective_dimension_counts_modes_without_a_ridge():
    assert effective_dimension(np.array([3.0, 1e-9, 0.0]), 0.0) == 2


@pytest.mark.parametrize("ridge", [-1.0, math.nan, math.inf])
def test_effective_dimension_needs_a_ridge(ridge):
    with pytest.raises(SpecError, match="ridge"):
        effective_dimension(np.ones(2), ridge)


def test_power_of_an_eigenvector_is_in_its_mode():
    _, vectors = eigen(random_kernel(8))
    np.testing.assert_allclose(target_power(vectors, 3 * vectors[:, 2]), np.eye(8)[2], atol=1e-14)


def test_power_sums_over_outputs_to_one():
    _, vectors = eigen(random_kernel(8))
    Y = np.random.default_rng(1).normal(size=(8, 3))
    expected = [sum((v @ y) ** 2 for y in Y.T) / (Y**2).sum() for v in vectors.T]
    power = target_power(vectors, Y)
    np.testing.assert_allclose(power, expected)
    assert power.sum() == pytest.approx(1)


def test_power_of_zero_targets_is_zero():
    assert not target_power(np.eye(3), np.zeros((3, 2))).any()


def test_power_refuses_targets_of_other_samples():
    with pytest.raises(DataError, match="3 samples and the targets have 4"):
        target_power(np.eye(3), np.ones((4, 1)))


def test_alignments_equal_their_definitions():
    K, Y = random_kernel(9) + 5.0, np.random.default_rng(2).normal(size=(9, 2))
    H, T = np.eye(9) - 1 / 9, Y @ Y.T
    assert target_alignment(K, Y) == pytest.approx(np.sum(K * T) / np.linalg.norm(K) / np.linalg.norm(T))
    Kc, Tc = H @ K @ H, H @ T @ H
    assert centred_target_alignment(K, Y) == pytest.approx(np.sum(Kc * Tc) / np.linalg.norm(Kc) / np.linalg.norm(Tc))


def test_alignment_of_the_target_kernel_is_one():
    Y = np.random.default_rng(3).normal(size=(7, 2))
    assert target_alignment(Y @ Y.T, Y) == pytest.approx(1)
    assert centred_target_alignment(Y @ Y.T + 4.0, Y) == pytest.approx(1)


@pytest.mark.parametrize(
    ("K", "Y"),
    [(np.full((4, 4), 0.1), np.arange(4.0)[:, None]), (random_kernel(4), np.full((4, 1), 0.1)), (np.eye(1), np.eye(1))],
)
def test_centred_alignment_is_none_where_nothing_varies(K, Y):
    assert centred_target_alignment(K, Y) is None


def test_alignment_with_zero_targets_is_none():
    assert target_alignment(np.eye(3), np.zeros((3, 1))) is None


LOSS_GRADIENTS = {"half_mse": lambda r, n, k: r / n, "torch_mse": lambda r, n, k: 2 * r / (n * k)}  # noqa: ARG005


@pytest.mark.parametrize("loss", LOSS_GRADIENTS)
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("share", "diverges"), [(0.98, False), (1.02, True)])
def test_descent_diverges_just_above_the_critical_rate(loss, momentum, share, diverges):
    n, k = 6, 3
    K = random_kernel(n)
    rate = share * critical_rate(eigen(K)[0][0], n=n, k=k, loss=loss, momentum=momentum)
    r = np.random.default_rng(0).normal(size=(n, k))
    velocity = np.zeros_like(r)
    start = np.linalg.norm(r)
    for _ in range(4000):
        velocity = momentum * velocity + K @ LOSS_GRADIENTS[loss](r, n, k)
        r = r - rate * velocity
        if np.linalg.norm(r) > 1e3 * start:
            break
    assert (np.linalg.norm(r) > 1e3 * start) == diverges


def test_a_zero_kernel_is_stable_at_any_rate():
    assert critical_rate(0.0, n=3, k=1) == math.inf


@pytest.mark.parametrize(
    ("request_", "words"),
    [({"loss": "hinge"}, "half_mse"), ({"momentum": 1.0}, "below 1"), ({"momentum": math.nan}, "below 1")],
)
def test_critical_rate_refuses_what_it_does_not_know(request_, words):
    with pytest.raises(SpecError, match=words):
        critical_rate(1.0, n=2, k=1, **request_)
