"""What a run holds, as named arrays and as metadata that state their conventions."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import numpy as np

from ntklab.results import Provenance, Run, versions
from ntklab.spec import Experiment

Arrays = dict[str, dict[str, np.ndarray[Any, Any]]]
FORMAT = 1


def contents(run: Run) -> Arrays:
    """Part of the run → name → array, for every part that is there."""
    found: Arrays = {}
    for part, value in _parts(run):
        arrays = {f.name: getattr(value, f.name) for f in fields(value)}
        found[part] = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
        if "runs" in arrays:
            found[part]["runs"] = np.array(arrays["runs"])
    return found


def flat_name(part: str, name: str) -> str:
    """The name of an array where there are no folders: the kernel itself is just ``empirical``."""
    return part if name == "values" else f"{part}_{name}"


def metadata(run: Run, experiment: Experiment | None = None) -> dict[str, Any]:
    """Plain values for JSON: versions, the experiment where given, and of each part its origin and its numbers."""
    return {
        "format": FORMAT,
        "experiment_hash": run.experiment or (experiment.content_hash() if experiment else ""),
        "versions": dict(versions()),
        "experiment": None if experiment is None else experiment.to_dict(),
        "parts": {part: _described(value) for part, value in _parts(run)},
    }


def origin(run: Run, experiment: Experiment | None = None) -> dict[str, Any]:
    """The short form that goes into each figure: experiment, hash, seed and versions."""
    return {
        "experiment_hash": run.experiment,
        "seed": None if experiment is None else experiment.kernel.seed,
        "versions": dict(versions()),
        "experiment": None if experiment is None else experiment.to_dict(),
    }


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON without NaN or Infinity, which the standard does not know: they become words."""
    return json.dumps(_standard(value), indent=indent, ensure_ascii=False, sort_keys=False)


def _parts(run: Run) -> list[tuple[str, Any]]:
    named = [(f.name, getattr(run, f.name)) for f in fields(run)]
    return [(name, value) for name, value in named if value is not None and name != "experiment"]


def _described(value: Any) -> dict[str, Any]:
    """The fields of a result that are no arrays, its origin first."""
    origin: Provenance | None = getattr(value, "provenance", None)
    described: dict[str, Any] = {} if origin is None else origin.to_dict()
    for f in fields(value):
        field = getattr(value, f.name)
        if f.name != "provenance" and not isinstance(field, np.ndarray):
            described[f.name] = field
    return described


def _standard(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if is_dataclass(value) and not isinstance(value, type):
        return _standard(asdict(value))
    if isinstance(value, dict):
        return {str(key): _standard(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_standard(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
