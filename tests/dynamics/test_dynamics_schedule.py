"""Which samples are seen and which steps are kept."""

from itertools import islice

import numpy as np
import pytest

from ntklab.dynamics.schedule import batches, recorded, snapshots


@pytest.mark.parametrize("steps", [1, 7, 100, 500, 12_345, 1_000_000])
def test_recorded_steps(steps):
    kept = recorded(steps)
    assert kept[0] == 0
    assert kept[-1] == steps
    assert (np.diff(kept) > 0).all()
    assert len(kept) < 2000
    assert set(range(min(steps, 100) + 1)) <= set(kept.tolist())


@pytest.mark.parametrize(("steps", "every", "expected"), [
    (10, 4, [0, 4, 8, 10]), (3, 100, [0, 3]), (1, None, [0, 1]), (4, 2, [0, 2, 4]),
])  # fmt: skip
def test_snapshots(steps, every, expected):
    assert snapshots(steps, every).tolist() == expected


def test_about_twelve_snapshots():
    taken = snapshots(10_000)
    assert len(taken) == 12
    assert taken[0] == 0
    assert taken[-1] == 10_000


@pytest.mark.parametrize("size", [None, 10, 11])
def test_full_batches(size):
    assert list(islice(batches(10, size, 0), 3)) == [None] * 3


def test_an_epoch_sees_each_sample_once():
    pieces = list(islice(batches(10, 4, 5), 6))
    assert [len(piece) for piece in pieces] == [4, 4, 2, 4, 4, 2]
    for epoch in (pieces[:3], pieces[3:]):
        assert sorted(np.concatenate(epoch)) == list(range(10))
    assert np.concatenate(pieces[:3]).tolist() != np.concatenate(pieces[3:]).tolist()
    again = list(islice(batches(10, 4, 5), 6))
    assert all((a == b).all() for a, b in zip(pieces, again, strict=True))
