"""numpy's indices, taken apart by tiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]


def split(index: Any, shape: tuple[int, ...]) -> tuple[Positions, Positions, tuple[Any, ...]]:
    """The rows and columns that ``index`` asks for, and what to ask of an array of just these.

    Raises ``IndexError`` for what is out of bounds or not supported, saying what is.
    """
    parts = _padded(index if isinstance(index, tuple) else (index,), len(shape))
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    rows, columns = parts[:2]
    if [array.ndim for array in arrays] not in ([], [1]) and not _is_open_mesh(rows, columns):
        raise IndexError("a stored kernel: expected one array as an index, or numpy.ix_(rows, columns) for two")
    if any(isinstance(part, np.ndarray) for part in parts[2:]):
        raise IndexError("a stored kernel: expected integers and slices for the outputs; index the result instead")
    (i, keep_i), (j, keep_j) = _axis(rows, shape[0]), _axis(columns, shape[1])
    return i, j, (keep_i, keep_j, *parts[2:])


def groups(positions: Positions, edge: int) -> Iterator[tuple[int, Positions, Positions]]:
    """For each tile of ``edge`` that holds some: its number, where these stand in ``positions``, and in the tile."""
    tiles = positions // edge
    for tile in np.unique(tiles):
        here = np.flatnonzero(tiles == tile)
        yield int(tile), here, positions[here] - tile * edge


def pair(rows: Positions, columns: Positions) -> tuple[Any, Any]:
    """The index of ``rows`` × ``columns``: two slices where both are runs, which numpy copies fast."""
    if _is_run(rows) and _is_run(columns):
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    mesh = np.ix_(rows, columns)
    return mesh[0], mesh[1]


def _padded(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """One index an axis, with lists made arrays and an ellipsis, or what is left out, made slices."""
    read = tuple(_part(part) for part in parts)
    dots = [at for at, part in enumerate(read) if part is Ellipsis]
    if len(dots) > 1 or len(read) - len(dots) > ndim:
        raise IndexError(f"a stored kernel: expected at most {ndim} indices, got {len(read)}")
    at = dots[0] if dots else len(read)
    missing = (slice(None),) * (ndim - len(read) + len(dots))
    return read[:at] + missing + read[at + 1 :]


def _part(part: Any) -> Any:
    if isinstance(part, slice) or part is Ellipsis:
        return part
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        return int(part)
    array = np.asarray(part) if isinstance(part, list | np.ndarray | range) else None
    if array is None or array.ndim == 0 or (array.dtype.kind not in "iub" and array.size):
        raise IndexError(f"a stored kernel: expected integers, slices or arrays of integers as an index, got {part!r}")
    return np.flatnonzero(array) if array.dtype == bool else array.astype(np.intp)


def _is_open_mesh(rows: Any, columns: Any) -> bool:
    if not isinstance(rows, np.ndarray) or not isinstance(columns, np.ndarray):
        return False
    return rows.ndim == 2 and columns.ndim == 2 and rows.shape[1] == columns.shape[0] == 1


def _axis(part: Any, n: int) -> tuple[Positions, int | slice]:
    """Positions along an axis of ``n``, and whether the axis stays."""
    if isinstance(part, slice):
        return np.arange(*part.indices(n), dtype=np.intp), slice(None)
    positions = np.atleast_1d(np.asarray(part, dtype=np.intp)).reshape(-1)
    if positions.size and not (-n <= positions.min() and positions.max() < n):
        raise IndexError(f"a stored kernel: index out of bounds for an axis of {n}: {part}")
    return np.where(positions < 0, positions + n, positions), 0 if isinstance(part, int) else slice(None)


def _is_run(positions: Positions) -> bool:
    return positions.size > 0 and bool((np.diff(positions) == 1).all())
