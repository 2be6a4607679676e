"""Golden kernels of the families built so far, and what golden itself cannot resolve."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from golden.cases import CASES, Case, largest_difference

from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain

STORED = [case for case in CASES.values() if case.stored]
# Golden values of (nearly) collinear samples behind a kink are off by up to 5e-9: they carry the resolution of a
# quadrature there (kernel(x, 2x) of a ReLU network must equal 2·kernel(x, x), and golden's does not).
COLLINEAR = {"fcn_relu_d2_edge_inputs"}


def kernels(case: Case) -> dict[str, np.ndarray]:
    arrays, architecture = case.arrays(), case.architecture()
    square = drain(infinite_kernel(architecture, arrays["x1"]))
    cross = drain(infinite_kernel(architecture, arrays["x1"], arrays["x2"]))
    return {f"{kind}_{name}": grams[kind].values for name, grams in (("11", square), ("12", cross)) for kind in grams}


@pytest.mark.parametrize("case", [case for case in STORED if case.name not in COLLINEAR], ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    golden = case.arrays()
    for name, values in kernels(case).items():
        assert largest_difference(values, golden[name]) <= case.rtol, name


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
