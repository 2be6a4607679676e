"""Making the first answer as fast as the later ones."""

from __future__ import annotations

import os

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain
from ntklab.spec import Architecture, Dense, Input
from ntklab.spec.activations import Relu


def warm_up() -> None:
    """Load torch and what it loads lazily, by computing kernels of two samples, and leave a core to the window.

    For the thread that will compute: torch and the BLAS of numpy use one core less than there are. With as many threads
    as cores, small products wait for threads that the window has displaced (30 ms instead of 0.1).
    """
    cores = max(1, (os.cpu_count() or 2) - 1)
    torch.set_num_threads(cores)
    threadpool_limits(cores, user_api="blas")
    architecture = Architecture(Input("vector", (2,)), (Dense(4), Relu(), Dense(1)))
    x = np.ones((2, 2)) + np.eye(2)
    drain(empirical_ntk(architecture, x, outputs="mean"))
    drain(infinite_kernel(architecture, x))
