"""The posterior of a Gaussian process against direct solves and the joint distribution."""

import numpy as np
import pytest
import torch

from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.generalization import KernelRidge, posterior

N, M, K = 8, 5, 2


def problem(seed=0):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((N + M, N + M + 2))
    S = A @ A.T / N
    return S[:N, :N], S[N:, :N], S[N:, N:], rng.standard_normal((N, K))


@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_it_conditions_the_joint_distribution(ridge):
    dd, td, tt, Y = problem()
    found = posterior(dd, Y, td, tt, ridge=ridge)
    A = np.linalg.solve(dd + ridge * np.eye(N), td.T).T
    np.testing.assert_allclose(found.mean, A @ Y, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, tt - A @ td.T, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.mean, KernelRidge.of(dd, Y).predict(td, ridge))
    np.testing.assert_allclose(found.deviation**2, np.diag(found.covariance))
    assert found.condition == pytest.approx(np.linalg.cond(dd + ridge * np.eye(N)))


def test_the_precision_of_the_joint_distribution_is_that_of_the_posterior():
    dd, td, tt, Y = problem(3)
    joint = np.block([[dd, td.T], [td, tt]])
    expected = np.linalg.inv(np.linalg.inv(joint)[N:, N:])  # the Schur complement, by another way
    np.testing.assert_allclose(posterior(dd, Y, td, tt).covariance, expected, rtol=1e-7, atol=1e-10)


def test_on_the_training_samples():
    dd, _, _, Y = problem()
    exact = posterior(dd, Y, dd, dd)
    np.testing.assert_allclose(exact.mean, Y, atol=1e-9)
    assert np.abs(exact.covariance).max() < 1e-12
    assert exact.notes == ()
    noisy = posterior(dd, Y, dd, dd, ridge=0.5)
    assert np.linalg.eigvalsh(noisy.covariance)[0] > -1e-12
    assert any("ridge 0.5" in note for note in noisy.notes)


def test_kernels_that_couple_outputs():
    dd, td, tt, Y = problem()
    B = np.array([[1.0, 0.4], [0.4, 0.7]])

    def couple(S):
        return np.kron(S, B).reshape(len(S), K, S.shape[1], K).transpose(0, 2, 1, 3)

    found = posterior(couple(dd), Y, couple(td), couple(tt), ridge=0.1)
    A = np.linalg.solve(np.kron(dd, B) + 0.1 * np.eye(N * K), np.kron(td, B).T).T
    np.testing.assert_allclose(found.mean, (A @ Y.ravel()).reshape(M, K), rtol=1e-9)
    expected = (np.kron(tt, B) - A @ np.kron(td, B).T).reshape(M, K, M, K).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.variance, np.einsum("iioo->io", expected), rtol=1e-8)


def test_tensors_vectors_and_a_relative_ridge():
    dd, td, _, Y = problem()
    found = posterior(torch.from_numpy(dd), torch.from_numpy(Y[:, 0]), torch.from_numpy(td), ridge=0.1, relative=True)
    expected = posterior(dd, Y[:, :1], td, ridge=0.1 * np.trace(dd) / N)
    np.testing.assert_allclose(found.mean, expected.mean)
    assert found.ridge == pytest.approx(expected.ridge)
    assert found.covariance is None


def test_an_ill_conditioned_kernel_is_said_and_a_singular_one_refused():
    theta = np.diag([1.0, 1e-10])
    found = posterior(theta, np.ones(2), theta)
    assert found.condition == pytest.approx(1e10)
    assert any("ill-conditioned (1.0e+10" in note for note in found.notes)
    with pytest.raises(NumericalError, match="give a ridge above"):
        posterior(np.ones((2, 2)), np.ones(2), np.ones((1, 2)))


def test_kernels_that_do_not_fit():
    dd, td, tt, Y = problem()
    with pytest.raises(SpecError, match="kernel_test:"):
        posterior(dd, Y, td.T)
    with pytest.raises(SpecError, match="kernel_test_test"):
        posterior(dd, Y, td, dd)
    with pytest.raises(DataError, match="samples"):
        posterior(dd, Y[:-1], td, tt)
    with pytest.raises(SpecError, match="ridge"):
        posterior(dd, Y, td, ridge=-1.0)
