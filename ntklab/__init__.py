"""NTK Lab: a laboratory for Neural Tangent Kernels."""

__version__ = "0.1.0"
