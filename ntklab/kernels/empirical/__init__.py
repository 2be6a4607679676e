"""Kernels of finite networks: the Neural Tangent Kernel by per-layer factors."""

from ntklab.kernels.empirical.ntk import empirical_ntk

__all__ = ["empirical_ntk"]
