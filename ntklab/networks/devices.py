"""Names of devices and number formats, checked."""

from __future__ import annotations

import torch

from ntklab.errors import DeviceError, SpecError

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def torch_dtype(name: str) -> torch.dtype:
    """The torch dtype named ``name``. Raises ``SpecError`` for anything but float32 and float64."""
    if name not in DTYPES:
        raise SpecError(f"dtype: expected one of {', '.join(DTYPES)}, got {name!r}; choose one of them")
    return DTYPES[name]


def torch_device(name: str | torch.device) -> torch.device:
    """The torch device named ``name`` ("cpu", "cuda", "cuda:1"). Raises ``DeviceError`` if it is not there."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"device: expected 'cpu', 'cuda' or 'cuda:N', got {str(name)!r}; choose one of them"
        ) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise DeviceError(f"device: this machine has {count} CUDA devices, got {str(name)!r}; use device='cpu'")
    elif device.type != "cpu":
        raise DeviceError(f"device: expected 'cpu' or 'cuda', got {str(name)!r}; choose one of them")
    return device
