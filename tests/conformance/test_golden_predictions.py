"""Every golden prediction, through the public functions: flows, ridge, momentum, posteriors, ensembles, expansions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from golden.predictions import PREDICTIONS, predictions_of

from ntklab import networks, spec
from ntklab.dynamics import (
    LinearModel,
    ensemble,
    function_space_flow,
    gradient_flow,
    largest_learning_rate,
    linearize,
    taylor_expand,
)
from ntklab.generalization import posterior
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain

LOSSES = {
    "0.5*mean over all N*O of (f-y)^2": "half_mean",
    "-mean over all N*O of log_softmax(f)*y": "mean_cross_entropy",
    "-mean over N of sum_o log_softmax(f)*y": "cross_entropy",
}
TESTED = {
    "gradient_descent_mse", "gradient_descent", "gp_inference", "gradient_descent_mse_ensemble", "max_learning_rate",
    "empirical_ntk_fn/linearize/taylor_expand",
}  # fmt: skip


def cases(function, *needed):
    found = [case for case in predictions_of(function) if set(needed) <= set(case.entry["arrays"])]
    return pytest.mark.parametrize("case", found, ids=lambda case: case.name)


def linear_model(z, *, zero=False):
    start = {} if zero else {"start": z["fx_train_0"], "start_test": z["fx_test_0"]}
    return LinearModel.of(z["ntk_dd"], z["y_train"], kernel_test=z["ntk_td"], **start)


def flow(case, model):
    return gradient_flow(model, loss="half_mean", rate=case.entry["learning_rate"], **case.ridge)


def test_every_case_is_tested_here():
    assert len(PREDICTIONS) == 32
    assert {case.entry["fn"] for case in PREDICTIONS.values()} == TESTED


# -- gradient flow in closed form --------------------------------------------------------------------------------------


@cases("gradient_descent_mse")
def test_gradient_flow(case):
    z = case.arrays()
    solved = flow(case, linear_model(z))
    path = solved.at(z["t"])
    case.assert_close(path.train, z["fx_train_t"])
    case.assert_close(path.test, z["fx_test_t"])
    end = solved.at(np.inf)
    case.assert_close(end.train, z["fx_train_inf"])
    case.assert_close(end.test, z["fx_test_inf"])


@cases("gradient_descent_mse", "fx_train_t_zero_init")
def test_gradient_flow_from_zero(case):
    z = case.arrays()
    path = flow(case, linear_model(z, zero=True)).at(z["t"])
    case.assert_close(path.train, z["fx_train_t_zero_init"])
    case.assert_close(path.test, z["fx_test_t_zero_init"])


@cases("gradient_descent_mse", "fx_train_t_via_ktd")
def test_the_training_samples_seen_from_outside(case):
    z = case.arrays()
    model = LinearModel.of(z["ntk_dd"], z["y_train"], kernel_test=z["ntk_dd"], start_test=z["fx_train_0"])
    smooth = flow(case, model).at(z["t"]).test
    case.assert_close(smooth, z["fx_train_t_via_ktd"])
    # decay of the weights towards their start gives the same fit, as the training outputs
    delta = flow(case, model).ridge
    decayed = gradient_flow(linear_model(z, zero=True), loss="half_mean", decay=delta / z["y_train"].size)
    case.assert_close(z["fx_train_0"] + decayed.at(z["t"]).train, z["fx_train_t_via_ktd"])


# -- gradient flow of any loss, integrated -----------------------------------------------------------------------------


def assert_path(case, path, z):
    case.assert_close(path.train, z["fx_train_t"])
    case.assert_close(path.test, z["fx_test_t"])
    if "qx_train_t" in z:
        case.assert_close(path.train_velocity, z["qx_train_t"])
        case.assert_close(path.test_velocity, z["qx_test_t"])


@cases("gradient_descent")
def test_function_space_flow(case):
    z, entry = case.arrays(), case.entry
    work = function_space_flow(
        linear_model(z), z["t"], loss=LOSSES[entry["loss"]], rate=entry["learning_rate"], momentum=entry["momentum"]
    )
    assert_path(case, drain(work), z)


@pytest.mark.parametrize(
    "case", [c for c in predictions_of("gradient_descent") if "mse" in c.name], ids=lambda case: case.name
)
def test_the_closed_form_of_the_same_flow(case):
    z, entry = case.arrays(), case.entry
    solved = gradient_flow(linear_model(z), loss="half_mean", rate=entry["learning_rate"], momentum=entry["momentum"])
    assert_path(case, solved.at(z["t"]), z)


@cases("max_learning_rate")
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_largest_learning_rate(case, momentum):
    z = case.arrays()
    outputs = int(z["y_train_size"]) // len(z["ntk_dd"])
    found = largest_learning_rate(z["ntk_dd"], outputs=outputs, loss="half_mean", momentum=momentum)
    case.assert_close(found, z[f"max_lr_mom{momentum}"])


# -- Gaussian processes and ensembles ----------------------------------------------------------------------------------


def size(z, kind):
    """Of the prior covariances: what the rounding of a posterior that vanishes is relative to."""
    return float(np.abs(z[f"{kind}_tt"]).max())


@cases("gp_inference")
@pytest.mark.parametrize(("kind", "name"), [("nngp", "nngp"), ("ntk", "ntkgp")])
def test_posterior(case, kind, name):
    z = case.arrays()
    K = z[f"{kind}_dd"]
    found = posterior(K, z["y_train"], z[f"{kind}_td"], z[f"{kind}_tt"], **case.ridge)
    case.assert_close(found.mean, z[f"mean_{name}"])
    case.assert_close(found.covariance, z[f"cov_{name}"])
    train = posterior(K, z["y_train"], K, K, **case.ridge)
    case.assert_close(train.mean, z[f"train_mean_{name}"])
    case.assert_close(train.covariance, z[f"train_cov_{name}"], scale=size(z, kind))


@cases("gp_inference")
def test_trained_networks_at_the_end(case):
    z = case.arrays()
    priors = {"nngp": z["nngp_dd"], "nngp_cross": z["nngp_td"], "nngp_test": z["nngp_tt"]}
    found = ensemble(linear_model(z, zero=True), **priors, **case.ridge).test(np.inf)
    case.assert_close(found.mean, z["mean_ntk"])
    case.assert_close(found.covariance, z["cov_ntk"])
    train = LinearModel.of(z["ntk_dd"], z["y_train"], kernel_test=z["ntk_dd"])
    priors = dict.fromkeys(priors, z["nngp_dd"])
    found = ensemble(train, **priors, **case.ridge).test(np.inf)
    case.assert_close(found.mean, z["train_mean_ntk"])
    case.assert_close(found.covariance, z["train_cov_ntk"], scale=size(z, "nngp"))


@cases("gradient_descent_mse_ensemble")
@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_ensemble(case, kind):
    z = case.arrays()
    model = LinearModel.of(z[f"{kind}_dd"], z["y_train"], kernel_test=z[f"{kind}_td"])
    priors = {} if kind == "nngp" else {"nngp": z["nngp_dd"], "nngp_cross": z["nngp_td"]}
    trained = ensemble(
        model, nngp_test=z["nngp_tt"], loss="half_mean", rate=case.entry["learning_rate"], **priors, **case.ridge
    )
    for side, prefix in ((trained.test, ""), (trained.train, "train_")):
        moments = [side(t) for t in z["t"]]
        case.assert_close([found.mean for found in moments], z[f"{prefix}mean_{kind}_t"])
        case.assert_close([found.covariance for found in moments], z[f"{prefix}cov_{kind}_t"])
        case.assert_close(side(np.inf).mean, z[f"{prefix}mean_{kind}_inf"])
        case.assert_close(side(np.inf).covariance, z[f"{prefix}cov_{kind}_inf"], scale=size(z, "nngp"))


# -- one finite network ------------------------------------------------------------------------------------------------


def network(z, prefix="param_"):
    """Dense(32) – erf – Dense(2) with the parameters of the case."""
    hidden = {"type": "Dense", "width": 32, "W_std": 1.5, "b_std": 0.1}
    layers = [hidden, {"type": "Erf"}, {**hidden, "width": 2}]
    architecture = spec.Architecture.from_dict({"input": {"kind": "vector", "shape": [6]}, "layers": layers})
    module = networks.build(architecture, dtype="float64")
    values = {f"{layer}.{name}": z[f"{prefix}{i}"] for i, (layer, name) in enumerate(
        [(0, "weight"), (0, "bias"), (2, "weight"), (2, "bias")])}  # fmt: skip
    module.load_state_dict({
        name: torch.from_numpy(value.T if "weight" in name else value[0]) for name, value in values.items()
    })  # fmt: skip
    return module


@pytest.mark.parametrize("name", ["gd_mse_empirical_full_noreg", "empirical_axes_linearize"])
def test_kernels_of_a_finite_network(name):
    case, z = PREDICTIONS[name], PREDICTIONS[name].arrays()
    module = network(z)
    with torch.no_grad():
        case.assert_close(module(torch.from_numpy(z["x_train"])), z["fx_train_0"])
        case.assert_close(module(torch.from_numpy(z["x_test"])), z["fx_test_0"])

    def kernel(x1, x2=None, outputs="full"):
        return drain(empirical_ntk(module, x1, x2, outputs=outputs, dtype="float64"))

    full, across = kernel(z["x_train"]), kernel(z["x_test"], z["x_train"])
    case.assert_close(full.values, z["ntk_dd"])
    case.assert_close(across.values, z["ntk_td"])
    case.assert_close(np.einsum("io,jp->ijop", z["fx_train_0"], z["fx_train_0"]), z["nngp_dd"])
    if "ntk_trace" in z:
        case.assert_close(kernel(z["x_train"], outputs="mean").values, z["ntk_trace"])
        case.assert_close(kernel(z["x_train"], outputs="diagonal").values, z["ntk_diag"])
    if "fx_train_t" in z:  # from our own kernels to the predictions
        model = LinearModel.of(full, z["y_train"], kernel_test=across, start=z["fx_train_0"], start_test=z["fx_test_0"])
        path = gradient_flow(model, loss="half_mean").at(z["t"])
        case.assert_close(path.train, z["fx_train_t"])
        case.assert_close(path.test, z["fx_test_t"])


def test_expansions_of_a_finite_network():
    case = PREDICTIONS["empirical_axes_linearize"]
    z = case.arrays()
    module, moved, x = network(z), network(z, "p2_"), torch.from_numpy(z["x_train"])
    with torch.no_grad():
        case.assert_close(moved(x), z["f_full"])
        for expansion, name in ((linearize(module), "f_lin"), (taylor_expand(module, 2), "f_taylor2")):
            expansion.network.load_state_dict(moved.state_dict())
            case.assert_close(expansion(x), z[name])


# -- the kernels that the predictions start from -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [case for case in PREDICTIONS.values() if {"layers", "x_test"} <= {*case.entry, *case.entry["arrays"]}],
    ids=lambda case: case.name,
)
def test_the_infinite_kernels_of_the_case(case):
    z = case.arrays()
    architecture = case.architecture(z["x_train"])
    for name, pair in {"dd": ("x_train", None), "td": ("x_test", "x_train"), "tt": ("x_test", None)}.items():
        x1, x2 = (None if key is None else z[key] for key in pair)
        for kind, gram in drain(infinite_kernel(architecture, x1, x2)).items():
            case.assert_close(gram.values, z[f"{kind}_{name}"])
