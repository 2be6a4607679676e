"""From arrays of samples, and of their patterns, to checked tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

    Where samples come with patterns of ``pattern_shape``, or are ``numbered`` because dropout needs to know them apart,
    ``packed`` rows hold all of it: (n, numbers of the sample, of its pattern, its number).
    """

    x1: Tensor
    x2: Tensor | None
    pattern_shape: Shape | None = None
    numbered: bool = False

    @property
    def packed(self) -> bool:
        """Whether a row is more than a sample."""
        return self.numbered or self.pattern_shape is not None

    def to(self, device: torch.device, dtype: torch.dtype) -> Samples:
        """The same on another device, as other numbers."""
        x2 = None if self.x2 is None else self.x2.to(device, dtype)
        return replace(self, x1=self.x1.to(device, dtype), x2=x2)

    def first(self, count: int) -> Samples:
        """Some of them."""
        return replace(self, x1=self.x1[:count], x2=None if self.x2 is None else self.x2[:count])


def samples_of(
    architecture: spec.Architecture, x: tuple[Any, Any | None], patterns: tuple[Any | None, Any | None],
    *, mask_constant: float | None = None,
) -> Samples:  # fmt: skip
    """Both sets of samples, with their patterns. Raises ``DataError`` naming the argument and what is wrong with it."""
    layers = list(every_layer(architecture.layers))
    graph = any(isinstance(layer, spec.Aggregate) for layer in layers)
    numbered = any(drops(layer) for layer in layers)
    masked = mask_constant is not None and mask_constant != mask_constant
    count = 1 if x[1] is None or x[1] is x[0] else 2
    xs = [_checked(f"x{i + 1}", x[i], architecture.input.shape, nan=masked) for i in range(count)]
    As = [_patterns(f"pattern{i + 1}", patterns[i], len(xs[i])) for i in range(count)] if graph else []
    if numbered or graph:
        first = 0
        for i, samples in enumerate(xs):
            parts = [samples.double().flatten(1)] + ([As[i].double().flatten(1)] if graph else [])
            parts += [torch.arange(first, first + len(samples), dtype=torch.double)[:, None]] if numbered else []
            xs[i], first = torch.cat(parts, dim=1), first + len(samples)
    return Samples(xs[0], xs[1] if count == 2 else None, tuple(As[0].shape[1:]) if graph else None, numbered)


def drops(layer: spec.Layer) -> bool:
    """Whether ``layer`` sets units to 0 at random."""
    return isinstance(layer, spec.Dropout) and layer.mode == "train" and layer.keep_rate < 1


def _patterns(name: str, pattern: Any | None, count: int) -> Tensor:
    if pattern is None:
        raise DataError(f"{name}: an Aggregate layer needs a matrix for each sample, got none; give {name}")
    A = _checked(name, pattern, tuple(np.shape(pattern)[1:]))
    if len(A) != count:
        raise DataError(f"{name}: expected a matrix for each of the {count} samples, got {len(A)}; give as many")
    return A


def _checked(name: str, x: Any, shape: Shape, *, nan: bool = False) -> Tensor:
    """(n, *shape), float32 or float64, finite but for ``nan``."""
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
    numbers = array.reshape(len(array), -1)
    finite = (np.isfinite(numbers) | (np.isnan(numbers) & nan)).all(axis=1)
    if not finite.all():
        raise DataError(f"{name}: row {int(np.argmin(finite))} has NaN or infinite values; remove or fill it in")
    return torch.from_numpy(np.require(array, np.float32 if array.dtype == np.float32 else np.float64, ["C", "W"]))
