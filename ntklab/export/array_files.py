"""Kernels and results as ``.npz``, ``.h5`` and ``.csv``, each with the conventions behind its numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ntklab.errors import FileError
from ntklab.export.contents import Arrays, contents, flat_name, metadata, to_json
from ntklab.export.tables import write_tables
from ntklab.files import write_atomically
from ntklab.results import Run
from ntklab.spec import Experiment


def arrays(run: Run, path: Path | str, *, experiment: Experiment | None = None) -> tuple[Path, ...]:
    """Write everything in ``run`` by the suffix of ``path``, and return the files written.

    ``.npz``: arrays ``empirical``, ``ntk``, ``nngp``, ``ntk_spectrum_eigenvalues`` … and ``metadata``, a JSON text.
    ``.h5``: one group a part, conventions as attributes. ``.csv``: one table a file, ``NAME_part.csv`` beside ``path``,
    which is itself not written. With ``experiment`` its spec goes in too. Raises ``FileError``.
    """
    target = Path(path)
    check_arrays_path(target)
    return _WRITERS[target.suffix.lower()](run, target, experiment)


def check_arrays_path(path: Path) -> None:
    """Raise ``FileError`` unless the suffix of ``path`` is one that ``arrays`` writes."""
    if path.suffix.lower() not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise FileError(f"cannot write arrays as {path.name!r}: the suffix must be one of {known}; choose one of them")


def _npz(run: Run, target: Path, experiment: Experiment | None) -> tuple[Path, ...]:
    named = {flat_name(part, name): array for part, arrays in contents(run).items() for name, array in arrays.items()}
    named["metadata"] = np.array(to_json(metadata(run, experiment)))

    def write(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **named)

    return (write_atomically(target, write),)


def _h5(run: Run, target: Path, experiment: Experiment | None) -> tuple[Path, ...]:
    described = metadata(run, experiment)
    found = contents(run)
    return (write_atomically(target, lambda temporary: _write_h5(temporary, found, described)),)


def _write_h5(path: Path, found: Arrays, described: dict[str, Any]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name in ("format", "experiment_hash"):
            file.attrs[name] = described[name]
        file.attrs["metadata"] = to_json(described)
        for part, arrays in found.items():
            group = file.create_group(part)
            for name, value in described["parts"][part].items():
                group.attrs[name] = _attribute(value)
            for name, array in arrays.items():
                text = array.dtype.kind == "U"
                group.create_dataset(name, data=array.astype(object) if text else array,
                                     dtype=h5py.string_dtype() if text else None)  # fmt: skip


def _attribute(value: Any) -> Any:
    """Numbers and texts as they are, anything else as JSON; None is an empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str | int | float) else to_json(value)


_WRITERS: dict[str, Callable[[Run, Path, Experiment | None], tuple[Path, ...]]] = {
    ".npz": _npz, ".csv": write_tables, ".h5": _h5,
}  # fmt: skip
