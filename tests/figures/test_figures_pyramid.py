"""The image pyramid equals block means, edge blocks and NaN included, however it is filled."""

import numpy as np
import pytest

from ntklab.figures import pyramid

SHAPES = [(1, 1), (2, 2), (5, 7), (8, 8), (33, 64), (600, 513), (1, 9)]


def block_means(values):
    """Means of 2×2 blocks, the slow way."""
    h, w = values.shape
    return np.array([[values[i : i + 2, j : j + 2].mean() for j in range(0, w, 2)] for i in range(0, h, 2)])


def check(built):
    for finer, coarser in zip(built.levels, built.levels[1:], strict=False):
        np.testing.assert_allclose(coarser, block_means(finer.astype(np.float64)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_levels_are_block_means(shape):
    values = np.random.default_rng(0).normal(size=shape)
    built = pyramid.build(values, smallest=2)
    check(built)
    assert built.shape == shape
    assert max(built.levels[-1].shape) <= 2


def test_nan_spreads_to_every_level():
    values = np.ones((37, 50), np.float32)
    values[20, 31] = np.nan
    built = pyramid.build(values, smallest=1)
    assert [int(np.isnan(level).sum()) for level in built.levels] == [1] * len(built.levels)


@pytest.mark.parametrize("shape", [(64, 64), (61, 45)])
def test_pasting_tiles_gives_the_same_as_building(shape):
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    grown = pyramid.empty(shape, smallest=4)
    assert all(np.isnan(level).all() for level in grown.levels)
    for i in range(0, shape[0], 13):
        for j in range(0, shape[1], 7):
            rows, columns = (i, min(i + 13, shape[0])), (j, min(j + 7, shape[1]))
            grown.paste(rows, columns, values[slice(*rows), slice(*columns)])
    whole = pyramid.build(values, smallest=4)
    for a, b in zip(grown.levels, whole.levels, strict=True):
        np.testing.assert_array_equal(a, b)


def test_pasting_scattered_positions():
    values = np.zeros((40, 40), np.float32)
    grown = pyramid.build(values.copy(), smallest=4)
    rows, columns = np.array([3, 38, 11]), np.array([0, 21])
    new = np.arange(6, dtype=np.float32).reshape(3, 2)
    values[np.ix_(rows, columns)] = new
    grown.paste(rows, columns, new)
    np.testing.assert_array_equal(grown.levels[0], values)
    check(grown)
    grown.paste(np.array([], dtype=int), columns, np.empty((0, 2)))
    np.testing.assert_array_equal(grown.levels[0], values)


@pytest.mark.parametrize(("spread", "level"), [(0.2, 0), (1.0, 0), (1.9, 0), (2.0, 1), (5.0, 2), (1e6, 3)])
def test_level_for_a_zoom(spread, level):
    assert pyramid.build(np.zeros((64, 64)), smallest=8).level_for(spread) == level
