"""From arrays of samples, and of their patterns, to checked tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import DataError
from ntklab.kernels.monte_carlo.widths import every_layer

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Samples:
    """``x1`` (n1, *shape) and ``x2`` (n2, *shape); None is ``x1``.

    Where each sample comes with a pattern, of ``pattern_shape``, they hold both in a row: (n, numbers).
    """

    x1: Tensor
    x2: Tensor | None
    pattern_shape: Shape | None = None

    def to(self, device: torch.device, dtype: torch.dtype) -> Samples:
        """The same on another device, as other numbers."""
        x2 = None if self.x2 is None else self.x2.to(device, dtype)
        return Samples(self.x1.to(device, dtype), x2, self.pattern_shape)

    def first(self, count: int) -> Samples:
        """Some of them."""
        return Samples(self.x1[:count], None if self.x2 is None else self.x2[:count], self.pattern_shape)


def samples_of(
    architecture: spec.Architecture, x1: Any, x2: Any | None, pattern1: Any | None, pattern2: Any | None
) -> Samples:
    """Raises ``DataError`` naming the argument and what is wrong with it."""
    graph = any(isinstance(layer, spec.Aggregate) for layer in every_layer(architecture.layers))
    given = [(1, x1, pattern1)] + ([] if x2 is None or x2 is x1 else [(2, x2, pattern2)])
    sides = [_side(number, x, pattern if graph else None, architecture.input.shape) for number, x, pattern in given]
    if graph and not all(shape for _, shape in sides):
        raise DataError("patterns: an Aggregate layer needs a matrix for each sample, got none; give pattern1, and "
                        "pattern2 with x2")  # fmt: skip
    return Samples(sides[0][0], sides[1][0] if len(sides) > 1 else None, sides[0][1])


def _side(number: int, x: Any, pattern: Any | None, shape: Shape) -> tuple[Tensor, Shape | None]:
    samples = _checked(f"x{number}", x, shape)
    if pattern is None:
        return samples, None
    A = _checked(f"pattern{number}", pattern, tuple(np.shape(pattern)[1:]))
    if len(A) != len(samples):
        raise DataError(
            f"pattern{number}: expected a matrix for each of the {len(samples)} samples, got {len(A)}; give as many"
        )
    return torch.cat([samples.double().flatten(1), A.double().flatten(1)], dim=1), tuple(A.shape[1:])


def _checked(name: str, x: Any, shape: Shape) -> Tensor:
    """(n, *shape), float32 or float64, finite."""
    try:
        array = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    except ValueError:
        array = np.empty(0, dtype=object)  # rows of different lengths
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: expected numbers, got {array.dtype}; convert it to float64")
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
        wanted = ", ".join(map(str, ("n", *shape)))
        raise DataError(
            f"{name}: expected shape ({wanted}) with n of at least 1 for this architecture's input, got "
            f"{array.shape}; reshape the samples or change the input shape"
        )
    finite = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if not finite.all():
        raise DataError(f"{name}: row {int(np.argmin(finite))} has NaN or infinite values; remove or fill it in")
    return torch.from_numpy(np.require(array, np.float32 if array.dtype == np.float32 else np.float64, ["C", "W"]))
