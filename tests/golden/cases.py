"""Golden kernels: values computed by others, with the architectures that they belong to (see the manifest)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ntklab import spec

FOLDER = Path(__file__).parent
MANIFEST: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())


@dataclass(frozen=True)
class Case:
    """One entry of the manifest; ``rtol`` is relative to the largest entry of each array."""

    name: str
    family: str
    rtol: float
    input: dict[str, Any]
    layers: list[dict[str, Any]]
    mask_constant: float | None = None

    @property
    def stored(self) -> bool:
        """Whether its arrays are in this repository: those of families covered so far are."""
        return self._path.exists()

    @property
    def _path(self) -> Path:
        return FOLDER / f"{self.name}.npz"

    def architecture(self) -> spec.Architecture:
        """Raises ``SpecError`` for layers that are not known yet."""
        shape = {"kind": self.input["kind"], "shape": self.input["shape"]}
        return spec.Architecture.from_dict({"input": shape, "layers": self.layers})

    def arrays(self) -> dict[str, np.ndarray]:
        """x1, x2, nngp_11, ntk_11, nngp_12, ntk_12, and for graphs pattern1, pattern2."""
        with np.load(self._path) as file:
            return dict(file)

    def with_samples(self, *names: str) -> dict[str, Any]:
        """What comes with the samples, for ``infinite_kernel``: the patterns ``names`` that there are, the mask."""
        arrays = self.arrays()
        patterns = {name: arrays[name] for name in names if name in arrays}
        return patterns if self.mask_constant is None else {**patterns, "mask_constant": self.mask_constant}


CASES = {
    entry["name"]: Case(
        entry["name"],
        entry["family"],
        entry["suggested_rtol"],
        entry["input"],
        entry["layers"],
        entry.get("mask_constant"),
    )
    for entry in MANIFEST["cases"]
}


def largest_difference(found: np.ndarray, golden: np.ndarray) -> float:
    """max|found − golden| / max|golden|: what ``rtol`` bounds."""
    return float(np.abs(found - golden).max() / np.abs(golden).max())
