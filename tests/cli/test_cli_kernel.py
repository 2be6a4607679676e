"""``ntklab kernel`` and ``ntklab info FOLDER``: into a folder, stopped, gone on with, told of."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from interrupts import heard

import ntklab
from ntklab.__main__ import main
from ntklab.kernels.empirical import storing
from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input
from ntklab.spec.activations import Relu
from ntklab.store import is_stored, state


def experiment(n_train, width=16):
    layers = (Dense(width), Relu(), Dense(width), Relu(), Dense(10))
    return Experiment(Architecture(Input("vector", (64,)), layers), Dataset(n_train=n_train, n_test=4), name="small")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(experiment(40).to_json())
    return path


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(storing, "_TILE", 2**8 * 400)


def test_a_kernel_goes_into_a_folder_and_is_that_of_the_library(file, tmp_path, capsys, small_tiles):
    folder = tmp_path / "K"
    assert main(["kernel", str(file), "--store", str(folder), "--outputs", "full"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{folder}\n"
    assert said.err.startswith("needs about")
    asked = Experiment.from_json(file.read_text())
    data = ntklab.load(asked.dataset)
    expected = ntklab.empirical_ntk(asked.architecture, data.X_train, outputs="full", dtype=asked.kernel.dtype)
    gram = ntklab.open_kernel(folder)
    assert state(folder).tiles > 1
    np.testing.assert_allclose(np.asarray(gram.values), expected.values, rtol=1e-5, atol=1e-6)
    full = asked.replace(kernel=asked.kernel.replace(outputs="full"))
    assert gram.provenance.spec == full.content_hash()


def test_a_kernel_that_is_there_is_gone_on_with_only_when_asked(file, tmp_path, capsys):
    words = ["kernel", str(file), "--store", str(tmp_path / "K"), "--quiet"]
    assert main(words) == 0
    assert main(words) == 2
    assert "add --resume to go on with it" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert state(tmp_path / "K").written == 1
    assert main([*words, "--resume", "--outputs", "full"]) == 2
    assert "outputs 'full' (stored 'mean')" in capsys.readouterr().err
    assert main(["kernel", str(file), "--store", str(tmp_path), "--quiet"]) == 2
    assert "holds other files, such as K" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--monte-carlo", "--widths"])
def test_networks_are_not_drawn(file, tmp_path, capsys, option):
    assert main(["kernel", str(file), "--store", str(tmp_path / "K"), option, "3"]) == 2
    assert option in capsys.readouterr().err


def facts(words, capsys):
    assert main(["info", *words]) == 0
    return dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())


def test_info_tells_of_a_stored_kernel(file, tmp_path, capsys):
    folder = tmp_path / "K"
    main(["kernel", str(file), "--store", str(folder), "--quiet"])
    capsys.readouterr()
    found = {name: value.strip() for name, value in facts([str(folder), "--check"], capsys).items()}
    assert found["kernel"] == "40 × 40 float32, empirical, outputs mean"
    assert found["state"] == "complete"
    assert found["health"].startswith("all entries finite, asymmetry")
    assert found["tiles"] == "as they were written"
    assert found["seed"] == "0"


def test_info_names_damaged_tiles(file, tmp_path, capsys):
    folder = tmp_path / "K"
    main(["kernel", str(file), "--store", str(folder), "--quiet"])
    path = folder / "kernel" / "c.0.0"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    capsys.readouterr()
    assert main(["info", str(folder), "--check"]) == 2
    said = capsys.readouterr()
    assert "1 damaged" in said.out
    assert "c.0.0: the checksum does not fit" in said.err
    assert main(["kernel", str(file), "--store", str(folder), "--quiet", "--resume"]) == 0
    assert main(["info", str(folder), "--check"]) == 0


def test_info_of_what_is_no_kernel(tmp_path, capsys):
    assert main(["info", str(tmp_path)]) == 2
    assert "is no stored kernel" in capsys.readouterr().err
    assert main(["info", "--check"]) == 2
    assert "name the folder" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_a_store_that_goes_on(tmp_path, capsys, small_tiles):
    path, folder = tmp_path / "long.json", tmp_path / "K"
    path.write_text(experiment(220, width=128).to_json())
    code = (
        "import sys; from ntklab.cli.main import main; from ntklab.kernels.empirical import storing; "
        f"storing._TILE = {storing._TILE};"
    )
    words = ["kernel", str(path), "--store", str(folder), "--outputs", "full"]
    with subprocess.Popen(
        [sys.executable, "-c", f"{code} sys.exit(main({words}))"], stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as process:
        try:
            while not (is_stored(folder) and state(folder).done > 2) and process.poll() is None:
                time.sleep(0.01)
            assert state(folder).writer == f"process {process.pid}"
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert process.wait(timeout=30) == 130, rest
        finally:
            process.kill()
    found = state(folder)
    assert f"ntklab: cancelled; {found.done} of {found.tiles} tiles are in {folder}: add --resume" in rest
    assert 2 < found.done < found.tiles
    assert facts([str(folder)], capsys)["state"].strip() == "not complete: run the same command again with --resume"
    assert main([*words, "--resume", "--quiet"]) == 0
    assert (state(folder).done, state(folder).written) == (found.tiles, found.tiles)
