"""A run as one ``.npz`` file that is read back without pickle: the stored result of the starter experiment."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ntklab.errors import FileError
from ntklab.files import write_atomically
from ntklab.results import Data, Gram, Ledger, MonteCarlo, Phase, Provenance, Run, Spectrum, Trajectory

_PARTS: dict[str, type] = {
    "data": Data,
    "empirical": Gram,
    "ntk": Gram,
    "nngp": Gram,
    "empirical_spectrum": Spectrum,
    "ntk_spectrum": Spectrum,
    "trajectory": Trajectory,
    "monte_carlo": MonteCarlo,
    "monte_carlo_nngp": MonteCarlo,
    "phase": Phase,
    "ledger": Ledger,
    "unmuted": Gram,
    "unmuted_spectrum": Spectrum,
}


def save_run(path: Path, run: Run) -> Path:
    """Write ``run`` to ``path``: arrays as they are, everything else as one JSON text. Raises ``FileError``."""
    arrays: dict[str, Any] = {}
    plain: dict[str, Any] = {"experiment": run.experiment}
    for part in _PARTS:
        value = getattr(run, part)
        if value is not None:
            plain[part] = _taken_apart(part, value, arrays)
    arrays["plain"] = np.array(json.dumps(plain))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return write_atomically(path, buffer.getvalue())


def load_run(path: Path) -> Run:
    """Read what ``save_run`` wrote. Raises ``FileError`` naming the path."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            plain = json.loads(str(stored["plain"]))
            parts = {part: _put_together(part, plain[part], stored) for part in _PARTS if part in plain}
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"cannot read the stored run {path}: {error}; compute it again") from error
    return Run(experiment=plain["experiment"], **parts)


def _taken_apart(part: str, value: Any, arrays: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if isinstance(content, np.ndarray):
            arrays[f"{part}.{field.name}"] = content
        elif is_dataclass(content):
            plain[field.name] = {inner.name: getattr(content, inner.name) for inner in fields(content)}
        else:
            plain[field.name] = content
    return plain


def _put_together(part: str, plain: dict[str, Any], stored: Any) -> Any:
    values: dict[str, Any] = {}
    for field in fields(_PARTS[part]):
        key = f"{part}.{field.name}"
        if key in stored:
            values[field.name] = stored[key]
        elif field.name == "provenance":
            inner = {name: _frozen(content) for name, content in plain["provenance"].items()}
            values["provenance"] = Provenance(**inner)
        elif field.name in plain:
            values[field.name] = _frozen(plain[field.name])
    return _PARTS[part](**values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
