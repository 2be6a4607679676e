"""Making the first answer as fast as the later ones."""

from __future__ import annotations

import numpy as np

from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain
from ntklab.spec import Architecture, Dense, Input
from ntklab.spec.activations import Relu


def warm_up() -> None:
    """Compute kernels of two samples, so that torch loads what it loads lazily. Takes about a second, once."""
    architecture = Architecture(Input("vector", (2,)), (Dense(4), Relu(), Dense(1)))
    x = np.ones((2, 2)) + np.eye(2)
    drain(empirical_ntk(architecture, x, outputs="mean"))
    drain(infinite_kernel(architecture, x))
