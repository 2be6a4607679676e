"""Analytic kernels of networks of infinite width: NNGP and NTK, layer by layer, tile by tile."""

from ntklab.kernels.infinite.kernel import KINDS, infinite_kernel
from ntklab.kernels.infinite.rules import supported

__all__ = ["KINDS", "infinite_kernel", "supported"]
