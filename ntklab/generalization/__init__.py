"""Kernel regression and how well it generalises, from the values of a kernel: one quantity a file."""

from ntklab.generalization.cross_validation import generalised_cross_validation
from ntklab.generalization.leave_one_out import leave_one_out_residuals
from ntklab.generalization.posterior import posterior
from ntklab.generalization.ridge import KernelRidge

__all__ = ["KernelRidge", "generalised_cross_validation", "leave_one_out_residuals", "posterior"]
