"""Classical kernels against their formulas."""

import math

import numpy as np
import pytest

from ntklab.errors import DataError, SpecError
from ntklab.kernels.classical import KERNELS, classical_kernel, median_distance

X = np.random.default_rng(0).normal(size=(7, 3))
Z = np.random.default_rng(1).normal(size=(4, 3))


def distance(x, z):
    return np.linalg.norm(x - z)


FORMULAS = {
    "rbf": lambda x, z: math.exp(-(distance(x, z) ** 2) / (2 * 1.7**2)),
    "laplace": lambda x, z: math.exp(-distance(x, z) / 1.7),
    "matern": lambda x, z: (1 + math.sqrt(3) * distance(x, z) / 1.7) * math.exp(-math.sqrt(3) * distance(x, z) / 1.7),
    "polynomial": lambda x, z: (x @ z / 3 + 0.5) ** 2,
    "linear": lambda x, z: x @ z / 3,
}


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("x2", [None, Z])
def test_values_follow_the_formula(kind, x2):
    gram = classical_kernel(kind, X, x2, length_scale=1.7, nu=1.5, degree=2, offset=0.5)
    expected = [[FORMULAS[kind](x, z) for z in (X if x2 is None else x2)] for x in X]
    np.testing.assert_allclose(gram.values, expected, rtol=1e-12)
    assert gram.symmetric == (x2 is None)
    assert gram.provenance.kind == kind
    assert gram.provenance.notes[0] == KERNELS[kind].formula


def test_the_length_scale_defaults_to_the_median_distance():
    pairs = [distance(X[i], X[j]) for i in range(7) for j in range(i)]
    assert median_distance(X) == pytest.approx(np.median(pairs))
    default = classical_kernel("rbf", X, Z).values
    np.testing.assert_array_equal(default, classical_kernel("rbf", X, Z, length_scale=median_distance(X)).values)


def test_images_are_flattened():
    pictures = X[:6].reshape(6, 3, 1)
    np.testing.assert_array_equal(classical_kernel("linear", pictures).values, classical_kernel("linear", X[:6]).values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "cosine"}, "choose one of rbf"),
        ({"length_scale": 0.0}, "above 0"),
        ({"length_scale": math.nan}, "above 0"),
        ({"nu": -1.0}, "above 0"),
        ({"degree": 0}, "at least 1"),
        ({"offset": -1.0}, "at least 0"),
    ],
)
def test_bad_parameters_are_refused(arguments, words):
    with pytest.raises(SpecError, match=words):
        classical_kernel(**{"kind": "rbf", "x1": X, **arguments})


@pytest.mark.parametrize("x1", [np.ones((3, 2)), np.full((3, 2), np.nan), np.ones(3), np.ones((0, 2))])
def test_samples_that_give_no_kernel_are_refused(x1):
    with pytest.raises(DataError):
        classical_kernel("rbf", x1)


def test_feature_counts_must_agree():
    with pytest.raises(DataError, match="3 features and x2 has 2"):
        classical_kernel("linear", X, Z[:, :2])
