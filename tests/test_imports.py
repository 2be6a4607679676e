"""What importing each part of the package loads: measured in fresh interpreters."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "sklearn", "scipy", "matplotlib", "h5py", "pandas")
QT = ("PySide6", "pyqtgraph")
ALL_OF_GUI = (
    "import pkgutil, importlib, ntklab.gui\n"
    "for found in pkgutil.walk_packages(ntklab.gui.__path__, 'ntklab.gui.'): importlib.import_module(found.name)"
)


def loaded(code):
    """Top-level modules in memory after running ``code`` in a new interpreter."""
    report = "import sys, json; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


CASES = [
    ("import ntklab", ("numpy", "msgspec", *HEAVY, *QT)),
    ("import ntklab; dir(ntklab); ntklab.Partial", (*HEAVY, *QT)),
    ("import ntklab; ntklab.Experiment; ntklab.Gram", (*HEAVY, *QT)),
    ("import ntklab.jobs, ntklab.session, ntklab.figures, ntklab.export", (*HEAVY, *QT)),
    ("import ntklab.spectra, ntklab.datasets", ("torch", *QT)),
    ("import ntklab.kernels.infinite, ntklab.kernels.empirical", QT),
    ("import ntklab.experiments", QT),
    (ALL_OF_GUI, HEAVY),
]


@pytest.mark.parametrize(("code", "absent"), CASES, ids=[code.splitlines()[0][:60] for code, _ in CASES])
def test_importing_loads_no_more_than_it_needs(code, absent):
    assert loaded(code).isdisjoint(absent)


def test_the_check_sees_what_is_loaded():
    assert {"numpy", "torch"} <= loaded("import numpy, torch")
