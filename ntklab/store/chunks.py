"""One tile, one file: its numbers, little-endian, and their CRC-32C behind them (zarr's ``bytes`` and ``crc32c``)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from ntklab.errors import FileError
from ntklab.files import write_atomically

Array = NDArray[np.floating]
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CHECKSUM = 4  # bytes
_READ_ONLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class DamagedError(FileError):
    """A file of the store is not what was written."""


def write(path: Path, values: Array, chunk: tuple[int, ...], *, flush: bool = True) -> int:
    """Write ``values``, filled up with NaN to the shape ``chunk``; with ``flush`` they are on the disk on return.

    Returns their checksum. Raises ``FileError``.
    """
    stored = little(values)
    if values.shape != chunk:
        whole = np.full(chunk, np.nan, dtype=stored.dtype)
        whole[tuple(map(slice, values.shape))] = stored
        stored = whole
    checksum = crc(stored)

    def fill(temporary: Path) -> None:
        with temporary.open("wb", buffering=0) as file:
            for part in (stored.reshape(-1).view(np.uint8).data, checksum.to_bytes(_CHECKSUM, "little")):
                left = memoryview(part)
                while left:
                    left = left[file.write(left) :]

    write_atomically(path, fill, flush=flush)
    return checksum


def read(path: Path, shape: tuple[int, ...], dtype: str, *, checksum: int | None = None) -> Array:
    """The numbers of a file, of the shape of its chunk.

    Raises ``DamagedError`` if they are not those that were written: by the checksum behind them, and by ``checksum``
    where it is known from elsewhere. Links are not followed.
    """
    kind = np.dtype(dtype).newbyteorder("<")
    expected = prod(shape) * kind.itemsize + _CHECKSUM
    with opened(path) as handle, open(handle, "rb", closefd=False) as file:
        size = os.fstat(handle).st_size
        if size != expected:
            raise DamagedError(f"{path}: expected {expected} bytes, got {size}")
        values = np.empty(shape, dtype=kind)
        file.readinto(values.reshape(-1).view(np.uint8).data)
        written = file.read(_CHECKSUM)
    found = crc(values)
    if written != found.to_bytes(_CHECKSUM, "little"):
        raise DamagedError(f"{path}: the checksum does not fit the numbers")
    if checksum not in (None, found):
        raise DamagedError(f"{path}: these are not the numbers that the tile log names")
    return values.astype(dtype, copy=False)


def read_small(path: Path, most: int) -> bytes:
    """All of a file of at most ``most`` bytes. Raises ``FileError``; links are not followed."""
    with opened(path) as handle:
        size = os.fstat(handle).st_size
        if size > most:
            raise DamagedError(f"{path}: expected at most {most} bytes, got {size}")
        parts = []
        while part := os.read(handle, 2**20):
            parts.append(part)
        return b"".join(parts)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A handle for reading a plain file. Raises ``FileError`` for links and anything else that is not one."""
    try:
        handle = os.open(path, _READ_ONLY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamagedError(f"{path}: is a link; a stored kernel has plain files only") from error
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise DamagedError(f"{path}: is not a plain file")
        yield handle
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(handle)


def little(values: Array) -> Array:
    """``values`` in C order and little-endian, without a copy where they are."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))


def crc(values: Array) -> int:
    """CRC-32C of the bytes of a C-ordered array."""
    return int(google_crc32c.value(values.reshape(-1).view(np.uint8)))


def is_full(error: BaseException | None) -> bool:
    """Whether a write failed for want of room: on the disk, in a quota, or by a limit on the size of a file."""
    cause = error.__cause__ if isinstance(error, FileError) else error
    return isinstance(cause, OSError) and cause.errno in _FULL
