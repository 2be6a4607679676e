"""From arrays of samples to checked tensors."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import DataError, NtkLabError, SpecError


@dataclass(frozen=True)
class Inputs:
    """``X`` (n1 + n2, features): the samples of x1, then those of x2 (n2 = 0 where the kernel is of x1 with itself).

    ``q`` (n1 + n2,) float64 is the input kernel of each sample with itself, <x, x>/features.
    """

    X: Tensor
    q: Tensor
    n1: int
    n2: int

    @property
    def symmetric(self) -> bool:
        """Whether rows and columns are the same samples."""
        return self.n2 == 0

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the kernel."""
        return self.n1, self.n2 or self.n1

    @property
    def sides(self) -> tuple[Tensor, Tensor]:
        """Samples of the rows and of the columns."""
        return self.X[: self.n1], self.X if self.symmetric else self.X[self.n1 :]


def inputs(
    architecture: spec.Architecture, x1: Any, x2: Any | None, dtype: torch.dtype, device: torch.device
) -> Inputs:
    """Check the samples and put them on ``device``.

    Raises ``DataError`` naming the argument and the row for a wrong shape, NaN or infinity, and ``NtkLabError`` where
    positions (pixels, tokens) would have to be carried through layers.
    """
    _check_layout(architecture)
    shape = architecture.input.shape
    parts = [_checked("x1", x1, shape)] + ([_checked("x2", x2, shape)] if x2 is not None else [])
    X = torch.from_numpy(np.concatenate(parts)).to(dtype)
    q = torch.cat([rows.double().square().sum(1) for rows in torch.split(X, 256)]) / X.shape[1]
    return Inputs(X.to(device), q, len(parts[0]), len(parts[1]) if x2 is not None else 0)


def _check_layout(architecture: spec.Architecture) -> None:
    if not isinstance(architecture, spec.Architecture):
        raise SpecError(
            f"architecture: expected an Architecture, got {type(architecture).__name__}; describe the network as one "
            "(Architecture.from_dict reads plain tables)"
        )
    first = architecture.layers[0]
    if architecture.input.kind != "vector" and not isinstance(first, spec.Flatten):
        raise NtkLabError(
            f"layer 1 ({type(first).__name__}): there is no infinite-width rule yet for layers on the positions of a "
            f"{architecture.input.kind}; put a Flatten layer first, or use the empirical kernel of a finite network"
        )


def _checked(name: str, x: Any, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    """(n, features) floating-point samples."""
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
    flat = array.reshape(len(array), prod(shape))
    flat = flat if flat.dtype in (np.float32, np.float64) else flat.astype(np.float64)
    finite = np.isfinite(flat).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"{name}: row {row} has NaN or infinite values; remove or fill it in")
    return flat
