"""Ticks: round numbers, decades, no overlap."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntklab.gui.plots import ticks
from ntklab.gui.plots.ticks import Ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.0, 1.0, 5, ("0", "0.5", "1.0")),
        (0.0, 1.0, 6, ("0", "0.2", "0.4", "0.6", "0.8", "1.0")),
        (-1.0, 1.0, 5, ("−1.0", "−0.5", "0", "0.5", "1.0")),
        (0.0, 4e-4, 4, ("0", "2×10⁻⁴", "4×10⁻⁴")),
        (0.0, 3e6, 4, ("0", "1×10⁶", "2×10⁶", "3×10⁶")),
        (1000.0, 1000.4, 5, ("1000.0", "1000.1", "1000.2", "1000.3", "1000.4")),
    ],
)
def test_linear(low: float, high: float, most: int, labels: tuple[str, ...]) -> None:
    assert ticks.linear(low, high, most).labels == labels


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.0, 2.0, 4, ("1", "10", "100")),
        (0.0, 2.0, 8, ("1", "2", "5", "10", "20", "50", "100")),
        (-5.0, 1.0, 9, ("10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹")),
        (-12.0, 0.0, 4, ("10⁻¹⁰", "10⁻⁵", "10⁰")),
        (math.log10(20), math.log10(90), 4, ("20", "30", "50")),
        (math.log10(2), math.log10(2.5), 4, ("2.0", "2.2", "2.4")),
    ],
)
def test_log(low: float, high: float, most: int, labels: tuple[str, ...]) -> None:
    found = ticks.log(low, high, most)
    assert found.labels == labels
    assert all(low - 1e-9 <= at <= high + 1e-9 for at in (*found.at, *found.minor))


def test_log_minor_ticks_are_the_other_mantissas() -> None:
    found = ticks.log(0.0, 4.0, 9)
    assert len(found.minor) == 4 * 8
    assert found.minor[0] == pytest.approx(math.log10(2))


def test_cells_have_ticks_in_their_middle_named_by_sample() -> None:
    found = ticks.cells(0, 4, 4, 4, lambda k: str(10 * k))
    assert found == Ticks((0.5, 1.5, 2.5, 3.5), ("0", "10", "20", "30"))


@pytest.mark.parametrize("bad", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_no_range_no_ticks(bad: tuple[float, float]) -> None:
    assert ticks.linear(*bad, 5) == Ticks()
    assert ticks.log(*bad, 5) == Ticks()


@given(low=st.floats(-300, 300), span=st.floats(1e-3, 600), width=st.floats(60, 2000), letter=st.floats(4, 16))
def test_log_labels_never_overlap(low: float, span: float, width: float, letter: float) -> None:
    check_no_overlap(ticks.log, low, low + span, width, letter)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6), width=st.floats(60, 2000), letter=st.floats(4, 16))
def test_linear_labels_never_overlap(low: float, span: float, width: float, letter: float) -> None:
    check_no_overlap(ticks.linear, low, low + span, width, letter)


def check_no_overlap(make, low: float, high: float, width: float, letter: float) -> None:
    def place(at: float) -> float:
        return (at - low) / (high - low) * width

    def size(label: str) -> float:
        return letter * len(label)

    found = ticks.without_overlap(
        lambda most: make(low, high, most), most=max(2, int(width / 40)), place=place, size=size, gap=letter
    )
    right = -math.inf
    for at, label in zip(found.at, found.labels, strict=True):
        assert place(at) - size(label) / 2 >= right + letter - 1e-6
        right = place(at) + size(label) / 2
