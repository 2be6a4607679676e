"""Specs are written and read back as equal values, and their hashes are equal exactly when they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from spec_strategies import architectures, experiments

from ntklab.spec import (
    LAYER_TYPES,
    Architecture,
    Branch,
    Dataset,
    Dense,
    Dropout,
    Experiment,
    Flatten,
    Input,
    KernelRequest,
    Training,
)
from ntklab.spec.activations import ABRelu, Hermite, Numerical, Polynomial, Relu
from ntklab.spec.dataset import File, Sphere

GOLDEN = Path(__file__).parent.parent / "golden" / "manifest.json"
COVERED = ("fcn", "residual", "dropout", "concat", "prod")

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
    """Name, input and layers of the cases that this package covers."""
    literal = [(name, {"kind": "vector", "shape": [10], "n1": 8}, layers) for name, layers in CASES.items()]
    if not GOLDEN.exists():
        return literal
    cases = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
    return literal + [(c["name"], c["input"], c["layers"]) for c in cases if _covered(c)]


def _covered(case: dict[str, Any]) -> bool:
    return case["family"].startswith(COVERED) and set(_types(case["layers"])) <= set(LAYER_TYPES)


def _types(layers: list[dict[str, Any]]) -> Iterator[str]:
    for layer in layers:
        yield layer["type"]
        for branch in layer.get("branches", []):
            yield from _types(branch)


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
