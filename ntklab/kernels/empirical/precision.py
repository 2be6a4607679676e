"""How far a float32 kernel is from the float64 one, measured on the entries of a few samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntklab.kernels.empirical.forms import Form, kernel
from ntklab.kernels.empirical.subject import Subject, converted

SAMPLES = 4
"""Samples looked at on each side."""


def measured_error(asked: Subject, form: Form, values: Any, x1: Tensor, x2: Tensor) -> float:
    """max|Θ − Θ64| / max|Θ64| over the entries of up to ``SAMPLES`` rows and columns, Θ64 computed in float64.

    ``values`` are those of the ``Gram``, an array or what reads like one.
    """
    i, j = _spread(len(x1)), _spread(len(x2))
    double = converted(asked.module, torch.float64, asked.device)
    exact = asked.of(double, dtype=torch.float64)
    rows, columns = exact.cast(x1[i]), exact.cast(x2[j])
    exact = exact.ready(rows)
    tile = kernel(form, exact.factors(rows), exact.factors(columns))
    wanted = form.values(tile.cpu().numpy())
    got = np.asarray(values[np.ix_(i, j)])
    scale = float(np.abs(wanted).max()) or 1.0
    return float(np.abs(got - wanted).max()) / scale


def _spread(n: int) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, SAMPLES))})
