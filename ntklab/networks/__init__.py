"""Architecture specs as PyTorch modules: NTK and standard parameterisation, reproducible draws."""

from ntklab.networks.build import build
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.networks.modules import Dense, Merge, Pointwise

__all__ = ["Dense", "Merge", "Pointwise", "build", "torch_device", "torch_dtype"]
