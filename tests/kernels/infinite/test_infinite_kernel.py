"""The infinite-width kernel as a whole: identities, the slow twin, events, precision, budgets and faults."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import DataError, DeviceError, MemoryBudgetError, NtkLabError, NumericalError, SpecError
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.infinite.reference import reference_kernel
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.results import Gram

RELU, ERF, TANH = {"type": "Relu"}, {"type": "Erf"}, {"type": "Numerical", "fn": "tanh"}


def dense(width: int = 32, W_std: float = 1.4, b_std: float | None = 0.3, **fields) -> dict:
    return {"type": "Dense", "width": width, "W_std": W_std, "b_std": b_std, **fields}


def branch(*branches: list, merge: str = "sum") -> dict:
    return {"type": "Branch", "merge": merge, "branches": list(branches)}


def network(*layers: dict, features: int = 5) -> spec.Architecture:
    return spec.Architecture.from_dict({"input": {"kind": "vector", "shape": [features]}, "layers": list(layers)})


STANDARD = {"param": "standard"}
NETWORKS = {
    "relu": network(dense(), RELU, dense(), RELU, dense(1)),
    "tanh": network(dense(), TANH, dense(), TANH, dense(1)),
    "sign": network(dense(), {"type": "Sign"}, dense(), RELU, dense(1)),
    "standard": network(dense(20, **STANDARD), RELU, dense(30, b_std=None, **STANDARD), ERF, dense(1, **STANDARD)),
    "standard, scaled": network(
        dense(20, s=[1, 2], **STANDARD), RELU, dense(10, s=[2, 3], **STANDARD), RELU, dense(1, s=[3, 1], **STANDARD)
    ),
    "mixed parameterisations": network(dense(20, **STANDARD), RELU, dense(), RELU, dense(1, **STANDARD)),
    "dropout": network(dense(), RELU, {"type": "Dropout", "keep_rate": 0.8}, dense(), RELU, dense(1)),
    "residual": network(dense(), branch([RELU, dense(W_std=0.9)], []), RELU, dense(1)),
    "nested": network(
        dense(), branch([ERF, dense(), branch([RELU, dense()], [])], [], [TANH, dense()]), RELU, dense(1)
    ),
    "concat": network(branch([dense(10), RELU], [dense(30), ERF], merge="concat"), dense(1, **STANDARD)),
    "product": network(dense(), branch([dense(), RELU], [], [dense(), ERF], merge="prod"), dense(1)),
}


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(7).standard_normal((7, 5))


def both(architecture: spec.Architecture, x1, x2=None, **options) -> dict[str, np.ndarray]:
    return {kind: gram.values for kind, gram in drain(infinite_kernel(architecture, x1, x2, **options)).items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_slow_twin(name: str, x: np.ndarray) -> None:
    for arguments in ((x[:3],), (x[:2], x[2:4])):
        found, exact = both(NETWORKS[name], *arguments), reference_kernel(NETWORKS[name], *arguments)
        for kind in found:
            np.testing.assert_allclose(found[kind], exact[kind], rtol=1e-11, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "dropout"])
def test_cross_kernel_is_a_block_of_the_square_one(name: str, x: np.ndarray) -> None:
    whole, cross = both(NETWORKS[name], x), both(NETWORKS[name], x[:4], x[4:])
    for kind in whole:
        np.testing.assert_allclose(cross[kind], whole[kind][:4, 4:], rtol=1e-13, err_msg=kind)


def test_dropout_acts_on_a_sample_with_itself_alone(x: np.ndarray) -> None:
    dropped = both(network(dense(), RELU, {"type": "Dropout", "keep_rate": 0.5}, dense(1)), x)
    kept = both(network(dense(), RELU, {"type": "Dropout", "keep_rate": 0.5, "mode": "test"}, dense(1)), x)
    apart = ~np.eye(len(x), dtype=bool)
    for kind in kept:
        np.testing.assert_array_equal(dropped[kind][apart], kept[kind][apart])
        assert (np.diag(dropped[kind]) > np.diag(kept[kind])).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_symmetric_and_positive_semidefinite(name: str) -> None:
    x = np.random.default_rng(1).standard_normal((40, 5))
    for values in both(NETWORKS[name], x).values():
        np.testing.assert_array_equal(values, values.T)
        eigenvalues = np.linalg.eigvalsh(values)
        assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]


@pytest.mark.parametrize("name", NETWORKS)
def test_permuting_samples_permutes_the_kernel(name: str, x: np.ndarray) -> None:
    order = np.random.default_rng(2).permutation(len(x))
    values, permuted = both(NETWORKS[name], x)["ntk"], both(NETWORKS[name], x[order])["ntk"]
    np.testing.assert_allclose(permuted, values[np.ix_(order, order)], rtol=1e-13)


@pytest.mark.parametrize("name", ["relu", "tanh", "dropout", "nested"])
def test_tile_size_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).standard_normal((23, 5))
    whole, cross = both(NETWORKS[name], x), both(NETWORKS[name], x[:9], x[9:])
    monkeypatch.setattr("ntklab.kernels.infinite.forecast._CACHED", {"cpu": 16})
    for kind in whole:
        np.testing.assert_allclose(both(NETWORKS[name], x)[kind], whole[kind], rtol=1e-12)
        np.testing.assert_allclose(both(NETWORKS[name], x[:9], x[9:])[kind], cross[kind], rtol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision(name: str, x: np.ndarray) -> None:
    double, single = both(NETWORKS[name], x), both(NETWORKS[name], x, dtype="float32")
    for kind in double:
        assert single[kind].dtype == np.float32
        assert np.abs(single[kind] - double[kind]).max() <= 2e-5 * np.abs(double[kind]).max()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_without_bias_is_homogeneous(scale: float, dtype: str, x: np.ndarray) -> None:
    architecture = network(dense(b_std=None), RELU, dense(b_std=None), RELU, dense(1, b_std=None))
    one, scaled = both(architecture, x, dtype=dtype), both(architecture, scale * x, dtype=dtype)
    for kind in one:
        np.testing.assert_allclose(scaled[kind] / scale**2, one[kind], rtol=1e-5 if dtype == "float32" else 1e-12)


def test_relu_diagonal_at_depth_100(x: np.ndarray) -> None:
    """W_std² = 2 and no bias: K(x, x) does not depend on depth and Θ(x, x) = (hidden layers + 1)·K(x, x)."""
    hidden = [part for _ in range(100) for part in (dense(W_std=2**0.5, b_std=None), RELU)]
    found = both(network(*hidden, dense(1, W_std=2**0.5, b_std=None)), x)
    expected = 2 * (x**2).sum(1) / 5
    np.testing.assert_allclose(np.diag(found["nngp"]), expected, rtol=1e-12)
    np.testing.assert_allclose(np.diag(found["ntk"]), 101 * expected, rtol=1e-12)
    assert np.isfinite(found["ntk"]).all()


def test_duplicates_and_multiples_of_a_sample(x: np.ndarray) -> None:
    """Off the diagonal too: kernel(x, 2x) = 2·kernel(x, x) for ReLU networks without bias."""
    architecture = network(dense(b_std=None), RELU, dense(b_std=None), RELU, dense(1, b_std=None))
    for kind, values in both(architecture, np.concatenate([x, x, 2 * x])).items():
        for block, factor in ((values[:7, 7:14], 1), (values[:7, 14:], 2)):
            np.testing.assert_allclose(np.diag(block), factor * np.diag(values)[:7], rtol=1e-12, err_msg=kind)


def test_flattened_images_are_vectors(x: np.ndarray) -> None:
    images = np.random.default_rng(5).standard_normal((4, 3, 2, 2))
    layers = [{"type": "Flatten"}, dense(), RELU, dense(1)]
    image = spec.Architecture.from_dict({"input": {"kind": "image", "shape": [3, 2, 2]}, "layers": layers})
    found, flat = both(image, images), both(network(*layers[1:], features=12), images.reshape(4, -1))
    for kind in found:
        np.testing.assert_array_equal(found[kind], flat[kind])


def test_events_come_in_order_and_tiles_make_up_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntklab.kernels.infinite.forecast._CACHED", {"cpu": 16})
    x, events = np.random.default_rng(3).standard_normal((10, 5)), []
    grams: dict[str, Gram] = drain(infinite_kernel(NETWORKS["relu"], x), events.append)
    assert isinstance(events[0], Forecast)
    assert events[0].tiles == 6
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3, 4, 5, 6, 7]
    for kind, gram in grams.items():
        built = np.full((10, 10), np.nan)
        for event in events:
            if isinstance(event, Partial) and event.value.kernel == kind:
                rows, columns = slice(*event.value.rows), slice(*event.value.columns)
                built[rows, columns] = event.value.values
                if event.value.mirror:
                    built[columns, rows] = event.value.values.T
        np.testing.assert_array_equal(built, gram.values)


def test_one_kind_alone(x: np.ndarray) -> None:
    whole = both(NETWORKS["nested"], x)
    for kind in whole:
        alone = both(NETWORKS["nested"], x, kinds=(kind,))
        assert set(alone) == {kind}
        np.testing.assert_array_equal(alone[kind], whole[kind])


def test_a_network_without_weights_has_no_tangent_kernel(x: np.ndarray) -> None:
    found = both(network({"type": "Flatten"}), x)
    np.testing.assert_array_equal(found["ntk"], 0)
    np.testing.assert_allclose(found["nngp"], x @ x.T / 5, rtol=1e-14)


def test_closing_between_tiles_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntklab.kernels.infinite.forecast._CACHED", {"cpu": 16})
    work = infinite_kernel(NETWORKS["relu"], np.ones((40, 5)))
    assert isinstance(next(work), Forecast)
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_provenance(x: np.ndarray) -> None:
    grams = drain(infinite_kernel(NETWORKS["mixed parameterisations"], x, dtype="float32"))
    for kind, gram in grams.items():
        assert (gram.provenance.kind, gram.provenance.parameterisation) == (kind, "mixed")
        assert (gram.provenance.dtype, gram.provenance.device) == ("float32", "cpu")
        assert gram.provenance.spec == NETWORKS["mixed parameterisations"].content_hash()
        assert gram.symmetric
    assert not drain(infinite_kernel(NETWORKS["relu"], x, x))["ntk"].symmetric


def test_closed_forms_carry_an_error_in_single_precision_alone(x: np.ndarray) -> None:
    double, single = (drain(infinite_kernel(NETWORKS["relu"], x, dtype=dtype)) for dtype in ("float64", "float32"))
    for kind in double:
        assert double[kind].error is None
        difference = np.abs(single[kind].values - double[kind].values).max() / double[kind].values.max()
        assert single[kind].error == pytest.approx(difference, rel=0.5, abs=1e-7)


def test_integrals_carry_a_measured_error(x: np.ndarray) -> None:
    gram = drain(infinite_kernel(NETWORKS["tanh"], x))["ntk"]
    assert gram.error is not None
    assert 0 < gram.error < 1e-12
    assert any("tanh" in note for note in gram.provenance.notes)


def test_accepts_tensors(x: np.ndarray) -> None:
    tensor = torch.from_numpy(x).requires_grad_()
    np.testing.assert_array_equal(both(NETWORKS["relu"], tensor)["ntk"], both(NETWORKS["relu"], x)["ntk"])


def test_forecast_follows_the_budget() -> None:
    x = np.ones((300, 5))
    wide = next(infinite_kernel(NETWORKS["relu"], x))
    narrow = next(infinite_kernel(NETWORKS["relu"], x, memory=10_100_000))
    assert narrow.peak_bytes <= 10_100_000 < wide.peak_bytes
    assert narrow.tiles > wide.tiles


FAULTS = [
    ([RELU, dense(1)], r"layer 1 \(Relu\).*put a layer with weights before"),
    ([dense(), RELU, ERF, dense(1)], r"layer 3 \(Erf\)"),
    ([dense(), branch([dense(), RELU], [dense()]), dense(1)], r"layer 2 \(Branch\): branches \[1\].*weights"),
    ([dense(), branch([], []), dense(1)], r"layer 2 \(Branch\): branches \[1, 2\] have no weights"),
    ([dense(), branch([dense(), RELU, RELU, dense()], [])], r"layer 2 \(Branch\), branch 1, layer 3 \(Relu\)"),
]


@pytest.mark.parametrize(("layers", "message"), FAULTS)
def test_layers_without_a_rule_where_they_stand(layers: list, message: str, x: np.ndarray) -> None:
    with pytest.raises(NtkLabError, match=message):
        both(network(*layers), x)


@pytest.mark.parametrize(
    ("layers", "remedy"),
    [
        ([dense(W_std=10), {"type": "Exp", "b": 9}, dense(1)], r"layer 2 \(Exp\).*W_std"),
        ([dense(), {"type": "Gaussian", "b": 0.5}, dense(1)], r"layer 2 \(Gaussian\).*scale the inputs"),
    ],
)
def test_infinite_variances_name_the_layer(layers: list, remedy: str, x: np.ndarray) -> None:
    with pytest.raises(NumericalError, match=remedy):
        both(network(*layers), 10 * x)


def test_bad_samples(x: np.ndarray) -> None:
    broken = x.copy()
    broken[3, 1] = np.nan
    with pytest.raises(DataError, match="x2: row 3 has NaN"):
        both(NETWORKS["relu"], x, broken)
    with pytest.raises(DataError, match=r"x1: expected shape \(n, 5\).*\(7, 4\)"):
        both(NETWORKS["relu"], x[:, :4])
    with pytest.raises(DataError, match="x1: expected shape"):
        both(NETWORKS["relu"], x[:0])
    with pytest.raises(DataError, match="x1: expected numbers"):
        both(NETWORKS["relu"], [["a"] * 5])


def test_bad_requests(x: np.ndarray) -> None:
    with pytest.raises(SpecError, match="dtype"):
        both(NETWORKS["relu"], x, dtype="float16")
    with pytest.raises(SpecError, match="kinds"):
        both(NETWORKS["relu"], x, kinds=("kernel",))
    with pytest.raises(MemoryBudgetError, match=r"memory budget is 1000 B; .*allow more"):
        both(NETWORKS["relu"], x, memory=1000)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_missing_device(x: np.ndarray) -> None:
    with pytest.raises(DeviceError, match="cpu"):
        both(NETWORKS["relu"], x, device="cuda")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NETWORKS)
def test_cuda_equals_cpu(name: str, x: np.ndarray) -> None:
    cpu, cuda = both(NETWORKS[name], x), both(NETWORKS[name], x, device="cuda")
    for kind in cpu:
        np.testing.assert_allclose(cuda[kind], cpu[kind], rtol=1e-12)
