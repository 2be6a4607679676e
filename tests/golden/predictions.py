"""Golden predictions: values computed by others, with the settings that they belong to (see the manifest)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ntklab import spec

FOLDER = Path(__file__).parent
MANIFEST: dict[str, Any] = json.loads((FOLDER / "predict_manifest.json").read_text())
NOISE = 1e-14  # what is smaller than this next to the kernels is the rounding of whoever computed it
KINDS = {1: "vector", 2: "sequence", 3: "image"}


@dataclass(frozen=True)
class Prediction:
    """One entry of the manifest, as ``entry``; ``rtol`` is relative to the largest entry of each array."""

    name: str
    entry: dict[str, Any]

    @property
    def rtol(self) -> float:
        return float(self.entry["suggested_rtol"])

    @property
    def ridge(self) -> dict[str, Any]:
        """Arguments ``ridge`` and ``relative``."""
        return {"ridge": self.entry["diag_reg"], "relative": not self.entry["diag_reg_absolute_scale"]}

    def arrays(self) -> dict[str, np.ndarray]:
        with np.load(FOLDER / self.entry["file"]) as file:
            return dict(file)

    def architecture(self, samples: np.ndarray) -> spec.Architecture:
        """Raises ``SpecError`` for layers that are not known yet."""
        shape = samples.shape[1:]
        return spec.Architecture.from_dict(
            {"input": {"kind": KINDS[len(shape)], "shape": list(shape)}, "layers": self.entry["layers"]}
        )

    def assert_close(self, found: Any, golden: np.ndarray, scale: float = 0.0) -> None:
        """max|found − golden| <= rtol·max|golden|; ``scale`` is the size of what rounding errors come from."""
        found = np.asarray(found)
        assert found.shape == golden.shape
        assert np.isfinite(found).all()
        largest = float(np.abs(golden).max())
        gap = float(np.abs(found - golden).max())
        assert gap <= self.rtol * largest + NOISE * scale, f"{gap:.2e} of {largest:.2e}"


PREDICTIONS = {entry["name"]: Prediction(entry["name"], entry) for entry in MANIFEST["cases"]}


def predictions_of(function: str) -> list[Prediction]:
    """The cases of one ``fn``."""
    return [case for case in PREDICTIONS.values() if case.entry["fn"] == function]
