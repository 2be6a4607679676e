"""Kernels that know no network, through scikit-learn, to compare the NTK with."""

from ntklab.kernels.classical.gram import KERNELS, classical_kernel
from ntklab.kernels.classical.length_scale import median_distance

__all__ = ["KERNELS", "classical_kernel", "median_distance"]
