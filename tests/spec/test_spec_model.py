"""The user's own network and parameters from a file, as values: read, written, refused."""

from __future__ import annotations

from typing import Any

import pytest

from ntklab.errors import SpecError
from ntklab.spec import Architecture, Checkpoint, Dataset, Dense, Experiment, Input, ModelFile, ModelObject

A, B = 64 * "a", 64 * "b"
FILE = ModelFile("nets/small.py", "make_network", A, (1, 8, 8))
OBJECT = ModelObject("__main__:Net", A)
PARAMETERS = Checkpoint("trained.safetensors", B)


def experiment(**changes: Any) -> Experiment:
    return Experiment(Architecture(Input("vector", (64,)), (Dense(10),)), **changes)


@pytest.mark.parametrize(
    "changes",
    [{"model": FILE}, {"model": OBJECT}, {"checkpoint": PARAMETERS}, {"model": FILE, "checkpoint": PARAMETERS}],
)
def test_models_survive_files(changes: dict[str, Any]) -> None:
    one = experiment(**changes)
    for again in (Experiment.from_json(one.to_json()), Experiment.from_toml(one.to_toml())):
        assert again == one
        assert again.content_hash() == one.content_hash()
    assert one.to_dict()["schema"] == 2
    assert one.content_hash() != experiment().content_hash()


def test_a_model_in_toml_is_what_a_person_would_write() -> None:
    written = experiment().to_toml() + (
        f'\n[model]\ntype = "ModelFile"\npath = "nets/small.py"\nfunction = "make_network"\nsha256 = "{A}"\n'
        f'input = [1, 8, 8]\n[checkpoint]\npath = "trained.safetensors"\nsha256 = "{B}"\n'
    )
    assert Experiment.from_toml(written) == experiment(model=FILE, checkpoint=PARAMETERS)


def test_experiments_without_either_are_written_as_before() -> None:
    """Their hashes must not change: stored results are known by them."""
    assert experiment().to_dict()["schema"] == 1
    assert not {"model", "checkpoint"} & experiment().to_dict().keys()
    raw = {"architecture": {"input": {"shape": [64]}, "layers": [{"type": "Dense", "width": 10}]}, "model": None}
    assert Experiment.from_dict(raw) == experiment()


@pytest.mark.parametrize("other", [{"sha256": B}, {"path": "nets/other.py"}, {"function": "make"}, {"input": None}])
def test_every_field_of_a_model_counts(other: dict[str, Any]) -> None:
    assert experiment(model=FILE.replace(**other)).content_hash() != experiment(model=FILE).content_hash()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"path": "a.py", "function": "f"}, "the field 'sha256' is missing; sha256sum FILE prints it"),
        ({"path": "a.py", "function": "f", "sha256": "abc"}, "sha256: expected the sha256 of the file in 64"),
        ({"path": "a.py", "function": "f()", "sha256": A}, "function: expected the name of a function of the file"),
        ({"path": "a.py", "function": "os.system", "sha256": A}, "without brackets"),
        ({"path": "", "function": "f", "sha256": A}, "expected the path of a Python file, got an empty text"),
        ({"path": "a.py", "function": "f", "sha256": A, "input": []}, "write [3, 32, 32], without the batch axis"),
        ({"path": "a.py", "function": "f", "sha256": A, "code": "import os"}, "there is no field 'code'"),
    ],
)
def test_faults_are_named(model: dict[str, Any], said: str) -> None:
    raw = experiment().to_dict() | {"model": {"type": "ModelFile", **model}}
    with pytest.raises(SpecError) as fault:
        Experiment.from_dict(raw)
    assert "model" in str(fault.value)
    assert said in str(fault.value)


def test_the_architecture_beside_a_model_still_fits_the_data() -> None:
    """It is what the user goes back to."""
    with pytest.raises(SpecError, match="10 targets"):
        experiment(model=FILE).replace(architecture=Architecture(Input("vector", (64,)), (Dense(9),)))
    assert experiment(model=FILE, dataset=Dataset(n_train=9)).model == FILE
