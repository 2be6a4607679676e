"""Every fault names its place in words, what was given, and what to do; nothing but a ``SpecError`` comes out."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntklab.errors import SpecError
from ntklab.spec import Architecture, Branch, Dataset, Dense, Experiment, Input, KernelRequest, Training
from ntklab.spec.activations import Polynomial, Relu

ARCHITECTURE: dict[str, Any] = {"input": {"kind": "vector", "shape": [64]}, "layers": [{"type": "Dense", "width": 10}]}
WIDTH = "give a width of at least 1; for the limit use the infinite kernel"


def dense(**fields: Any) -> dict[str, Any]:
    return {"type": "Dense", "width": 10, **fields}


def branch(*branches: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "Branch", "branches": list(branches), **fields}


def layers(*stack: Any) -> dict[str, Any]:
    return {"architecture": {**ARCHITECTURE, "layers": list(stack)}}


def image(*stack: Any) -> dict[str, Any]:
    return {"architecture": {"input": {"kind": "image", "shape": [4, 4, 2]}, "layers": list(stack)}}


def shape(**given: Any) -> dict[str, Any]:
    return {"architecture": {**ARCHITECTURE, "input": given}}


def rest(**fields: Any) -> dict[str, Any]:
    return {"architecture": copy.deepcopy(ARCHITECTURE), **fields}


def source(**fields: Any) -> dict[str, Any]:
    return rest(dataset={"source": fields})


ROWS: list[tuple[Any, str]] = [
    (
        layers(dense(width=0)),
        f"architecture, layer 1 (Dense), width: expected a whole number of at least 1, got 0; {WIDTH}",
    ),
    (layers(dense(width=10**8)), "width: expected a whole number from 1 to 10000000, got 100000000; give a width"),
    (layers(dense(width="5")), "width: expected a whole number of at least 1, got '5'"),
    (layers(dense(width=True)), "width: expected a whole number of at least 1, got True"),
    (layers(dense(width=2.0)), "width: expected a whole number of at least 1, got 2.0"),
    (layers(dense(width=None)), "width: expected a whole number of at least 1, got none"),
    (layers({"type": "Dense"}), f"architecture, layer 1 (Dense): the field 'width' is missing; {WIDTH}"),
    (
        layers(dense(widht=3)),
        "layer 1 (Dense): there is no field 'widht'; did you mean width? known: width, W_std, b_std",
    ),
    (
        layers(dense(W_std=float("nan"))),
        "layer 1 (Dense), W_std: expected a number above 0, got nan; the default is 1.0",
    ),
    (layers(dense(W_std=float("inf"))), "W_std: expected a finite number, got inf; the default is 1.0"),
    (layers(dense(W_std=10**400)), "W_std: expected a finite number, got "),
    (layers(dense(W_std=1e200)), "W_std: expected a number of size 1e+15 at most, got 1e+200; the default is 1.0"),
    (rest(training={"learning_rate": 1e300}), "learning_rate: expected a number of size 1e+15 at most, got 1e+300"),
    (layers(dense(b_std=-1)), "b_std: expected a number of at least 0 or none, got -1; the default is none"),
    (
        layers(dense(param="Standard")),
        "param: expected 'ntk', 'standard' or 'mup', got 'Standard'; did you mean",
    ),
    (layers(dense(param=3)), "param: expected 'ntk', 'standard' or 'mup', got 3; the default is 'ntk'"),
    (layers(dense(s=[1])), "s: expected a list of 2, got [1]; the default is (1.0, 1.0)"),
    (layers(dense(s=[1, -1])), "layer 1 (Dense), s, entry 2: expected a number above 0, got -1"),
    (
        layers({"type": "Dens", "width": 3}),
        "architecture, layer 1: unknown type, got 'Dens'; did you mean Dense? known: ",
    ),
    (layers({"type": ["Dense"]}), "layer 1: unknown type, got ['Dense']; known: Dense, "),
    (layers({"width": 3}), "architecture, layer 1: the type is missing, got {'width': 3}; add \"type\": one of Dense"),
    (layers(5), 'architecture, layer 1: expected a table of fields, got 5; write {"type": …}'),
    (layers("relu"), 'layer 1: expected a table of fields, got \'relu\'; write {"type": "Relu"}'),
    (layers({"type": "Flatten", "x": 1}), "layer 1 (Flatten): there is no field 'x'; there are none"),
    (
        layers({"type": "Dropout", "keep_rate": 0}),
        "keep_rate: expected a number above 0 and at most 1, got 0; the default",
    ),
    (
        layers({"type": "Hermite", "degree": 99}),
        "degree: expected a whole number from 0 to 64, got 99; the default is 2",
    ),
    (layers({"type": "Polynomial", "coef": []}), "coef: expected a list of 1 to 65, got []; the default is (0.0, 1.0)"),
    (layers({"type": "Polynomial", "coef": [0] * 70}), "coef: expected a list of 1 to 65, got [0, 0"),
    (layers({"type": "Polynomial", "coef": [1, None]}), "coef, entry 2: expected a number, got none"),
    (layers(), "architecture, layers: expected at least one layer, got none; add a Dense layer"),
    (
        layers(dense(), dense(width=7)),
        "expected an output of [10], as the data has 10 targets, got [7]; give the last Dense",
    ),
    (
        layers(branch([], [dense(width=0)])),
        "layer 1 (Branch), branch 2, layer 1 (Dense), width: expected a whole number",
    ),
    (
        layers(branch([branch([], [{"type": "Reelu"}])])),
        "layer 1 (Branch), branch 1, layer 1 (Branch), branch 2, layer 1: unknown type, got 'Reelu'; did you mean Relu",
    ),
    (layers(branch([], 5)), "architecture, layer 1 (Branch), branch 2: expected a list, got 5; write […]"),
    (layers(branch()), "layer 1 (Branch), branches: expected at least one branch, got none; use [[]] for the identity"),
    (
        layers(branch([], [dense(width=3)])),
        "architecture, layer 1 (Branch): branches to sum must end in one shape, got [64] and [3]; make widths equal",
    ),
    (layers(branch([], [], merge="concat", axis=5)), "layer 1 (Branch), axis: expected -1, got 5; use -1 for channels"),
    (
        image(branch([], [{"type": "Flatten"}], merge="concat")),
        "layer 1 (Branch): branches to concat must have equally many axes, got [4, 4, 2] and [32]; flatten them all",
    ),
    (
        image(branch([], [dense(width=3)], merge="concat", axis=1)),
        "branches to concat must agree in all axes but -3, got [4, 4, 2] and [4, 4, 3]; make their sizes equal",
    ),
    (image(branch([], merge="concat", axis=-4)), "layer 1 (Branch), axis: expected from -3 to -1, got -4; use -1"),
    ({"architecture": {"layers": [dense()]}}, "architecture: the field 'input' is missing; give a table of fields"),
    ({"architecture": [1]}, "architecture: expected a table of fields, got [1]; write {…}"),
    (
        shape(kind="vector", shape=[3, 4]),
        "input, shape: expected 1 size for the kind 'vector', got [3, 4]; give one size",
    ),
    (shape(kind="image", shape=[3]), "input, shape: expected 3 sizes for the kind 'image', got [3]; give one size"),
    (
        shape(kind="vector", shape=[0]),
        "architecture, input, shape, entry 1: expected a whole number of at least 1, got 0",
    ),
    (
        shape(kind="vectr", shape=[3]),
        "input, kind: expected 'vector', 'sequence', 'image' or 'volume', got 'vectr'; did",
    ),
    (shape(shap=[3]), "architecture, input: there is no field 'shap'; did you mean shape? known: kind, shape"),
    (shape(shape=[3]), "architecture, input, shape: expected [64], as the data has 64 features, got [3]; give [64]"),
    ({}, "experiment: the field 'architecture' is missing; give a table of fields"),
    (rest(trainin={}), "experiment: there is no field 'trainin'; did you mean training? known: architecture, dataset"),
    (
        rest(training={"learning_rate": 0}),
        "training, learning_rate: expected a number above 0 or none, got 0; give such",
    ),
    (
        rest(training={"learning_rate": "fast"}),
        "training, learning_rate: expected a number above 0 or none, got 'fast'; g",
    ),
    (
        rest(training={"momentum": 1}),
        "training, momentum: expected a number of at least 0 and below 1, got 1; the default",
    ),
    (rest(training={"steps": 10**30}), "training, steps: expected a whole number from 1 to 2147483647, got 1000"),
    (
        rest(training={"batch_size": -1}),
        "batch_size: expected a whole number of at least 1 or none, got -1; the default",
    ),
    (
        rest(kernel={"memory": 0}),
        "kernel, memory: expected a whole number of at least 1 or none, got 0; give bytes, or",
    ),
    (rest(kernel={"device": "tpu"}), "kernel, device: expected the name of a device, got 'tpu'; give 'cpu', 'cuda' or"),
    (rest(kernel={"device": "cuda:"}), "kernel, device: expected the name of a device, got 'cuda:'"),
    (rest(kernel={"device": "cpu\n"}), "kernel, device: expected the name of a device, got 'cpu\\n'"),
    (rest(kernel={"dtype": "float16"}), "kernel, dtype: expected 'float32' or 'float64', got 'float16'; did you mean"),
    (source(type="Moon"), "dataset, source: unknown type, got 'Moon'; did you mean Moons? known: Digits, BreastCancer"),
    (
        rest(dataset={"source": "Moons"}),
        'dataset, source: expected a table of fields, got \'Moons\'; write {"type": "Moons"}',
    ),
    (
        source(type="Moons", noise=-1),
        "dataset, source (Moons), noise: expected a number of at least 0, got -1; the def",
    ),
    (source(type="File"), "dataset, source (File): the field 'path' is missing; give the path of a file in quotes"),
    (
        source(type="File", path=""),
        "dataset, source (File), path: expected the path of a data file, got an empty text; cho",
    ),
    (
        rest(dataset={"n_train": 0}),
        "dataset, n_train: expected a whole number of at least 1, got 0; the default is 128",
    ),
    (rest(dataset={"classes": [1]}), "dataset, classes: expected at least two classes, got (1,); add another"),
    (rest(dataset={"classes": [1, 12]}), "dataset, classes: expected classes from 0 to 9, got [12]; remove them"),
    (rest(dataset={"classes": [1, "a"]}), "dataset, classes, entry 2: expected a whole number, got 'a'"),
    (rest(dataset={"classes": 3}), "dataset, classes: expected a list or none, got 3; the default is none"),
    (
        rest(dataset={"source": {"type": "Circle"}, "classes": [0, 1]}),
        "dataset, classes: this source has no classes, got (0, 1); give none",
    ),
    (rest(name=3), "name: expected text, got 3; the default is 'experiment'"),
    (rest(name="\ud800"), "name: expected text that can be written as UTF-8, got '\\ud800'"),
    (rest(schema=3), "schema: this version reads schema 2 and older, got 3; install a newer ntklab"),
    (rest(schema="1"), "schema: expected a whole number of at least 1, got '1'"),
    (rest(schema=0), "schema: expected a whole number of at least 1, got 0"),
    ({**rest(), 5: 1}, "experiment: there is no field 5; known: "),
    (5, "experiment: expected a table of fields, got 5; write {…}"),
    ([], "experiment: expected a table of fields, got []; write {…}"),
]


@pytest.mark.parametrize(("raw", "message"), ROWS, ids=[message[:60] for _, message in ROWS])
def test_faults_in_files(raw: Any, message: str) -> None:
    before = copy.deepcopy(raw)
    with pytest.raises(SpecError) as caught:
        Experiment.from_dict(raw)
    assert message in str(caught.value)
    assert "architecture: architecture" not in str(caught.value)
    assert repr(raw) == repr(before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dense(0), f"Dense, width: expected a whole number of at least 1, got 0; {WIDTH}"),
        (
            lambda: Dense(10**6000),
            "Dense, width: expected a whole number from 1 to 10000000, got a number of about 6000 d",
        ),
        (lambda: Dense(np.int64(0)), "Dense, width: expected a whole number of at least 1, got "),
        (lambda: Dense(np.array([1, 2])), "Dense, width: expected a whole number of at least 1, got array([1, 2])"),
        (lambda: Dense(3, s=3), "Dense, s: expected a list of 2, got 3; the default is (1.0, 1.0)"),
        (lambda: Dense(3).replace(W_std=0), "Dense, W_std: expected a number above 0, got 0; the default is 1.0"),
        (lambda: Polynomial([float("inf")]), "Polynomial, coef, entry 1: expected a finite number, got inf"),
        (lambda: Branch(()), "Branch, branches: expected at least one branch, got none; use [[]] for the identity"),
        (lambda: Branch((Relu(),)), "Branch, branch 1: expected a list, got Relu(); write […]"),
        (lambda: Input("vector", (0,)), "input, shape, entry 1: expected a whole number of at least 1, got 0"),
        (
            lambda: Architecture(Input("vector", (3,)), Dense(3)),
            "architecture, layers: expected a list, got Dense(width=3",
        ),
        (
            lambda: Architecture(Input("vector", (3,)), ()),
            "architecture, layers: expected at least one layer, got none",
        ),
        (lambda: Dataset(classes=(1,)), "dataset, classes: expected at least two classes, got (1,); add another"),
        (lambda: Dataset(source=Relu()), "dataset, source: expected a table of fields, got Relu()"),
        (lambda: Training(momentum=2), "training, momentum: expected a number of at least 0 and below 1, got 2"),
        (lambda: KernelRequest(device="cuda:x"), "kernel, device: expected the name of a device, got 'cuda:x'"),
        (lambda: Dataset.from_dict({"n_test": -1}), "dataset, n_test: expected a whole number of at least 0, got -1"),
        (lambda: Architecture.from_dict({"layers": []}), "architecture: the field 'input' is missing"),
        (
            lambda: Architecture.from_dict({**ARCHITECTURE, "layers": [dense(width=-3)]}),
            "architecture, layer 1 (Dense), width: expected a whole number of at least 1, got -3",
        ),
    ],
)
def test_faults_of_constructors_and_parts(make: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert str(caught.value).startswith(message)


def nested(depth: int) -> str:
    """JSON of an experiment with branches in branches."""
    inside = '{"type": "Relu"}'
    for _ in range(depth):
        inside = f'{{"type": "Branch", "branches": [[{inside}]]}}'
    return json.dumps(rest()).replace('{"type": "Dense", "width": 10}', inside + ', {"type": "Dense", "width": 10}')


BOMBS: list[tuple[str, str]] = [
    ("[" * 200_000, "experiment: cannot be read as JSON: "),
    ('{"a":' * 200_000, "experiment: cannot be read as JSON: "),
    (f'{{"schema": {"1" * 100_000}}}', "experiment: cannot be read as JSON: "),
    (
        json.dumps(rest()).replace("10}", "1" * 4000 + "}"),
        "width: expected a whole number from 1 to 10000000, got 1111",
    ),
    (
        json.dumps(rest()) + " " * (4 * 2**20),
        "experiment: expected a text of at most 4 MiB, got 4.0 MiB; check the file",
    ),
    ('{"name": "a", "name": "b"}', "the field 'name' is given twice in one table"),
    ('{"architecture": NaN}', "architecture: expected a table of fields, got nan"),
    ("", "experiment: cannot be read as JSON: "),
    ("\0", "experiment: cannot be read as JSON: "),
    (nested(200), "branches are nested too deep; use fewer levels"),
    (
        json.dumps(rest(name="[" * 900)).replace('"' + "[" * 900 + '"', "[" * 900 + "]" * 900),
        "name: expected text, got [[[",
    ),
]


@pytest.mark.parametrize(("text", "message"), BOMBS, ids=[message[-50:] + text[:9] for text, message in BOMBS])
def test_bombs_give_one_clear_error(text: str, message: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(SpecError) as caught:
            Experiment.from_json(form)
        assert message in str(caught.value)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 20_000, "experiment: cannot be read as TOML: "),
        ("= 3", "experiment: cannot be read as TOML: "),
        (f"schema = {'1' * 100_000}", "experiment: cannot be read as TOML: "),
        ("name = 2020-01-01", "experiment: the field 'architecture' is missing"),
        ("architecture = 3", "architecture: expected a table of fields, got 3; write {…}"),
        ("#" * (5 * 2**20), "experiment: expected a text of at most 4 MiB, got 5.0 MiB; check the file"),
    ],
)
def test_bad_toml(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Experiment.from_toml(text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_invalid_bytes_are_no_json() -> None:
    with pytest.raises(SpecError, match="cannot be read as JSON"):
        Experiment.from_json(b"\xff\xff\xff")


def test_deep_branches_are_fine_until_they_are_too_deep() -> None:
    assert Experiment.from_json(nested(30)).architecture.layers[0] is not None
    deep: Any = Relu()
    for _ in range(60):
        deep = Branch(((deep,),))
    with pytest.raises(SpecError, match="nested too deep"):
        Architecture(Input("vector", (3,)), (deep, Dense(1)))


def test_faults_can_be_sent_between_processes() -> None:
    with pytest.raises(SpecError) as caught:
        Dense(0)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**70, "", "x", "Dense", [], {}, [[]], [1, "a"], {"type": "Dense"}, {"type": 3},
    float("nan"), "\ud800", [None] * 3, {"a": {}},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in nested tables and lists."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, part in inside for deeper in places(part, (*path, key)))]


@pytest.mark.parametrize(("name", "kind"), [("schema_1.json", Experiment), ("schema_1_positions.json", Architecture)])
def test_damage_anywhere_gives_one_line_or_a_document(name: str, kind: Any) -> None:
    sound = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    for path in places(sound)[1:]:
        for junk in JUNK:
            damaged = copy.deepcopy(sound)
            functools.reduce(lambda part, key: part[key], path[:-1], damaged)[path[-1]] = junk
            outcome = outcome_of(damaged, kind)
            if isinstance(outcome, str):
                assert "\n" not in outcome
            else:
                assert kind.from_toml(outcome.to_toml()) == outcome


def outcome_of(raw: Any, kind: Any) -> Any:
    """The document, or what is wrong with it; any other exception fails the test."""
    try:
        return kind.from_dict(raw)
    except SpecError as error:
        return str(error)
