"""Shapes and parameter counts of networks, and widths that follow from others."""

from __future__ import annotations

from typing import Any

import pytest

from ntklab.errors import SpecError
from ntklab.spec import (
    Architecture,
    Branch,
    Dataset,
    Dense,
    Dropout,
    Experiment,
    Flatten,
    Input,
    check_fit,
    fitted,
    layer_shapes,
    output_shape,
    parameter_count,
    sample_shape,
)
from ntklab.spec.activations import Relu
from ntklab.spec.dataset import (
    BreastCancer,
    Circle,
    Diabetes,
    Digits,
    File,
    Moons,
    Regression1D,
    Regression2D,
    Sphere,
    Spirals,
    TwoCircles,
    Wine,
)

VECTOR, IMAGE = Input("vector", (3,)), Input("image", (4, 4, 2))


def network(given: Input, *layers: Any) -> Architecture:
    return Architecture(given, layers)


@pytest.mark.parametrize(
    ("architecture", "shape", "parameters"),
    [
        (network(VECTOR, Dense(5)), (5,), 15),
        (network(VECTOR, Dense(5, b_std=0.0), Relu(), Dense(2)), (2,), 20 + 10),
        (network(IMAGE, Dense(5, b_std=0.1)), (4, 4, 5), 15),
        (network(IMAGE, Flatten(), Dropout(), Dense(1)), (1,), 32),
        (network(VECTOR, Branch(((Dense(3), Dense(3)), ())), Dense(1)), (1,), 9 + 9 + 3),
        (network(VECTOR, Branch(((Dense(3),), ()), merge="prod")), (3,), 9),
        (network(VECTOR, Branch(((Dense(4),), (), ()), merge="concat")), (10,), 12),
        (network(IMAGE, Branch(((), (Dense(7),)), merge="concat", axis=3)), (4, 4, 9), 14),
        (network(IMAGE, Branch(((), ()), merge="concat", axis=1)), (8, 4, 2), 0),
        (network(IMAGE, Branch(((), ()), merge="concat", axis=-2)), (4, 8, 2), 0),
    ],
)
def test_shapes_and_parameters(architecture: Architecture, shape: tuple[int, ...], parameters: int) -> None:
    assert output_shape(architecture) == shape
    assert parameter_count(architecture) == parameters


def test_one_entry_a_layer() -> None:
    architecture = network(IMAGE, Flatten(), Dense(5, b_std=1.0), Relu())
    entries = layer_shapes(architecture)
    assert [(entry.before, entry.after, entry.parameters) for entry in entries] == [
        ((4, 4, 2), (32,), 0),
        ((32,), (5,), 165),
        ((5,), (5,), 0),
    ]
    assert tuple(entry.layer for entry in entries) == architecture.layers


BLOCK = Branch(((Relu(), Dense(8)), ()))


@pytest.mark.parametrize(
    ("layers", "widths"),
    [
        ((Dense(8), Relu(), Dense(9), Dense(2)), [5, 5, 2]),
        ((Dense(8), BLOCK, Dense(2)), [5, 5, 2]),
        ((Branch(((Relu(), Dense(3)), ())), Dense(2)), [3, 2]),
        ((Dense(8), Branch(((BLOCK, Dense(8)), (Dense(8),))), Dense(2)), [5, 5, 5, 5, 2]),
        ((Branch(((Dense(8),), (Dense(9),)), merge="concat"), Dense(2)), [5, 5, 2]),
        ((Dense(8), Relu()), [5]),
    ],
)
def test_with_width_changes_all_but_the_readout_and_the_input(layers: Any, widths: list[int]) -> None:
    assert _widths(network(VECTOR, *layers).with_width(5).layers) == widths


def _widths(layers: Any) -> list[int]:
    found: list[int] = []
    for layer in layers:
        if isinstance(layer, Dense):
            found.append(layer.width)
        for branch in getattr(layer, "branches", ()):
            found.extend(_widths(branch))
    return found


def test_fitted_changes_input_readout_and_what_hangs_on_them() -> None:
    architecture = network(VECTOR, Branch(((Relu(), Dense(3)), ())), Dense(9), Dense(2))
    resized = fitted(architecture, 7, 4)
    assert (resized.input, output_shape(resized)) == (Input("vector", (7,)), (4,))
    assert _widths(resized.layers) == [7, 9, 4]
    check_fit(resized, 7, 4)


def test_a_network_without_readout_cannot_be_fitted() -> None:
    with pytest.raises(SpecError, match="expected a Dense read-out at the end, got 'Relu'; add a Dense layer"):
        fitted(network(VECTOR, Dense(2), Relu()), 3, 2)
    assert network(VECTOR, Dense(2), Relu()).readout_index is None


@pytest.mark.parametrize(
    ("dataset", "shape"),
    [
        (Dataset(source=Digits()), (64, 10)),
        (Dataset(source=Digits(), classes=(3, 8)), (64, 1)),
        (Dataset(source=Digits(), classes=(3, 8, 3)), (64, 1)),
        (Dataset(source=Digits(), classes=(3, 8), targets="one_hot"), (64, 2)),
        (Dataset(source=Digits(), classes=(3, 8, 9)), (64, 3)),
        (Dataset(source=BreastCancer()), (30, 1)),
        (Dataset(source=Wine()), (13, 3)),
        (Dataset(source=Diabetes()), (10, 1)),
        (Dataset(source=Circle()), (2, 1)),
        (Dataset(source=TwoCircles(), targets="one_hot"), (2, 2)),
        (Dataset(source=Moons()), (2, 1)),
        (Dataset(source=Spirals(arms=3)), (2, 3)),
        (Dataset(source=Regression1D()), (1, 1)),
        (Dataset(source=Regression2D()), (2, 1)),
        (Dataset(source=Sphere(dimension=17)), (17, 1)),
        (Dataset(source=File("a.csv")), None),
    ],
)
def test_shapes_of_data_known_without_loading(dataset: Dataset, shape: tuple[int, int] | None) -> None:
    assert sample_shape(dataset) == shape


def test_an_experiment_with_a_file_takes_any_network() -> None:
    architecture = network(IMAGE, Flatten(), Dense(3))
    assert Experiment(architecture, Dataset(source=File("a.npz"))).architecture == architecture


def test_parameters_of_scaled_standard_layers_are_those_of_the_network():
    layers = (
        Dense(4, param="standard", s=(1.0, 2.0), b_std=0.1),
        Dense(3, param="standard", s=(2.0, 1.0), b_std=None),
    )
    assert parameter_count(Architecture(Input("vector", (5,)), layers)) == (5 * 8 + 8) + 8 * 3
