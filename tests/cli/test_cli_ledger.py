"""The ledger on the command line."""

import json

import numpy as np

from ntklab.cli.main import main
from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input
from ntklab.spec.activations import Relu
from ntklab.spec.dataset import TwoCircles
from ntklab.spec.training import Training


def asked(folder):
    layers = (Dense(8), Relu(), Dense(8), Relu(), Dense(1))
    data = Dataset(source=TwoCircles(), n_train=12, n_test=4)
    experiment = Experiment(Architecture(Input("vector", (2,)), layers), data, training=Training(steps=2))
    path = folder / "asked.json"
    path.write_text(experiment.to_json(), encoding="utf-8")
    return path


def test_parts_and_the_kernel_without_muted_layers_are_written(tmp_path, capsys):
    target = tmp_path / "arrays.npz"
    assert main(["export", str(asked(tmp_path)), "--arrays", "--mute", "0, 4", "--out", str(target), "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    with np.load(target) as found:
        np.testing.assert_allclose(found["ledger_parts"].sum(axis=0), found["empirical"], rtol=1e-5)
        np.testing.assert_allclose(found["unmuted"], found["ledger_parts"][1], rtol=1e-6)
        described = json.loads(str(found["metadata"]))
    assert described["experiment"]["kernel"]["muted"] == ["0", "4"]
    assert described["parts"]["ledger"]["titles"] == ["Dense 8", "Dense 8", "Dense 1"]


def test_figures_of_layers(tmp_path):
    path = asked(tmp_path)
    for name in ("layers-spectra", "kernel-layer"):
        target = tmp_path / f"{name}.svg"
        assert main(["export", str(path), "--figure", name, "--layer", "2", "--out", str(target), "--quiet"]) == 0
        assert "Dense 8" in target.read_text(encoding="utf-8")


def test_muting_everything_is_refused(tmp_path, capsys):
    target = tmp_path / "a.npz"
    assert main(["export", str(asked(tmp_path)), "--arrays", "--mute", "0,2,4", "--out", str(target), "--quiet"]) == 2
    assert "expected at least one layer to train" in capsys.readouterr().err
    assert not target.exists()
