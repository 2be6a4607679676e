"""Closed forms against golden predictions: loss ½·mean over all N·k numbers, time in steps."""

import json
from pathlib import Path

import numpy as np
import pytest

from ntklab.dynamics import closed_form
from ntklab.dynamics.linear import LinearModel
from ntklab.spectra import critical_rate

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = {case["name"]: case for case in json.loads((GOLDEN / "predict_manifest.json").read_text())["cases"]}
FLOWS = [name for name in CASES if name.startswith(("gd_mse_", "gd_ode_mse_")) and not name.endswith("mom0.9")]
RATES = [name for name in CASES if name.startswith("max_lr_")]


def arrays(name):
    with np.load(GOLDEN / CASES[name]["file"]) as file:
        return {key: file[key] for key in file.files}


def close(name, found, expected):
    assert np.abs(found - expected).max() <= CASES[name]["suggested_rtol"] * np.abs(expected).max()


def operator(K):
    if K.ndim == 2:
        return K
    n, m, k, _ = K.shape
    return K.transpose(0, 2, 1, 3).reshape(n * k, m * k)


def golden_model(name, z, *, nugget=True, zero_start=False):
    case = CASES[name]
    K = operator(z["ntk_dd"])
    if nugget:
        K = closed_form.with_nugget(K, case.get("diag_reg", 0.0), absolute=case.get("diag_reg_absolute_scale", False))
    scale = 0.0 if zero_start else 1.0
    return LinearModel(K, operator(z["ntk_td"]), scale * z["fx_train_0"], scale * z["fx_test_0"], z["y_train"])


def evolve(model, time, z, decay=0.0):
    spectrum = closed_form.decompose(model.kernel)
    q = closed_form.flow(spectrum.values, time, slope=1 / z["y_train"].size, decay=decay)
    return closed_form.predict(model, spectrum, q)


@pytest.mark.parametrize("name", FLOWS)
def test_gradient_flow(name):
    z = arrays(name)
    model = golden_model(name, z)
    for i, time in enumerate(z["t"]):
        train, test = evolve(model, time, z)
        close(name, train, z["fx_train_t"][i])
        close(name, test, z["fx_test_t"][i])


@pytest.mark.parametrize("name", [name for name in FLOWS if name.startswith("gd_mse_")])
def test_the_end_of_gradient_flow(name):
    z = arrays(name)
    train, test = evolve(golden_model(name, z), np.inf, z)
    close(name, train, z["fx_train_inf"])
    close(name, test, z["fx_test_inf"])


@pytest.mark.parametrize("name", [name for name in FLOWS if "fx_train_t_zero_init" in CASES[name]["arrays"]])
def test_gradient_flow_from_zero(name):
    z = arrays(name)
    model = golden_model(name, z, zero_start=True)
    for i, time in enumerate(z["t"]):
        train, test = evolve(model, time, z)
        close(name, train, z["fx_train_t_zero_init"][i])
        close(name, test, z["fx_test_t_zero_init"][i])


@pytest.mark.parametrize("name", [name for name in FLOWS if "fx_train_t_via_ktd" in CASES[name]["arrays"]])
def test_decay_towards_the_start_is_the_nugget_seen_from_outside(name):
    z, case = arrays(name), CASES[name]
    model = golden_model(name, z, nugget=False, zero_start=True)
    scale = 1.0 if case["diag_reg_absolute_scale"] else np.trace(model.kernel) / len(model.kernel)
    decay = case["diag_reg"] * scale / z["y_train"].size
    for i, time in enumerate(z["t"]):
        # the golden case asks for the training samples as a test set that starts at fx_train_0
        close(name, z["fx_train_0"] + evolve(model, time, z, decay)[0], z["fx_train_t_via_ktd"][i])


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_largest_rate(name, momentum):
    z = arrays(name)
    top = closed_form.decompose(z["ntk_dd"]).values[0]
    n, k = len(z["ntk_dd"]), int(z["y_train_size"]) // len(z["ntk_dd"])
    # ½·mean over N·k numbers is half of torch's mean, so twice its rate
    close(name, 2 * critical_rate(top, n=n, k=k, loss="torch_mse", momentum=momentum), z[f"max_lr_mom{momentum}"])
