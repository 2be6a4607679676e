"""The border between files and the laboratory: whatever is wrong with a file becomes one error that names it.

Files are not trusted: sizes are checked from headers before memory is taken, nothing is unpickled, nothing extracted.
"""

from __future__ import annotations

import csv
import gzip
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ntklab.datasets.samples import MAX_BYTES
from ntklab.errors import DataError, FileError, NtkLabError

UNSUSPICIOUS = 2**26  # bytes that a compressed file may unfold into whatever its size
MAX_RATIO = 100  # beyond that, unfolded over compressed size

# what the readers of the standard library and numpy raise on damaged input
DAMAGE = (
    ValueError, TypeError, LookupError, EOFError, OverflowError, RecursionError, SyntaxError, RuntimeError,
    gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, struct.error, csv.Error, tokenize.TokenError,
)  # fmt: skip


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every failure to read ``path`` into ``DataError`` (its content) or ``FileError`` (the file itself)."""
    try:
        yield
    except NtkLabError:
        raise
    except MemoryError as error:
        raise refuse(path, "there is not enough memory to read it", "use a smaller file") from error
    except UnicodeDecodeError as error:
        raise refuse(path, f"it is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except DAMAGE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(path, f"the file is damaged or not what its name says ({reason})", "write it again") from error
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def refuse(path: Path, what: str, remedy: str) -> DataError:
    """The error for unsuitable content of ``path``, on one line."""
    return DataError(f"{shown(path)}: {what}; {remedy}")


def shown(text: object) -> str:
    """``text`` for a message of one line."""
    plain = str(text)
    return plain if plain.isprintable() else repr(plain)


def locate(text: str | Path) -> Path:
    """``text`` as a path, ~ replaced by the home folder where there is one."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file that is not empty and not larger than ``MAX_BYTES``; never waits on a device or a pipe."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _unreadable(path, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, "it is not a regular file")
    if status.st_size == 0:
        raise refuse(path, "the file is empty", "choose another")
    check_size(path, status.st_size)
    return path.open("rb")


def check_size(path: Path, size: int, packed: int | None = None) -> None:
    """Refuse ``size`` bytes beyond the limit, and those out of proportion to the ``packed`` bytes they come from."""
    if size > MAX_BYTES:
        raise refuse(path, f"it holds {size / 2**30:.3g} GB, more than the {MAX_BYTES / 2**30:.0f} GB allowed",
                     "save a part of it")  # fmt: skip
    if packed is not None and size > max(UNSUSPICIOUS, MAX_RATIO * packed):
        raise refuse(path, f"its {packed / 2**20:.1f} MB claim to unfold into {size / 2**20:.0f} MB",
                     "save it without compression if that is right")  # fmt: skip


def _unreadable(path: Path, reason: str) -> FileError:
    return FileError(f"cannot read {shown(path)}: {reason[:1].lower() + reason[1:]}; choose another file")
