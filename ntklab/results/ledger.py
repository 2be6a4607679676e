"""The finite-width NTK as the sum of what each layer adds, with what each part is worth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ntklab.results.provenance import Provenance

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ledger:
    """Θ = Σ_l Θ_l over the L layers of a network, in the order of the network (mean over outputs, training samples).

    - ``names`` are those of the modules, ``titles`` what people call them, ``rules`` how each part was computed.
    - ``parameters`` (L,) trained ones. ``parts`` (L, N, N) in the precision of the kernel.
    - ``eigenvalues`` (L, N) of each part, descending; ``whole`` (N,) those λ_k of the sum, with eigenvectors v_k.
    - ``trace_share`` (L,): tr Θ_l / tr Θ. ``alignment_share`` (L,): tr(YᵀΘ_l Y) / tr(YᵀΘ Y) with the targets Y
      centred over the samples, the part of the numerator of the centred alignment (CKA) that is a layer's. Both add up
      to 1; NaN where the whole is 0.
    - ``alignment`` (L,): the centred alignment of each part by itself, NaN where it has none.
    - ``mode_share`` (L, N): v_kᵀΘ_l v_k / λ_k, the share of each layer in each eigenvalue, adding up to 1 for each k;
      NaN below the floor of rounding.
    - ``groups`` (L,) puts layers that follow each other into at most a few groups called ``group_titles``, whose parts
      have the eigenvalues ``group_eigenvalues`` (G, N): what a diagram shows of a deep network.

    Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720 (sum over layers); Jacot et al. 2018, arXiv:1806.07572.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    rules: tuple[str, ...]
    parameters: NDArray[np.int64]
    parts: NDArray[np.floating]
    eigenvalues: Array
    whole: Array
    trace_share: Array
    alignment_share: Array
    alignment: Array
    mode_share: Array
    groups: NDArray[np.int64]
    group_titles: tuple[str, ...]
    group_eigenvalues: Array
    provenance: Provenance

    def row(self, name: str) -> int | None:
        """The position of the layer called ``name``; None where there is none."""
        return self.names.index(name) if name in self.names else None

    def label(self, row: int) -> str:
        """A layer as diagrams call it: its number from 1, and its title."""
        return f"{row + 1} {self.titles[row]}"

    def unmuted(self, muted: tuple[str, ...]) -> tuple[int, ...]:
        """The rows of the layers that are not among ``muted``."""
        return tuple(row for row, name in enumerate(self.names) if name not in muted)

    def total(self, rows: tuple[int, ...]) -> Array:
        """(N, N): the sum of some parts, in float64."""
        total = np.zeros(self.parts.shape[1:])
        for row in rows:
            total += self.parts[row]
        return total

    def by_group(self, values: Array) -> Array:
        """(G, …): ``values`` (L, …) of the layers summed over each group."""
        summed = np.zeros((len(self.group_titles), *values.shape[1:]))
        np.add.at(summed, self.groups, values)
        return summed


def grouped(names: tuple[str, ...], titles: tuple[str, ...], *, most: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The group of each layer, and what the groups are called: at most ``most``, of layers that follow each other.

    Layers that are few enough stay alone; else they are put together by the modules that hold them, as finely as that
    allows, and where there is no such way in runs of the same length.
    """
    if len(names) <= most:
        return tuple(range(len(names))), tuple(f"{row + 1} {title}" for row, title in enumerate(titles))
    deepest = max(name.count(".") for name in names)
    for depth in range(deepest, 0, -1):
        keys = [".".join(name.split(".")[:depth]) for name in names]
        runs = _runs(keys)
        if runs[-1] < most:
            return runs, tuple(keys[runs.index(run)] for run in range(runs[-1] + 1))
    length = -(-len(names) // most)
    runs = tuple(row // length for row in range(len(names)))
    ends = [(start + 1, min(start + length, len(names))) for start in range(0, len(names), length)]
    return runs, tuple(f"layers {first}–{last}" if last > first else f"layer {first}" for first, last in ends)


def _runs(keys: list[str]) -> tuple[int, ...]:
    """A number for each run of equal keys."""
    found = [0]
    for before, key in pairwise(keys):
        found.append(found[-1] + (key != before))
    return tuple(found)
