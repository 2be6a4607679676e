"""Kernel matrices as images, with the samples sorted by class."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ntklab.errors import NumericalError
from ntklab.figures import captions, norms
from ntklab.figures.model import Array, Axis, Heatmap
from ntklab.figures.order import sample_order
from ntklab.figures.zoom import overall
from ntklab.results import Data, Gram, Spectrum, distance

Groups = tuple[tuple[int, int, str], ...]


def kernel(
    matrix: Gram | Array,
    data: Data,
    *,
    title: str = "Kernel",
    value_label: str = "",
    spectrum: Spectrum | None = None,
) -> Heatmap:
    """A kernel (n, n) on the training samples of ``data``; NaN entries are not computed yet.

    ``matrix`` may be a bare array while it grows tile by tile; a ``Gram`` also states its conventions and health in the
    caption, and its condition number where ``spectrum`` is given. A kernel between other samples keeps their order.
    """
    values = matrix.matrix if isinstance(matrix, Gram) else np.asarray(matrix)
    return Heatmap(
        title=title,
        norm=norms.robust(values),
        value_label=value_label or _value_label(matrix),
        caption=captions.gram(matrix, data.outputs, spectrum) if isinstance(matrix, Gram) else "",
        **arranged(values, data),
    )


def stored(gram: Gram, *, title: str = "Kernel on disk", name: str = "") -> Heatmap:
    """A kernel that is read from disk as it is looked at, in the order of its samples; ``name`` says which it is.

    Colours follow its overview. Raises ``FileError`` if that is damaged.
    """
    values: Array = gram.matrix
    outputs = 0 if gram.values.ndim == 2 else gram.values.shape[2]  # 0: nobody knows any more
    return Heatmap(
        title=f"{title}: {name}" if name else title,
        values=values,
        norm=norms.robust(overall(values)),
        value_label=_value_label(gram),
        caption=captions.gram(gram, outputs),
    )


def difference(a: Gram, b: Gram, data: Data) -> Heatmap:
    """``a`` − ``b`` (both (n, n)), symmetric about 0; the caption states the relative Frobenius distance from ``b``.

    Raises ``NumericalError`` if the kernels are not on the same samples.
    """
    A, B = a.matrix, b.matrix
    if A.shape != B.shape:
        raise NumericalError(
            f"difference: kernels must be on the same samples, got {A.shape} and {B.shape}; compute both again"
        )
    change = np.asarray(A, dtype=np.float64) - B
    finite = bool(np.isfinite(change).all())
    apart = f"|ΔΘ|/|Θ| = {captions.number(distance(a, b), 3)}" if finite else ""
    return Heatmap(
        title=f"{_kind(a)} − {_kind(b)}",
        norm=norms.symmetric(change),
        value_label=f"{_kind(a).lower()} − {_value_label(b)}",
        colours="diverging",
        caption=captions.join(apart, captions.gram(a, data.outputs)),
        **arranged(change, data),
    )


def groups(data: Data) -> Groups:
    """(start, stop, class name) of each run of training samples in the order of ``sample_order``."""
    if data.labels_train is None or len(data.labels_train) == 0:
        return ()
    labels = data.labels_train[sample_order(data).positions]
    starts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return tuple((start, stop, class_name(data, int(labels[start]))) for start, stop in pairwise(starts))


def class_name(data: Data, label: int) -> str:
    """Name of class ``label``."""
    return data.class_names[label] if label < len(data.class_names) else f"class {label}"


def arranged(values: Array, data: Data) -> dict[str, Any]:
    """The fields of a heat map that follow from the order of the samples; other samples keep theirs."""
    n = len(data.X_train)
    if values.shape != (n, n):
        return {"values": values, "x": Axis("sample j"), "y": Axis("sample i")}
    order = sample_order(data)
    at = order.positions
    drawn = values if np.array_equal(at, np.arange(n)) else np.ascontiguousarray(values[np.ix_(at, at)])
    return {
        "values": drawn,
        "x": Axis("sample j", order.words),
        "y": Axis("sample i", order.words),
        "groups": groups(data),
        "rows": at,
        "columns": at,
    }


_KINDS = {
    "empirical": ("Empirical", "empirical NTK Θ(i, j)"),
    "ntk": ("Analytic", "analytic NTK Θ(i, j)"),
    "nngp": ("NNGP", "NNGP kernel K(i, j)"),
}


def _kind(gram: Gram) -> str:
    return _named(gram)[0]


def _value_label(matrix: Gram | Array) -> str:
    return _named(matrix)[1] if isinstance(matrix, Gram) else "Θ(i, j)"


def _named(gram: Gram) -> tuple[str, str]:
    """Title and symbol. A kernel drawn from a seeded network is empirical, whatever its kind is called."""
    kind = gram.provenance.kind.lower()
    if gram.provenance.seed is not None or "empirical" in kind:
        return _KINDS["empirical"]
    return _KINDS["nngp" if "nngp" in kind else "ntk"]
