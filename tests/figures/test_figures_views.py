"""Each view draws what the result says, and says under which conventions."""

from dataclasses import replace

import fake_results as fake
import numpy as np
import pytest

from ntklab import figures
from ntklab.errors import NumericalError
from ntklab.figures import captions, norms
from ntklab.figures.inputs import layout
from ntklab.figures.model import Curves, Plane
from ntklab.results import Gram


def series(curves, name):
    (found,) = [s for s in curves.series if s.name == name]
    return found


# -- heat maps ---------------------------------------------------------------------------------------------------------


def test_kernel_is_sorted_by_class_and_remembers_the_samples():
    data = fake.classes(n=9)
    K = np.arange(81.0).reshape(9, 9)
    drawn = figures.kernel(Gram(K, fake.ntk_origin()), data)
    assert drawn.groups == ((0, 3, "a"), (3, 6, "b"), (6, 9, "c"))
    for i in (0, 4, 8):
        for j in (1, 7):
            assert drawn.values[i, j] == K[drawn.rows[i], drawn.columns[j]]
    assert (data.labels_train[drawn.rows] == np.sort(data.labels_train)).all()


def angle_in_class(data):
    centres = np.array([data.X_train[data.labels_train == c].mean(axis=0) for c in (0, 1)])
    x, y = (data.X_train - centres[data.labels_train]).T
    return 10 * data.labels_train + np.arctan2(y, x)


@pytest.mark.parametrize(
    ("data", "words", "key"),
    [
        (fake.two_circles(24), "by class, then angle", angle_in_class),
        (fake.line(9, 0), "by input x", lambda d: d.X_train[:, 0]),
        (fake.circle(), "by angle", lambda d: np.arctan2(d.X_train[:, 1], d.X_train[:, 0])),
        (fake.classes(), "by class, then PC 1", lambda d: 100 * d.labels_train + layout(d).train[:, 0]),
        (
            fake.data(np.diag(np.arange(5.0)), np.eye(5)[:, :1], np.empty((0, 5)), np.empty((0, 1))),
            "by PC 1",
            lambda d: layout(d).train[:, 0],
        ),
    ],
)
def test_neighbours_in_a_kernel_are_alike(data, words, key):
    drawn = figures.kernel(fake.gram(data), data)
    assert drawn.x.title == f"sample j ({words})"
    assert (np.diff(key(data)[drawn.rows]) >= 0).all()


def test_kernel_between_other_samples_keeps_its_order():
    data = fake.classes(n=9)
    K = np.arange(12.0).reshape(3, 4)
    drawn = figures.kernel(K, data)
    np.testing.assert_array_equal(drawn.values, K)
    assert drawn.rows is None
    assert drawn.groups == ()


def test_kernel_caption_states_the_conventions():
    data = fake.classes(k=3)
    gram = fake.gram(data, drawn=True)
    spectrum = replace(fake.spectrum(gram, data), condition=3.14e5)
    caption = figures.kernel(gram, data, spectrum=spectrum).caption
    assert caption == "n = 30 · κ = 3.1×10⁵ · NTK parameterisation · mean over 3 outputs · seed 7 · float32"


def test_faults_of_a_kernel_are_said():
    data = fake.two_circles()
    gram = fake.gram(data)
    bad, skew = gram.values.copy(), gram.values.copy()
    bad[0, 1], skew[0, 1] = np.nan, 5
    assert "1 entry NaN or infinite" in figures.kernel(Gram(bad, gram.provenance), data).caption
    assert "asymmetric by" in figures.kernel(Gram(skew, gram.provenance), data).caption


def test_difference_is_symmetric_about_zero_and_signed():
    data = fake.two_circles()
    a, b = fake.gram(data, drawn=True), fake.gram(data)
    drawn = figures.difference(a, b, data)
    i, j = drawn.rows[2], drawn.columns[5]
    assert drawn.values[2, 5] == a.values[i, j].astype(float) - b.values[i, j]
    assert drawn.norm.low == -drawn.norm.high
    assert drawn.colours == "diverging"
    assert drawn.title == "Empirical − Analytic"
    assert captions.number(np.linalg.norm(a.values - b.values) / np.linalg.norm(b.values)) in drawn.caption


def test_difference_of_unlike_kernels_is_refused():
    data = fake.two_circles()
    with pytest.raises(NumericalError, match="same samples"):
        figures.difference(fake.gram(data), fake.gram(fake.two_circles(8)), data)


# -- norms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.linspace(0, 1, 1000), 0, 1),
        (np.append(np.linspace(0, 1, 1000), 500.0), -np.inf, 2),
        ([np.nan, 1.0, 3.0, np.inf], 1, 3),
        ([2.0, 2.0], 1, 3),
        ([0.0], -1, 1),
        ([np.nan], 0, 1),
    ],
)
def test_robust_norm(values, low, high):
    norm = norms.robust(np.asarray(values))
    assert low <= norm.low < norm.high <= high


def test_norm_of_many_values_keeps_the_extremes():
    values = np.zeros(3 << 20, np.float32)
    values[::3], values[1] = 1.0, 1.2
    norm = norms.robust(values)
    assert (norm.low, norm.high) == (0.0, pytest.approx(1.2))


@pytest.mark.parametrize(("values", "high"), [([-3.0, 1.0], 3), ([0.0, 0.0], 1), ([np.nan], 1)])
def test_symmetric_norm(values, high):
    norm = norms.symmetric(np.asarray(values))
    assert (norm.low, norm.high) == (-high, high)


def test_clipping_is_known():
    values = np.append(np.linspace(0, 1, 1000), 500.0)
    assert norms.clipped(values, norms.robust(values)) == (False, True)
    assert norms.clipped(values[:-1], norms.robust(values[:-1])) == (False, False)


# -- spectra -----------------------------------------------------------------------------------------------------------


def spectra(values, floor):
    data = fake.line(len(values), 0)
    made = fake.spectrum(fake.gram(data, drawn=True), data)
    return replace(made, eigenvalues=np.array(values), floor=floor)


def test_eigenvalues_below_the_floor_are_counted_not_drawn():
    drawn = figures.spectrum(spectra([4.0, 1.0, 1e-9, -1e-9], 1e-6), None)
    (points,) = drawn.series
    np.testing.assert_array_equal(points.y, [4.0, 1.0, np.nan, np.nan])
    np.testing.assert_array_equal(points.x, [1, 2, 3, 4])
    assert "2 below the precision floor not drawn (1 negative)" in drawn.caption
    (shade,) = drawn.shades
    assert shade.high == 1e-6
    assert drawn.y.limits[0] < 1e-6


def test_a_distant_floor_is_not_drawn():
    drawn = figures.spectrum(spectra([4.0, 1.0, 0.5], 1e-12), None)
    assert drawn.shades == ()
    assert "below" not in drawn.caption
    assert drawn.y.limits == (0.25, 8.0)


def test_empirical_dots_lie_on_the_analytic_line():
    data = fake.two_circles()
    run = fake.run(data)
    drawn = figures.spectrum(run.empirical_spectrum, run.ntk_spectrum)
    assert [(s.role, s.mark) for s in drawn.series] == [("analytic", "line"), ("empirical", "dots")]
    assert (drawn.x.scale, drawn.y.scale) == ("log", "log")
    assert drawn.caption.startswith("N = 16 · analytic: κ = 2×10⁹, float64 · empirical: ")
    assert drawn.caption.endswith(" · NTK parameterisation")


def test_nothing_to_draw_is_an_empty_figure():
    assert figures.spectrum(None, None).series == ()
    data = fake.two_circles()
    without = replace(fake.run(data).ntk_spectrum, target_power=np.empty(0))
    assert figures.power(None, without).series == ()


def test_cumulative_power_ends_at_one():
    data = fake.two_circles()
    (line,) = figures.power(None, fake.run(data).ntk_spectrum).series
    assert line.y[-1] == pytest.approx(1)
    assert (np.diff(line.y) >= 0).all()


# -- dynamics ----------------------------------------------------------------------------------------------------------


def test_losses_of_three_runs_and_two_splits():
    drawn = figures.losses(fake.trajectory(fake.two_circles()))
    assert {(s.role, s.weight < 1) for s in drawn.series} == {
        (role, test) for role in ("network", "linearised", "infinite") for test in (False, True)
    }
    assert drawn.y.title == "loss (1/(2N)·Σ(f−y)²)"
    assert drawn.caption == "η = 0.5 = 0.5 × critical · NTK parameterisation · seed 7 · float64"
    assert [s.legend for s in drawn.series if s.legend] == ["network", "linearised", "infinite width", "thin: test"]


def test_losses_against_time():
    trajectory = fake.trajectory(fake.two_circles())
    drawn = figures.losses(trajectory, clock="rate")
    np.testing.assert_allclose(drawn.series[0].x, trajectory.steps * 0.5)
    assert drawn.x.title == "time ηt (learning rate × step)"


def test_a_diverged_loss_is_said_and_not_drawn():
    trajectory = fake.trajectory(fake.two_circles())
    loss = trajectory.train_loss.copy()
    loss[0, 30:], loss[1, 3] = np.inf, 0.0
    drawn = figures.losses(replace(trajectory, train_loss=loss, stopped="the loss is infinite"))
    assert np.isnan(series(drawn, "network, train").y[30:]).all()
    assert np.isnan(series(drawn, "linearised, train").y[3])
    assert "11 losses NaN or infinite" in drawn.caption
    assert "stopped: the loss is infinite" in drawn.caption


def test_without_test_samples_there_are_no_test_curves():
    trajectory = fake.trajectory(fake.two_circles())
    drawn = figures.losses(replace(trajectory, test_loss=np.full_like(trajectory.test_loss, np.nan)))
    assert len(drawn.series) == 3


def test_drift_and_alignment():
    trajectory = fake.trajectory(fake.two_circles())
    np.testing.assert_array_equal(figures.drift(trajectory).series[0].y, trajectory.drift)
    np.testing.assert_array_equal(figures.alignment(trajectory).series[0].y, trajectory.alignment)


def test_outputs_show_the_samples_own_class_and_its_target():
    data = fake.classes(k=3)
    trajectory = fake.trajectory(data)
    drawn = figures.outputs(trajectory, data)
    np.testing.assert_array_equal(series(drawn, "network").y, trajectory.outputs[0, :, 0, 0])
    np.testing.assert_array_equal(series(drawn, "network, sample 1").y, trajectory.outputs[0, :, 1, 1])
    assert [rule.label for rule in drawn.rules] == ["target 0.667"]
    assert figures.outputs(trajectory).rules == ()


# -- functions ---------------------------------------------------------------------------------------------------------


def test_function_of_one_input():
    data = fake.line(12, 40)
    trajectory = fake.trajectory(data)
    drawn = figures.function(data, trajectory)
    assert isinstance(drawn, Curves)
    network = series(drawn, "network")
    assert (np.diff(network.x) >= 0).all()
    assert len(network.x) == 52
    at = np.searchsorted(network.x, data.X_train[3, 0])
    assert network.y[at] == trajectory.train_outputs[0, 3, 0]
    np.testing.assert_array_equal(series(drawn, "training samples").x, data.X_train[:, 0])
    assert "after step 400" in drawn.caption


def test_function_on_a_circle_is_drawn_by_angle():
    drawn = figures.function(fake.circle(), None)
    assert isinstance(drawn, Curves)
    assert drawn.x.title == "angle (degrees)"
    target = series(drawn, "target")
    np.testing.assert_allclose(target.y, np.cos(np.deg2rad(target.x)), atol=1e-12)


def test_plane_before_training_shows_classes():
    drawn = figures.function(fake.two_circles(), None)
    assert isinstance(drawn, Plane)
    assert {p.name for p in drawn.points if p.in_legend} == {"outer", "inner"}
    assert all(p.values is None and not p.hollow for p in drawn.points)
    assert drawn.norm is None


def test_misclassified_samples_are_hollow_and_counted():
    data = fake.two_circles()
    trajectory = fake.trajectory(data)
    outputs = data.Y_train[None].repeat(3, 0).copy()
    outputs[0, [2, 5]] *= -1
    drawn = figures.function(data, replace(trajectory, train_outputs=outputs))
    hollow = [p for p in drawn.points if p.hollow]
    assert sorted(np.concatenate([p.samples for p in hollow])) == [2, 5]
    assert "wrong: 2 of 16 train, 0 of 8 test" in drawn.caption
    coloured = {
        int(i): v for p in drawn.points if p.samples is not None for i, v in zip(p.samples, p.values, strict=True)
    }
    assert coloured == {i: outputs[0, i, 0] for i in range(16)}


def test_many_classes_are_coloured_by_class():
    data = fake.classes(k=4, d=6)
    outputs = data.Y_train[None].repeat(3, 0).copy()
    outputs[0, 0] = -outputs[0, 0]
    drawn = figures.function(data, replace(fake.trajectory(data), train_outputs=outputs))
    assert [p.samples.tolist() for p in drawn.points if p.hollow] == [[0]]
    assert all(p.values is None for p in drawn.points)
    assert drawn.x.label == "PC 1"


def test_principal_plane_is_that_of_largest_variance():
    data = fake.classes(d=6)
    drawn = figures.function(data, None)
    at = np.concatenate([np.stack([p.x, p.y], 1) for p in drawn.points if p.samples is not None])
    covariance = np.cov(data.X_train.T)
    values = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(at.var(axis=0, ddof=1), values[:2], rtol=1e-10)
    assert captions.number(100 * values[0] / values.sum(), 2) in drawn.x.unit


def test_test_samples_on_a_grid_become_a_field():
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 4))
    X_test = np.stack([x.ravel(), y.ravel()], 1)
    X = np.random.default_rng(0).normal(size=(6, 2))
    data = fake.data(X, X[:, :1], X_test, X_test[:, 1:])
    drawn = figures.function(data, None)
    assert drawn.field_values.shape == (4, 5)
    np.testing.assert_allclose(drawn.field_values[:, 0], [1, 1 / 3, -1 / 3, -1])
    assert drawn.extent == pytest.approx((-1.25, 1.25, -4 / 3, 4 / 3))


def test_eigenfunctions_have_mean_square_one_and_a_fixed_sign():
    data = fake.line(30, 0)
    spectrum = fake.run(data).ntk_spectrum
    for mode in range(5):
        (drawn,) = figures.eigenfunction(data, spectrum, mode).series
        assert np.mean(drawn.y**2) == pytest.approx(1)
        assert drawn.y[np.abs(drawn.y).argmax()] > 0
        flipped = replace(spectrum, eigenvectors=-spectrum.eigenvectors)
        np.testing.assert_array_equal(figures.eigenfunction(data, flipped, mode).series[0].y, drawn.y)


def test_degenerate_modes_are_said_to_be_so():
    data = fake.circle()
    spectrum = fake.run(data).ntk_spectrum
    assert "shares its eigenvalue with 1 mode" in figures.eigenfunction(data, spectrum, 1).caption
    assert "shares" not in figures.eigenfunction(data, spectrum, 0).caption


def test_eigenfunction_in_the_plane_is_coloured_by_value():
    data = fake.two_circles()
    drawn = figures.eigenfunction(data, fake.run(data).ntk_spectrum, 1)
    (points,) = drawn.points
    assert points.values.shape == (16,)
    assert drawn.norm.low == -drawn.norm.high


@pytest.mark.parametrize("mode", [-1, 16])
def test_modes_that_do_not_exist(mode):
    data = fake.two_circles()
    with pytest.raises(NumericalError, match="modes are 1 to 16"):
        figures.eigenfunction(data, fake.run(data).ntk_spectrum, mode)


def test_eigenfunction_of_other_samples():
    data = fake.two_circles()
    with pytest.raises(NumericalError, match="compute the kernels again"):
        figures.eigenfunction(fake.two_circles(15), fake.run(data).ntk_spectrum, 0)


# -- widths ------------------------------------------------------------------------------------------------------------


def test_convergence_shows_fit_and_theory():
    found = fake.widths()
    drawn = figures.convergence(found)
    points, fit, theory = drawn.series
    np.testing.assert_allclose(points.y, np.sqrt((found.errors**2).mean(axis=1)))
    np.testing.assert_array_equal(points.high, found.errors.max(axis=1))
    slope = np.polyfit(np.log(theory.x), np.log(theory.y), 1)[0]
    assert slope == pytest.approx(-0.5)
    assert np.polyfit(np.log(fit.x), np.log(fit.y), 1)[0] == pytest.approx(-0.51)
    assert "slope −0.51 ± 0.02" in drawn.caption


def test_convergence_of_one_width_and_one_seed():
    found = replace(fake.widths(), widths=np.array([64]), errors=np.array([[0.1]]), slope=None, slope_error=None)
    (points,) = figures.convergence(found).series
    assert (points.x.tolist(), points.y.tolist(), points.low) == ([64.0], [0.1], None)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0123456, "0.0123"), (-1.5, "−1.5"), (418.2, "418"), (3.14e5, "3.14×10⁵"), (1e-7, "10⁻⁷"),
     (100, "100"), (np.inf, "∞"), (-np.inf, "−∞"), (np.nan, "NaN"), (99999, "99999"), (2e-4, "2×10⁻⁴")],
)  # fmt: skip
def test_numbers_for_readers(value, text):
    assert captions.number(value) == text
