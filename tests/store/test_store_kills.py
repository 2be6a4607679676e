"""kill -9 at any moment of a stored computation: it goes on, recomputes what was in flight alone, and ends the same.

``NTKLAB_KILLS=20 pytest tests/store/test_store_kills.py`` kills more often.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import ntklab
from ntklab.kernels.empirical import empirical_ntk, storing
from ntklab.progress import drain
from ntklab.spec.activations import Relu
from ntklab.store import open_kernel, state

KILLS = int(os.environ.get("NTKLAB_KILLS", "2"))
TILE = 2**16  # bytes: 32 samples with 4 × 4 outputs in float32
CHILD = """
import sys
sys.path.insert(0, {here!r})
from test_store_kills import computing
for event in computing({folder!r}):
    print(type(event).__name__, flush=True)
"""


def computing(folder):
    """A kernel in 55 tiles, some 0.3 s of work."""
    storing._TILE = TILE
    X = np.random.default_rng(0).normal(size=(320, 12))
    layers = (ntklab.Dense(64), Relu(), ntklab.Dense(64), Relu(), ntklab.Dense(4))
    net = ntklab.Architecture(ntklab.Input("vector", (12,)), layers)
    return empirical_ntk(net, X, outputs="full", seed=1, store=folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The kernel without interruption, and how long its tiles took, from the first to the last."""
    folder = tmp_path_factory.mktemp("whole") / "K"
    moments = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storing, "_TILE", TILE)
        gram = drain(computing(folder), lambda _: moments.append(time.monotonic()))
    return gram, moments[-1] - moments[0]


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(storing, "_TILE", TILE)


def run_and_kill(folder, delay):
    """Start the computation in a process of its own and kill it ``delay`` seconds after its first event."""
    code = CHILD.format(here=str(Path(__file__).parent), folder=str(folder))
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "Forecast\n"
    timer = threading.Timer(delay, running.send_signal, (signal.SIGKILL,))
    timer.start()
    running.communicate()
    timer.join()
    return running.returncode


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_computation_goes_on(tmp_path, whole, number):
    reference, seconds = whole
    folder = tmp_path / "K"
    delay = seconds * (number + np.random.default_rng().random()) / KILLS
    assert run_and_kill(folder, delay) in (-signal.SIGKILL, 0)
    found = state(folder)
    assert (found.tiles, found.writer) == (55, "")
    assert found.done == found.written
    files = len(list((folder / "kernel").glob("c.*")))
    assert 0 <= files - found.done <= 1  # a tile may be written and not yet be announced
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "kernel").glob("c.*")}
    gram = drain(computing(folder))
    after = state(folder)
    assert (after.done, after.written) == (55, 55)  # no tile that was finished was written again
    kept = [name for name, at in before.items() if (folder / "kernel" / name).stat().st_mtime_ns == at]
    assert len(kept) == found.done
    for one, other in ((gram.values, reference.values), (gram.matrix, reference.matrix)):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert gram.health == reference.health
    np.testing.assert_array_equal(open_kernel(folder).values.overview, reference.values.overview)
