"""Writing files so that a crash leaves either the old file or the new one, and knowing files by their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ntklab.errors import FileError

LARGEST_CODE = 2**20  # bytes of a Python file


def write_atomically(path: Path | str, write: Callable[[Path], None] | bytes, *, flush: bool = True) -> Path:
    """Write ``path`` through a temporary file beside it, flushed to disk before it takes the name.

    ``write`` is either the bytes themselves or a function that fills the temporary path it is given (which keeps the
    suffix of ``path``). Missing parent folders are made. Without ``flush`` the file survives a crash of the program but
    perhaps not of the machine, and costs no wait for the disk. Raises ``FileError`` naming the path and the reason.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix)
        os.close(handle)
        temporary = Path(name)
        if isinstance(write, bytes):
            temporary.write_bytes(write)
        else:
            write(temporary)
        if flush:
            _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
        if flush:
            _flush(target.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"cannot write {target}: {reason}; choose another folder or free some space") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return target


def sha256_of(path: Path | str) -> str:
    """The sha256 of the content of a file, in hexadecimal digits. Raises ``FileError``."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}; check the path") from error


def read_code(path: Path | str) -> tuple[bytes, str]:
    """The content of a Python file, and the sha256 of that very content. Runs nothing. Raises ``FileError``."""
    file = Path(path)
    if file.suffix.lower() != ".py":
        raise FileError(f"cannot read {file}: expected a Python file, its name ending in .py; choose another")
    try:
        if file.exists() and not file.is_file():
            raise FileError(f"cannot read {file}: it is not a file; choose a Python file")
        with file.open("rb") as stream:
            content = stream.read(LARGEST_CODE + 1)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {file}: {error.strerror or error}; check the path") from error
    if len(content) > LARGEST_CODE:
        raise FileError(f"cannot read {file}: it has more than {LARGEST_CODE // 2**20} MiB; this is no Python file")
    return content, hashlib.sha256(content).hexdigest()


def check_folder(folder: Path | str) -> None:
    """Raise ``FileError`` if files cannot be written into ``folder``, which need not be there yet; changes nothing."""
    target = Path(folder)
    there = next(place for place in (target, *target.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        raise FileError(f"cannot write into {target}: {there} is not a folder; choose another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise FileError(f"cannot write into {target}: no permission for {there}; choose another folder")


def set_aside(path: Path) -> Path | None:
    """Rename a file that is of no use to ``….bad``, in place of an older one; its new path, or None if that failed."""
    aside = path.with_name(path.name + ".bad")
    try:
        return path.replace(aside)
    except OSError:
        return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder for flushing
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
