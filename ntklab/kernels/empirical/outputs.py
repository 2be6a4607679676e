"""The outputs of a module as rows."""

from __future__ import annotations

from torch import Tensor

from ntklab.errors import NtkLabError


def outputs_of(f: object, n: int) -> Tensor:
    """A module's outputs as (n, k). Raises ``NtkLabError`` unless they are one tensor with a row for each sample."""
    if isinstance(f, Tensor) and f.ndim > 0 and len(f) == n:
        return f if f.ndim == 2 else f.reshape(n, -1)
    given = f"shape {list(f.shape)}" if isinstance(f, Tensor) else type(f).__name__
    raise NtkLabError(
        f"empirical NTK: the module must return one tensor (n, k) for n samples, got {given} for n = {n}; "
        "wrap it in a module that does"
    )
