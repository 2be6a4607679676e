"""Dual activations against known values and against brute-force quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.kernels.infinite.activations import DUALS
from ntklab.kernels.infinite.reference import expectation
from ntklab.networks.activations import POINTWISE
from ntklab.spec import activations as acts

LAYERS = [
    acts.Relu(),
    acts.LeakyRelu(alpha=0.2),
    acts.ABRelu(a=-0.4, b=1.3),
    acts.Abs(),
    acts.Elu(),
    acts.Elu(alpha=0.4),
    acts.Selu(),
    acts.Elementwise(fn="torch.nn.functional.logsigmoid"),
    acts.Elementwise(fn="torch.atan"),
    acts.Erf(),
    acts.Erf(a=1.3, b=0.7, c=-0.4),
    acts.Sigmoid_like(),
    acts.Gelu(),
    acts.Sin(),
    acts.Sin(a=1.2, b=0.9, c=0.4),
    acts.Cos(a=0.8, b=1.4, c=-0.3),
    acts.Rbf(gamma=0.6),
    acts.Gaussian(a=1.1, b=-0.8),
    acts.Gaussian(a=0.7, b=0.05),
    acts.Exp(a=0.8, b=0.5),
    acts.Gabor(),
    acts.Sign(),
    acts.Polynomial(coef=(0.3, 1.0, -0.5, 0.2)),
    acts.Polynomial(coef=(0.7,)),
    acts.Monomial(degree=0),
    acts.Monomial(degree=4),
    acts.RectifiedMonomial(degree=0),
    acts.RectifiedMonomial(degree=1),
    acts.RectifiedMonomial(degree=2),
    acts.RectifiedMonomial(degree=5),
    acts.Hermite(degree=0),
    acts.Hermite(degree=3),
    acts.Hermite(degree=8),
    *(acts.Numerical(fn=fn) for fn in ("tanh", "sigmoid", "swish", "softplus", "mish")),
]
POINTS = [(1.3, 0.6, 0.8), (2.0, -1.1, 0.9), (0.4, 0.0, 1.7), (1.5, 1.48, 1.6), (0.3, -0.298, 0.3)]
# (q, S, q') = (1.3, 0.6, 0.8)
KNOWN = [
    (acts.Erf(), 0.2565941029978, 0.4524259717164),
    (acts.Gelu(), 0.2634344502871, 0.3592759435916),
    (acts.Sin(), 0.2227891215005, 0.4148390301213),
    (acts.Relu(), 0.3413090172919, 0.3501108150842),
    (acts.LeakyRelu(alpha=0.2), 0.3384377710668, 0.4240709216538),
]


def dual(layer: acts.Activation, q1: float, S: float, q2: float) -> tuple[float, float]:
    """E φφ and E φ'φ' of one pair."""
    q = torch.tensor([q1, q2], dtype=torch.float64)
    rule = DUALS[type(layer)](layer, q)
    table = rule.table(q)
    k, slope = rule.pair(
        torch.full((1, 1), S, dtype=torch.float64), table[:, :1, None], table[:, None, 1:], derivative=True
    )
    return float(k), 0.0 if slope is None else float(slope)


def slope_of(layer: acts.Activation, x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    y = POINTWISE[type(layer)](layer, x)
    return torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(x)


def brute_force(layer: acts.Activation, q1: float, S: float, q2: float) -> tuple[float, float]:
    value, slope = (lambda x: POINTWISE[type(layer)](layer, x)), (lambda x: slope_of(layer, x))
    return expectation(value, value, q1, S, q2), expectation(slope, slope, q1, S, q2)


@pytest.mark.parametrize(("layer", "k", "slope"), KNOWN, ids=lambda value: repr(value)[:24])
def test_known_values(layer: acts.Activation, k: float, slope: float) -> None:
    assert dual(layer, 1.3, 0.6, 0.8) == pytest.approx((k, slope), abs=1e-13)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_pairs_against_brute_force(layer: acts.Activation, point: tuple[float, float, float]) -> None:
    assert dual(layer, *point) == pytest.approx(brute_force(layer, *point), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_diagonals_against_brute_force(layer: acts.Activation) -> None:
    q = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64)
    k, slope = DUALS[type(layer)](layer, q).diagonal(q)
    exact = [brute_force(layer, float(v), float(v), float(v)) for v in q]
    assert k.numpy() == pytest.approx(np.array([value for value, _ in exact]), rel=1e-11)
    assert slope.numpy() == pytest.approx(np.array([value for _, value in exact]), rel=1e-11)


@pytest.mark.parametrize("layer", [*LAYERS, acts.ExpNormalized(gamma=0.8, shift=-0.7)], ids=repr)
def test_a_sample_and_its_copy_agree_with_the_diagonal(layer: acts.Activation) -> None:
    q = torch.tensor([0.7], dtype=torch.float64)
    k, slope = DUALS[type(layer)](layer, q).diagonal(q)
    kinked = isinstance(layer, acts.Elu | acts.Selu)  # the jump of the slope shows the root of the rounding of ρ
    assert dual(layer, 0.7, 0.7, 0.7) == pytest.approx((float(k), float(slope)), rel=1e-8 if kinked else 1e-13)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if not isinstance(layer, acts.Sign)], ids=repr)
def test_zero_samples(layer: acts.Activation) -> None:
    """With u = 0 the expectation factorises: φ(0)·E φ(v), and φ'(0)·E φ'(v) where φ is smooth."""
    k, slope = dual(layer, 0.0, 0.0, 1.2)
    zero = torch.zeros(1, dtype=torch.float64)
    value = float(POINTWISE[type(layer)](layer, zero))
    one = lambda x: torch.ones_like(x)  # noqa: E731
    mean = expectation(one, lambda x: POINTWISE[type(layer)](layer, x), 1.0, 0.0, 1.2)
    assert k == pytest.approx(value * mean, abs=1e-13)
    if not isinstance(layer, acts.Relu | acts.LeakyRelu | acts.ABRelu | acts.Abs | acts.RectifiedMonomial):
        mean_slope = expectation(one, lambda x: slope_of(layer, x), 1.0, 0.0, 1.2)
        assert slope == pytest.approx(float(slope_of(layer, zero)) * mean_slope, abs=1e-12)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e4, 1e12])
def test_small_and_large_variances(layer: acts.Activation, scale: float) -> None:
    """Finite where the expectation is, bounded by Cauchy–Schwarz, and symmetric in the samples."""
    q = torch.tensor([1.0, 0.25], dtype=torch.float64) * scale
    rule = DUALS[type(layer)](layer, q)
    diagonal, slopes = rule.diagonal(q)
    if not bool(torch.isfinite(diagonal).all()):
        assert isinstance(layer, acts.Gaussian | acts.Exp)
        return
    for rho in (-1.0, -0.5, 0.0, 0.9, 1.0):
        k, slope = dual(layer, scale, rho * scale / 2, scale / 4)
        assert abs(k) <= float(diagonal.prod().sqrt()) * (1 + 1e-9)
        assert abs(slope) <= float(slopes.prod().sqrt()) * (1 + 1e-9)
        assert dual(layer, scale / 4, rho * scale / 2, scale) == pytest.approx(
            (k, slope), rel=1e-9, abs=1e-15 * float(diagonal.max())
        )


def test_every_activation_of_the_spec_has_a_dual() -> None:
    activations = {cls for cls in spec.LAYER_TYPES.values() if issubclass(cls, spec.Activation)}
    assert set(DUALS) == activations
