"""Ensembles against networks drawn from the prior and trained one by one, and against the posterior at the end."""

import numpy as np
import pytest

from ntklab.dynamics import LinearModel, ensemble, gradient_flow
from ntklab.errors import DataError, SpecError
from ntklab.generalization import posterior

N, M = 6, 4
DRAWS = 40_000


def kernels(seed=0):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((2, N + M, 14))
    nngp, extra = A @ A.T / 14, B @ B.T / 14
    ntk = nngp + 0.5 * extra
    return {"nngp": nngp, "ntk": ntk}, rng.standard_normal((N, 1))


def parts(K):
    return K[:N, :N], K[N:, :N], K[N:, N:]


def build(Y, K, *, full=True, **settings):
    nngp, nngp_cross, nngp_test = parts(K["nngp"])
    train, cross, _ = parts(K["ntk"] if full else K["nngp"])
    priors = {"nngp": nngp, "nngp_cross": nngp_cross} if full else {}
    return ensemble(LinearModel.of(train, Y, kernel_test=cross), nngp_test=nngp_test, **priors, **settings)


@pytest.mark.parametrize("steps", [0.0, 4.0, 60.0, np.inf])
def test_moments_are_those_of_trained_draws(steps):
    K, Y = kernels()
    found = build(Y, K, rate=0.5)
    draws = np.linalg.cholesky(K["nngp"]) @ np.random.default_rng(1).standard_normal((N + M, DRAWS))
    train, cross, _ = parts(K["ntk"])
    many = LinearModel(train, cross, draws[:N], draws[N:], np.repeat(Y, DRAWS, axis=1))  # one output a network
    path = gradient_flow(many, rate=0.5).at(steps)
    for sample, gaussian in ((path.test, found.test(steps)), (path.train, found.train(steps))):
        error = np.sqrt(np.diag(gaussian.covariance).max() / DRAWS)
        np.testing.assert_allclose(sample.mean(axis=1), gaussian.mean[:, 0], atol=5 * error + 1e-9)
        scale = np.abs(gaussian.covariance).max()
        np.testing.assert_allclose(np.cov(sample), gaussian.covariance, atol=5 * scale * (2 / DRAWS) ** 0.5 + 1e-9)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_covariances_have_no_negative_directions(full, ridge):
    K, Y = kernels(3)
    found = build(Y, K, full=full, ridge=ridge)
    for steps in (0.0, 1.0, 30.0, 1e4, np.inf):
        for gaussian in (found.test(steps), found.train(steps)):
            np.testing.assert_array_equal(gaussian.covariance, gaussian.covariance.T)
            assert np.linalg.eigvalsh(gaussian.covariance)[0] > -1e-12
            assert (gaussian.deviation >= 0).all()
            assert gaussian.ridge == ridge


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_training_the_read_out_ends_in_the_posterior(ridge):
    K, Y = kernels()
    nngp, cross, test = parts(K["nngp"])
    found = build(Y, K, full=False, ridge=ridge).test(np.inf)
    expected = posterior(nngp, Y, cross, test, ridge=ridge)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-8, atol=1e-12)
    assert found.condition == pytest.approx(expected.condition)


def test_at_the_start_it_is_the_prior_and_at_the_end_train_is_met():
    K, Y = kernels()
    found = build(Y, K)
    np.testing.assert_allclose(found.test(0).covariance, K["nngp"][N:, N:])
    np.testing.assert_allclose(found.train(0).covariance, K["nngp"][:N, :N], atol=1e-12)
    np.testing.assert_allclose(found.train(np.inf).mean, Y, rtol=1e-9)
    assert not found.train(np.inf).covariance.any()


def test_without_the_prior_of_the_test_samples_there_is_no_covariance():
    K, Y = kernels()
    train, cross, _ = parts(K["nngp"])
    found = ensemble(LinearModel.of(train, Y, kernel_test=cross)).test(3.0)
    assert found.covariance is None
    with pytest.raises(DataError, match="between the test samples"):
        found.variance  # noqa: B018


def test_requests_that_do_not_fit():
    K, Y = kernels()
    train, cross, _ = parts(K["ntk"])
    model = LinearModel.of(train, Y, kernel_test=cross)
    with pytest.raises(SpecError, match="belong together"):
        ensemble(model, nngp=train)
    with pytest.raises(SpecError, match="nngp_test"):
        ensemble(model, nngp_test=train)
    with pytest.raises(SpecError, match="couples outputs"):
        ensemble(LinearModel.of(np.kron(train, np.eye(2)), np.repeat(Y, 2, axis=1)))
    with pytest.raises(SpecError, match="at least 0"):
        ensemble(model).test(-1.0)
