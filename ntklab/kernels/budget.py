"""How much memory a kernel may take, and what to say when that is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from ntklab.errors import DeviceError, MemoryBudgetError, NtkLabError, SpecError
from ntklab.networks.devices import torch_device

SHARE = 0.5

WORKSPACE = 14 * 2**20
"""Bytes that matrix libraries and the interpreter take beside our arrays."""


def default_budget(device: str | torch.device = "cpu") -> int:
    """Half of the memory that is free on ``device`` now, in bytes. Raises ``DeviceError`` if it is not there."""
    place = torch_device(device)
    free = torch.cuda.mem_get_info(place)[0] if place.type == "cuda" else psutil.virtual_memory().available
    return int(free * SHARE)


def resolve(memory: int | None, device: str | torch.device = "cpu") -> int:
    """``memory`` bytes, or the default budget of ``device`` when it is None. Raises ``SpecError`` below 1 byte."""
    if memory is None:
        return default_budget(device)
    if memory < 1:
        raise SpecError(f"memory: expected a number of bytes above 0, got {memory}; give more, or None for a default")
    return int(memory)


def require(needed: int, allowed: int, what: str, remedy: str) -> None:
    """Raise ``MemoryBudgetError`` if ``what`` needs more than is allowed, saying both and the ``remedy``."""
    if needed > allowed:
        raise MemoryBudgetError(
            f"{what} needs at least {readable(needed)}, the memory budget is {readable(allowed)}; {remedy}"
        )


@contextmanager
def allocation(remedy: str) -> Iterator[None]:
    """Turns an allocation that fails inside into a ``MemoryBudgetError``, or a ``DeviceError`` on a CUDA device."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(f"the device ran out of memory ({str(error).splitlines()[0]}); {remedy}") from error
    except (MemoryError, RuntimeError) as error:
        if not is_allocation(error) or isinstance(error, NtkLabError):
            raise
        raise MemoryBudgetError(f"there is not enough free memory; {remedy}") from error


def is_allocation(error: BaseException) -> bool:
    """Whether ``error`` says that memory could not be had; torch's CPU allocator raises a plain ``RuntimeError``."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)


def release(device: torch.device) -> None:
    """Give back what torch keeps for later on a CUDA device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def readable(count: int | float) -> str:
    """A number of bytes in a unit that suits it: "512 B", "1.5 MiB", "23 GiB"."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"
