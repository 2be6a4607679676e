"""What a small budget does to the memory of a real process: the peak stays within it, or the work is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario_tools import digits, python

import ntklab
from ntklab.errors import MemoryBudgetError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel

MIB = 2**20

# The peak that Linux keeps of a process; what is loaded lazily is loaded by small kernels before it starts again from
# what is held then. (The peak of getrusage would be that of the tests, which a child inherits.)
PEAK = """
from pathlib import Path
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
def restart():
    Path("/proc/self/clear_refs").write_text("5")
    return peak()
"""

PROBE = """
import numpy as np
import ntklab
from ntklab.spec.activations import Erf, Relu

def network(d, *widths):
    layers = [layer for width in widths for layer in (ntklab.Dense(width, W_std=1.4, b_std=0.1), Relu())]
    return ntklab.Architecture(ntklab.Input("vector", (d,)), (*layers, ntklab.Dense(8)))

net, small = network(100, 300, 300), np.random.default_rng(0).standard_normal((48, 100)).astype("float32")
x = np.random.default_rng(1).standard_normal((2200, 100)).astype("float32")
ntklab.empirical_ntk(net, small, outputs="mean")
ntklab.infinite_kernel(net, small, dtype="float32")
before = restart()
if KIND == "empirical":
    gram = ntklab.empirical_ntk(net, x[:1600], outputs="mean", memory=BUDGET)
else:
    gram = ntklab.infinite_kernel(net, x, dtype="float32", memory=BUDGET)
print(peak() - before, gram.values.nbytes)
"""

WIDE = """
import numpy as np
import ntklab
from ntklab import errors, kernels

net = ntklab.Experiment.from_json(Path("wide.json").read_text()).architecture
before = restart()
try:
    ntklab.empirical_ntk(net, np.ones((2, 64)), memory=10**9)
except errors.MemoryBudgetError as refused:
    print(peak() - before, refused)
"""

needs_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak that Linux keeps")


@needs_linux
@pytest.mark.parametrize(("kind", "budget"), [("empirical", 32 * MIB), ("infinite", 36 * MIB)])
def test_the_peak_of_a_process_stays_within_the_budget(tmp_path, kind, budget):
    code = PEAK + PROBE.replace("KIND", repr(kind)).replace("BUDGET", str(budget))
    done = python("-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    grown, result = map(int, done.stdout.split())
    assert 0.5 * result < grown <= 1.1 * budget  # much less than the result would mean that nothing was measured


@pytest.mark.parametrize("budget", [1, 1000, 2 * MIB])
def test_what_cannot_fit_is_refused_before_it_is_begun(budget):
    net = ntklab.Experiment.from_dict(digits()).architecture
    x = [[float(i % 7 + j % 5) for j in range(64)] for i in range(800)]
    for work in (
        empirical_ntk(net, x, outputs="mean", memory=budget),
        infinite_kernel(net, x, memory=budget),
    ):
        with pytest.raises(MemoryBudgetError, match="memory") as refused:
            next(work)
        assert "need" in str(refused.value)


def test_a_run_states_its_memory_first_and_refuses_what_is_too_large():
    experiment = ntklab.Experiment.from_dict(digits(kernel={"memory": 100_000}))
    with pytest.raises(MemoryBudgetError, match=r"memory budget is 97\.66 KiB"):
        next(ntklab.run(experiment))
    generous = next(ntklab.run(experiment.replace(kernel=experiment.kernel.replace(memory=10**9))))
    assert 0 < generous.peak_bytes < 10**9


@needs_linux
def test_a_network_too_wide_for_the_budget_is_refused_before_it_is_drawn(tmp_path):
    (tmp_path / "wide.json").write_text(json.dumps(digits(architecture__layers__0__width=10_000_000)))
    done = python("-c", PEAK + WIDE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    grown, words = done.stdout.split(maxsplit=1)
    assert int(grown) < 300 * MIB  # its weights are 2.8 GiB
    assert "narrower" in words
