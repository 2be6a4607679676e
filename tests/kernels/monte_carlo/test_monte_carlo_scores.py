"""Deviations from the analytic kernel: calibrated, and honest about what cannot be judged."""

import numpy as np
import pytest
from scipy.special import ndtri, stdtr

from ntklab.errors import NumericalError, SpecError
from ntklab.results import MonteCarlo, Provenance
from ntklab.results.student import normal_scores


def estimate(draws, *, dtype="float64", limit=False):
    """Of (S, n1, n2) kernels at one width."""
    mean, error = draws.mean(0), draws.std(0, ddof=1) / np.sqrt(len(draws)) if len(draws) > 1 else draws[0] * np.nan
    return MonteCarlo(
        "ntk", np.array([64]), mean[None], error[None], len(draws), Provenance("monte carlo ntk", dtype=dtype),
        limit=mean + 1 if limit else None, limit_error=error if limit else None,
        symmetric=mean.shape[0] == mean.shape[1],
    )  # fmt: skip


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 31, 400, 2000])
def test_normal_scores_have_the_probability_of_t(freedom):
    t = np.concatenate([-np.geomspace(1e-3, 30, 300), np.geomspace(1e-3, 30, 300), [0.0]])
    exact = -np.sign(t) * ndtri(stdtr(freedom, -np.abs(t)))
    np.testing.assert_allclose(normal_scores(t, freedom), exact, atol=3e-5, rtol=2e-5)


def test_normal_scores_of_what_is_no_number():
    found = normal_scores(np.array([np.nan, np.inf, -np.inf, 1e200]), 4)
    assert np.isnan(found[0])
    assert found[1:3].tolist() == [np.inf, -np.inf]
    assert np.isfinite(found[3])


@pytest.mark.parametrize("networks", [3, 5, 40])
def test_scores_of_a_true_mean_are_standard_normal(networks):
    draws = 5 + np.random.default_rng(networks).standard_normal((networks, 300, 200))
    z = estimate(draws).z_scores(np.full((300, 200), 5.0))
    assert z.rms == pytest.approx(1, abs=0.02)
    assert z.beyond == pytest.approx(z.expected, abs=0.001)  # the standard deviation is 0.0002
    assert z.expected == pytest.approx(0.0027, abs=1e-5)
    assert z.largest == np.abs(z.values).max()


def test_the_extrapolation_is_compared_where_there_is_one():
    found = estimate(np.random.default_rng(0).standard_normal((5, 3, 3)), limit=True)
    wanted = found.mean + 1
    assert found.z_scores(wanted).largest == 0
    assert found.z_scores(wanted).extrapolated
    assert found.z_scores(wanted, extrapolated=False).largest > 0
    assert estimate(np.random.default_rng(0).standard_normal((5, 3, 3))).z_scores(wanted).extrapolated is False


def test_exact_entries_are_judged_by_their_rounding():
    draws = np.broadcast_to(np.float32([[1.0, 0.3], [0.3, 2.0]]).astype(float), (4, 2, 2))
    exact = np.array([[1.0, 0.3], [0.3, 2.0]])
    assert estimate(draws, dtype="float32").z_scores(exact).largest < 0.1
    assert estimate(draws, dtype="float32").z_scores(exact + 0.01).largest > 5
    assert estimate(np.zeros((4, 2, 2))).z_scores(np.zeros((2, 2))).largest == 0


def test_each_pair_counts_once():
    K = np.ones((4, 3, 3)) + np.random.default_rng(0).standard_normal((4, 1, 1))
    assert estimate(K).z_scores(np.ones((3, 3))).distinct.size == 6


def test_refusals_say_what_to_do():
    draws = np.random.default_rng(0).standard_normal((5, 3, 3))
    with pytest.raises(SpecError, match=r"at least 3 networks.*got 2; draw more"):
        estimate(draws[:2]).z_scores(np.ones((3, 3)))
    with pytest.raises(SpecError, match="no extrapolation from 1 width"):
        estimate(draws).z_scores(np.ones((3, 3)), extrapolated=True)
    with pytest.raises(NumericalError, match="same samples"):
        estimate(draws).z_scores(np.ones((2, 2)))
