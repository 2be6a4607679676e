"""A kernel on disk at every size is the pyramid of the whole, once its pieces are read, and never all of it at once."""

import numpy as np
import pytest
from store_tools import kernel, start, stored

from ntklab import figures
from ntklab.figures.pyramid import build
from ntklab.figures.zoom import PIECE, StoredPyramid, overall
from ntklab.results import Gram
from ntklab.store import open_kernel


@pytest.fixture(scope="module", params=[(2600, None, 300), (1500, 2200, 512), (700, None, 256)])
def pair(request, tmp_path_factory):
    """A matrix and its kernel on disk; the overview halves it twice, twice, and not at all."""
    n1, n2, edge = request.param
    values = kernel(n1, n2)
    folder = tmp_path_factory.mktemp("zoom")
    return values, stored(folder, values, edge=edge, symmetric=n2 is None)


def settled(pyramid, level, rows, columns):
    """The part once nothing is waited for."""
    pyramid.part(level, rows, columns)
    while pyramid.load():
        pass
    return pyramid.part(level, rows, columns)


def test_every_level_is_that_of_the_whole(pair):
    values, gram = pair
    whole, disk = build(values), StoredPyramid(gram.values)
    assert disk.shape == values.shape
    assert disk.level_for(1e9) >= len(whole.levels) - 2
    for level in range(len(whole.levels)):
        h, w = whole.size(level)
        assert disk.size(level) == (h, w)
        for rows, columns in (((0, h), (0, w)), ((h // 3, h // 2 + 1), (w // 5, w - 1))):
            found = settled(disk, level, rows, columns)
            np.testing.assert_allclose(found[:-1, :-1], whole.part(level, rows, columns)[:-1, :-1], atol=1e-5)
            assert not disk.waiting


def test_something_is_there_at_once(pair):
    values, gram = pair
    pyramid = StoredPyramid(gram.values)
    small, step = gram.values.overview, gram.values.overview_step
    found = pyramid.part(0, (10, 500), (100, 600))
    np.testing.assert_array_equal(found, small.repeat(step, 0).repeat(step, 1)[10:500, 100:600])
    assert pyramid.waiting == (step > 1)
    if step > 1:
        assert pyramid.load()
        assert pyramid.take_news()
        assert not pyramid.take_news()
        assert (pyramid.part(0, (10, 500), (100, 600)) == values[10:500, 100:600]).any(axis=0).sum() > 50


def test_what_is_out_of_sight_is_forgotten(pair):
    values, gram = pair
    if gram.values.overview_step == 1:
        pytest.skip("the overview is all there is")
    pyramid = StoredPyramid(gram.values, room=3 * 4 * PIECE**2)
    for first in range(0, 1500 - 400, 100):
        settled(pyramid, 0, (first, first + 400), (first, first + 400))
        held = sum(image.nbytes for image in pyramid._pieces.values())
        assert held <= 4 * 4 * PIECE**2 + 4 * 3 * PIECE**2
    np.testing.assert_array_equal(pyramid.part(0, (1000, 1400), (1000, 1400)), values[1000:1400, 1000:1400])


def test_only_the_latest_view_is_read(pair):
    _, gram = pair
    if gram.values.overview_step == 1:
        pytest.skip("the overview is all there is")
    pyramid = StoredPyramid(gram.values)
    pyramid.part(0, (0, 1500), (0, 1500))
    pyramid.part(0, (0, 10), (0, 10))
    assert pyramid.load()
    assert not pyramid.load()
    pyramid.part(2, (0, 2), (0, 2))
    assert not pyramid.waiting


def test_damaged_tiles_are_not_numbers_and_named(tmp_path):
    values = kernel(1100)
    stored(tmp_path, values, edge=100)
    (tmp_path / "kernel" / "c.0.1").write_bytes(b"")
    pyramid = StoredPyramid(open_kernel(tmp_path).values)
    found = settled(pyramid, 0, (0, 1100), (0, 1100))
    assert np.isnan(found[:PIECE, :PIECE]).all()
    np.testing.assert_array_equal(found[PIECE:, PIECE:], values[PIECE:, PIECE:])
    assert "c.0.1" in pyramid.trouble


def test_the_figure_of_a_stored_kernel(tmp_path):
    values = kernel(1500, outputs="full")
    gram = stored(tmp_path, values[:40, :40], outputs="full")
    figure = figures.stored(gram, name="K")
    assert figure.title == "Kernel on disk: K"
    assert "mean over 2 outputs" in figure.caption
    assert figure.values.shape == (40, 40)
    assert figure.norm == figures.heatmaps.norms.robust(np.asarray(gram.matrix))
    assert overall(figure.values).shape == (40, 40)
    with start(tmp_path / "part", kernel(5), edge=2) as store:
        unfinished = store.array()
    empty = figures.stored(Gram(unfinished, gram.provenance))
    assert "25 entries NaN or infinite" in empty.caption


def test_a_stored_kernel_on_paper(tmp_path):
    from ntklab import export

    values = kernel(1100)
    values[:550] += 10
    figure = figures.stored(stored(tmp_path / "K", values, edge=400))
    picture = export.figure_bytes(figure, "png", width_mm=60)
    assert picture.startswith(b"\x89PNG")
