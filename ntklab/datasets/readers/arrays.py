"""``.npy`` and ``.npz`` files of numpy."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ntklab.datasets.readers.border import check_size, open_file, refuse, shown
from ntklab.datasets.readers.raw import Raw
from ntklab.spec.dataset import File

MAX_HEADER = 10_000  # numpy's own limit
KINDS = "biufSU"  # Booleans, integers, numbers, words
FEATURES = ("X", "x", "X_train", "x_train", "data", "features", "images", "inputs", "arr_0")
TARGETS = ("y", "Y", "Y_train", "y_train", "target", "targets", "labels", "label", "classes", "arr_1")


def read_npy(path: Path, source: File) -> Raw:
    """A 2-D array: columns to learn from, and the last one to predict; all of it features with ``source.labels``."""
    with open_file(path) as stream:
        table = read_array(stream, path.stat().st_size, path)
    if source.labels:
        return Raw(table, None)
    if table.ndim != 2 or table.shape[1] < 2:
        raise refuse(path, f"the array has the shape {table.shape} and no labels file was given",
                     "give the labels file, or a 2-D array whose last column is the target")  # fmt: skip
    return Raw(table[:, :-1], table[:, -1], notes=("target: the last column",))


def read_npz(path: Path, source: File) -> Raw:
    """Two arrays by name: ``source.features`` and ``source.target``, or the usual names of them."""
    with open_file(path) as stream, zipfile.ZipFile(stream) as archive:
        members = _members(archive)
        features = _pick(path, members, source.features, FEATURES, "features")
        target = None if source.labels else _pick(path, members, source.target, TARGETS, "target")
        X = _read_member(archive, members[features], path)
        y = None if target is None else _read_member(archive, members[target], path)
    return Raw(X, y, notes=(f"features: {shown(features)}" + (f", target: {shown(target)}" if target else ""),))


def npz_arrays(path: Path) -> tuple[str, ...]:
    """Names of the arrays in an ``.npz`` file."""
    with open_file(path) as stream, zipfile.ZipFile(stream) as archive:
        return tuple(_members(archive))


def read_array(stream: IO[bytes], size: int, path: Path) -> NDArray[Any]:
    """The array in ``stream``, which has ``size`` bytes, after comparing what its header says with that size."""
    dtype, fortran, shape = _header(stream)
    if dtype.kind not in KINDS or dtype.hasobject or dtype.itemsize == 0:
        raise refuse(path, f"it holds {shown(dtype)}, not numbers or words", "save an array of numbers")
    expected = math.prod(shape) * dtype.itemsize
    held = size - stream.tell()
    if any(length < 0 for length in shape) or expected != held:
        raise refuse(path, f"its header says shape {_brief(shape)} of {dtype}, but {held} bytes of numbers follow",
                     "write it again")  # fmt: skip
    check_size(path, expected)
    buffer = stream.read(expected)
    if len(buffer) != expected or stream.read(1):  # reading to the end also checks the sum of a zip member
        raise refuse(path, f"{expected} bytes of numbers were announced, got {len(buffer)}", "write it again")
    array = np.frombuffer(buffer, dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "f" and dtype.itemsize > 8:
        with np.errstate(all="ignore"):
            return array.astype(np.float64)
    return array


def _header(stream: IO[bytes]) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    version = np.lib.format.read_magic(stream)
    wide = version != (1, 0)
    prefix = stream.read(4 if wide else 2)
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    header = io.BytesIO(prefix + stream.read(length))
    parse = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # files of Python 2, and escapes in a damaged header
        shape, fortran, dtype = parse(header, MAX_HEADER)
    return dtype, bool(fortran), shape


def _brief(shape: tuple[int, ...]) -> str:
    text = str(shape)
    return text if len(text) <= 60 else text[:57] + "…"


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {info.filename[:-4]: info for info in archive.infolist() if info.filename.endswith(".npy")}


def _pick(path: Path, members: dict[str, Any], asked: str | None, usual: Sequence[str], role: str) -> str:
    names = [asked] if asked else usual
    found = next((name for name in names if name in members), None)
    if found is None:
        listed = ", ".join(shown(name) for name in list(members)[:10]) or "none"
        what = f"there is no array {asked!r}" if asked else f"it is not clear which array holds the {role}"
        raise refuse(path, what, f"name one as {role}; the arrays are: {listed}")
    return found


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise refuse(path, "it is encrypted or compressed in an unusual way", "write it with numpy.savez")
    check_size(path, info.file_size, info.compress_size)
    with archive.open(info) as stream:
        return read_array(stream, info.file_size, path)
