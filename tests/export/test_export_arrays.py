"""Arrays that were written are read back: every number, every convention, nothing that runs."""

import ast
import csv
import io
import json
from dataclasses import replace

import fake_results as fake
import h5py
import numpy as np
import pytest

from ntklab import export
from ntklab.errors import FileError
from ntklab.export.tables import safe
from ntklab.results import Gram, Run

PARTS = {"data", "empirical", "ntk", "nngp", "empirical_spectrum", "ntk_spectrum", "trajectory"}


@pytest.fixture
def run():
    return fake.run(fake.classes())


def read_csv(path):
    """Conventions and rows."""
    lines = path.read_text().splitlines(keepends=True)
    about = dict(line[2:].rstrip("\n").split(": ", 1) for line in lines if line.startswith("# "))
    return about, list(csv.reader(io.StringIO("".join(line for line in lines if not line.startswith("# ")))))


def test_npz_has_every_array_exactly(run, experiment, tmp_path):
    (path,) = export.arrays(run, tmp_path / "run.npz", experiment=experiment)
    with np.load(path, allow_pickle=False) as found:
        for name, expected in (
            ("empirical", run.empirical.values), ("ntk", run.ntk.values), ("nngp", run.nngp.values),
            ("data_X_train", run.data.X_train), ("data_labels_test", run.data.labels_test),
            ("ntk_spectrum_eigenvalues", run.ntk_spectrum.eigenvalues),
            ("empirical_spectrum_eigenvectors", run.empirical_spectrum.eigenvectors),
            ("trajectory_train_loss", run.trajectory.train_loss), ("trajectory_outputs", run.trajectory.outputs),
        ):  # fmt: skip
            assert found[name].dtype == expected.dtype
            np.testing.assert_array_equal(found[name], expected)
        assert found["trajectory_runs"].tolist() == list(run.trajectory.runs)
        described = json.loads(str(found["metadata"]))
    assert set(described["parts"]) == PARTS
    assert described["parts"]["empirical"]["parameterisation"] == "ntk"
    assert described["parts"]["empirical"]["seed"] == 7
    assert described["parts"]["empirical"]["dtype"] == "float32"
    assert described["parts"]["empirical"]["outputs"] == "mean"
    assert described["experiment"] == json.loads(experiment.to_json())
    assert "numpy" in described["versions"]


def test_h5_has_every_array_exactly_and_conventions_as_attributes(run, experiment, tmp_path):
    (path,) = export.arrays(run, tmp_path / "run.h5", experiment=experiment)
    with h5py.File(path) as file:
        assert set(file) == PARTS
        np.testing.assert_array_equal(file["empirical/values"][()], run.empirical.values)
        assert file["empirical/values"].dtype == np.float32
        np.testing.assert_array_equal(file["trajectory/test_outputs"][()], run.trajectory.test_outputs)
        assert [name.decode() for name in file["trajectory/runs"][()]] == list(run.trajectory.runs)
        attributes = dict(file["empirical"].attrs)
        assert (attributes["parameterisation"], attributes["seed"], attributes["outputs"]) == ("ntk", 7, "mean")
        assert file["ntk_spectrum"].attrs["largest_rate"] == run.ntk_spectrum.largest_rate
        assert json.loads(file.attrs["metadata"])["experiment"] == json.loads(experiment.to_json())


def test_csv_kernels_keep_every_digit(run, experiment, tmp_path):
    written = export.arrays(run, tmp_path / "run.csv", experiment=experiment)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    for name in ("empirical", "ntk", "nngp"):
        expected = getattr(run, name).values
        found = np.loadtxt(tmp_path / f"run_{name}.csv", delimiter=",", dtype=expected.dtype)
        np.testing.assert_array_equal(found, expected)


def test_csv_tables_have_titles_and_conventions(run, experiment, tmp_path):
    export.arrays(run, tmp_path / "run.csv", experiment=experiment)
    about, rows = read_csv(tmp_path / "run_ntk_spectrum.csv")
    assert rows[0] == ["k", "eigenvalue", "target power", "cumulative power"]
    assert [float(row[1]) for row in rows[1:]] == run.ntk_spectrum.eigenvalues.tolist()
    assert (about["part"], about["parameterisation"], about["dtype"]) == ("ntk_spectrum", "ntk", "float64")
    assert json.loads(about["experiment"])["name"] == experiment.name
    about, rows = read_csv(tmp_path / "run_trajectory.csv")
    assert rows[0][:3] == ["step", "network train loss", "linearised train loss"]
    assert [float(row[1]) for row in rows[1:]] == run.trajectory.train_loss[0].tolist()
    _, rows = read_csv(tmp_path / "run_data_train.csv")
    assert rows[0] == ["sample", "class", "x0", "x1", "x2", "x3", "x4", "y0", "y1", "y2"]
    assert [row[1] for row in rows[1:4]] == ["a", "b", "c"]
    assert [float(cell) for cell in rows[5][2:7]] == run.data.X_train[4].tolist()


def test_csv_of_a_kernel_with_outputs_is_long(run, tmp_path):
    values = np.arange(2 * 3 * 2 * 2, dtype=np.float64).reshape(2, 3, 2, 2)
    run = replace(run, empirical=Gram(values, fake.drawn_origin(outputs="full"), symmetric=False))
    export.arrays(run, tmp_path / "run.csv")
    about, rows = read_csv(tmp_path / "run_empirical.csv")
    assert rows[0] == ["i", "j", "output a", "output b", "value"]
    for row in rows[1:]:
        assert values[tuple(int(float(cell)) for cell in row[:4])] == float(row[4])
    assert about["outputs"] == "full"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("plain", "plain"), ("a=b", "a=b"), ("-1.5", "-1.5"), ("+3", "+3"), (-1.5, -1.5), (7, 7), ("", ""),
    ],
)  # fmt: skip
def test_text_that_a_spreadsheet_would_run_is_disarmed(cell, written):
    assert safe(cell) == written


def test_names_from_data_files_are_disarmed(tmp_path):
    data = replace(fake.classes(k=2, d=2), class_names=("=HYPERLINK(1)", "b,\n\"c"), feature_names=("@x", "-y"),
                   title="a\n=b")  # fmt: skip
    export.arrays(Run("hash", data), tmp_path / "run.csv")
    about, rows = read_csv(tmp_path / "run_data_train.csv")
    assert rows[0][2:4] == ["'@x", "'-y"]
    assert rows[1][1] == "'=HYPERLINK(1)"
    assert rows[2][1] == 'b,\n"c'
    assert about["title"] == "a =b"
    assert min(float(row[2]) for row in rows[1:]) < 0


def test_what_is_missing_is_left_out(tmp_path):
    run = Run("hash", fake.line(4, 0))
    (path,) = export.arrays(run, tmp_path / "run.npz")
    with np.load(path) as found:
        assert {name.split("_")[0] for name in found} == {"data", "metadata"}
        assert json.loads(str(found["metadata"]))["experiment"] is None
    assert [p.name for p in export.arrays(run, tmp_path / "run.csv")] == ["run_data_train.csv", "run_data_test.csv"]


def test_infinite_numbers_are_words_in_json(run, tmp_path):
    run = replace(run, ntk_spectrum=replace(run.ntk_spectrum, condition=np.inf, alignment=np.nan))
    (path,) = export.arrays(run, tmp_path / "run.npz")
    with np.load(path) as found:
        text = str(found["metadata"])
    described = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert described["parts"]["ntk_spectrum"]["condition"] == "inf"
    assert described["parts"]["ntk_spectrum"]["alignment"] == "nan"


def test_other_suffixes_are_refused(run, tmp_path):
    with pytest.raises(FileError, match=r"\.npz, \.csv, \.h5"):
        export.arrays(run, tmp_path / "run.mat")
    assert list(tmp_path.iterdir()) == []


def test_equal_runs_give_equal_files(run, tmp_path):
    for suffix in (".npz", ".h5"):
        a, b = (export.arrays(run, tmp_path / f"{name}{suffix}")[0].read_bytes() for name in "ab")
        assert a == b


# -- the script --------------------------------------------------------------------------------------------------------


def test_script_holds_the_experiment(experiment):
    tree = ast.parse(export.script(experiment))
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "from_dict" in ast.unparse(node.func)]
    assert type(experiment).from_dict(ast.literal_eval(call.args[0])) == experiment


def test_script_imports_only_the_public_package(experiment):
    tree = ast.parse(export.script(experiment))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert (imported, froms) == ({"sys", "ntklab"}, {"ntklab"})


@pytest.mark.parametrize("name", ['a"""; import os', "back\\slash", "two\nlines", "$money ${x}", "", "é" * 200])
def test_no_name_breaks_the_script(experiment, name):
    tree = ast.parse(export.script(experiment.replace(name=name)))
    assert [type(node).__name__ for node in tree.body[:3]] == ["Expr", "Import", "Import"]
    assert "import os" not in [ast.unparse(node) for node in tree.body]


def test_estimates_go_with_their_standard_errors(run, experiment, tmp_path):
    found = fake.estimate(run.ntk)
    run = replace(run, monte_carlo=found, monte_carlo_nngp=fake.estimate(run.nngp, kind="nngp", widths=1))
    (path,) = export.arrays(run, tmp_path / "run.npz")
    with np.load(path) as arrays:
        for name in ("widths", "means", "standard_errors", "limit", "limit_error"):
            np.testing.assert_array_equal(arrays[f"monte_carlo_{name}"], getattr(found, name))
        assert "monte_carlo_nngp_limit" not in arrays
        about = json.loads(str(arrays["metadata"]))["parts"]["monte_carlo"]
        assert (about["networks"], about["kind"]) == (12, "ntk")
    (path,) = export.arrays(run, tmp_path / "run.h5")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["monte_carlo/standard_errors"][:], found.standard_errors)
        assert file["monte_carlo"].attrs["networks"] == 12
    written = {path.name for path in export.arrays(run, tmp_path / "run.csv")}
    tables = ("width_256", "width_256_standard_error", "limit", "limit_error", "nngp_width_64")
    assert {f"run_monte_carlo_{name}.csv" for name in tables} <= written
    _, rows = read_csv(tmp_path / "run_monte_carlo_width_128.csv")
    np.testing.assert_allclose(np.array(rows, dtype=float), found.means[1], rtol=1e-15)
