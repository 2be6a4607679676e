"""The command line as a person uses it: fresh processes, real files, and everything that can be wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from itertools import cycle

import numpy as np
import pytest
from interrupts import heard
from scenario_tools import digits, environment, ntklab, own_file, python, snapshot, written

from ntklab.__main__ import main
from ntklab.cli import export as export_command
from ntklab.figures.views import VIEWS
from ntklab.spec import Experiment

FIGURES = [f"{view.id}-{choice.id}" for view in VIEWS for choice in view.choices]
# Those of a run that asks neither for widths, nor for Monte Carlo, nor for layers.
UNASKED = ("dynamics-convergence", "kernel-mc-", "kernel-layer", "kernel-unmuted", "layers-")
PLAIN = {name for name in FIGURES if not name.startswith(UNASKED)}
MM_PER_INCH = 25.4


def check_metadata(metadata, seed):
    """Each kernel says which conventions, precision, seed and versions it belongs to."""
    assert Experiment.from_dict(metadata["experiment"]).content_hash() == metadata["experiment_hash"]
    for part, kind, drawn in (("empirical", "empirical", seed), ("ntk", "ntk", None), ("nngp", "nngp", None)):
        told = metadata["parts"][part]
        assert (told["kind"], told["parameterisation"], told["seed"]) == (kind, "ntk", drawn)
        assert told["dtype"] == "float64"
        assert told["spec"] == metadata["experiment_hash"]
        assert {"python", "ntklab", "numpy", "torch"} <= set(told["versions"])
    assert metadata["parts"]["trajectory"]["parameterisation"] == "ntk"


def check_kernels(found, n):
    """Three different symmetric positive kernels, close to each other where theory says so."""
    for name in ("empirical", "ntk", "nngp"):
        K = found[name]
        assert K.shape == (n, n)
        np.testing.assert_allclose(K, K.T, rtol=1e-12)
        assert np.linalg.eigvalsh(K)[0] > -1e-9 * np.abs(K).max()
        assert K.std() > 0
    distance = np.linalg.norm(found["empirical"] - found["ntk"]) / np.linalg.norm(found["ntk"])
    assert 0 < distance < 0.6
    assert (np.diag(found["ntk"]) > np.diag(found["nngp"])).all()


def check_training(found, steps):
    losses = found["trajectory_train_loss"]
    assert found["trajectory_runs"].tolist() == ["network", "linearised", "infinite"]
    assert losses.shape == (3, len(found["trajectory_steps"]))
    assert found["trajectory_steps"][-1] == steps
    assert (losses[:, -1] < losses[:, 0]).all()
    np.testing.assert_allclose(losses[0, 0], losses[1, 0], rtol=1e-12)  # all from one start


class Links(HTMLParser):
    """The files that a page links to."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):  # noqa: ARG002 (the form of the base)
        self.found += [value for name, value in attributes if name == "href"]


def width_mm(content, form):
    """The width that a figure file declares."""
    if form == "png":
        pixels = struct.unpack(">I", content[16:20])[0]
        per_metre = struct.unpack(">I", content[content.index(b"pHYs") + 4 :][:4])[0]
        return pixels / per_metre * 1000
    pattern = rb'<svg[^>]*? width="([\d.]+)pt"' if form == "svg" else rb"/MediaBox \[ 0 0 ([\d.]+) "
    return float(re.search(pattern, content)[1]) / 72 * MM_PER_INCH


def check_figure(content, form, *, width, dpi):
    """The file is as wide as asked for (a PNG to a pixel), says where it comes from, and is not empty."""
    assert width_mm(content, form) == pytest.approx(width, abs=MM_PER_INCH / dpi if form == "png" else 0.01)
    assert b"seed" in content or "seed".encode("utf-16-be") in content  # how a PDF writes text that is not ASCII
    assert len(content) > 2000


def check_report(folder, figures):
    names = set(snapshot(folder))
    expected = {f"figures/{name}.{form}" for name in figures for form in ("pdf", "png", "svg")}
    assert names == expected | {"arrays.npz", "experiment.json", "report.html", "reproduce.py"}
    for name in expected:
        check_figure((folder / name).read_bytes(), name[-3:], width=85, dpi=300)
    links = Links((folder / "report.html").read_text()).found
    assert links
    assert {link for link in links if not (folder / link).is_file()} == set()
    compile((folder / "reproduce.py").read_text(), "reproduce.py", "exec")


def load(path):
    with np.load(path) as file:  # no pickles
        return dict(file)


# -- what works --------------------------------------------------------------------------------------------------------


def test_info(tmp_path):
    done = ntklab("info", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("python", "ntklab", "numpy", "torch", "PySide6", "pyqtgraph", "window", "memory", "CUDA|cuda:0"):
        assert re.search(rf"^({name}):? ", done.stdout, re.MULTILINE), name


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The starter without a display and a run on digits, at the same time: (folder, process) of each."""
    folders = [tmp_path_factory.mktemp(name) for name in ("starter", "digits")]
    written(folders[1], digits())
    commands = [(), ("run", "experiment.json", "--out", "deep/out", "--quiet")]
    with ThreadPoolExecutor(2) as workers:
        ended = workers.map(lambda words, folder: ntklab(*words, folder=folder, timeout=300), commands, folders)
    return list(zip(folders, ended, strict=True))


def test_without_a_display_one_line_and_the_starter(finished):
    folder, done = finished[0]
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert [line for line in said if line.startswith("ntklab:")] == [
        "ntklab: there is no display, so the experiment runs without a window; results go to ntklab-out"
    ]
    assert done.stdout.strip() == "ntklab-out/report.html"
    check_report(folder / "ntklab-out", PLAIN)
    found = load(folder / "ntklab-out" / "arrays.npz")
    check_kernels(found, 64)
    check_training(found, 400)
    check_metadata(json.loads(str(found["metadata"])), seed=0)


@pytest.fixture(scope="module")
def ran(finished):
    """The folder of the run on digits."""
    folder, done = finished[1]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "deep/out/report.html"
    return folder


def test_run_on_digits(ran):
    out = ran / "deep" / "out"
    check_report(out, PLAIN)
    found = load(out / "arrays.npz")
    check_kernels(found, 24)
    check_training(found, 6)
    check_metadata(json.loads(str(found["metadata"])), seed=5)
    asked = Experiment.from_json((ran / "experiment.json").read_bytes())
    assert Experiment.from_json((out / "experiment.json").read_bytes()) == asked


def test_the_script_in_the_folder_gives_the_same_bits(ran, tmp_path):
    out = ran / "deep" / "out"
    command = [sys.executable, "-W", "error", str(out / "reproduce.py"), "again.npz"]
    subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), check=True, capture_output=True, timeout=120)
    first, again = load(out / "arrays.npz"), load(tmp_path / "again.npz")
    assert set(first) == set(again)
    for name in set(first) - {"metadata"}:
        np.testing.assert_array_equal(again[name], first[name], err_msg=name)
        assert again[name].dtype == first[name].dtype


@pytest.mark.parametrize("suffix", ["npz", "h5", "csv"])
def test_arrays_agree_in_every_form(ran, tmp_path, suffix, capsys):
    import h5py

    expected = load(ran / "deep" / "out" / "arrays.npz")["ntk"]
    target = tmp_path / f"all.{suffix}"
    assert main(["export", str(ran / "experiment.json"), "--arrays", "--out", str(target), "--quiet"]) == 0
    paths = capsys.readouterr().out.split()
    if suffix == "npz":
        found = load(target)["ntk"]
    elif suffix == "h5":
        with h5py.File(target) as file:
            found = file["ntk"]["values"][...] if "values" in file["ntk"] else file["ntk"][...]
            assert "parameterisation" in json.dumps({k: str(v) for k, v in file.attrs.items()}) + str(
                dict(file["ntk"].attrs)
            )
    else:
        (path,) = (path for path in paths if re.search(r"[^a-z]ntk(_values)?\.csv$", path))
        found = np.loadtxt(path, delimiter=",", comments="#", ndmin=2)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "form"), list(zip(FIGURES, cycle(("png", "svg", "pdf")), strict=False)))
def test_every_figure_alone(ran, tmp_path, monkeypatch, name, form):
    monkeypatch.setattr(export_command, "WIDTHS", (8, 16, 32))
    monkeypatch.setattr(export_command, "SEEDS", 2)
    out = tmp_path / f"{name}.{form}"
    asked = ran / "experiment.json"
    if name == "kernel-unmuted":
        asked = tmp_path / "muted.json"
        experiment = Experiment.from_json((ran / "experiment.json").read_bytes())
        asked.write_text(experiment.replace(kernel=experiment.kernel.replace(muted=("0",))).to_json())
    words = ["export", str(asked), "--figure", name, "--out", str(out), "--width", "120mm", "--quiet"]
    assert main([*words, "--dpi", "150"]) == 0
    check_figure(out.read_bytes(), form, width=120, dpi=150)


def test_an_exported_figure_from_a_fresh_process(ran):
    words = ["export", "experiment.json", "--figure", "spectrum", "--format", "svg", "--width", "3.5in", "--quiet"]
    done = ntklab(*words, folder=ran)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "experiment-spectrum.svg\n")
    assert width_mm((ran / "experiment-spectrum.svg").read_bytes(), "svg") == pytest.approx(88.9, abs=0.01)


# -- what is wrong -----------------------------------------------------------------------------------------------------

NPZ_START = b"PK\x03\x04\x14\0\0\0\0\0"
TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 5}.5\n" for i in range(30))
RUN = ("run", "bad.json", "--out", "out")

# name → (what bad.json holds, the words of the command, what the line must say)
BAD = {
    "missing file": (None, ("run", "gone.json", "--out", "out"), ("gone.json", "check")),
    "bad json": ("{", RUN, ("bad.json", "JSON", "check the file")),
    "wrong layer": (digits(architecture__layers__1__type="Rellu"), RUN, ("layer 2", "'Rellu'", "did you mean")),
    "width 0": (digits(architecture__layers__0__width=0), RUN, ("layer 1 (Dense), width", "got 0", "infinite kernel")),
    "nan": (digits(architecture__layers__0__W_std=float("nan")), RUN, ("layer 1 (Dense), W_std", "nan", "default")),
    "overflow": (digits(architecture__layers__0__W_std=1e200), RUN, ("layer 1 (Dense), W_std", "1e+200")),
    "bad rate": (digits(training__learning_rate=-0.5), RUN, ("learning_rate", "-0.5", "give such a rate")),
    "zero kernel": (digits(architecture__layers__0__W_std=1e-170, architecture__layers__0__b_std=None,
                           architecture__layers__2__b_std=None), RUN, ("learning rate", "W_std")),
    "tiny budget": (digits(kernel__memory=100_000), RUN, ("memory budget", "97.66 KiB", "raise")),
    "tiny option": (digits(), (*RUN, "--memory", "1B"), ("memory budget", "1 B", "raise")),
    "truncated npz": (own_file("cut.npz"), RUN, ("cut.npz", "damaged", "write it again")),
    "words in a csv": (own_file("words.csv"), RUN, ("words.csv", "line 9, column 'a'", "'seven'", "mend that cell")),
    "no such column": (own_file("good.csv", target="z"), RUN, ("good.csv", "'z'", "choose among")),
    "too few samples": (digits(dataset__n_train=5000), RUN, ("1797", "5000", "ask for at most")),
    "too wide": (digits(architecture__layers__0__width=10_000_000), (*RUN, "--memory", "9GB"),
                 ("750000010 parameters", "22.35 GiB", "narrower")),
    "unknown device": (digits(), (*RUN, "--device", "tpu"), ("tpu", "give 'cpu'")),
    "absent device": (digits(), (*RUN, "--device", "cuda:99"), ("cuda:99", "device='cpu'")),
    "unknown figure": (digits(), ("export", "bad.json", "--figure", "portrait"), ("'portrait'", "choose one of")),
    "unknown format": (digits(), ("export", "bad.json", "--figure", "kernel", "--format", "gif"), ("'gif'", "pdf")),
    "file in the way": (digits(), ("run", "bad.json", "--out", "good.csv/out"), ("good.csv", "choose another")),
    "file in the way of a figure": (
        digits(), ("export", "bad.json", "--figure", "kernel", "--out", "good.csv/k.pdf"),
        ("good.csv", "choose another"),
    ),
}  # fmt: skip


# Those that are told without loading torch, and a few of the others, are run in a process of their own; the rest share
# one, which takes a third of the time.
ALONE = {
    "missing file", "bad json", "wrong layer", "width 0", "nan", "bad rate", "unknown device", "unknown figure",
    "unknown format", "file in the way", "tiny budget", "truncated npz",
}  # fmt: skip
TOGETHER = """
import contextlib, io, json, os, sys
from ntklab.__main__ import main

found = {}
for name, folder, words in json.loads(sys.argv[1]):
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(words)
    found[name] = (status, out.getvalue(), err.getvalue())
print(json.dumps(found))
"""


def prepared(folder, content):
    """``folder`` with a bad experiment, data files and an older result."""
    if content is not None:
        (folder / "bad.json").write_text(content if isinstance(content, str) else json.dumps(content))
    (folder / "cut.npz").write_bytes(NPZ_START)
    (folder / "good.csv").write_text(TABLE)
    (folder / "words.csv").write_text(TABLE.replace("\n7,", "\nseven,"))
    (folder / "out").mkdir()
    for old in ("arrays.npz", "experiment.json", "report.html"):
        (folder / "out" / old).write_text(f"an older {old}")
    return folder


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Of each bad command: its folder, the files before, and (status, what it printed, what it said)."""
    folders = {name: prepared(tmp_path_factory.mktemp("bad"), BAD[name][0]) for name in BAD}
    before = {name: snapshot(folder) for name, folder in folders.items()}

    def alone(name):
        done = ntklab(*BAD[name][1], "--quiet", folder=folders[name])
        return done.returncode, done.stdout, done.stderr

    def together(names):
        jobs = json.dumps([(name, str(folders[name]), [*BAD[name][1], "--quiet"]) for name in names])
        done = python("-c", TOGETHER, jobs, folder=tmp_path_factory.mktemp("together"))
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as workers:
        rest = workers.submit(together, sorted(set(BAD) - ALONE))
        found = dict(zip(sorted(ALONE), workers.map(alone, sorted(ALONE)), strict=True)) | rest.result()
    return {name: (folders[name], before[name], found[name]) for name in BAD}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_status_2_and_nothing_is_lost(ended, name):
    folder, before, (status, printed, said) = ended[name]
    assert status == 2, said
    assert printed == ""
    (line,) = said.splitlines()
    assert line.startswith("ntklab: ")
    for words in BAD[name][2]:
        assert words in line
    assert {path: content for path, content in snapshot(folder).items() if not path.startswith("home/")} == before


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_in_a_long_run(tmp_path):
    written(tmp_path, digits(training={"steps": 10_000_000}))
    command = [sys.executable, "-m", "ntklab", "run", "experiment.json", "--out", "out"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path / "home"), stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, preexec_fn=heard) as process:  # fmt: skip
        try:
            said = [next(process.stderr) for _ in range(2)]
            while not said[-1].startswith("phase ("):
                said.append(next(process.stderr))
            time.sleep(0.5)  # training has begun
            process.send_signal(signal.SIGINT)
            sent = time.monotonic()
            rest, printed = process.stderr.read(), process.stdout.read()
            assert process.wait(timeout=20) == 130, rest
            assert time.monotonic() - sent < 15  # a hang, not a measurement
        finally:
            process.kill()
    assert printed == ""
    (line,) = rest.splitlines()
    assert line.startswith("ntklab: cancelled; kept data, analytic NTK")
    assert "Traceback" not in rest
    names = {name for name in snapshot(tmp_path) if not name.startswith("home/")}
    assert names == {"experiment.json", "out/arrays-partial.npz"}
    kept = load(tmp_path / "out" / "arrays-partial.npz")
    assert kept["empirical"].shape == (24, 24)
    assert json.loads(str(kept["metadata"]))["experiment"]["name"] == "small digits"
