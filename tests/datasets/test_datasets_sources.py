"""Every source: shapes, determinism, definitions."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.polynomial.legendre import Legendre

from ntklab.datasets import load
from ntklab.datasets.synthetic import FUNCTIONS_1D, FUNCTIONS_2D, harmonics, legendre
from ntklab.errors import DataError
from ntklab.spec import SOURCE_TYPES, Dataset, class_count, sample_shape
from ntklab.spec import dataset as sources

SOURCES = [cls() for name, cls in SOURCE_TYPES.items() if name != "File"]
NAMES = [type(source).__name__ for source in SOURCES]
SYNTHETIC = [
    source for source in SOURCES if type(source).__name__ not in ("Digits", "BreastCancer", "Wine", "Diabetes")
]


def plain(source, **fields) -> Dataset:
    return Dataset(source=source, **{"n_train": 30, "n_test": 12, "scaling": "none", **fields})


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
@pytest.mark.parametrize("targets", ["auto", "one_hot", "values"])
def test_shapes_are_those_that_the_spec_promises(source, targets):
    if targets == "one_hot" and class_count(source) is None:
        return
    dataset = plain(source, targets=targets, scaling="standardise")
    data = load(dataset)
    features, outputs = sample_shape(dataset)
    assert data.X_train.shape == data.raw_train.shape == (30, features)
    assert data.X_test.shape == data.raw_test.shape == (12, features)
    assert data.Y_train.shape == (30, outputs)
    assert data.Y_test.shape == (12, outputs)
    assert data.X_train.dtype == data.Y_train.dtype == np.float64
    assert all(np.isfinite(part).all() for part in (data.X_train, data.X_test, data.Y_train, data.Y_test))
    assert len(data.feature_names) == features
    assert data.title
    assert data.notes
    if class_count(source) is not None:
        assert len(data.class_names) == class_count(source)
        assert data.labels_train.dtype == np.int64


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_equal_specs_give_equal_numbers_and_the_seed_matters(source):
    first, again, other = (load(plain(source, seed=seed)) for seed in (3, 3, 4))
    for name in ("X_train", "Y_train", "X_test", "Y_test"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    if not isinstance(source, sources.Circle):
        assert not np.array_equal(first.X_train, other.X_train)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_training_and_test_samples_differ(source):
    data = load(plain(source))
    train = {row.tobytes() for row in data.X_train}
    assert not any(row.tobytes() in train for row in data.X_test)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_no_test_samples_and_a_single_training_sample_are_possible(source):
    data = load(plain(source, n_train=1, n_test=0))
    assert data.X_train.shape[0] == 1
    assert data.X_test.shape == (0, data.features)
    assert data.Y_test.shape == (0, data.outputs)


@pytest.mark.parametrize("source", SYNTHETIC, ids=lambda source: type(source).__name__)
def test_more_training_samples_leave_the_test_samples_alone(source):
    few, many = load(plain(source)), load(plain(source, n_train=50))
    np.testing.assert_array_equal(few.raw_test, many.raw_test)


def test_digits_are_pictures():
    data = load(Dataset(n_train=100, n_test=10))
    assert data.image_shape == (8, 8)
    assert data.raw_train.max() == 16
    assert data.class_names == tuple("0123456789")


def test_diabetes_is_in_its_own_units():
    data = load(plain(sources.Diabetes(), n_train=400, n_test=42))
    age = data.feature_names.index("age")
    assert 40 < data.raw_train[:, age].mean() < 60
    assert data.labels_train is None
    assert data.Y_train.max() > 300


def test_circle_is_evenly_spaced_with_the_cosine():
    data = load(plain(sources.Circle(frequency=3), n_train=8))
    angle = 2 * np.pi * np.arange(8) / 8
    np.testing.assert_allclose(data.X_train, np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1), atol=1e-14)
    np.testing.assert_allclose(data.Y_train[:, 0], np.cos(3 * angle), atol=1e-14)
    at = np.arctan2(data.X_test[:, 1], data.X_test[:, 0])
    np.testing.assert_allclose(data.Y_test[:, 0], np.cos(3 * at), atol=1e-12)


@pytest.mark.parametrize(("source", "radii"), [(sources.TwoCircles(noise=0), (1.0, 0.5))])
def test_two_circles_without_noise(source, radii):
    data = load(plain(source))
    np.testing.assert_allclose(np.linalg.norm(data.X_train, axis=1), np.take(radii, data.labels_train))


def test_moons_without_noise_are_half_circles():
    data = load(plain(sources.Moons(noise=0)))
    upper, lower = data.X_train[data.labels_train == 0], data.X_train[data.labels_train == 1]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5


def test_spirals_without_noise_turn_with_the_radius():
    data = load(plain(sources.Spirals(noise=0, arms=3, turns=2.0)))
    radius = np.linalg.norm(data.X_train, axis=1)
    angle = 2 * np.pi * (2.0 * radius + data.labels_train / 3)
    np.testing.assert_allclose(
        data.X_train, radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), atol=1e-12
    )


@pytest.mark.parametrize("source", [sources.TwoCircles(), sources.Moons(), sources.Spirals(arms=5)])
def test_synthetic_classes_are_balanced(source):
    counts = np.bincount(load(plain(source)).labels_train)
    assert counts.max() - counts.min() == 0


@pytest.mark.parametrize("name", FUNCTIONS_1D)
def test_one_dimensional_targets_on_an_even_grid(name):
    data = load(plain(sources.Regression1D(target=name, noise=0.3)))
    np.testing.assert_allclose(data.X_test[:, 0], np.linspace(-1, 1, 12))
    np.testing.assert_allclose(data.Y_test[:, 0], FUNCTIONS_1D[name][1](data.X_test[:, 0]))
    assert np.all(np.diff(data.X_train[:, 0]) > 0)
    assert np.std(data.Y_train[:, 0] - FUNCTIONS_1D[name][1](data.X_train[:, 0])) > 0.1
    assert any("noise" in note for note in data.notes)


@pytest.mark.parametrize("name", FUNCTIONS_2D)
def test_two_dimensional_targets(name):
    data = load(plain(sources.Regression2D(target=name)))
    np.testing.assert_allclose(data.Y_train[:, 0], FUNCTIONS_2D[name][1](data.X_train))
    assert np.abs(data.X_train).max() <= 1


@pytest.mark.parametrize(("dimension", "degree"), [(2, 3), (3, 2), (10, 2), (10, 0), (5, 4)])
def test_sphere_targets_have_mean_square_one(dimension, degree):
    data = load(plain(sources.Sphere(dimension=dimension, degree=degree), n_train=40_000))
    np.testing.assert_allclose(np.sum(data.X_train**2, axis=1), dimension)
    assert np.mean(data.Y_train**2) == pytest.approx(1, abs=0.1)


def test_legendre_polynomials_are_legendres_in_three_dimensions_and_chebyshevs_in_two():
    t = np.linspace(-1, 1, 9)
    for degree in range(6):
        np.testing.assert_allclose(legendre(t, 3, degree), Legendre.basis(degree)(t), atol=1e-14)
        np.testing.assert_allclose(legendre(t, 2, degree), np.cos(degree * np.arccos(t)), atol=1e-13)


@pytest.mark.parametrize(("dimension", "degree", "count"), [(2, 0, 1), (2, 5, 2), (3, 4, 9), (4, 2, 9), (10, 2, 54)])
def test_number_of_spherical_harmonics(dimension, degree, count):
    assert harmonics(dimension, degree) == count


def test_an_absurd_size_is_refused_at_once():
    with pytest.raises(DataError, match=r"Sphere: 1000000000 samples.*GB.*fewer"):
        load(plain(sources.Sphere(dimension=1000), n_train=10**9))


def test_scikit_learn_is_loaded_only_for_its_data():
    code = (
        "import sys; from ntklab.datasets import load; from ntklab.spec import Dataset; "
        "from ntklab.spec.dataset import Moons; load(Dataset(source=Moons(), scaling='none')); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
