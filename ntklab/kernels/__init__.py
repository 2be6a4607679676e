"""Kernels of networks: infinite width, finite width, Monte Carlo and classical, in tiles within a memory budget."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["classical", "empirical", "infinite", "monte_carlo"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # late: each loads torch
        return import_module(f"ntklab.kernels.{name}")
    raise AttributeError(f"module 'ntklab.kernels' has no attribute {name!r}")
