"""Classes, splits, scaling, targets and the notes about them."""

from collections import Counter

import numpy as np
import pytest

from ntklab.datasets import load
from ntklab.datasets.choose import order
from ntklab.errors import DataError
from ntklab.spec import Dataset
from ntklab.spec import dataset as sources


def load_array(tmp_path, X, y, **fields):
    np.savez(tmp_path / "data.npz", X=X, y=y)
    task = fields.pop("task", "auto")
    return load(Dataset(source=sources.File(path=str(tmp_path / "data.npz"), task=task), **fields))


@pytest.mark.parametrize("seed", range(5))
def test_every_stretch_of_the_order_has_the_classes_in_proportion(seed):
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    places = order(labels, 100, np.random.default_rng(seed))
    assert sorted(places) == list(range(100))
    for n in (10, 20, 50):
        for part in (places[:n], places[-n:]):
            np.testing.assert_allclose(np.bincount(labels[part]) / n, [0.6, 0.3, 0.1], atol=1.5 / n + 0.1)


def test_a_small_set_misses_no_class():
    labels = np.array([0] * 990 + [1] * 7 + [2] * 3)
    places = order(labels, 1000, np.random.default_rng(0))
    assert set(labels[places[:3]]) == {0, 1, 2}
    assert set(labels[places[-3:]]) == {0, 1, 2}


def test_classes_are_relabelled_in_the_order_given():
    data = load(Dataset(classes=(8, 3), n_train=50, n_test=10))
    assert data.class_names == ("8", "3")
    assert set(data.labels_train) == {0, 1}
    assert 23 <= Counter(data.labels_train.tolist())[0] <= 27
    assert any("−1 for 8, +1 for 3" in note for note in data.notes)
    np.testing.assert_array_equal(data.Y_train[:, 0], 2.0 * data.labels_train - 1)


def test_chosen_classes_hold_the_right_pictures():
    alone = load(Dataset(classes=(3, 8), n_train=80, n_test=0, scaling="none"))
    all_of_them = load(Dataset(n_train=1797, n_test=0, scaling="none"))
    labels = {row.tobytes(): label for row, label in zip(all_of_them.X_train, all_of_them.labels_train, strict=True)}
    assert [labels[row.tobytes()] for row in alone.X_train] == [(3, 8)[label] for label in alone.labels_train]


def test_some_arms_of_a_spiral():
    data = load(Dataset(source=sources.Spirals(arms=5, noise=0), classes=(1, 4), n_train=20, scaling="none"))
    assert data.class_names == ("arm 1", "arm 4")
    radius = np.linalg.norm(data.X_train, axis=1)
    angle = 2 * np.pi * (1.5 * radius + np.take([1, 4], data.labels_train) / 5)
    np.testing.assert_allclose(data.X_train[:, 0], radius * np.cos(angle), atol=1e-12)


def test_more_training_samples_contain_the_fewer_and_keep_the_test_samples():
    few, many = load(Dataset(n_train=50, n_test=30)), load(Dataset(n_train=200, n_test=30))
    np.testing.assert_array_equal(few.raw_train, many.raw_train[:50])
    np.testing.assert_array_equal(few.raw_test, many.raw_test)


def test_asking_for_too_many_samples_says_how_many_there_are():
    with pytest.raises(DataError, match=r"Wine: 178 samples are available, got a request for 170 \+ 9"):
        load(Dataset(source=sources.Wine(), n_train=170, n_test=9))
    assert len(load(Dataset(source=sources.Wine(), n_train=170, n_test=8)).X_test) == 8


def test_standardise_uses_the_training_samples_alone():
    data = load(Dataset(source=sources.Wine(), scaling="standardise", n_train=100, n_test=50))
    np.testing.assert_allclose(data.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.X_train.std(axis=0), 1)
    mean, deviation = data.raw_train.mean(axis=0), data.raw_train.std(axis=0)
    np.testing.assert_allclose(data.X_test, (data.raw_test - mean) / deviation)
    assert np.abs(data.X_test.mean(axis=0)).max() > 1e-3


def test_constant_features_are_centred_and_named():
    data = load(Dataset(scaling="standardise", n_train=100))
    constant = np.ptp(data.raw_train, axis=0) == 0
    assert constant.any()
    assert not data.X_train[:, constant].any()
    assert any("constant" in note and "pixel 0,0" in note for note in data.notes)


@pytest.mark.parametrize(("scaling", "norm"), [("sphere", 8.0), ("unit_norm", 1.0)])
def test_norms_after_scaling(scaling, norm):
    data = load(Dataset(scaling=scaling))
    for X in (data.X_train, data.X_test):
        np.testing.assert_allclose(np.linalg.norm(X, axis=1), norm)


@pytest.mark.parametrize("scaling", ["sphere", "unit_norm"])
def test_a_sample_of_zeros_has_no_direction(tmp_path, scaling):
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[13] = 0
    with pytest.raises(DataError, match=r"data.npz: sample 13 .*all zeros.*standardise"):
        load_array(tmp_path, X, np.arange(20) % 2, n_train=15, n_test=5, scaling=scaling)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_extreme_numbers_keep_their_direction(tmp_path, size):
    X = np.random.default_rng(0).normal(size=(20, 3))
    plain = load_array(tmp_path, X, np.arange(20) % 2, n_train=15, n_test=5)
    extreme = load_array(tmp_path, size * X, np.arange(20) % 2, n_train=15, n_test=5)
    np.testing.assert_allclose(extreme.X_train, plain.X_train, rtol=1e-12)


def test_numbers_too_large_to_standardise_are_refused(tmp_path):
    X = 1e200 * np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(DataError, match="too large to standardise"):
        load_array(tmp_path, X, np.arange(20) % 2, n_train=15, n_test=5, scaling="standardise")
    with pytest.raises(DataError, match="targets are too large"):
        load_array(tmp_path, np.eye(20), X[:, 0], n_train=15, n_test=5, scaling="standardise")


@pytest.mark.parametrize("source", [sources.Regression1D(), sources.Moons()])
def test_losing_what_matters_by_scaling_is_a_warning(source):
    assert any("warning: scaling to a fixed norm" in note for note in load(Dataset(source=source)).notes)


@pytest.mark.parametrize("source", [sources.Circle(), sources.Digits(), sources.Sphere(dimension=2)])
def test_scaling_that_loses_little_is_not(source):
    assert not any("warning" in note for note in load(Dataset(source=source)).notes)


def test_one_hot_targets_are_centred():
    data = load(Dataset(n_train=100))
    np.testing.assert_allclose(data.Y_train.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(data.Y_train.max(axis=1), 0.9)
    np.testing.assert_array_equal(data.Y_train.argmax(axis=1), data.labels_train)
    np.testing.assert_allclose(data.Y_train.min(), -0.1)


def test_one_hot_for_two_classes_and_values_for_classes():
    two = load(Dataset(classes=(3, 8), targets="one_hot"))
    np.testing.assert_allclose(np.unique(two.Y_train), [-0.5, 0.5])
    values = load(Dataset(classes=(3, 8), targets="values"))
    np.testing.assert_array_equal(np.unique(values.Y_train), [3, 8])


def test_values_are_standardised_with_the_features():
    data = load(Dataset(source=sources.Diabetes(), scaling="standardise", n_train=300, n_test=100))
    assert data.Y_train.mean() == pytest.approx(0, abs=1e-12)
    assert data.Y_train.std() == pytest.approx(1)
    assert any("targets standardised" in note for note in data.notes)


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (Dataset(source=sources.Diabetes(), targets="one_hot"), "need classes"),
        (Dataset(source=sources.Circle(), targets="sign"), "need classes"),
        (Dataset(targets="sign"), "need two classes, got 10"),
    ],
)
def test_targets_that_the_source_cannot_give(dataset, words):
    with pytest.raises(DataError, match=words):
        load(dataset)


@pytest.mark.parametrize("classes", [(0, 5), (0, 1)])
def test_classes_that_are_not_in_a_file(tmp_path, classes):
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 3
    if classes == (0, 5):
        with pytest.raises(DataError, match=r"no class \[5\]; choose among 0, 1, 2"):
            load_array(tmp_path, X, y, classes=classes, n_train=20, n_test=5)
        with pytest.raises(DataError, match="has no classes"):
            load_array(tmp_path, X, X[:, 0], classes=classes, n_train=20, n_test=5)
        return
    assert load_array(tmp_path, X, y, classes=classes, n_train=20, n_test=5).class_names == ("0", "1")


def test_one_class_alone_cannot_be_learnt(tmp_path):
    with pytest.raises(DataError, match="two classes or more, got 1"):
        load_array(tmp_path, np.random.default_rng(0).normal(size=(30, 3)), np.ones(30, int), n_train=20, n_test=5)


def test_duplicate_samples_are_a_warning(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[3] = X[7] = X[5]
    data = load_array(tmp_path, X, np.arange(20) % 2, n_train=20, n_test=0, scaling="none")
    assert any("2 training samples repeat another: the kernel is singular" in note for note in data.notes)


def test_too_few_samples_for_the_classes_is_a_warning():
    data = load(Dataset(n_train=4, n_test=0))
    assert data.outputs == 10
    assert any("no training sample of" in note for note in data.notes)
