"""The library as a person uses it from Python: the words of the README, every source, every option, end to end."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.cases import CASES, largest_difference
from scenario_tools import digits, environment, own_file, python
from torch.func import functional_call, jacrev

import ntklab
from ntklab import experiments
from ntklab.errors import NtkLabError
from ntklab.results import RUNS

README = Path(__file__).parents[2] / "README.md"


# -- the words of the README and of the issue --------------------------------------------------------------------------


@pytest.mark.skipif(not README.is_file(), reason="needs a checkout")
def test_the_readme_runs_as_written(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "snippet.py").write_text(snippet)
    done = python("snippet.py", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) > 1  # a condition number


def signature(function):
    found = inspect.signature(function)
    return [(p.name, p.kind.name[:3], p.default) for p in found.parameters.values()]


REQUIRED = inspect.Parameter.empty


def test_signatures_are_those_of_the_contract():
    ends = [("device", "KEY", "cpu"), ("memory", "KEY", None)]
    assert signature(ntklab.infinite_kernel) == [
        ("architecture", "POS", REQUIRED), ("x1", "POS", REQUIRED), ("x2", "POS", None),
        ("kind", "KEY", "ntk"), ("dtype", "KEY", "float64"), *ends, ("samples", "VAR", REQUIRED),
    ]  # fmt: skip
    assert signature(ntklab.empirical_ntk) == [
        ("model_or_architecture", "POS", REQUIRED), ("x1", "POS", REQUIRED), ("x2", "POS", None),
        ("outputs", "KEY", "full"), ("seed", "KEY", 0), ("dtype", "KEY", "float32"), *ends,
        ("options", "VAR", REQUIRED),
    ]  # fmt: skip


# -- kernels against values from elsewhere -----------------------------------------------------------------------------

STORED = [case for case in CASES.values() if case.stored]


@pytest.mark.parametrize("case", STORED[::6], ids=lambda case: case.name)
def test_golden_values_through_the_facade(case):
    net = ntklab.Architecture.from_dict(
        {"input": {"kind": case.input["kind"], "shape": case.input["shape"]}, "layers": case.layers}
    )
    golden = case.arrays()
    for kind in ("nngp", "ntk"):
        if f"{kind}_11" in golden:
            alone = ntklab.infinite_kernel(net, golden["x1"], kind=kind)
            assert largest_difference(alone.values, golden[f"{kind}_11"]) <= case.rtol
        if f"{kind}_12" in golden:
            across = ntklab.infinite_kernel(net, golden["x1"], golden["x2"], kind=kind)
            assert largest_difference(across.values, golden[f"{kind}_12"]) <= case.rtol


def jacobian_kernel(module, x1, x2):
    """(n1, n2, k, k) by differentiating every output: no trick at all."""
    parameters = dict(module.named_parameters())

    def rows(x):
        found = jacrev(lambda p: functional_call(module, p, (x,)))(parameters)
        return torch.cat([J.flatten(2) for J in found.values()], dim=2)

    with torch.no_grad():
        return torch.einsum("iap,jbp->ijab", rows(x1), rows(x2)).numpy()


def test_a_plain_torch_module_against_its_jacobian():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(5, 17), torch.nn.ReLU(), torch.nn.Linear(17, 3)).double()
    x1, x2 = torch.randn(6, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    expected = jacobian_kernel(module, x1, x2)
    diagonal = np.einsum("ijaa->ija", expected)
    for outputs, values in (("full", expected), ("diagonal", diagonal), ("mean", diagonal.mean(axis=2))):
        found = ntklab.empirical_ntk(module, x1, x2, outputs=outputs, dtype="float64")
        np.testing.assert_allclose(found.values, values, rtol=1e-10, atol=1e-12)
        rounded = ntklab.empirical_ntk(module, x1.numpy(), x2.numpy(), outputs=outputs)
        assert rounded.values.dtype == np.float32
        np.testing.assert_allclose(rounded.values, values, rtol=1e-4, atol=1e-4)
    assert all(p.grad is None and p.dtype == torch.float64 for p in module.parameters())  # left as it was


def test_an_architecture_drawn_is_the_network_that_is_trained():
    """The finite kernel of a description is the Jacobian kernel of the module it builds, and wide ones converge."""
    net = ntklab.Experiment.from_dict(digits()).architecture
    x = np.random.default_rng(0).standard_normal((5, 64))
    module = ntklab.networks.build(net, seed=4, dtype="float64")
    t = torch.from_numpy(x)
    found = ntklab.empirical_ntk(net, x, seed=4, dtype="float64")
    np.testing.assert_allclose(found.values, jacobian_kernel(module, t, t), rtol=1e-10, atol=1e-12)
    limit = ntklab.infinite_kernel(net, x).values
    errors = [
        np.linalg.norm(ntklab.empirical_ntk(net.with_width(width), x, outputs="mean").values - limit)
        for width in (32, 8192)
    ]
    assert errors[1] < errors[0] / 4


# -- runs --------------------------------------------------------------------------------------------------------------


def check_run(run, experiment):
    """Every part is there, finite, of the right size, and says what it is."""
    n, m, k = experiment.dataset.n_train, experiment.dataset.n_test, run.data.outputs
    assert run.data.X_train.shape == (n, *experiment.architecture.input.shape)
    assert (run.data.Y_train.shape, run.data.Y_test.shape) == ((n, k), (m, k))
    assert abs(run.data.Y_train).max() > 0
    shapes = {"mean": (n, n), "diagonal": (n, n, k), "full": (n, n, k, k)}
    assert run.empirical.values.shape == shapes[experiment.kernel.outputs]
    assert run.ntk.values.shape == run.nngp.values.shape == (n, n)
    for gram in (run.empirical, run.ntk, run.nngp):
        assert gram.values.dtype == experiment.kernel.dtype
        assert gram.health.good
        assert gram.provenance.spec == experiment.content_hash()
        assert gram.values.std() > 0
    for spectrum in (run.empirical_spectrum, run.ntk_spectrum):
        assert spectrum.eigenvalues.shape == (n,)
        assert spectrum.eigenvalues[0] > 0
        assert spectrum.target_power.sum() == pytest.approx(1, abs=1e-6)
    trajectory = run.trajectory
    assert trajectory.runs == RUNS
    assert not trajectory.stopped
    assert trajectory.steps[-1] == experiment.training.steps
    assert np.isfinite(trajectory.train_loss).all()
    assert (trajectory.train_loss[:, -1] < trajectory.train_loss[:, 0]).all()


def ran(plain):
    experiment = ntklab.Experiment.from_dict(plain)
    run = ntklab.drain(experiments.run(experiment))
    check_run(run, experiment)
    return run


SOURCES = {
    "digits": ({"type": "Digits"}, 64, 10), "breast cancer": ({"type": "BreastCancer"}, 30, 1),
    "wine": ({"type": "Wine"}, 13, 3), "diabetes": ({"type": "Diabetes"}, 10, 1),
    "circle": ({"type": "Circle", "frequency": 2}, 2, 1), "two circles": ({"type": "TwoCircles"}, 2, 1),
    "moons": ({"type": "Moons"}, 2, 1), "spirals": ({"type": "Spirals", "arms": 3}, 2, 3),
    "1-D": ({"type": "Regression1D", "target": "step"}, 1, 1), "2-D": ({"type": "Regression2D"}, 2, 1),
    "sphere": ({"type": "Sphere", "dimension": 5}, 5, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_every_source(name):
    source, features, outputs = SOURCES[name]
    scaling = "none" if features == 1 else "standardise"
    plain = digits(
        dataset={"source": source, "n_train": 14, "n_test": 5, "scaling": scaling},
        architecture__input__shape=[features], architecture__layers__2__width=outputs,
    )  # fmt: skip
    run = ran(plain)
    again = ntklab.load(ntklab.Dataset.from_dict(plain["dataset"]))
    np.testing.assert_array_equal(run.data.X_train, again.X_train)
    assert not {row.tobytes() for row in run.data.X_train} & {row.tobytes() for row in run.data.X_test}


def idx(array):
    """Bytes of an MNIST-style file of unsigned bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="module")
def own_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(1)
    X, y = rng.uniform(1, 200, (40, 2)).round(), rng.standard_normal(40)
    np.savez(folder / "own.npz", X=X, y=y)
    np.save(folder / "own.npy", X)
    np.save(folder / "own-y.npy", y)
    rows = "\n".join(f"{a:g};{b:g};{c!r}" for (a, b), c in zip(X.tolist(), y.tolist(), strict=True))
    (folder / "own.csv").write_text(f"first;second;target\n{rows}\n")
    (folder / "own-images-idx3-ubyte").write_bytes(idx(X.reshape(40, 2, 1)))
    (folder / "own-labels-idx1-ubyte").write_bytes(idx(np.arange(40) % 2))
    return folder


@pytest.mark.parametrize(("name", "fields"), [
    ("own.npz", {}), ("own.npy", {"labels": "own-y.npy"}), ("own.csv", {}),
    ("own-images-idx3-ubyte", {"labels": "own-labels-idx1-ubyte"}),
])  # fmt: skip
def test_own_files(own_files, name, fields):
    fields = {key: str(own_files / value) for key, value in fields.items()}
    run = ran(own_file(own_files / name, **fields))
    expected = np.load(own_files / "own.npz")
    assert {tuple(row) for row in run.data.raw_train.tolist()} <= {tuple(row) for row in expected["X"].tolist()}
    if not name.endswith("ubyte"):
        targets = dict(zip(map(tuple, expected["X"].tolist()), expected["y"].tolist(), strict=True))
        raw = [targets[tuple(row)] for row in run.data.raw_train.tolist()]
        assert np.corrcoef(raw, run.data.Y_train[:, 0])[0, 1] == pytest.approx(1)


STANDARD = {"param": "standard", "W_std": 1.4, "b_std": 0.1, "type": "Dense"}
RESIDUAL = [
    {"type": "Dense", "width": 24},
    {"type": "Branch", "branches": [[{"type": "Erf"}, {"type": "Dense", "width": 24, "W_std": 1.2}], []]},
    {"type": "Relu"},
    {"type": "Dense", "width": 10},
]
DROPOUT = [
    {"type": "Dense", "width": 24}, {"type": "Relu"}, {"type": "Dropout", "keep_rate": 0.8, "mode": "test"},
    {"type": "Dense", "width": 10},
]  # fmt: skip
OPTIONS = {
    "standard": ({"architecture__layers": [{**STANDARD, "width": 24}, {"type": "Relu"}, {**STANDARD, "width": 10}]},
                 "standard"),
    "residual": ({"architecture__layers": RESIDUAL}, "ntk"),
    "dropout": ({"architecture__layers": DROPOUT}, "ntk"),
    "float32": ({"kernel__dtype": "float32"}, "ntk"),
    "full outputs": ({"kernel__outputs": "full"}, "ntk"),
    "diagonal outputs": ({"kernel__outputs": "diagonal"}, "ntk"),
    "momentum": ({"training__momentum": 0.6}, "ntk"),
    "minibatches with momentum": (
        {"training": {"batch_size": 8, "momentum": 0.5, "steps": 12, "critical_share": 0.1, "seed": 2}}, "ntk"
    ),
    "mean of torch": ({"training__loss": "torch_mse"}, "ntk"),
    "a budget": ({"kernel__memory": 50_000_000}, "ntk"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option(name):
    changes, parameterisation = OPTIONS[name]
    plain = digits()
    plain["kernel"] |= {"outputs": "mean", "memory": None}
    plain["training"] |= {"momentum": 0.0, "loss": "half_mse"}
    for path, value in changes.items():
        *way, last = path.split("__")
        (plain[way[0]] if way else plain)[last] = value
    run = ran(plain)
    assert run.ntk.provenance.parameterisation == run.empirical.provenance.parameterisation == parameterisation
    assert run.empirical_spectrum.largest_rate > 0


def test_full_diagonal_and_mean_agree():
    found = {outputs: ran(digits(kernel={"seed": 5, "outputs": outputs, "dtype": "float64"})).empirical
             for outputs in ("full", "diagonal", "mean")}  # fmt: skip
    diagonal = np.einsum("ijaa->ija", found["full"].values)
    np.testing.assert_allclose(found["diagonal"].values, diagonal, rtol=1e-12)
    np.testing.assert_allclose(found["mean"].values, diagonal.mean(axis=2), rtol=1e-12)


def test_run_is_an_iterator_that_says_everything():
    experiment = ntklab.Experiment.from_dict(digits())
    events = list(ntklab.run(experiment))
    assert isinstance(events[0], ntklab.Forecast)
    assert events[0].peak_bytes > 0
    keys = [event.key for event in events if isinstance(event, ntklab.Partial)]
    once = ["data", "ntk", "nngp", "empirical", "empirical_spectrum", "ntk_spectrum", "trajectory", "run"]
    assert [key for key in keys if key in once] == once
    assert keys.count("moment") >= 7
    assert keys.count("tile") >= 3
    run = events[-1].value
    check_run(run, experiment)
    again = ntklab.drain(ntklab.run(experiment))
    np.testing.assert_array_equal(again.trajectory.train_loss, run.trajectory.train_loss)
    np.testing.assert_array_equal(again.empirical.values, run.empirical.values)


def test_train_follows_the_linear_model_where_it_is_wide():
    experiment = ntklab.Experiment.from_dict(digits())
    data = ntklab.load(experiment.dataset)
    training = ntklab.Training(steps=30)
    gaps = []
    for width in (16, 2048):
        found = ntklab.train(experiment.architecture.with_width(width), data, training, seed=1)
        network, linear = found.train_loss[0], found.train_loss[1]
        gaps.append(np.abs(network - linear).max() / network[0])
    assert gaps[1] < gaps[0] / 3
    assert gaps[1] < 0.02


def test_cancelling_leaves_nothing_running():
    work = ntklab.run(ntklab.Experiment.from_dict(digits(training={"steps": 10_000_000})))
    for event in work:
        if isinstance(event, ntklab.Partial) and event.key == "moment" and event.value.step > 20:
            break
    work.close()
    assert work.gi_frame is None


def test_an_exported_script_gives_the_same_bits(tmp_path):
    plain = digits(architecture__layers=RESIDUAL, training={"steps": 8, "batch_size": 6, "momentum": 0.4})
    experiment = ntklab.Experiment.from_dict(plain)
    from ntklab import export
    from ntklab.export.contents import contents, flat_name

    (tmp_path / "script.py").write_text(export.script(experiment))
    # as many threads as this process: sums in another order may differ in the last bit
    code = f"import torch; torch.set_num_threads({torch.get_num_threads()}); import runpy; runpy.run_path('script.py')"
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment(tmp_path), check=True,
                   capture_output=True, timeout=120)  # fmt: skip
    run = ntklab.drain(experiments.run(experiment))
    with np.load(tmp_path / "arrays.npz") as again:
        for part, arrays in contents(run).items():
            for name, expected in arrays.items():
                np.testing.assert_array_equal(again[flat_name(part, name)], expected, err_msg=f"{part}.{name}")


# -- refusals ----------------------------------------------------------------------------------------------------------

X = np.random.default_rng(0).standard_normal((4, 64))
REFUSED = {
    "device": lambda net: ntklab.infinite_kernel(net, X, device="cuda:99"),
    "strange device": lambda net: ntklab.empirical_ntk(net, X, device="tpu"),
    "dtype": lambda net: ntklab.infinite_kernel(net, X, dtype="float16"),
    "outputs": lambda net: ntklab.empirical_ntk(net, X, outputs="all"),
    "kind": lambda net: ntklab.infinite_kernel(net, X, kind="ntkk"),
    "features": lambda net: ntklab.infinite_kernel(net, X[:, :5]),
    "no samples": lambda net: ntklab.empirical_ntk(net, X[:0]),
    "nan": lambda net: ntklab.infinite_kernel(net, np.full_like(X, np.nan)),
    "words": lambda net: ntklab.empirical_ntk(net, [["a"] * 64]),
    "ragged": lambda net: ntklab.infinite_kernel(net, [[1.0], [1.0, 2.0]]),
    "memory": lambda net: ntklab.empirical_ntk(net, X, memory=10),
    "negative memory": lambda net: ntklab.infinite_kernel(net, X, memory=-1),
    "seed": lambda net: ntklab.empirical_ntk(net, X, seed=-1),
    "no network": lambda _: ntklab.empirical_ntk("network", X),
    "no architecture": lambda _: ntklab.infinite_kernel({"layers": []}, X),
    "module for the limit": lambda _: ntklab.infinite_kernel(torch.nn.Linear(64, 1), X),
    "targets": lambda net: ntklab.spectrum(ntklab.infinite_kernel(net, X), np.ones(3)),
    "rectangle": lambda net: ntklab.spectrum(ntklab.infinite_kernel(net, X, X[:2])),
    "asymmetric": lambda _: ntklab.spectrum(np.arange(9.0).reshape(3, 3)),
    "not finite": lambda _: ntklab.spectrum(np.full((2, 2), np.nan)),
    "misfit": lambda net: ntklab.train(net, ntklab.load(ntklab.Dataset(source={"type": "Wine"}, n_train=4, n_test=2))),
    "no dataset": lambda _: ntklab.load("digits"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_errors_of_this_library(name):
    net = ntklab.Experiment.from_dict(digits()).architecture
    with pytest.raises(NtkLabError) as refused:
        REFUSED[name](net)
    assert len(str(refused.value)) > 20
    assert "\n" not in str(refused.value)
