"""How far a float32 kernel is from the float64 one, measured on the entries of a few samples."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from ntklab.kernels.empirical.forms import Array, Form, kernel
from ntklab.kernels.empirical.subject import Subject

SAMPLES = 4
"""Samples looked at on each side."""


def measured_error(asked: Subject, form: Form, store: Array, x1: Tensor, x2: Tensor) -> float:
    """max|Θ − Θ64| / max|Θ64| over the entries of up to ``SAMPLES`` rows and columns, Θ64 computed in float64."""
    i, j = _spread(len(x1)), _spread(len(x2))
    double = copy.deepcopy(asked.module).double()
    exact = asked.of(double, dtype=torch.float64)
    rows, columns = exact.cast(x1[i]), exact.cast(x2[j])
    exact = exact.ready(rows)
    tile = kernel(form, exact.factors(rows), exact.factors(columns))
    wanted = form.values(tile.cpu().numpy())
    got = form.values(store)[np.ix_(i, j)]
    scale = float(np.abs(wanted).max()) or 1.0
    return float(np.abs(got - wanted).max()) / scale


def _spread(n: int) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, SAMPLES))})
