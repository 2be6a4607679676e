"""The exported script, run in a fresh process, gives the arrays of the run bit for bit."""

import subprocess
import sys

import numpy as np

from ntklab import experiments, export
from ntklab.export.contents import contents, flat_name
from ntklab.progress import drain


def test_script_reproduces_the_arrays(experiment, tmp_path):
    small = experiment.replace(training=experiment.training.replace(steps=4))
    run = drain(experiments.run(small))
    (tmp_path / "reproduce.py").write_text(export.script(small))
    done = subprocess.run([sys.executable, "-W", "error", "reproduce.py", "again.npz"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "again.npz"
    assert "computed trajectory" in done.stderr
    with np.load(tmp_path / "again.npz") as again:
        for part, arrays in contents(run).items():
            for name, expected in arrays.items():
                np.testing.assert_array_equal(again[flat_name(part, name)], expected, err_msg=f"{part}.{name}")
                assert again[flat_name(part, name)].dtype == expected.dtype
