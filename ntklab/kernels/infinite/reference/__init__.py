"""The slow twin of the infinite-width kernels: naive, independent of the fast rules, for tests."""

from ntklab.kernels.infinite.reference.integrals import expectation
from ntklab.kernels.infinite.reference.twin import reference_kernel

__all__ = ["expectation", "reference_kernel"]
