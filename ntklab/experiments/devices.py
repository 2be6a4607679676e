"""Where can work be done here?"""

from __future__ import annotations

import os

import torch


def devices() -> tuple[str, ...]:
    """The CPU and every CUDA device, by the names that ``KernelRequest.device`` takes."""
    return ("cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count())))


def use_threads(count: int | None) -> int:
    """Have torch compute with ``count`` threads; None leaves one core to the window. Returns what was set."""
    chosen = count or max(1, (os.cpu_count() or 2) - 1)
    torch.set_num_threads(chosen)
    return chosen
