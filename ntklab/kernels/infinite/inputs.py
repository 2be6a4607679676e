"""From arrays of samples to checked tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntklab import spec
from ntklab.errors import DataError, SpecError

Array = NDArray[Any]


@dataclass(frozen=True)
class Inputs:
    """``X`` (*sizes, n1 + n2, channels): the samples of x1, then those of x2 (n2 = 0 for the kernel of x1 with itself).

    ``masks`` (*sizes, n1 + n2) is true at masked positions, ``patterns`` (n1 + n2, *axes, *axes) are those of graphs.
    """

    X: Tensor
    n1: int
    n2: int
    masks: Tensor | None = None
    patterns: Tensor | None = None

    @property
    def symmetric(self) -> bool:
        """Whether rows and columns are the same samples."""
        return self.n2 == 0

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the kernel."""
        return self.n1, self.n2 or self.n1

    @property
    def samples(self) -> int:
        """How many there are of rows and columns together."""
        return self.n1 + self.n2

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the spatial axes."""
        return tuple(self.X.shape[:-2])

    @property
    def bytes(self) -> int:
        """What the samples take."""
        extra = sum(part.numel() * part.element_size() for part in (self.masks, self.patterns) if part is not None)
        return self.X.numel() * self.X.element_size() + extra

    def of(self, few: Tensor) -> Inputs:
        """The same for a few of the samples, with themselves."""
        masks = None if self.masks is None else self.masks[..., few]
        patterns = None if self.patterns is None else self.patterns[few]
        return Inputs(self.X[..., few, :], len(few), 0, masks, patterns)

    def double(self) -> Inputs:
        """The same samples in double precision."""
        return Inputs(self.X.double(), self.n1, self.n2, self.masks, self.patterns)


def inputs(
    architecture: spec.Architecture,
    x1: Any,
    x2: Any | None,
    *,
    dtype: torch.dtype,
    device: torch.device,
    patterns: tuple[Any, Any] = (None, None),
    mask_constant: float | None = None,
) -> Inputs:
    """Check the samples and put them on ``device``. An architecture that begins with Flatten takes vectors.

    ``mask_constant`` may be NaN. Raises ``DataError`` naming the argument and the row for a wrong shape, other NaN or
    infinity.
    """
    if not isinstance(architecture, spec.Architecture):
        raise SpecError(
            f"architecture: expected an Architecture, got {type(architecture).__name__}; describe the network as one "
            "(Architecture.from_dict reads plain tables)"
        )
    shape = architecture.input.shape
    given = [("x1", x1)] if x2 is None else [("x1", x1), ("x2", x2)]
    parts, masks = [shaped(name, x, shape) for name, x in given], None
    if mask_constant is not None:
        hidden = [_masked(part, mask_constant) for part in parts]
        parts = [np.where(mask[..., None], 0.0, part) for mask, part in zip(hidden, parts, strict=True)]
        masks = np.concatenate(hidden)
    whole = np.concatenate([finite(name, part) for (name, _), part in zip(given, parts, strict=True)])
    if isinstance(architecture.layers[0], spec.Flatten):
        whole, masks = whole.reshape(len(whole), -1), None
    return Inputs(
        torch.from_numpy(np.ascontiguousarray(np.moveaxis(whole, 0, -2))).to(device=device, dtype=dtype),
        len(parts[0]),
        len(parts[1]) if x2 is not None else 0,
        None if masks is None else torch.from_numpy(np.moveaxis(masks, 0, -1)).to(device),
        _patterns(patterns, parts, dtype, device),
    )


def _masked(x: Array, constant: float) -> NDArray[np.bool_]:
    """(n, *sizes): where every channel is ``constant``."""
    same = np.isnan(x) if np.isnan(constant) else x == constant
    return np.asarray(same.all(axis=-1))


def _patterns(patterns: tuple[Any, Any], parts: list[Array], dtype: torch.dtype, device: torch.device) -> Tensor | None:
    """(n1 + n2, *axes, *axes). Raises ``DataError`` where one is missing or does not go with its samples."""
    if all(pattern is None for pattern in patterns):
        return None
    found: list[Array] = []
    for name, pattern, samples in zip(("pattern1", "pattern2"), patterns, parts, strict=False):
        if pattern is None:
            raise DataError(
                f"{name}: expected a matrix for each of {len(samples)} samples, got none; give both patterns"
            )
        array = numbers(name, pattern)
        if len(array) != len(samples) or array.ndim < 3 or not np.isfinite(array).all():
            raise DataError(
                f"{name}: expected finite numbers of shape ({len(samples)}, L, L), one matrix for each sample, got "
                f"{array.shape}; stack the adjacency matrices in the order of the samples"
            )
        if found and array.shape[1:] != found[0].shape[1:]:
            raise DataError(
                f"{name}: expected matrices of shape {list(found[0].shape[1:])} as in pattern1, got "
                f"{list(array.shape[1:])}; give both over the same positions"
            )
        found.append(array)
    return torch.from_numpy(np.concatenate(found)).to(device=device, dtype=dtype)


def numbers(name: str, x: Any) -> Array:
    """``x`` as an array of numbers."""
    try:
        array = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    except ValueError:
        array = np.empty(0, dtype=object)  # rows of different lengths
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: expected numbers, got {array.dtype}; convert it to float64")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def shaped(name: str, x: Any, shape: tuple[int, ...]) -> Array:
    """(n, *shape) floating-point samples."""
    array = numbers(name, x)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
        wanted = ", ".join(map(str, ("n", *shape)))
        raise DataError(
            f"{name}: expected shape ({wanted}) with n of at least 1 for this architecture's input, got "
            f"{array.shape}; reshape the samples or change the input shape"
        )
    return array


def finite(name: str, array: Array) -> Array:
    """``array`` without NaN and infinity."""
    rows = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not rows.all():
        raise DataError(f"{name}: row {int(np.argmin(rows))} has NaN or infinite values; remove or fill it in")
    return array
