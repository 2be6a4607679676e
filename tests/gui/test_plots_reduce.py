"""Long curves keep their extremes, ranges ignore what cannot be drawn, colours keep the order of values."""

import numpy as np
import pytest

from ntklab.figures.model import Norm
from ntklab.gui.plots import norm, reduce, text


def test_thinned_keeps_least_and_greatest_of_every_pixel() -> None:
    x = np.arange(100_000.0)
    y = np.zeros_like(x)
    y[54_321], y[54_322] = 7.0, -3.0
    xs, ys = reduce.thinned(x, y, 0.0, 1e5, 300)
    assert xs.size <= 2 * 301
    assert (ys.max(), ys.min()) == (7.0, -3.0)
    assert np.all(np.diff(xs) >= 0)


def test_thinned_leaves_short_and_backward_curves_alone() -> None:
    x, y = np.arange(50.0), np.arange(50.0)
    assert reduce.thinned(x, y, 0, 50, 300)[0] is x
    back = np.linspace(1.0, 0.0, 10_000)
    assert reduce.thinned(back, back, 0, 1, 100)[0] is back


def test_thinned_zoomed_in_gives_all_points_in_view_and_one_beyond() -> None:
    x = np.arange(100_000.0)
    xs, _ = reduce.thinned(x, x, 500.0, 600.0, 300)
    assert (xs[0], xs[-1]) == (499.0, 601.0)


def test_thinned_leaves_gaps_where_all_is_nan() -> None:
    x = np.arange(10_000.0)
    y = np.where((x > 3000) & (x < 6000), np.nan, 1.0)
    xs, ys = reduce.thinned(x, y, 0, 10_000, 100)
    assert np.isnan(ys[(xs > 3200) & (xs < 5800)]).all()
    assert np.isfinite(ys[xs < 2900]).all()


def test_transformed_has_no_place_for_zero_on_a_log_axis() -> None:
    found = reduce.transformed(np.array([100.0, 0.0, -1.0, np.inf]), log=True)
    assert found[0] == 2.0
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize(
    ("found", "expected"),
    [(None, (0.0, 1.0)), ((0.0, 10.0), (-1.0, 11.0)), ((3.0, 3.0), (2.7, 3.3)), ((0.0, 0.0), (-0.5, 0.5))],
)
def test_padded(found: tuple[float, float] | None, expected: tuple[float, float]) -> None:
    assert reduce.padded(found, 0.1) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quantise_runs_from_low_to_high_and_keeps_0_for_nan(dtype: type) -> None:
    values = np.array([[-5.0, 0.0, 0.5], [1.0, 9.0, np.nan]], dtype=dtype)
    assert norm.quantise(values, Norm("linear", 0.0, 1.0)).tolist() == [[1, 1, 128], [255, 255, 0]]


def test_quantise_symmetric_puts_zero_in_the_middle() -> None:
    assert norm.quantise(np.array([-2.0, 0.0, 2.0]), Norm("symmetric", -2.0, 2.0)).tolist() == [1, 128, 255]


def test_quantise_log_is_even_in_decades_and_refuses_what_is_not_positive() -> None:
    values = np.array([1e-2, 1e-1, 1.0, 0.0, -1.0])
    assert norm.quantise(values, Norm("log", 1e-2, 1.0)).tolist() == [1, 128, 255, 0, 0]


def test_quantise_tells_values_apart_far_from_zero() -> None:
    values = np.linspace(1000.0, 1000.1, 255)
    assert np.unique(norm.quantise(values, Norm("linear", 1000.0, 1000.1))).size > 250


def test_subscripts_belong_to_lone_letters() -> None:
    assert text.pieces("Θ_emp(i, j)") == [("Θ", False), ("emp", True), ("(i, j)", False)]
    assert text.pieces("class_0") == [("class_0", False)]


def test_legend_columns_are_even() -> None:
    assert text.wrap([100.0] * 6, 520.0) == [[0, 1, 2, 3, 4], [5]]
    rows = text.columns([100.0] * 6, 520.0, 2)
    assert [[index for index, _ in row] for row in rows] == [[0, 1, 2], [3, 4, 5]]
    assert [x for _, x in rows[1]] == [0.0, 100.0, 200.0]


def test_legend_columns_that_do_not_fit_are_given_up() -> None:
    rows = text.columns([300.0, 50.0, 50.0, 300.0], 400.0, 2)
    assert [[index for index, _ in row] for row in rows] == [[0, 1, 2], [3]]
    assert [x for _, x in rows[0]] == [0.0, 300.0, 350.0]
