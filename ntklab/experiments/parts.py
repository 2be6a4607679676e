"""From the parts that layers add to a kernel to their ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab import spectra
from ntklab.errors import DataError, NtkLabError
from ntklab.progress import LayerForecast, Progress, Work
from ntklab.results import Gram, Ledger, grouped
from ntklab.spec import Architecture
from ntklab.spec.titles import layer_title

Array = NDArray[np.float64]

MOST_GROUPS = 10  # that a diagram can tell apart
_STEP = "eigenvalues of layers"


def ledger_of(
    gram: Gram,
    targets: NDArray[np.floating] | None = None,
    *,
    layers: Sequence[LayerForecast] = (),
    architecture: Architecture | None = None,
) -> Work[Ledger]:
    """The ledger of ``gram``, which was computed with its parts, with the ``targets`` (N, k) of its samples.

    ``layers`` say how each was computed; they are called as in ``architecture``. Raises ``DataError`` for targets of
    other samples, ``NtkLabError`` for a kernel without parts, and ``NumericalError`` as ``spectra.eigen``.
    """
    began = time.perf_counter()
    names = tuple(gram.parts)
    if not names:
        raise NtkLabError("ledger: the kernel has no parts of its layers; compute it with split=True")
    n = len(gram.parts[names[0]])
    if targets is not None and len(targets) != n:
        raise DataError(f"ledger: expected the targets of {n} samples, got {len(targets)}; pass one row a sample")
    titles = tuple(layer_title(architecture, name) for name in names)
    groups, group_titles = grouped(names, titles, most=MOST_GROUPS)
    columns = yield from _columns(gram, targets, groups)
    known = {layer.name: layer for layer in layers}
    found = [known.get(name, LayerForecast(name, "")) for name in names]
    return Ledger(
        names=names,
        titles=titles,
        rules=tuple(f"{layer.rule}: {layer.why}" if layer.why else layer.rule for layer in found),
        parameters=np.array([layer.parameters for layer in found], dtype=np.int64),
        groups=np.array(groups, dtype=np.int64),
        group_titles=group_titles,
        provenance=replace(gram.provenance, outputs="mean", seconds=time.perf_counter() - began),
        **columns,
    )


def _columns(gram: Gram, targets: NDArray[np.floating] | None, groups: tuple[int, ...]) -> Work[dict[str, Any]]:
    """The arrays of a ledger, a layer at a time."""
    parts = np.stack([np.asarray(part) for part in gram.parts.values()])
    count, n = parts.shape[:2]
    yield Progress(0, count, _STEP)
    whole, vectors = spectra.eigen(parts.sum(axis=0, dtype=np.float64))
    Y = np.zeros((n, 1)) if targets is None else np.asarray(targets, dtype=np.float64).reshape(n, -1)
    eigenvalues, modes = np.empty((count, n)), np.empty((count, n))
    trace, aligned, alignment = np.empty(count), np.empty(count), np.empty(count)
    for row, part in enumerate(parts):
        P = part.astype(np.float64)
        eigenvalues[row], modes[row] = spectra.eigenvalues(P), spectra.mode_amounts(P, vectors)
        trace[row], aligned[row] = np.trace(P), spectra.target_amount(P, Y)
        own = spectra.centred_target_alignment(P, Y)
        alignment[row] = np.nan if own is None else own
        yield Progress(row + 1, count, _STEP)
    together = yield from _grouped(parts, eigenvalues, groups)
    floor = spectra.rounding_floor(whole, parts.dtype)
    return {
        "parts": parts, "eigenvalues": eigenvalues, "whole": whole, "alignment": alignment,
        "trace_share": spectra.shares(trace), "alignment_share": spectra.shares(aligned),
        "mode_share": np.where(whole > floor, spectra.shares(modes), np.nan), "group_eigenvalues": together,
    }  # fmt: skip


def _grouped(parts: NDArray[np.floating], eigenvalues: Array, groups: tuple[int, ...]) -> Work[Array]:
    """(G, N): eigenvalues of the sum of the parts of each group."""
    if len(set(groups)) == len(parts):
        return eigenvalues
    together = []
    for group in range(max(groups) + 1):
        members = [row for row, its in enumerate(groups) if its == group]
        together.append(spectra.eigenvalues(parts[members].sum(axis=0, dtype=np.float64)))
        yield Progress(group + 1, max(groups) + 1, _STEP)
    return np.stack(together)
