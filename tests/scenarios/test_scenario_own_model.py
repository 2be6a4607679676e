"""The user's own network from the command line: asked for consent, run, reproduced by its script."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenario_tools import digits, ntklab, python

from ntklab.spec import Experiment

NETWORK = """
from pathlib import Path

import torch
from torch import nn

Path(__file__).with_name("it-ran").touch()


def perceptron():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 24), nn.Linear(24, 10)

    def forward(self, x):
        return self.last(torch.sort(self.first(x), dim=-1).values)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NETWORK)
    (tmp_path / "plain.json").write_text(json.dumps(digits(dataset__n_train=12, training__steps=2)))
    return tmp_path


def write_toml(folder: Path, **model: Any) -> None:
    """The experiment with a table [model], as a person would write it."""
    text = Experiment.from_json((folder / "plain.json").read_text()).to_toml()
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in {"type": "ModelFile", **model}.items())
    (folder / "own.toml").write_text(f"{text}\n[model]\n{lines}")


def test_a_model_runs_where_it_is_trusted_and_its_script_reproduces_it(folder: Path) -> None:
    from ntklab.files import sha256_of

    write_toml(folder, path="net.py", function="perceptron", sha256=sha256_of(folder / "net.py"))
    refused = ntklab("run", "own.toml", "--out", "out", folder=folder)
    assert refused.returncode == 2
    assert "nobody has allowed to run" in refused.stderr
    assert "--trust" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (folder / "it-ran").exists()
    done = ntklab("run", "own.toml", "--out", "out", "--trust", folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "it-ran").exists()
    page = (folder / "out" / "report.html").read_text()
    assert "perceptron() of net.py: 3,610 parameters, 10 outputs" in page
    again = python("out/reproduce.py", "again.npz", folder=folder, PYTHONPATH=os.environ.get("PYTHONPATH", ""))
    assert again.returncode == 0, again.stderr
    with np.load(folder / "out" / "arrays.npz") as first, np.load(folder / "again.npz") as second:
        assert set(first) == set(second)
        for name in ("empirical", "ntk", "empirical_spectrum_eigenvalues", "trajectory_train_loss"):
            np.testing.assert_array_equal(first[name], second[name])


def test_without_a_limit_the_rest_is_there_and_says_why(folder: Path) -> None:
    words = ("run", "plain.json", "--model", "net.py:Sorted", "--trust", "--out", "out", "--quiet")
    done = ntklab(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "no infinite-width kernel" in done.stderr
    assert "sort" in done.stderr
    with np.load(folder / "out" / "arrays.npz") as found:
        assert "ntk" not in found
        assert found["empirical"].shape == (12, 12)
    assert "no infinite-width kernel" in (folder / "out" / "report.html").read_text()
    figure = ntklab("export", "plain.json", "--model", "net.py:Sorted", "--trust", "--figure", "kernel-analytic",
                    "--out", "a.svg", folder=folder)  # fmt: skip
    assert figure.returncode == 2
    assert "no infinite-width kernel" in figure.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "net.py:perceptron"), "nobody has allowed to run"),
        (("--model", "net.py"), "expected FILE.py:FUNCTION"),
        (("--model", "gone.py:f", "--trust"), "cannot read gone.py"),
        (("--model", "net.py:absent", "--trust"), "has no function 'absent'"),
        (("--input", "8,8"), "this experiment has no model"),
        (("--model", "net.py:perceptron", "--input", "8,9", "--trust"), "expected a shape of 64 numbers"),
        (("--checkpoint", "gone.pt"), "cannot read gone.pt"),
        (("--checkpoint", "plain.json"), "cannot read plain.json: expected one of .pt"),
    ],
)
def test_what_is_wrong_is_one_line(
    folder: Path, words: tuple[str, ...], said: str, capsys: Any, monkeypatch: Any
) -> None:
    from ntklab.__main__ import main

    monkeypatch.chdir(folder)
    assert main(["run", "plain.json", "--out", "out", *words]) == 2
    heard = capsys.readouterr()
    assert said in heard.err
    assert "Traceback" not in heard.err
    assert not (folder / "out").exists()


def test_a_described_network_without_a_closed_form_runs(folder: Path, capsys: Any, monkeypatch: Any) -> None:
    from ntklab.__main__ import main

    plain = json.loads((folder / "plain.json").read_text())
    plain["architecture"]["layers"].insert(0, {"type": "Relu"})
    (folder / "early.json").write_text(json.dumps(plain))
    monkeypatch.chdir(folder)
    assert main(["run", "early.json", "--out", "out", "--quiet", "--monte-carlo", "3", "--widths", "8,16"]) == 0
    assert "its input is not Gaussian" in capsys.readouterr().err
    with np.load(folder / "out" / "arrays.npz") as found:
        assert "ntk" not in found
        assert found["monte_carlo_means"].shape == (2, 12, 12)
        assert found["empirical"].shape == (12, 12)
