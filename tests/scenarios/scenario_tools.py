"""Fresh processes of the command, in a home of their own, and small experiments to give them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# Displays are left out: what needs no window must not need one.
_LEFT_OUT = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def environment(home: Path, **more: str) -> dict[str, str]:
    """That of this process without a display, with every folder of the user below ``home``."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {**kept, **folders, "HOME": str(home), "OMP_NUM_THREADS": "1", **more}


def python(*words: str, folder: Path, timeout: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    """``python words`` in ``folder``; warnings are errors, as in the tests."""
    command = [sys.executable, "-W", "error", *words]
    return subprocess.run(command, cwd=folder, env=environment(folder / "home", **more), capture_output=True, text=True,
                          timeout=timeout, check=False)  # fmt: skip


def ntklab(*words: str, folder: Path, timeout: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    """``python -m ntklab words`` in ``folder``."""
    return python("-m", "ntklab", *words, folder=folder, timeout=timeout, **more)


def digits(**changes: Any) -> dict[str, Any]:
    """A small experiment on digits as plain data; ``changes`` by path, ``architecture__layers__0__width=0``."""
    dense = {"type": "Dense", "W_std": 1.4, "b_std": 0.1}
    plain: dict[str, Any] = {
        "architecture": {
            "input": {"kind": "vector", "shape": [64]},
            "layers": [{**dense, "width": 24}, {"type": "Relu"}, {**dense, "width": 10}],
        },
        "dataset": {"source": {"type": "Digits"}, "n_train": 24, "n_test": 10, "seed": 3},
        "kernel": {"seed": 5, "dtype": "float64"},
        "training": {"steps": 6},
        "name": "small digits",
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        place: Any = plain
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        place[int(last) if isinstance(place, list) else last] = value
    return plain


def own_file(path: Path | str, **fields: Any) -> dict[str, Any]:
    """The small experiment on the user's own file of two features."""
    return digits(
        dataset={"source": {"type": "File", "path": str(path), **fields}, "n_train": 12, "n_test": 4},
        architecture__input__shape=[2],
        architecture__layers__2__width=1,
    )


def written(folder: Path, plain: dict[str, Any], name: str = "experiment.json") -> Path:
    """``plain`` as a file."""
    path = folder / name
    path.write_text(json.dumps(plain))
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` and what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
