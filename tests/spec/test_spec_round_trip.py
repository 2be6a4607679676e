"""Specs are written and read back as equal values, and their hashes are equal exactly when they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from spec_strategies import architectures, experiments, spatial_architectures

from ntklab.spec import (
    Aggregate,
    Architecture,
    AvgPool,
    Branch,
    Conv,
    ConvLocal,
    ConvTranspose,
    Dataset,
    Dense,
    DotGeneral,
    Dropout,
    Experiment,
    Flatten,
    GlobalAvgPool,
    GlobalSumPool,
    ImageResize,
    Index,
    Input,
    KernelRequest,
    LayerNorm,
    SelfAttention,
    SumPool,
    Training,
)
from ntklab.spec.activations import ABRelu, Hermite, Numerical, Polynomial, Relu
from ntklab.spec.dataset import File, Sphere

GOLDEN = Path(__file__).parent.parent / "golden" / "manifest.json"

CASES: dict[str, list[dict[str, Any]]] = {
    "fcn_relu_d1": [
        {"type": "Dense", "width": 512, "W_std": 1.4142135623730951, "b_std": 0.1},
        {"type": "Relu"},
        {"type": "Dense", "width": 1, "W_std": 1.0, "b_std": 0.1},
    ],
    "fcn_standard": [
        {"type": "Dense", "width": 64, "W_std": 1.5, "b_std": None, "param": "standard", "s": [1.0, 2.0]},
        {"type": "Erf", "a": 1.0, "b": 0.7, "c": 0.3},
        {"type": "Dense", "width": 1, "param": "standard", "s": [2, 1]},
    ],
    "residual": [
        {"type": "Dense", "width": 16},
        {"type": "Branch", "branches": [[{"type": "Relu"}, {"type": "Dense", "width": 16}], []], "merge": "sum"},
        {"type": "Numerical", "fn": "tanh", "deg": 50},
        {"type": "Dropout", "keep_rate": 0.9, "mode": "train"},
        {"type": "Polynomial", "coef": [0.1, 1, 0.5]},
        {"type": "Dense", "width": 1},
    ],
}


def golden() -> list[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """Name, input and layers of cases written here and of the manifest's."""
    literal = [(name, {"kind": "vector", "shape": [10], "n1": 8}, layers) for name, layers in CASES.items()]
    if not GOLDEN.exists():
        return literal
    cases = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
    return literal + [(c["name"], c["input"], c["layers"]) for c in cases]


def holds(found: Any, wanted: Any) -> bool:
    """Whether everything in ``wanted`` is in ``found``, which may have more fields."""
    if isinstance(wanted, dict):
        return all(holds(found[name], part) for name, part in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(holds, found, wanted))
    return bool(found == wanted)


@pytest.mark.parametrize(
    ("name", "shape", "layers"), golden(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_golden_architectures_are_read(name: str, shape: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    architecture = Architecture.from_dict({"input": shape, "layers": layers})
    written = architecture.to_dict()
    assert written["input"] == {"kind": shape["kind"], "shape": shape["shape"]}
    assert holds(written["layers"], layers)
    assert Architecture.from_toml(architecture.to_toml()) == architecture
    assert Architecture.from_dict(written) == architecture


@settings(max_examples=40, deadline=None)
@given(experiments())
def test_random_experiments_survive_files(experiment: Experiment) -> None:
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_json(experiment.to_json().encode()) == experiment
    assert Experiment.from_toml(experiment.to_toml()) == experiment
    assert Experiment.from_dict(experiment.to_dict()) == experiment
    assert hash(Experiment.from_toml(experiment.to_toml())) == hash(experiment)
    assert Experiment.from_toml(experiment.to_toml()).content_hash() == experiment.content_hash()


@settings(max_examples=120, deadline=None)
@given(spatial_architectures())
def test_random_spatial_networks_survive_files(architecture: Architecture) -> None:
    assert Architecture.from_json(architecture.to_json()) == architecture
    assert Architecture.from_toml(architecture.to_toml()) == architecture
    assert Architecture.from_dict(architecture.to_dict()) == architecture
    assert hash(Architecture.from_toml(architecture.to_toml())) == hash(architecture)


@settings(max_examples=40, deadline=None)
@given(architectures(), architectures())
def test_hashes_are_equal_exactly_when_architectures_are(one: Architecture, other: Architecture) -> None:
    assert (one.content_hash() == other.content_hash()) == (one == other)


EQUAL = [
    (Dense(3, W_std=1), Dense(np.int64(3), W_std=np.float32(1.0))),
    (Dense(3, b_std=0.0), Dense(3, b_std=-0.0)),
    (Dense(3, s=[1, 2]), Dense(3, s=np.array([1.0, 2.0]))),
    (ABRelu(a=-0.0), ABRelu(a=0)),
    (Polynomial(coef=[0, -0.0, 1]), Polynomial(coef=(0.0, 0.0, 1.0))),
    (Branch([[Relu()], []]), Branch(((Relu(),), ()))),
]
DIFFERENT = [
    (Dense(3), Dense(3, b_std=0.0)),
    (Dense(3), Dense(3, W_std=1.0 + 2**-52)),
    (Hermite(2), Hermite(3)),
    (Branch(((), (Relu(),))), Branch(((Relu(),), ()))),
    (Numerical(deg=40), Numerical(deg=41)),
]


def alone(layer: Any) -> Architecture:
    return Architecture(Input("vector", (3,)), (layer, Dense(1)))


@pytest.mark.parametrize(("one", "other", "equal"), [(*p, True) for p in EQUAL] + [(*p, False) for p in DIFFERENT])
def test_equality_and_hashes_agree(one: Any, other: Any, equal: bool) -> None:
    assert (one == other) is equal
    assert (alone(one).content_hash() == alone(other).content_hash()) is equal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Dataset(), Dataset(seed=1)),
        (Dataset(source=Sphere()), Dataset(source=Sphere(dimension=11))),
        (Training(), Training(learning_rate=1.0)),
        (KernelRequest(), KernelRequest(memory=1)),
    ],
)
def test_every_field_counts(one: Any, other: Any) -> None:
    assert one.content_hash() != other.content_hash()
    assert len({one, other, type(one).from_json(one.to_json())}) == 2


def test_what_is_left_out_has_its_default() -> None:
    raw = {"architecture": {"input": {"shape": [64]}, "layers": [{"type": "Dense", "width": 10}]}}
    experiment = Experiment.from_dict(raw)
    assert experiment == Experiment(Architecture(Input("vector", (64,)), (Dense(10),)))
    assert raw == {"architecture": {"input": {"shape": [64]}, "layers": [{"type": "Dense", "width": 10}]}}


def test_none_is_left_out_of_toml_and_comes_back() -> None:
    dataset = Dataset(source=File("my data.csv", target=None), n_test=0)
    assert "labels" not in dataset.to_toml()
    assert Dataset.from_toml(dataset.to_toml()) == dataset


def test_the_file_of_schema_1_is_read() -> None:
    """The files that this schema wrote; a later schema must still read them."""
    layers = (
        Dense(512, W_std=1.4142135623730951, b_std=0.1),
        Relu(),
        Branch(((Numerical(fn="softplus", deg=60), Dense(512, param="standard", s=(1.0, 2.0))), ())),
        Dropout(0.75, "test"),
        Flatten(),
        Polynomial((0.0, 1.0, 0.25)),
        Dense(1),
    )
    expected = Experiment(
        Architecture(Input("vector", (2,)), layers, name="net"),
        Dataset(source=File("points.csv", target="y"), n_train=32, n_test=8, scaling="standardise", seed=4),
        KernelRequest(outputs="full", dtype="float64", device="cuda:1", seed=3, memory=2**30),
        Training(steps=100, learning_rate=0.5, momentum=0.9, batch_size=16, loss="torch_mse", seed=2, kernel_every=10),
        name="Schema 1",
    )
    text = (Path(__file__).parent / "schema_1.json").read_text(encoding="utf-8")
    assert Experiment.from_json(text) == expected
    assert expected.to_json() == text


def test_the_file_of_schema_1_with_layers_on_positions_is_read() -> None:
    """The layers that schema 1 was given later; what it wrote before is in the file above."""
    whole, attention = (None, None, None), SelfAttention(4, 8, 8, 2, pos_emb_type="CONCAT", n_chan_pos_emb=3)
    layers = (
        Conv(8, kernel=(3, 3), stride=(1, 1), padding="SAME", W_std=1.5, b_std=0.1),
        LayerNorm(axis=(1, -1), eps=0.001),
        Branch(((AvgPool(window=(2, 2), normalize_edges=True),), (SumPool(window=(2, 2), padding="VALID"),)), "concat"),
        ConvTranspose(4, kernel=(2, 2), stride=(2, 2), padding="CIRCULAR", param="standard", s=(1.0, 2.0)),
        ConvLocal(4, kernel=(2, 1), param="mup"),
        ImageResize((-1, 6, 5, -1), method="nearest", antialias=False),
        Index((whole, (1, -1, None), (None, None, 2), whole)),
        Branch(((attention,), ())),
        DotGeneral([[1.0, -0.5, 0.25], [0.0, 2.0, 1.0]], (((1,), (2,)), ((), ())), "lhs"),
        DotGeneral(2.0),
        Aggregate(axis=(1,)),
        Branch(((GlobalAvgPool(),), (GlobalSumPool(),))),
        Dense(3),
    )
    expected = Architecture(Input("image", (5, 5, 2)), layers, name="positions")
    text = (Path(__file__).parent / "schema_1_positions.json").read_text(encoding="utf-8")
    assert Architecture.from_json(text) == expected
    assert expected.to_json() == text
