"""Edits are pure, keep the experiment possible, and say why when they cannot."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from ntklab.errors import SpecError
from ntklab.session import edits
from ntklab.spec import Architecture, Branch, Dense, Dropout, Experiment, Input, caption
from ntklab.spec.activations import Erf, LeakyRelu, Relu
from ntklab.spec.dataset import SCALINGS, SOURCE_TYPES, Digits, File, Moons, Sphere

BLOCK = Branch(((Relu(), Dense(512)), ()))


def experiment(*hidden: Any) -> Experiment:
    """Digits: 64 features, 10 outputs."""
    return Experiment(Architecture(Input("vector", (64,)), (*hidden, Dense(10))))


PLAIN = experiment(Dense(512, W_std=1.5, b_std=0.1), Relu(), Dense(256, param="standard"), Relu())


def captions(e: Experiment) -> list[str]:
    return [caption(layer) for layer in e.architecture.layers]


def refused(words: str, edit: Any, *args: Any, **fields: Any) -> None:
    with pytest.raises(SpecError) as caught:
        edit(*args, **fields)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda e: edits.add_layer(e, 1, "Erf"), ["Dense 512", "Erf", "ReLU", "Dense 256", "ReLU", "Dense 10"]),
        (lambda e: edits.add_layer(e, 5, "Erf"), ["Dense 512", "ReLU", "Dense 256", "ReLU", "Erf", "Dense 10"]),
        (lambda e: edits.add_layer(e, 0, "Flatten"), ["Flatten", "Dense 512", "ReLU", "Dense 256", "ReLU", "Dense 10"]),
        (lambda e: edits.remove_layer(e, 0), ["ReLU", "Dense 256", "ReLU", "Dense 10"]),
        (lambda e: edits.move_layer(e, 0, 2), ["ReLU", "Dense 256", "Dense 512", "ReLU", "Dense 10"]),
        (lambda e: edits.move_layer(e, 2, 0), ["Dense 256", "Dense 512", "ReLU", "ReLU", "Dense 10"]),
        (lambda e: edits.move_layer(e, 0, 4), ["ReLU", "Dense 256", "ReLU", "Dense 512", "Dense 10"]),
        (lambda e: edits.set_layer(e, 1, Erf()), ["Dense 512", "Erf", "Dense 256", "ReLU", "Dense 10"]),
        (lambda e: edits.edit_layer(e, 0, "width", 7), ["Dense 7", "ReLU", "Dense 256", "ReLU", "Dense 10"]),
        (lambda e: edits.set_width(e, 7), ["Dense 7", "ReLU", "Dense 7", "ReLU", "Dense 10"]),
    ],
)
def test_edits_of_the_stack(edit: Any, expected: list[str]) -> None:
    before = PLAIN.to_json()
    assert captions(edit(PLAIN)) == expected
    assert PLAIN.to_json() == before


@pytest.mark.parametrize(
    ("e", "index", "expected"),
    [
        (PLAIN, 1, Dense(512, W_std=sqrt(2), b_std=0.1)),
        (PLAIN, 4, Dense(256, W_std=sqrt(2), param="standard")),
        (experiment(Dense(8), Erf()), 2, Dense(8)),
        (experiment(Dense(8), LeakyRelu(alpha=1.0)), 2, Dense(8)),
        (experiment(), 0, Dense(512)),
        (experiment(Relu()), 0, Dense(512, W_std=sqrt(2))),
    ],
)
def test_a_new_dense_layer_suits_its_neighbours(e: Experiment, index: int, expected: Dense) -> None:
    assert edits.layer_at(edits.add_layer(e, index, "Dense"), index) == expected


@pytest.mark.parametrize(
    ("e", "index", "width", "activation"),
    [(PLAIN, 2, 512, Relu()), (PLAIN, 4, 256, Relu()), (PLAIN, 0, 64, Relu()), (experiment(Erf()), 1, 64, Erf())],
)
def test_a_new_residual_block_fits(e: Experiment, index: int, width: int, activation: Any) -> None:
    block = edits.layer_at(edits.add_layer(e, index, "Branch"), index)
    assert isinstance(block, Branch)
    (first, dense), identity = block.branches
    assert (first, dense.width, identity) == (activation, width, ())


def test_fields_of_a_new_layer() -> None:
    assert edits.layer_at(edits.add_layer(PLAIN, 1, "Dropout", keep_rate=0.5), 1) == Dropout(0.5)


RESIDUAL = experiment(Dense(512), BLOCK, BLOCK)


@pytest.mark.parametrize(
    "edit",
    [
        lambda e: edits.edit_layer(e, 0, "width", 100),
        lambda e: edits.set_width(e, 100),
        lambda e: edits.add_layer(e, 1, "Dense", width=100),
    ],
)
def test_residual_blocks_follow_the_width_before_them(edit: Any) -> None:
    blocks = [layer for layer in edit(RESIDUAL).architecture.layers if isinstance(layer, Branch)]
    assert [block.branches[0][-1].width for block in blocks] == [100, 100]


def test_residual_blocks_follow_the_data_and_the_layers_removed() -> None:
    on_input = edits.remove_layer(RESIDUAL, 0)
    for e, width in ((on_input, 64), (edits.set_source(on_input, "Wine"), 13), (edits.set_width(on_input, 7), 64)):
        assert [layer.branches[0][-1].width for layer in e.architecture.layers[:-1]] == [width, width]  # type: ignore[union-attr]


def test_layers_inside_branches() -> None:
    e = edits.add_layer(RESIDUAL, (1, 0, 0), "Dense", width=33)
    assert edits.layer_at(e, (1, 0, 0)) == Dense(33, W_std=sqrt(2))
    e = edits.edit_layer(e, (1, 0, 0), "b_std", 0.5)
    assert edits.layer_at(e, (1, 0, 0)) == Dense(33, W_std=sqrt(2), b_std=0.5)
    e = edits.move_layer(e, (1, 0, 0), (1, 0, 1))
    assert [caption(layer) for layer in e.architecture.layers[1].branches[0]] == ["ReLU", "Dense 33", "Dense 512"]  # type: ignore[union-attr]
    e = edits.remove_layer(e, (1, 0, 1))
    assert e == RESIDUAL
    inside_identity = edits.add_layer(e, (1, 1, 0), "Dropout")
    assert edits.layer_at(inside_identity, (1, 1, 0)) == Dropout()


@pytest.mark.parametrize(
    ("words", "edit", "args"),
    [
        ("the read-out cannot be removed", edits.remove_layer, (PLAIN, 4)),
        ("the read-out cannot be moved", edits.move_layer, (PLAIN, 4, 0)),
        ("give the last Dense layer a width of 10", edits.edit_layer, (PLAIN, 4, "width", 3)),
        ("architecture, layer 1 (Dense), width: expected", edits.edit_layer, (PLAIN, 0, "width", 0)),
        (
            "architecture, layer 2 (Branch), branch 1, layer 2 (Dense), W_std: expected a number above 0, got -1",
            edits.edit_layer,
            (RESIDUAL, (1, 0, 1), "W_std", -1),
        ),
        ("did you mean width?", edits.edit_layer, (PLAIN, 0, "widht", 3)),
        ("expected a layer from 1 to 5, got 8", edits.edit_layer, (PLAIN, 7, "width", 3)),
        ("got 6", edits.layer_at, (PLAIN, 5)),
        ("got 0", edits.remove_layer, (PLAIN, -1)),
        ("layer 1 (Dense): expected one of its 0 branches", edits.layer_at, (PLAIN, (0, 0, 0))),
        ("layer 2 (Branch): expected one of its 2 branches, got [1, 2, 0]", edits.layer_at, (RESIDUAL, (1, 2, 0))),
        ("make widths equal", edits.edit_layer, (RESIDUAL, (1, 0, 1), "width", 3)),
        (
            "new layer (relu): unknown type, got 'relu'; did you mean Relu",
            edits.add_layer,
            (PLAIN, 0, "relu"),
        ),
        ("dataset, source (Moon): unknown type, got 'Moon'; did you mean Moons?", edits.set_source, (PLAIN, "Moon")),
        ("give a width of at least 1", edits.set_width, (PLAIN, 0)),
    ],
)
def test_impossible_edits_say_what_to_do(words: str, edit: Any, args: tuple[Any, ...]) -> None:
    refused(words, edit, *args)


@pytest.mark.parametrize(
    ("words", "edit", "fields"),
    [
        ("did you mean n_train?", edits.set_dataset, {"ntrain": 3}),
        ("add another", edits.set_dataset, {"classes": (3,)}),
        ("learning_rate", edits.set_training, {"learning_rate": float("nan")}),
        ("'float32'", edits.set_kernel, {"dtype": "float16"}),
    ],
)
def test_impossible_fields_say_what_to_do(words: str, edit: Any, fields: dict[str, Any]) -> None:
    refused(words, edit, PLAIN, **fields)


def fit(e: Experiment) -> tuple[int, int]:
    return e.architecture.input.shape[0], e.architecture.layers[-1].width  # type: ignore[union-attr]


def test_another_source_takes_the_network_along() -> None:
    e = edits.set_dataset(PLAIN, classes=(3, 8), targets="one_hot", n_train=100)
    assert fit(e) == (64, 2)
    e = edits.set_source(e, "Wine")
    assert fit(e) == (13, 3)
    assert (e.dataset.classes, e.dataset.targets) == (None, "auto")
    assert fit(edits.set_source(e, "Sphere", dimension=5)) == (5, 1)
    assert fit(edits.set_source(e, Digits())) == (64, 10)


def test_fields_of_the_present_source_keep_the_rest() -> None:
    e = edits.set_source(edits.set_source(PLAIN, Sphere(dimension=7)), "Sphere", degree=3)
    assert e.dataset.source == Sphere(dimension=7, degree=3)
    e = edits.set_dataset(edits.set_source(PLAIN, Moons()), n_train=9)
    assert edits.set_source(e, "Moons", noise=0.2).dataset.n_train == 9


@pytest.mark.parametrize(("n_train", "n_test"), [(100, 50), (128, 64), (10_000, 1), (1, 10_000)])
def test_a_small_source_gets_no_more_samples_than_it_has(n_train: int, n_test: int) -> None:
    e = edits.set_source(edits.set_dataset(PLAIN, n_train=n_train, n_test=n_test), "Wine").dataset
    if n_train + n_test <= 178:
        assert (e.n_train, e.n_test) == (n_train, n_test)
    else:
        assert e.n_train + e.n_test == 178
        assert e.n_train >= 1


def test_a_file_is_fitted_once_its_shape_is_known() -> None:
    e = edits.set_source(PLAIN, "File", path="my.csv")
    assert e.dataset.source == File("my.csv")
    assert fit(e) == (64, 10)
    assert fit(edits.fit_data(e, 3, 2)) == (3, 2)


def test_names_and_parameterisation() -> None:
    assert edits.rename(PLAIN, "new").name == "new"
    e = edits.set_parameterisation(RESIDUAL, "standard")
    assert e.architecture.layers[1].branches[0][1].param == "standard"  # type: ignore[union-attr]
    assert e.architecture.layers[-1].param == "standard"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", SOURCE_TYPES)
def test_a_new_source_comes_in_a_scaling_that_suits_it(name):
    fields = {"path": "mine.csv"} if name == "File" else {}
    start = edits.set_source(PLAIN, "Sphere" if name != "Sphere" else "Moons")
    scaling = edits.set_source(start, name, **fields).dataset.scaling
    assert scaling == SCALINGS[name]
    assert scaling != "sphere" or name == "Digits"
