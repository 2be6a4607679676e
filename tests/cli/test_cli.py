"""The command line: what it writes, and one line with status 2 for everything that can be wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from interrupts import heard

from ntklab.__main__ import main
from ntklab.cli import window
from ntklab.cli.meter import Meter
from ntklab.cli.quantities import length, memory, points
from ntklab.progress import Forecast, Partial, Progress
from ntklab.spec import Architecture, Dataset, Dense, Experiment, Input, Training
from ntklab.spec.activations import Relu
from ntklab.spec.dataset import File, TwoCircles


def experiment(**changes):
    layers = (Dense(8, W_std=1.5, b_std=0.1), Relu(), Dense(1))
    fields = {
        "dataset": Dataset(TwoCircles(), n_train=10, n_test=4, scaling="standardise"),
        "training": Training(steps=3),
        "name": "small",
    }
    return Experiment(Architecture(Input("vector", (2,)), layers), **(fields | changes))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(experiment().to_json())
    return path


@pytest.fixture
def few_figures(monkeypatch):
    from ntklab.export import reports

    everything = reports.figures
    monkeypatch.setattr(reports, "figures", lambda run: list(everything(run))[4:5])


# -- Monte Carlo -------------------------------------------------------------------------------------------------------


def test_monte_carlo_writes_estimates_and_says_how_they_agree(file, tmp_path, capsys):
    out = tmp_path / "estimates.npz"
    draw = ["monte-carlo", str(file), "--monte-carlo", "4", "--widths", "8,16,24", "--out", str(out)]
    assert main(draw) == 0
    said = capsys.readouterr()
    assert said.err.count("Monte Carlo NTK") == 1  # once, not with every network
    path, ntk, nngp = said.out.splitlines()
    assert path == str(out)
    assert "4 networks each, widths 8, 16, 24" in ntk
    assert "rms z" in ntk
    assert "max |z|" in nngp
    with np.load(out) as found:
        assert found["monte_carlo_means"].shape == found["monte_carlo_standard_errors"].shape == (3, 10, 10)
        assert found["ntk"].shape == (10, 10)
        assert json.loads(str(found["metadata"]))["experiment"]["kernel"]["monte_carlo_widths"] == [8, 16, 24]


def test_a_figure_of_estimates_draws_the_networks_that_are_asked_for(file, tmp_path, capsys):
    out = tmp_path / "z.svg"
    assert main(["export", str(file), "--figure", "kernel-mc-z", "--monte-carlo", "3", "--out", str(out)]) == 0
    assert "spectrum" not in capsys.readouterr().err
    assert "3 networks each at widths 128, 256, 512" in out.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--widths", "8,x"), "expected whole numbers such as 128,256,512, got '8,x'"),
        (("--widths", "8,8"), "expected distinct widths, got [8, 8]"),
        (("--monte-carlo", "0"), "expected a whole number of at least 1"),
        (("--out", "estimates.txt"), "the suffix must be one of"),
    ],
)
def test_bad_requests_for_estimates_are_one_line(file, capsys, options, said):
    assert main(["monte-carlo", str(file), *options]) == 2
    assert said in capsys.readouterr().err


# -- run ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_figures")
def test_run_writes_kernels_figures_and_a_report(file, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert main(["run", str(file), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out / "report.html")
    for words in ("needs about", "empirical NTK", "analytic NTK", "training"):
        assert words in said.err
    assert "\r" not in said.err  # not a terminal
    names = {path.name for path in out.iterdir()}
    assert names == {"arrays.npz", "experiment.json", "figures", "report.html", "reproduce.py"}
    with np.load(out / "arrays.npz") as found:
        assert found["empirical"].shape == (10, 10)
        assert found["trajectory_steps"][-1] == 3


@pytest.mark.usefixtures("few_figures")
def test_quiet_says_nothing_but_the_result(file, tmp_path, capsys):
    assert (
        main(["run", str(file), "--out", str(tmp_path / "out"), "--quiet", "--device", "cpu", "--memory", "1GB"]) == 0
    )
    said = capsys.readouterr()
    assert said.err == ""
    written = Experiment.from_json((tmp_path / "out" / "experiment.json").read_text())
    assert (written.kernel.memory, written.kernel.device) == (10**9, "cpu")


def test_ctrl_c_keeps_and_names_what_was_finished(file, tmp_path, capsys, monkeypatch):
    from ntklab import experiments

    complete = experiments.run
    closed = []

    def interrupted(asked, **_):
        work = complete(asked)
        try:
            for event in work:
                yield event
                if isinstance(event, Partial) and event.key == "empirical":
                    raise KeyboardInterrupt
        finally:
            work.close()
            closed.append(True)

    monkeypatch.setattr(experiments, "run", interrupted)
    assert main(["run", str(file), "--out", str(tmp_path / "out"), "--quiet"]) == 130
    assert closed
    said = capsys.readouterr().err
    path = tmp_path / "out" / "arrays-partial.npz"
    assert said == f"ntklab: cancelled; kept data, analytic NTK, NNGP kernel, empirical NTK in {path}\n"
    with np.load(path) as found:
        assert found["empirical"].shape == (10, 10)
        assert "trajectory_steps" not in found


def test_ctrl_c_before_any_result(file, tmp_path, capsys, monkeypatch):
    from ntklab import experiments

    def interrupted(asked, **_):
        yield Progress(0, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "run", interrupted)
    assert main(["run", str(file), "--out", str(tmp_path / "out")]) == 130
    assert "cancelled before any result was finished" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_real_ctrl_c_ends_a_real_process(tmp_path):
    path = tmp_path / "long.json"
    path.write_text(experiment(training=Training(steps=10_000_000)).to_json())
    words = [sys.executable, "-m", "ntklab", "run", str(path), "--out", str(tmp_path / "out")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, preexec_fn=heard) as process:
        try:
            said = next(line for line in process.stderr if line.startswith("spectrum of the analytic NTK"))
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert process.wait(timeout=20) == 130, (said, rest)
        finally:
            process.kill()
    assert rest.strip().splitlines()[-1].startswith("ntklab: cancelled; kept data, analytic NTK")
    assert (tmp_path / "out" / "arrays-partial.npz").is_file()


# -- export ------------------------------------------------------------------------------------------------------------


def test_export_a_figure(file, tmp_path, capsys):
    out = tmp_path / "spectrum.pdf"
    words = ["export", str(file), "--figure", "spectrum", "--format", "pdf", "--width", "85mm", "--out", str(out)]
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [ 0 0 240.94" in content


def test_export_of_a_phase_computes_no_kernels(file, tmp_path, capsys):
    out = tmp_path / "phase.pdf"
    assert main(["export", str(file), "--figure", "phase-map", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"%PDF")
    said = capsys.readouterr().err
    assert "\nphase (" in said
    assert said.count("needs about") == 1
    assert "NTK" not in said


@pytest.mark.parametrize("figure", ["dynamics-loss", "function-mode", "kernel-nngp"])
def test_export_names_its_file_after_experiment_and_figure(file, tmp_path, monkeypatch, figure):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(file), "--figure", figure, "--format", "svg", "--mode", "2", "--quiet"]) == 0
    assert (tmp_path / f"small-{figure}.svg").read_bytes().startswith(b"<?xml")


def test_export_arrays_and_script(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(file), "--arrays", "--out", "all.h5", "--quiet"]) == 0
    assert main(["export", str(file), "--script"]) == 0
    assert {"all.h5", "small.py"} <= {path.name for path in tmp_path.iterdir()}


# -- info and help -----------------------------------------------------------------------------------------------------


def test_info_names_versions_devices_and_the_pair(capsys):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    for name in ("python:", "torch:", "PySide6:", "pyqtgraph:", "window:", "memory:", "processors:"):
        assert name in said
    assert "cuda:0" in said or "no device" in said


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["export", "--help"], ["info", "-h"], ["--version"]])
def test_help_is_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "ntklab" in capsys.readouterr().out


# -- everything that can be wrong --------------------------------------------------------------------------------------


def wrong(**changes):
    plain = json.loads(experiment().to_json())
    for path, value in changes.items():
        place = plain
        *way, last = path.split("__")
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value
    return json.dumps(plain)


BAD_FILES = {
    "empty": ("", "JSON"),
    "not json": ("{", "JSON"),
    "not text": (b"\xff\xfe\x00", "not UTF-8"),
    "not a table": ("[1, 2]", "expected a table of fields"),
    "newer": (wrong(schema=99), "install a newer ntklab"),
    "width 0": (wrong(architecture__layers__0__width=0), "layer 1 (Dense)"),
    "unknown layer": (wrong(architecture__layers__1__type="Relo"), "did you mean"),
    "negative rate": (wrong(training__learning_rate=-1.0), "learning_rate"),
    "no budget": (wrong(kernel__memory=0), "memory"),
    "misfit": (wrong(architecture__input__shape=[3]), "the data has 2 features"),
    "no such device": (wrong(kernel__device="cuda:77"), "device"),
    "strange device": (wrong(kernel__device="tpu"), "device"),
    "tiny budget": (wrong(kernel__memory=1000), "memory"),
    "no data file": (experiment(dataset=Dataset(File("nowhere.csv"), n_train=4)).to_json(), "nowhere.csv"),
}  # fmt: skip


def one_line(capsys, *expected):
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if line]
    assert len(lines) == 1, said.err
    assert lines[0].startswith("ntklab: ")
    for words in expected:
        assert words in lines[0], (words, lines[0])


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_experiments_are_one_line_and_status_2(content, tmp_path, capsys):
    text, expected = content
    path = tmp_path / "bad.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["run", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    one_line(capsys, expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run"], "EXPERIMENT"),
        (["run", "FILE"], "--out"),
        (["run", "nowhere.json", "--out", "out"], "nowhere.json"),
        (["run", ".", "--out", "out"], "cannot read"),
        (["run", "FILE", "--out", "out", "--memory", "lots"], "2GB"),
        (["run", "FILE", "--out", "out", "--memory", "0"], "2GB"),
        (["run", "FILE", "--out", "out", "--device", "cuda:77"], "device"),
        (["run", "FILE", "--out", "out", "--speed", "11"], "--speed"),
        (["run", "FILE", "--out", "FILE"], "cannot write"),
        (["export", "FILE"], "--figure"),
        (["export", "FILE", "--figure", "portrait"], "unknown name 'portrait'"),
        (["export", "FILE", "--figure", "spectrum", "--width", "wide"], "85mm"),
        (["export", "FILE", "--figure", "spectrum", "--width", "1mm"], "width must be from 20"),
        (["export", "FILE", "--figure", "spectrum", "--font", "99pt"], "font size"),
        (["export", "FILE", "--figure", "spectrum", "--format", "gif"], "gif"),
        (["export", "FILE", "--figure", "spectrum", "--format", "pdf", "--out", "x.png"], "says otherwise"),
        (["export", "FILE", "--figure", "spectrum", "--out", "x.jpg"], "suffix"),
        (["export", "FILE", "--figure", "function-mode", "--mode", "99", "--quiet"], "modes are 1 to 10"),
        (["export", "FILE", "--arrays", "--out", "x.mat"], "suffix"),
        (["export", "FILE", "--arrays", "--script"], "not allowed"),
        (["info", "more"], "more: is no stored kernel"),
        (["--colour"], "--colour"),
        (["nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_words_are_one_line_and_status_2(words, expected, file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert main([str(file) if word == "FILE" else word for word in words]) == 2
    one_line(capsys, expected)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} - before <= {tmp_path / "out" / "experiment.json"}


# -- the window --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "system", "there"),
    [
        ({}, "linux", False), ({"DISPLAY": ""}, "linux", False), ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True), ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True), ({}, "win32", True),
    ],
)  # fmt: skip
def test_where_a_window_can_appear(environment, system, there):
    assert window.has_display(environment, system) is there


@pytest.mark.usefixtures("few_figures")
def test_without_a_display_the_starter_runs_into_a_folder(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(window, "has_display", lambda: False)
    monkeypatch.setattr("ntklab.resources.resource", lambda name: file if name == window.STARTER else None)
    assert main([]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == (
        "ntklab: there is no display, so the experiment runs without a window; results go to ntklab-out"
    )
    assert (tmp_path / "ntklab-out" / "report.html").is_file()


@pytest.mark.parametrize("words", [[], ["--reset"], ["FILE"], ["window", "FILE", "--reset"]])
def test_the_window_opens_with_the_same_words(words, file, monkeypatch):
    opened = []

    class Window:
        @staticmethod
        def main(argv):
            opened.append(argv)
            return 0

    monkeypatch.setattr(window, "has_display", lambda: True)
    monkeypatch.setattr(window, "_window", lambda: Window)
    words = [str(file) if word == "FILE" else word for word in words]
    assert main(words) == 0
    assert opened == [[word for word in words if word != "window"]]


def test_missing_system_libraries_are_one_line(capsys, monkeypatch):
    def absent(name):
        raise ImportError("libEGL.so.1: cannot open shared object file")

    monkeypatch.setattr(window, "has_display", lambda: True)
    monkeypatch.setattr(window, "import_module", absent)
    assert main([]) == 2
    one_line(capsys, "libEGL.so.1", "ntklab run")


def test_the_starter_experiment_is_there():
    from ntklab.resources import resource

    starter = Experiment.from_json(resource(window.STARTER).read_bytes())
    assert (starter.dataset.n_train, starter.name) == (64, "two circles")
    assert [layer.width for layer in starter.architecture.layers if isinstance(layer, Dense)] == [512, 512, 1]


# -- pieces ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (memory, "2GB", 2 * 10**9), (memory, "512MiB", 512 * 2**20), (memory, "1.5 kB", 1500), (memory, "1000", 1000),
        (length, "85mm", 85), (length, "8.5cm", 85), (length, "1in", 25.4), (length, "85", 85), (length, "72pt", 25.4),
        (points, "8pt", 8), (points, "7.5", 7.5),
    ],
)  # fmt: skip
def test_sizes_as_people_write_them(read, text, value):
    assert read(text) == pytest.approx(value)


class Terminal:
    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_on_a_terminal_progress_is_one_line_that_is_renewed():
    stream = Terminal()
    meter = Meter(stream=stream)
    meter.event(Forecast(3 * 10**9, 12.0))
    meter.event(Progress(1, 4, "tiles"))
    meter.event(Progress(2, 4, "tiles"))  # too soon after the first to be shown
    meter.event(Partial("tile", None))
    meter.event(Partial("ntk", None))
    meter.close()
    lines = stream.text.split("\n")
    assert lines[0] == "\r\x1b[Kneeds about 3 GB and 12 s"
    assert lines[1].startswith("\r\x1b[Ktiles 1/4\r\x1b[Kanalytic NTK (")
    assert lines[2] == "\r\x1b[K"
