"""Golden kernels of every family, and where the stored values are not the kernels of their architectures."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from golden.cases import CASES, Case, largest_difference

from ntklab import spec
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.monte_carlo import monte_carlo_kernel
from ntklab.progress import drain

# Golden values of (nearly) collinear samples behind a kink are off by up to 5e-9: they carry the resolution of a
# quadrature there (kernel(x, 2x) of a ReLU network must equal 2·kernel(x, x), and golden's does not).
COLLINEAR = {"fcn_relu_d2_edge_inputs"}
# The source takes the axes of an image for reversed behind an odd number of convolutions, and resizes the wrong ones.
EXCHANGED = {"imageresize_linear_up", "imageresize_linear_down_noaa", "imageresize_nearest"}
# The source sets all of a sample's covariance with itself to 1 behind Sign, not only each position with itself.
FLATTENED = {"cnn1d_sign_gap_relu"}
TRUE = [case for case in CASES.values() if case.name not in COLLINEAR | EXCHANGED | FLATTENED]


def kernels(case: Case, architecture: spec.Architecture | None = None) -> dict[str, np.ndarray]:
    arrays, architecture = case.arrays(), architecture or case.architecture()
    square = drain(infinite_kernel(architecture, arrays["x1"], **case.with_samples("pattern1")))
    with_both = case.with_samples("pattern1", "pattern2")
    cross = drain(infinite_kernel(architecture, arrays["x1"], arrays["x2"], **with_both))
    return {f"{kind}_{name}": grams[kind].values for name, grams in (("11", square), ("12", cross)) for kind in grams}


@pytest.mark.parametrize("case", TRUE, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    golden = case.arrays()
    for name, values in kernels(case).items():
        assert largest_difference(values, golden[name]) <= case.rtol, name


@pytest.mark.parametrize("name", sorted(EXCHANGED))
def test_stored_values_of_resized_images_are_those_of_exchanged_axes(name: str) -> None:
    case, golden = CASES[name], CASES[name].arrays()
    layers = [dict(layer) for layer in case.layers]
    resize = next(layer for layer in layers if layer["type"] == "ImageResize")
    batch, height, width, channels = resize["shape"]
    resize["shape"] = [batch, width, height, channels]
    exchanged = case.architecture().from_dict({"input": case.architecture().to_dict()["input"], "layers": layers})
    for key, values in kernels(case, exchanged).items():
        assert largest_difference(values, golden[key]) <= case.rtol, key


@pytest.mark.parametrize("name", sorted(EXCHANGED))
def test_resized_images_against_finite_networks(name: str) -> None:
    case, x = CASES[name], CASES[name].arrays()["x1"][:2]
    drawn = drain(monte_carlo_kernel(case.architecture(), x, kinds=("nngp",), widths=512, seeds=16))["nngp"]
    exact = drain(infinite_kernel(case.architecture(), x))["nngp"].values
    assert (np.abs(drawn.mean - exact) < 3 * drawn.standard_error).all()


def test_stored_values_behind_sign_are_those_of_a_flattened_covariance() -> None:
    case = CASES["cnn1d_sign_gap_relu"]
    golden, exact = case.arrays(), kernels(case)["nngp_11"]
    assert largest_difference(sign_network(case, golden["x1"], flattened=True), golden["nngp_11"]) <= 1e-12
    assert largest_difference(sign_network(case, golden["x1"], flattened=False), exact) <= 1e-12


def sign_network(case: Case, x: np.ndarray, *, flattened: bool) -> np.ndarray:
    """The NNGP of the case, all at once; ``flattened`` with the source's covariance of samples with themselves."""
    first, _, second, _, _, hidden, _, readout = case.layers
    S = np.einsum("ipc,jqc->ijpq", x, x) / x.shape[-1]
    own = np.einsum("iipq->ipq", S).copy()
    for layer in (first, second):
        S, own = (layer["W_std"] ** 2 * windows_of_three(K) + layer["b_std"] ** 2 for K in (S, own))
        q = np.einsum("ipp->ip", own)
        arcsine = 2 / np.pi * np.arcsin(np.clip(S / np.sqrt(q[:, None, :, None] * q[None, :, None, :]), -1, 1))
        S, own = arcsine, np.ones_like(own) if flattened else np.einsum("iipq->ipq", arcsine)
    K, q = (hidden["W_std"] ** 2 * part.mean(axis=(-1, -2)) + hidden["b_std"] ** 2 for part in (S, own))
    scale = np.sqrt(np.outer(q, q))
    angle = np.arccos(np.clip(K / scale, -1, 1))
    relu = scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return readout["W_std"] ** 2 * relu + readout["b_std"] ** 2


def windows_of_three(S: np.ndarray) -> np.ndarray:
    """Zero-padded sums of three along both positions at once, over three."""
    padded = np.pad(S, [(0, 0)] * (S.ndim - 2) + [(1, 1), (1, 1)])
    length = S.shape[-1]
    return sum(padded[..., d : d + length, d : d + length] for d in range(3)) / 3


@pytest.mark.parametrize("name", sorted(COLLINEAR))
def test_golden_away_from_collinear_samples(name: str) -> None:
    case, golden = CASES[name], CASES[name].arrays()
    for key, values in kernels(case).items():
        x2 = golden["x1"] if key.endswith("11") else golden["x2"]
        apart = 1 - np.abs(cosines(golden["x1"], x2)) > 1e-12
        apart |= (x2 is golden["x1"]) & np.eye(*values.shape, dtype=bool)
        assert largest_difference(values[apart], golden[key][apart]) <= case.rtol, key
        assert largest_difference(values, golden[key]) <= 1e-8, key


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    return a @ b.T / np.where(norms > 0, norms, 1)


def test_edge_inputs_against_60_digits() -> None:
    """Duplicate, scaled, opposite, nearly equal (1e-6) and zero samples."""
    case = CASES["fcn_relu_d2_edge_inputs"]
    x1, x2 = case.arrays()["x1"], case.arrays()["x2"]
    found = kernels(case)
    for key, other in (("ntk_11", x1), ("ntk_12", x2)):
        exact = np.array([[relu_ntk(case, x, y) for y in other] for x in x1])
        assert largest_difference(found[key], exact) <= 1e-10, key


def relu_ntk(case: Case, x: np.ndarray, y: np.ndarray) -> float:
    """The recursion for bias-free ReLU networks in 60 digits."""
    with mpmath.workdps(60):
        dot = lambda a, b: mpmath.fsum(mpmath.mpf(float(p)) * mpmath.mpf(float(q)) for p, q in zip(a, b, strict=True))  # noqa: E731
        S, q, r, T = dot(x, y) / len(x), dot(x, x) / len(x), dot(y, y) / len(x), mpmath.mpf(0)
        for layer in case.layers:
            if layer["type"] == "Dense":
                weight = mpmath.mpf(layer["W_std"]) ** 2
                S, q, r, T = weight * S, weight * q, weight * r, weight * T + weight * S
            elif q == 0 or r == 0:
                return 0.0
            else:
                rho = max(mpmath.mpf(-1), min(mpmath.mpf(1), S / mpmath.sqrt(q * r)))
                angle = mpmath.acos(rho)
                slope = (mpmath.pi - angle) / (2 * mpmath.pi)
                S = mpmath.sqrt(q * r) * mpmath.sin(angle) / (2 * mpmath.pi) + slope * S
                q, r, T = q / 2, r / 2, T * slope
        return float(T)
