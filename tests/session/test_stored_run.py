"""A run survives being stored, and a damaged file says so."""

from dataclasses import fields

import numpy as np
import pytest

from ntklab.errors import FileError
from ntklab.results import Data, Gram, MonteCarlo, Provenance, Run, Spectrum, Trajectory
from ntklab.session.stored import load_run, save_run

N, M = 5, 3


@pytest.fixture
def run() -> Run:
    rng = np.random.default_rng(0)
    data = Data(
        X_train=rng.normal(size=(N, 2)), Y_train=rng.normal(size=(N, 1)), X_test=rng.normal(size=(M, 2)),
        Y_test=rng.normal(size=(M, 1)), labels_train=np.arange(N) % 2, labels_test=None,
        raw_train=np.zeros((N, 2)), raw_test=np.zeros((M, 2)), class_names=("a", "b"), notes=("two notes", "here"),
    )  # fmt: skip
    origin = Provenance("ntk", "ntk", seed=3, outputs="mean", notes=("a note",))
    gram = Gram(rng.normal(size=(N, N)).astype(np.float32), origin, error=1e-7)
    spectrum = Spectrum(
        eigenvalues=np.arange(N, 0, -1.0), eigenvectors=np.eye(N), floor=1e-9, condition=5.0, stable_rank=2.0,
        participation_ratio=3.0, effective_dimension=4.0, ridge=0.1, target_power=np.full(N, 1 / N), alignment=0.5,
        centred_alignment=None, largest_rate=2.0, loss="half_mse", momentum=0.0, provenance=origin,
    )  # fmt: skip
    trajectory = Trajectory(
        steps=np.arange(4), runs=("network", "linearised"), train_loss=rng.normal(size=(2, 4)),
        test_loss=rng.normal(size=(2, 4)), outputs=rng.normal(size=(2, 4, 1, 1)), chosen=np.array([0]),
        chosen_from="test", drift_steps=np.array([0, 3]), drift=np.array([0.0, 0.2]), alignment=np.array([0.1, 0.2]),
        train_outputs=rng.normal(size=(2, N, 1)), test_outputs=rng.normal(size=(2, M, 1)), learning_rate=0.5,
        critical_rate=1.0, momentum=0.0, loss="half_mse", provenance=origin,
    )  # fmt: skip
    estimate = MonteCarlo(
        "ntk", np.array([8, 16]), rng.normal(size=(2, N, N)), np.ones((2, N, N)), 5, origin, symmetric=False
    )
    return Run("abc", data, gram, gram, None, spectrum, None, trajectory, estimate)


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)


def test_every_field_of_every_part_comes_back(run, tmp_path):
    found = load_run(save_run(tmp_path / "run.npz", run))
    assert found.experiment == run.experiment
    assert found.nngp is None
    for part in ("data", "empirical", "empirical_spectrum", "trajectory", "monte_carlo"):
        before, after = getattr(run, part), getattr(found, part)
        differing = [f.name for f in fields(before) if not same(getattr(before, f.name), getattr(after, f.name))]
        assert differing == [], part


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", None])
def test_a_damaged_file_is_one_clear_error(run, tmp_path, damage):
    path = save_run(tmp_path / "run.npz", run)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    with pytest.raises(FileError, match=r"run\.npz"):
        load_run(path)
