"""Figures of the phase: what they mark, what they leave out, and what their captions own up to."""

from dataclasses import replace

import numpy as np
import pytest

from ntklab import experiments, figures, spec
from ntklab.progress import drain
from ntklab.spec import activations as acts


def phase(activation, *, W_std, b_std, layers=()):
    hidden = 3 * (spec.Dense(40, W_std=W_std, b_std=b_std), activation)
    net = spec.Architecture(input=spec.Input("vector", (5,)), layers=(*hidden, *layers, spec.Dense(1)))
    return drain(experiments.phase_of(net))


@pytest.fixture(scope="module")
def erf():
    return phase(acts.Erf(), W_std=1.6, b_std=0.3)


def named(figure):
    return {line.name: line for line in (*getattr(figure, "lines", ()), *getattr(figure, "series", ()))}


def test_the_diagram_marks_the_network_and_the_critical_line(erf):
    figure = figures.phase_diagram(erf)
    (point,) = figure.points
    assert (point.x, point.y) == ([1.6], [0.3])
    x0, x1, y0, y1 = figure.extent
    assert (x0, y0) == (0, 0)
    rows, columns = figure.field_values.shape
    at = int((y1 - 0.3) / y1 * rows), int(1.6 / x1 * columns)
    assert figure.field_values[at] == pytest.approx(erf.here.chi1, rel=0.05)
    assert figure.field_values[-1, -1] > 1 > figure.field_values[0, 0]  # wide weights, small biases: below right
    assert figure.norm.low == pytest.approx(1 / figure.norm.high)
    line = named(figure)["critical, χ₁ = 1"]
    assert np.interp(0.3, line.y, line.x) == pytest.approx(erf.W_std[erf.names.index("critical")], rel=1e-3)
    assert "variance diverges" not in named(figure)
    assert figure.caption.startswith("chaotic · χ₁ = 1.2")
    assert "depth/width Σ1/n = 0.075: variances differ by ±" in figure.caption


def test_a_point_on_the_lower_edge_is_whole():
    figure = figures.phase_diagram(phase(acts.Relu(), W_std=1.2, b_std=None))
    assert figure.y.limits[0] < 0
    assert figures.phase_diagram(phase(acts.Relu(), W_std=1.2, b_std=0.5)).y.limits[0] == 0


def test_where_the_variance_diverges_on_another_line_it_is_drawn():
    assert "variance diverges" not in named(figures.phase_diagram(phase(acts.Relu(), W_std=1.2, b_std=0.1)))
    gelu = named(figures.phase_diagram(phase(acts.Gelu(), W_std=1.2, b_std=0.1)))
    assert set(gelu) == {"critical, χ₁ = 1", "variance diverges"}
    explosive = figures.phase_diagram(phase(acts.Exp(), W_std=0.3, b_std=0.1))
    assert set(named(explosive)) == {"variance diverges"}
    assert "grey: χ₁ grows for ever" in explosive.caption
    assert not np.isinf(explosive.field_values).any()


def test_the_map_meets_the_diagonal_at_c_star(erf):
    figure = figures.correlation_map(erf)
    dot = named(figure)["fixed point c*"]
    assert dot.x == dot.y == [pytest.approx(erf.here.correlation)]
    own = named(figure)["this network"]
    assert np.interp(dot.x[0], own.x, own.y) == pytest.approx(dot.y[0], abs=1e-4)
    steps = named(figure)["layer by layer"]
    assert steps.x[-1] == pytest.approx(erf.here.correlation, abs=0.05)
    assert (steps.y[1::2][:3] > steps.y[:-1:2][:3]).all()


def test_diagonals_are_those_of_the_profiles_and_dots_those_of_the_layers(erf):
    figure = figures.depth_diagonals(erf)
    lines = named(figure)
    np.testing.assert_array_equal(lines["K(x, x), this network"].y, erf.variance_profile[0])
    np.testing.assert_array_equal(lines["Θ(x, x), this network"].y, erf.tangent_profile[0])
    np.testing.assert_array_equal(lines["Θ(x, x), its own layers"].y, erf.layer_tangent)
    assert lines["K(x, x), its own layers"].mark == "dots"
    assert figure.series[-3].name == "Θ(x, x), this network"  # drawn over the others
    assert [series.legend for series in figure.series if series.legend][-1] == "this network"
    low, high = figure.y.limits
    assert low < erf.variance_profile[0].min() < erf.tangent_profile[0].max() < high


def test_limits_of_diagonals_follow_the_network_rather_than_what_explodes():
    found = phase(acts.Relu(), W_std=1.4, b_std=0.3)
    assert np.nanmax(found.tangent_profile) > 1e8
    assert figures.depth_diagonals(found).y.limits[1] < 1e6


def test_correlation_against_depth_ends_at_its_rule(erf):
    figure = figures.depth_correlation(erf)
    (rule,) = figure.rules
    assert rule.at == erf.here.correlation
    assert named(figure)["this network"].y[-1] == pytest.approx(rule.at, abs=0.02)
    ordered = figures.depth_correlation(phase(acts.Erf(), W_std=0.6, b_std=0.3))
    assert ordered.rules == ()


def test_captions_own_up_to_what_a_plain_stack_leaves_out(erf):
    block = spec.Branch(branches=((acts.Erf(), spec.Dense(40)), ()))
    mixed = phase(acts.Gelu(), W_std=1.3, b_std=0.2, layers=(spec.Dense(40), block, acts.Erf()))
    caption = figures.phase_diagram(mixed).caption
    assert "GELU, W_std 1.3, b_std 0.2 (3 of 5 activations)" in caption
    assert "as a plain stack, without its branches" in caption
    assert "depth/width" not in caption
    lost = replace(erf, layers=(), layer_variance=np.empty(0), layer_tangent=np.empty(0), layer_correlation=np.empty(0),
                   provenance=replace(erf.provenance, notes=("not along its own layers: no rule",)))  # fmt: skip
    assert "no rule" in figures.depth_diagonals(lost).caption
    assert "its own layers" not in " ".join(named(figures.depth_correlation(lost)))


def test_sign_says_that_no_gradient_passes():
    found = phase(acts.Sign(), W_std=1.3, b_std=0.1)
    figure = figures.phase_diagram(found)
    assert np.isnan(figure.field_values).all()
    assert "no gradient passes" in figure.caption
    assert "e-fold" not in figure.caption
