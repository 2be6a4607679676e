"""Estimates, their errors and their deviations, as figures that say what they rest on."""

from dataclasses import replace

import fake_results as fake
import numpy as np
import pytest

from ntklab import figures
from ntklab.figures.order import sample_order
from ntklab.figures.views import Scene, find
from ntklab.results import agreement

DATA = fake.classes()
NTK, NNGP = fake.gram(DATA), fake.gram(DATA, origin=fake.ntk_origin("nngp"))
FOUND = fake.estimate(NTK)
CHOICES = ("mc-mean", "mc-error", "mc-z", "mc-histogram")


def test_maps_show_the_widest_networks_in_the_order_of_the_samples():
    at = np.ix_(sample_order(DATA).positions, sample_order(DATA).positions)
    for figure, values in (
        (figures.monte_carlo_mean(FOUND, DATA), FOUND.mean),
        (figures.monte_carlo_error(FOUND, DATA), FOUND.standard_error),
        (figures.z_scores(FOUND, NTK, DATA), FOUND.z_scores(NTK).values),
    ):
        np.testing.assert_array_equal(figure.values, values[at])
        assert "12 networks each at widths 64, 128, 256" in figure.caption
        assert "NTK parameterisation" in figure.caption


def test_captions_state_precision_bias_and_verdict():
    z = FOUND.z_scores(NTK)
    mean, scores = figures.monte_carlo_mean(FOUND, DATA), figures.z_scores(FOUND, NTK, DATA)
    assert mean.caption.startswith(f"± {100 * FOUND.relative_error:.1f} %"[:4])
    assert "shown: width 256, biased by O(1/n)" in mean.caption
    assert scores.caption.startswith(f"rms z = {z.rms:.2g}")
    assert "(0.27 % expected) · extrapolated to width ∞" in scores.caption
    two = fake.estimate(NTK, widths=2)
    assert "bias of order 1/width counts as deviation" in figures.z_scores(two, NTK, DATA).caption


def test_z_scores_are_drawn_about_0_and_no_narrower_than_3():
    scores = figures.z_scores(FOUND, fake.gram(DATA), DATA)
    assert scores.colours == "diverging"
    assert scores.norm.kind == "symmetric"
    assert scores.norm.high >= 3
    assert scores.norm.low == -scores.norm.high


def test_the_histogram_holds_every_entry_once_beside_the_normal_curve():
    nngp = fake.estimate(NNGP, kind="nngp", seed=1)
    histogram = figures.z_histogram(FOUND, NTK, nngp=NNGP, monte_carlo_nngp=nngp)
    ntk, other, normal = histogram.series
    assert [series.name for series in histogram.series] == ["NTK", "NNGP kernel", "N(0, 1)"]
    for series in (ntk, other):
        area = np.sum(series.y[::2] * np.diff(series.x)[::2])
        assert area == pytest.approx(1)
    assert normal.y.max() == pytest.approx(1 / np.sqrt(2 * np.pi))
    assert len(figures.z_histogram(FOUND, NTK).series) == 2
    far = figures.z_histogram(FOUND, replace(NTK, values=NTK.values + 5))
    assert far.x.limits == (-10, 10)
    assert far.series[0].y[0] > 0  # what lies beyond counts in the last bins


@pytest.mark.parametrize(("networks", "drawn"), [(1, {"mc-mean"}), (2, {"mc-mean", "mc-error"}), (3, set(CHOICES))])
def test_views_show_what_so_many_networks_allow(networks, drawn):
    scene = Scene(data=DATA, ntk=NTK, monte_carlo=fake.estimate(NTK, networks=networks))
    assert {choice for choice in CHOICES if find("kernel", choice).figure(scene) is not None} == drawn


def test_without_an_analytic_kernel_there_are_estimates_alone():
    scene = Scene(data=DATA, monte_carlo=FOUND)
    assert find("kernel", "mc-mean").figure(scene) is not None
    assert find("kernel", "mc-z").figure(scene) is None
    assert agreement(FOUND, fake.gram(fake.classes(n=6))) is None
