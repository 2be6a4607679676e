"""What is stored is what is read: in all layouts, by every index, through zarr too, and without reading more."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_tools import KEPT, cut, files, kernel, put, start, stored

import ntklab
from ntklab.errors import SpecError
from ntklab.results import Gram, Provenance
from ntklab.store import Layout, is_stored, open_kernel, stored_edge
from ntklab.store.kernel import Tiles
from ntklab.store.overview import factor, size

LAYOUTS = [(outputs, n2) for outputs in KEPT for n2 in (None, 7)]


@pytest.fixture(params=LAYOUTS, ids=lambda p: f"{p[0]}-{'square' if p[1] is None else 'rectangle'}")
def pair(request, tmp_path):
    """A kernel in memory and the same on disk, opened."""
    outputs, n2 = request.param
    values = kernel(11, n2, outputs=outputs)
    stored(tmp_path / "K", values, outputs=outputs, symmetric=n2 is None)
    memory = Gram(values, Provenance("empirical", outputs=outputs, dtype="float32"), symmetric=n2 is None)
    return memory, ntklab.open_kernel(tmp_path / "K")


def test_values_matrix_operator_and_health_are_those_of_the_kernel_in_memory(pair):
    memory, disk = pair
    np.testing.assert_array_equal(np.asarray(disk.values), memory.values)
    np.testing.assert_allclose(np.asarray(disk.matrix), memory.matrix, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(np.asarray(disk.operator), np.asarray(memory.operator))
    assert disk.health == memory.health
    assert (disk.symmetric, disk.error) == (memory.symmetric, 1e-6)
    assert disk.provenance.notes == ("a note",)
    for lazy, array in ((disk.values, memory.values), (disk.matrix, memory.matrix), (disk.operator, memory.operator)):
        assert (lazy.shape, lazy.dtype, lazy.ndim, lazy.size, lazy.nbytes, len(lazy)) == (
            array.shape, array.dtype, array.ndim, array.size, array.nbytes, len(array),
        )  # fmt: skip


INDICES = [
    3, -1, (2, 5), (slice(2, 9), 1), slice(None, None, -3), (..., 0), (slice(1, 10, 2), slice(6, 2, -1)), slice(4, 4),
    [5, 0, 5], np.array([True, False] * 5 + [True]), np.ix_([4, 1, 10], [6, 0]), (np.int64(2), [1, 6]), (slice(3), ...),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_every_index_means_what_it_means_to_numpy(pair, index):
    memory, disk = pair
    for lazy, array in ((disk.values, memory.values), (disk.operator, np.asarray(memory.operator))):
        if len(array) == 11 or not isinstance(index, np.ndarray):
            np.testing.assert_array_equal(lazy[index], array[index])
    if memory.values.ndim == 4:
        np.testing.assert_array_equal(disk.values[2, :, 0, ::-1], memory.values[2, :, 0, ::-1])


@pytest.mark.parametrize("index", [11, (0, 99), ([0, 1], [0, 1]), 1.5, (0,) * 5, "a", None, np.eye(2, dtype=int)])
def test_other_indices_say_what_is_possible(pair, index):
    with pytest.raises(IndexError, match="a stored kernel"):
        pair[1].values[index]


def test_arithmetic_and_numpy_functions_take_it(pair):
    memory, disk = pair
    np.testing.assert_array_equal(disk.values - memory.values, 0)
    np.testing.assert_array_equal([row for row in disk.values], memory.values)
    assert np.isfinite(np.asarray(disk.values, dtype=np.float64)).all()
    with pytest.raises(ValueError, match="copy"):
        np.array(disk.values, copy=False)


def test_any_program_that_knows_zarr_reads_it(tmp_path):
    import zarr

    for outputs in KEPT:
        values = kernel(11, 7, outputs=outputs, dtype="float64")
        gram = stored(tmp_path / outputs, values, outputs=outputs, symmetric=False)
        group = zarr.open_group(tmp_path / outputs, mode="r")
        np.testing.assert_array_equal(group["kernel"][:], values)
        np.testing.assert_array_equal(group["overview"][:], gram.values.overview)
        assert group["kernel"].chunks == (4, 4, *KEPT[outputs])
        if outputs != "mean":
            np.testing.assert_array_equal(group["mean"][:], np.asarray(gram.matrix))


def test_zarr_writes_the_metadata_that_we_write(tmp_path):
    import zarr

    layout = Layout((11, 7, 2, 2), 4, "float32", "full", False)
    zarr.create_array(
        tmp_path / "twin", shape=layout.shape, chunks=(4, 4, 2, 2), dtype="float32", fill_value=np.nan, filters=None,
        compressors=[zarr.codecs.Crc32cCodec()], chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=("i", "j", "o", "p"),
    )  # fmt: skip
    assert json.loads((tmp_path / "twin" / "zarr.json").read_text()) == layout.zarr()


def test_only_the_upper_triangle_is_stored_and_only_tiles_that_are_asked_for_are_read(tmp_path):
    values = kernel(12)
    gram = stored(tmp_path, values)
    tiles = [name for name in files(tmp_path) if name.startswith("kernel/c")]
    assert tiles == [f"kernel/c.{i}.{j}" for i in range(3) for j in range(i, 3)]
    for name in tiles:
        if name != "kernel/c.0.1":
            (tmp_path / name).unlink()
    np.testing.assert_array_equal(gram.values[4:8, 0:4], values[4:8, 0:4])
    np.testing.assert_array_equal(gram.values[1, 5], values[1, 5])
    with pytest.raises(ntklab.errors.FileError, match=r"c\.1\.1"):
        gram.values[4:9, 4]


def test_a_bounded_number_of_tiles_is_kept(tmp_path):
    stored(tmp_path, kernel(40))
    gram = ntklab.store.open_kernel(tmp_path, cache=3 * 64)
    tiles = gram.values._tiles
    for start_row in range(0, 40, 4):
        gram.values[start_row : start_row + 4]
        assert len(tiles._kept) <= 3


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_shape_and_edge(tmp_path_factory, data):
    outputs = data.draw(st.sampled_from(list(KEPT)))
    n1, n2 = data.draw(st.integers(1, 14)), data.draw(st.none() | st.integers(1, 14))
    edge, dtype = data.draw(st.integers(1, 16)), data.draw(st.sampled_from(["float32", "float64"]))
    values = kernel(n1, n2, outputs=outputs, dtype=dtype, seed=n1)
    folder = tmp_path_factory.mktemp("any")
    options = {"edge": edge, "outputs": outputs, "symmetric": n2 is None}
    with start(folder, values, **options) as store:
        order = data.draw(st.permutations(store.todo()))
        first = order[: data.draw(st.integers(0, len(order)))]
        put(store, values, first)
        part = np.asarray(store.array())
    done = np.zeros(values.shape[:2], dtype=bool)
    for cell in first:
        done[slice(*cell.rows), slice(*cell.columns)] = True
        if cell.mirror:
            done[slice(*cell.columns), slice(*cell.rows)] = True
    np.testing.assert_array_equal(part[done], values[done])
    assert np.isnan(part[~done]).all()
    with start(folder, values, **options) as store:
        assert set(store.todo()) == set(order[len(first) :])
        put(store, values)
        gram = store.finish(store._manifest.about)
    rows = data.draw(st.slices(n1))
    columns = data.draw(st.slices(n2 or n1))
    np.testing.assert_array_equal(gram.values[rows, columns], values[rows, columns])
    np.testing.assert_allclose(gram.values.overview, np.asarray(gram.matrix), rtol=1e-6)


@pytest.mark.parametrize(("n1", "n2", "edge"), [(2500, None, 300), (1025, 2049, 700), (1030, None, 513)])
def test_the_overview_is_the_mean_over_squares(tmp_path, n1, n2, edge):
    K = kernel(n1, n2)
    gram = stored(tmp_path, K, edge=edge, symmetric=n2 is None)
    step = factor(*K.shape)
    assert gram.values.overview_step == step
    assert max(size(*K.shape)) <= 1024 < 2 * max(K.shape) // step + 1
    padded = np.full([-(-n // step) * step for n in K.shape], np.nan)
    padded[: K.shape[0], : K.shape[1]] = K
    squares = padded.reshape(padded.shape[0] // step, step, -1, step)
    np.testing.assert_allclose(gram.values.overview, np.nanmean(squares, axis=(1, 3)), atol=1e-6)


def test_nan_that_was_computed_is_not_a_missing_tile(tmp_path):
    values = kernel(8)
    values[0, 6] = values[6, 0] = np.nan
    values[1, 1] = np.inf
    with start(tmp_path, values) as store:
        put(store, values, store.todo()[:2])
    gram = ntklab.open_kernel(tmp_path)
    assert gram.values.missing == 1
    assert gram.provenance.notes[-1] == "2 of 3 tiles are computed"
    assert gram.health.bad == 3 + 16  # two NaN, one infinite, and a tile that is missing
    with start(tmp_path, values) as store:
        assert [cell.place for cell in store.todo()] == [(1, 1)]
        put(store, values)
        gram = store.finish(gram.provenance)
    assert (gram.values.missing, gram.health.bad, gram.health.good) == (0, 3, False)
    assert np.isnan(gram.values.overview[0, 6])


def test_asymmetry_of_diagonal_tiles_is_noted(tmp_path):
    values = kernel(8, outputs="full")
    values[1, 2, 0, 1] += 0.5
    gram = stored(tmp_path, values, outputs="full")
    expected = Gram(values, Provenance("ntk", outputs="full")).health.asymmetry
    assert gram.health.asymmetry == pytest.approx(expected, rel=1e-5)
    assert not gram.health.good


def test_a_spectrum_of_a_stored_kernel(tmp_path):
    for outputs in KEPT:
        values = kernel(9, outputs=outputs, dtype="float64")
        for o in range(KEPT[outputs][0] if outputs == "full" else 1):
            at = {"mean": (), "diagonal": (slice(None),), "full": (o, o)}[outputs]
            values[(range(9), range(9), *at)] += 50  # positive definite
        gram = stored(tmp_path / outputs, values, outputs=outputs)
        Y = np.ones((9, KEPT[outputs][0] if outputs == "full" else 1))
        expected = ntklab.spectrum(values, Y)
        np.testing.assert_allclose(ntklab.spectrum(gram, Y).eigenvalues, expected.eigenvalues, atol=1e-12)


@pytest.mark.parametrize("outputs", ["mean", "full"])
def test_eigenpairs_and_predictions_of_a_stored_kernel(tmp_path, outputs, monkeypatch):
    from ntklab import spectra
    from ntklab.progress import drain

    values = kernel(60, outputs=outputs, dtype="float64")
    values[(range(60), range(60), *(() if outputs == "mean" else (0, 0)))] += 99
    gram = stored(tmp_path / "K", values, outputs=outputs, edge=16)
    monkeypatch.setattr("ntklab.store.StoredKernel.__array__", lambda *_, **__: pytest.fail("loads everything"))
    found = drain(spectra.top_eigenpairs(gram, 3))
    expected = np.linalg.eigvalsh(Gram(values, gram.provenance).operator)[::-1][:3]
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-10)
    np.testing.assert_allclose(gram.operator @ found.eigenvectors, gram.operator[:] @ found.eigenvectors, atol=1e-11)
    first = found.eigenvectors[:, 0]
    np.testing.assert_allclose(gram.operator @ first, found.eigenvalues[0] * first, atol=1e-8)


def test_products_read_each_tile_once(tmp_path, monkeypatch):
    values = kernel(30, outputs="full")
    gram = stored(tmp_path, values, outputs="full", edge=4)
    reads, load = [], Tiles.load
    monkeypatch.setattr(Tiles, "load", lambda self, place, crc: reads.append(place) or load(self, place, crc))
    v = np.random.default_rng(0).normal(size=60)
    expected = Gram(values, gram.provenance).operator @ v
    np.testing.assert_allclose(open_kernel(tmp_path, cache=0).operator @ v, expected, rtol=1e-4, atol=1e-4)
    assert sorted(reads) == sorted(set(reads))
    assert len(reads) == 36


def test_products_of_rectangles_and_of_what_is_missing(tmp_path):
    values = kernel(9, 13)
    gram = stored(tmp_path / "K", values, symmetric=False)
    V = np.random.default_rng(0).normal(size=(13, 2))
    np.testing.assert_allclose(gram.values @ V, values @ V, rtol=1e-5, atol=1e-5)
    with start(tmp_path / "part", kernel(8)) as store:
        put(store, kernel(8), store.todo()[:1])
    assert np.isnan(open_kernel(tmp_path / "part").values @ np.ones(8)).all()


def test_a_posterior_on_stored_kernels(tmp_path):
    whole = kernel(20, dtype="float64") + 60 * np.eye(20)
    K, K_test = whole[:15, :15], whole[15:, :15]
    disk = stored(tmp_path / "K", K), stored(tmp_path / "test", np.ascontiguousarray(K_test), symmetric=False)
    Y = np.arange(15.0)
    np.testing.assert_allclose(
        ntklab.posterior(disk[0], Y, disk[1], ridge=0.1).mean,
        ntklab.posterior(K, Y, K_test, ridge=0.1).mean,
        atol=1e-12,
    )


def test_entries_that_are_not_finite_are_refused_without_reading(tmp_path):
    from ntklab.results import operator_of

    values = kernel(8)
    values[3, 4] = values[4, 3] = np.nan
    gram = stored(tmp_path / "K", values)
    for path in (tmp_path / "K" / "kernel").glob("c.*"):
        path.unlink()
    with pytest.raises(ntklab.errors.DataError, match="2 of 64 numbers are NaN"):
        operator_of(gram)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"outputs": "all"}, "outputs"), ({"dtype": "float16"}, "dtype"), ({"shape": (4,)}, "shape"),
     ({"shape": (4, 4, 2)}, "shape"), ({"shape": (0, 4)}, "shape"), ({"edge": 0}, "edge"),
     ({"shape": (4, 5)}, "square"),
     ({"shape": (2**40, 2**40)}, "samples"), ({"shape": (2**20, 2**20)}, "tiles"),
     ({"shape": (2**18, 2**18), "edge": 2**18}, "bytes")],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused(tmp_path, change, word):
    request = {"shape": (4, 4), "edge": 2, "dtype": "float32", "outputs": "mean", "symmetric": True} | change
    with pytest.raises(SpecError, match=word):
        ntklab.store.TileStore.create_or_resume(
            tmp_path / "K", **request, fingerprint={}, about=Provenance("empirical")
        )
    assert not (tmp_path / "K").exists()


def test_only_tiles_of_the_grid_can_be_written(tmp_path):
    from ntklab.store import Cell

    values = kernel(10)
    with start(tmp_path, values) as store:
        for rows, columns in (
            ((0, 8), (0, 4)),
            ((2, 6), (4, 8)),
            ((4, 8), (0, 4)),
            ((8, 12), (8, 12)),
            ((-4, 0), (0, 4)),
        ):
            with pytest.raises(SpecError, match="no tile"):
                store.write(Cell((0, 0), rows, columns), np.zeros((4, 4), "float32"))
        cell = store.todo()[1]
        for wrong in (np.zeros((4, 3), "float32"), np.zeros((4, 4), "float64")):
            with pytest.raises(SpecError, match="expected a tile"):
                store.write(cell, wrong)
        store.write(cell, cut(values, cell))
        assert store.done == 1


def test_what_is_stored_is_told_apart(tmp_path):
    assert not is_stored(tmp_path)
    assert stored_edge(tmp_path) is None
    stored(tmp_path, kernel(5), seed=7, network="b")
    assert is_stored(tmp_path)
    assert stored_edge(tmp_path) == 4
    assert ntklab.store.state(tmp_path).fingerprint == {"seed": 7, "network": "b"}
