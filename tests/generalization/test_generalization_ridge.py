"""Kernel ridge regression, leave-one-out and generalised cross-validation against direct solves and refits."""

import numpy as np
import pytest

from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.generalization import KernelRidge, generalised_cross_validation, leave_one_out_residuals


def problem(n=15, k=2, m=4, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n + m, n + m + 3))
    K = A @ A.T / n
    return K[:n, :n], K[n:, :n], rng.normal(size=(n, k))


@pytest.mark.parametrize("ridge", [0.0, 0.1, 10.0])
def test_predictions_equal_the_direct_solution(ridge):
    K, K_test, Y = problem()
    expected = K_test @ np.linalg.solve(K + ridge * np.eye(15), Y)
    np.testing.assert_allclose(KernelRidge.of(K, Y).predict(K_test, ridge), expected, rtol=1e-8, atol=1e-10)


def test_without_a_ridge_the_training_targets_are_met():
    K, _, Y = problem()
    np.testing.assert_allclose(KernelRidge.of(K, Y).predict(K, 0.0), Y, atol=1e-9)


@pytest.mark.parametrize("ridge", [0.0, 0.1, 10.0])
def test_leave_one_out_equals_refitting_without_each_sample(ridge):
    K, _, Y = problem()
    expected = []
    for i in range(15):
        rest = np.delete(np.arange(15), i)
        alpha = np.linalg.solve(K[np.ix_(rest, rest)] + ridge * np.eye(14), Y[rest])
        expected.append(Y[i] - K[i, rest] @ alpha)
    np.testing.assert_allclose(leave_one_out_residuals(KernelRidge.of(K, Y), ridge), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("ridge", [0.1, 10.0])
def test_gcv_equals_its_textbook_form(ridge):
    K, _, Y = problem()
    S = K @ np.linalg.inv(K + ridge * np.eye(15))
    residual = Y - S @ Y
    expected = np.sum(residual**2) / 15 / (np.trace(np.eye(15) - S) / 15) ** 2
    assert generalised_cross_validation(KernelRidge.of(K, Y), ridge) == pytest.approx(expected, rel=1e-8)


def test_gcv_and_leave_one_out_agree_for_a_circulant_kernel():
    angle = 2 * np.pi * np.arange(12) / 12
    K = np.exp(np.cos(angle[:, None] - angle))
    fit = KernelRidge.of(K, np.sin(angle)[:, None])
    mean = float(np.mean(leave_one_out_residuals(fit, 0.1) ** 2))
    assert generalised_cross_validation(fit, 0.1) == pytest.approx(mean)


def test_a_vector_of_targets_is_one_output():
    K, K_test, Y = problem()
    assert KernelRidge.of(K, Y[:, 0]).predict(K_test, 0.1).shape == (4, 1)


def test_a_singular_kernel_needs_a_ridge():
    K = np.ones((3, 3))
    fit = KernelRidge.of(K, np.arange(3.0))
    with pytest.raises(NumericalError, match="give a ridge above"):
        fit.coefficients(0.0)
    np.testing.assert_allclose(fit.predict(K, 1e-6), np.ones((3, 1)), atol=1e-5)


def test_the_floor_follows_the_precision_of_the_kernel():
    K = np.diag([1.0, 1e-9])
    KernelRidge.of(K, np.ones(2)).coefficients(0.0)
    with pytest.raises(NumericalError):
        KernelRidge.of(K.astype(np.float32), np.ones(2)).coefficients(0.0)


@pytest.mark.parametrize("ridge", [-1.0, np.nan, np.inf])
def test_a_bad_ridge_is_refused(ridge):
    with pytest.raises(SpecError, match="ridge"):
        KernelRidge.of(np.eye(2), np.ones(2)).coefficients(ridge)


def test_targets_of_other_samples_are_refused():
    with pytest.raises(DataError, match="2 samples"):
        KernelRidge.of(np.eye(2), np.ones(3))
