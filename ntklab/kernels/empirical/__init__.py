"""Kernels of finite networks: the Neural Tangent Kernel by per-layer factors."""

from ntklab.kernels.empirical.heads import Loss
from ntklab.kernels.empirical.ntk import empirical_ntk
from ntklab.kernels.empirical.operator import NtkOperator, ntk_operator
from ntklab.kernels.empirical.sketch import ntk_sketch

__all__ = ["Loss", "NtkOperator", "empirical_ntk", "ntk_operator", "ntk_sketch"]
