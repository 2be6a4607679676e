"""IDX files, the form of MNIST: big-endian magic, shape, and numbers (LeCun, Cortes, Burges 1998); also gzipped."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.readers.border import check_size, open_file, reading, refuse, shown
from ntklab.datasets.readers.raw import Raw
from ntklab.spec.dataset import File

GZIP = b"\x1f\x8b"
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path, source: File) -> Raw:
    """Samples of an IDX file, with the labels of its companion where the names are those of MNIST."""
    X = idx_array(path)
    companion = None if source.labels else _companion(path)
    if companion is None:
        return Raw(X, None)
    with reading(companion):
        return Raw(X, idx_array(companion), notes=(f"labels: {shown(companion.name)}",))


def idx_array(path: Path) -> NDArray[Any]:
    """The array in an IDX file."""
    with open_file(path) as file:
        size = path.stat().st_size
        if file.read(2) != GZIP:
            file.seek(0)
            return _parse(file, path, packed=None, size=size)
        file.seek(0)
        with gzip.open(file) as stream:
            return _parse(stream, path, packed=size, size=None)


def looks_like_idx(start: bytes) -> bool:
    """Whether the first bytes of a file are those of an IDX file or of a gzipped one."""
    return start[:2] == GZIP or (len(start) >= 4 and start[:2] == b"\0\0" and start[2] in DTYPES and 0 < start[3] <= 8)


def _parse(stream: IO[bytes] | gzip.GzipFile, path: Path, *, packed: int | None, size: int | None) -> NDArray[Any]:
    magic = stream.read(4)
    if not looks_like_idx(magic) or magic[:2] == GZIP:
        raise refuse(path, "it does not begin like an IDX file", "choose an IDX file as MNIST's")
    header = stream.read(4 * magic[3])
    if len(header) != 4 * magic[3]:
        raise refuse(path, "it ends within its header", "write it again")
    shape = tuple(int.from_bytes(header[place : place + 4], "big") for place in range(0, len(header), 4))
    dtype = np.dtype(DTYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    follows = None if size is None else size - 4 - len(header)
    if follows is not None and expected != follows:
        raise refuse(path, f"its header says shape {shape}, but {follows} bytes follow", "write it again")
    check_size(path, expected, packed)
    buffer = stream.read(expected)
    if len(buffer) != expected or stream.read(1):
        raise refuse(path, f"its header says shape {shape}, which does not fit what follows", "write it again")
    return np.frombuffer(buffer, dtype).reshape(shape)


def _companion(path: Path) -> Path | None:
    """``train-labels-idx1-ubyte`` for ``train-images-idx3-ubyte``, if it is there."""
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    beside = path.with_name(name)
    return beside if name != path.name and os.path.lexists(beside) else None
