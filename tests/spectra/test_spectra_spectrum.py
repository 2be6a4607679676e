"""The spectrum of a Gram value: events, outputs, tolerances and labels."""

import math
import subprocess
import sys

import numpy as np
import pytest

from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.progress import Forecast, Progress, drain
from ntklab.results import Gram, Provenance
from ntklab.spectra import spectrum


def gram_of(values, **provenance) -> Gram:
    return Gram(np.asarray(values), Provenance("ntk", **provenance))


def random_gram(n: int = 12, **provenance) -> Gram:
    A = np.random.default_rng(0).normal(size=(n, n))
    return gram_of(A @ A.T, **provenance)


def full_gram(n: int = 5, k: int = 3) -> Gram:
    A = np.random.default_rng(1).normal(size=(n * k, 40))
    return gram_of((A @ A.T).reshape(n, k, n, k).transpose(0, 2, 1, 3), outputs="full")


def test_a_forecast_comes_first_and_the_long_step_says_so():
    events = []
    drain(spectrum(random_gram()), events.append)
    assert isinstance(events[0], Forecast)
    assert events[0].seconds is not None
    assert events[0].peak_bytes >= 12 * 12 * 8
    assert isinstance(events[1], Progress)
    assert "cannot be cancelled" in events[1].text


def test_quantities_belong_to_the_kernel():
    gram, Y = random_gram(), np.random.default_rng(2).normal(size=(12, 2))
    found = drain(spectrum(gram, Y, momentum=0.5, ridge=2.0))
    values = np.linalg.eigvalsh(gram.values)[::-1]
    np.testing.assert_allclose(found.eigenvalues, values, rtol=1e-9, atol=1e-12)
    assert found.condition == pytest.approx(values[0] / values[-1], rel=1e-6)
    assert found.effective_dimension == pytest.approx(np.sum(values / (values + 2)))
    assert found.largest_rate == pytest.approx(1.5 * 2 * 12 / values[0])
    assert found.cumulative_power[-1] == pytest.approx(1)
    assert found.centred_alignment is not None


def test_the_default_ridge_is_the_mean_eigenvalue():
    gram = random_gram()
    found = drain(spectrum(gram))
    assert found.ridge == pytest.approx(np.trace(gram.values) / 12)
    assert found.alignment is None
    assert found.target_power.size == 0


def test_full_outputs_stack_as_sample_times_k_plus_output():
    gram = full_gram()
    n, k = 5, 3
    pairs = [(i, a) for i in range(n) for a in range(k)]
    dense = np.array([[gram.values[i, j, a, b] for j, b in pairs] for i, a in pairs])
    Y = np.random.default_rng(3).normal(size=(n, k))
    found = drain(spectrum(gram, Y, loss="torch_mse"))
    values, vectors = np.linalg.eigh(dense)
    stacked = np.array([Y[i, a] for i, a in pairs])
    np.testing.assert_allclose(found.eigenvalues, values[::-1], rtol=1e-9)
    np.testing.assert_allclose(found.target_power, ((vectors.T @ stacked) ** 2 / (stacked @ stacked))[::-1], atol=1e-12)
    assert found.largest_rate == pytest.approx(n * k / values[-1])
    T = Y @ Y.T
    assert found.alignment == pytest.approx(np.sum(gram.matrix * T) / np.linalg.norm(gram.matrix) / np.linalg.norm(T))


def test_diagonal_outputs_use_the_mean_kernel_and_say_so():
    full = full_gram()
    diagonal = gram_of(np.diagonal(full.values, axis1=2, axis2=3), outputs="diagonal")
    found = drain(spectrum(diagonal, loss="torch_mse"))
    values = np.linalg.eigvalsh(full.matrix)
    assert found.eigenvalues.shape == (5,)
    assert found.largest_rate == pytest.approx(5 * 3 / values[-1])
    assert any("mean over 3 outputs" in note for note in found.provenance.notes)


def test_a_duplicate_sample_makes_the_condition_infinite():
    X = np.random.default_rng(0).normal(size=(6, 10))
    X[5] = X[0]
    found = drain(spectrum(gram_of(X @ X.T)))
    assert found.condition == math.inf
    assert found.eigenvalues[-1] <= found.floor


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e-13), (np.float32, 1e-7)])
def test_negative_rounding_becomes_zero_with_a_note(dtype, size):
    found = drain(spectrum(gram_of(np.diag([1.0, 0.5, -size]).astype(dtype))))
    assert found.eigenvalues[-1] == 0
    assert any("set to 0" in note for note in found.provenance.notes)


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e-8), (np.float32, 1e-3)])
def test_a_negative_eigenvalue_beyond_rounding_is_an_error(dtype, size):
    with pytest.raises(NumericalError, match=r"not positive semi-definite.*float64"):
        drain(spectrum(gram_of(np.diag([1.0, 0.5, -size]).astype(dtype))))


def test_a_measured_error_widens_the_tolerance():
    gram = Gram(np.diag([1.0, -1e-4]).astype(np.float32), Provenance("ntk"), error=1e-3)
    assert drain(spectrum(gram)).eigenvalues[-1] == 0


def test_slight_asymmetry_is_labelled_and_gross_asymmetry_refused():
    K = np.eye(3)
    K[0, 1] = 1e-10
    assert any("asymmetric" in note for note in drain(spectrum(gram_of(K))).provenance.notes)
    K[0, 1] = 0.1
    with pytest.raises(NumericalError, match="asymmetric by"):
        drain(spectrum(gram_of(K)))


def test_nan_in_the_kernel_is_an_error_with_a_remedy():
    K = np.eye(3)
    K[1, 1] = np.nan
    with pytest.raises(NumericalError, match=r"NaN.*float64"):
        drain(spectrum(gram_of(K)))


@pytest.mark.parametrize("values", [np.ones((2, 3)), np.ones((2, 2))])
def test_a_kernel_between_two_sets_has_no_spectrum(values):
    with pytest.raises(NumericalError, match="without x2"):
        drain(spectrum(Gram(values, Provenance("ntk"), symmetric=False)))


@pytest.mark.parametrize("targets", [np.ones((4, 1)), np.full((12, 1), np.nan), np.ones(())])
def test_targets_that_do_not_fit_are_refused(targets):
    with pytest.raises(DataError, match="targets"):
        drain(spectrum(random_gram(), targets))


@pytest.mark.parametrize("request_", [{"loss": "hinge"}, {"ridge": -1.0}, {"ridge": math.nan}, {"momentum": 2.0}])
def test_a_bad_request_fails_before_the_long_step(request_):
    with pytest.raises(SpecError):
        next(spectrum(random_gram(), **request_))


def test_a_zero_kernel_has_a_spectrum():
    found = drain(spectrum(gram_of(np.zeros((3, 3))), np.ones((3, 1))))
    assert found.largest_rate == math.inf
    assert (found.condition, found.stable_rank, found.effective_dimension) == (math.inf, 0, 0)
    assert found.alignment is None


def test_spectra_load_neither_torch_nor_scipy():
    code = "import sys, ntklab.spectra; sys.exit(any(m in sys.modules for m in ('torch', 'scipy', 'sklearn')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
