"""The two doors of the house: the science never loads Qt, the window never loads the science. In fresh interpreters."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

DOORS = {
    "ntklab.kernels": ("PySide6", "shiboken6", "pyqtgraph"),
    "ntklab.gui.main": ("torch", "sklearn", "scipy", "matplotlib", "pyqtgraph", "h5py"),
    "ntklab.cli.main": ("torch", "numpy", "PySide6"),
}


@pytest.mark.parametrize("module", DOORS)
def test_importing_stays_on_its_side(module):
    code = f"import json, sys, {module}; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False,
                          env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)).isdisjoint(DOORS[module])
