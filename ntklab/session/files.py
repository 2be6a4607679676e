"""Experiments as JSON or TOML files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ntklab.errors import FileError, SpecError
from ntklab.files import write_atomically
from ntklab.spec import LARGEST, Experiment

_READERS: dict[str, Callable[[str], Experiment]] = {".json": Experiment.from_json, ".toml": Experiment.from_toml}
_WRITERS: dict[str, Callable[[Experiment], str]] = {".json": Experiment.to_json, ".toml": Experiment.to_toml}


def open_experiment(path: Path | str) -> Experiment:
    """Read an experiment from a ``.json`` or ``.toml`` file.

    Raises ``FileError`` (not there, not text, too large, another suffix) and ``SpecError`` (malformed), both naming the
    path.
    """
    file = Path(path)
    _check_suffix(file, "read")
    text = read_text(file)
    try:
        return _READERS[file.suffix.lower()](text)
    except SpecError as error:
        raise SpecError(f"{file}: {error}") from error


def save_experiment(path: Path | str, experiment: Experiment) -> Path:
    """Write ``experiment`` to a ``.json`` or ``.toml`` file, whole or not at all. Raises ``FileError``."""
    file = Path(path)
    _check_suffix(file, "write")
    return write_atomically(file, _WRITERS[file.suffix.lower()](experiment).encode())


def read_text(file: Path) -> str:
    """The text of ``file``, at most ``LARGEST`` bytes of UTF-8. Raises ``FileError``."""
    try:
        if file.exists() and not file.is_file():
            raise FileError(f"cannot read {file}: it is not a file; choose a .json or .toml file")
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {file}: {error.strerror or error}; check the path") from error
    if len(content) > LARGEST:
        raise FileError(f"cannot read {file}: it has more than {LARGEST // 2**20} MiB; this is no experiment")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"cannot read {file}: byte {error.start} is not UTF-8 text; save it as UTF-8") from error


def _check_suffix(file: Path, verb: str) -> None:
    if file.suffix.lower() not in _READERS:
        given = repr(file.suffix) if file.suffix else "no suffix"
        raise FileError(f"cannot {verb} {file}: expected a name ending in .json or .toml, got {given}; rename it")
