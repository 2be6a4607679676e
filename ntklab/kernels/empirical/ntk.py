"""The finite-width Neural Tangent Kernel Θ = J Jᵀ, tile by tile, without J (Jacot et al. 2018, arXiv:1806.07572)."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.kernels.empirical.asking import Asking
from ntklab.kernels.empirical.heads import Head
from ntklab.kernels.empirical.metric import Given
from ntklab.kernels.empirical.request import Request
from ntklab.kernels.empirical.selection import Layers
from ntklab.networks.checkpoints import Source
from ntklab.progress import Work
from ntklab.results import Gram


def empirical_ntk(  # noqa: PLR0913 (a request, all by name)
    model_or_architecture: nn.Module | spec.Architecture,
    x1: ArrayLike | Tensor,
    x2: ArrayLike | Tensor | None = None,
    *,
    outputs: str = "full",
    head: Head = None,
    layers: Layers | None = None,
    split: bool = False,
    parameters: Source | None = None,
    metric: Given | None = None,
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    memory: int | None = None,
    store: Path | str | None = None,
    pattern1: ArrayLike | Tensor | None = None,
    pattern2: ArrayLike | Tensor | None = None,
    mask_constant: float | None = None,
) -> Work[Gram]:
    """The NTK of one network between the samples ``x1`` (n1, *sample shape) and ``x2`` (n2, …); None is ``x1``.

    Θ[i, j, o, p] = Σ_θ ∂f_o(x1_i)/∂θ · ∂f_p(x2_j)/∂θ over the trained parameters, or those of ``layers`` (names of
    modules or parameters, or patterns of them). ``outputs`` "full" gives (n1, n2, k, k), "diagonal" (n1, n2, k) each
    output with itself, "mean" (n1, n2) the mean of these over outputs. ``split`` also keeps what each layer adds to
    that mean, as ``Gram.parts``.

    ``head`` is a function of the outputs whose kernel is meant: output numbers, "sum", "softmax", "log_softmax", a
    module on outputs as rows (n, k), or a ``Loss``; k is then the number of its outputs. ``parameters``, by name or in
    a checkpoint (.pt, .safetensors), are taken in place of those of the network. ``metric`` D makes it J D Jᵀ: numbers
    by the names of parameters, or an optimiser (see ``kernels.empirical.metric``). An architecture is drawn with
    ``seed``; a module is taken as it is (a copy of it in ``dtype`` and on ``device`` where those differ), and its
    kernel is checked on a few samples against autograd.

    ``memory`` in bytes bounds what the work adds to the process, or to the memory of a CUDA device. A larger kernel
    goes tile by tile to the folder ``store``, is never held, and goes on where it was left when it is asked for again;
    ``Gram.values`` is then read from there. ``pattern1`` and ``pattern2`` (n, *axes, *axes) are the graphs of a network
    with ``Aggregate`` layers; positions whose every channel equals ``mask_constant`` are masked in a network that is
    drawn here. ``Gram.error`` is that of float32, measured where this takes little of the time.

    Yields a ``Forecast``, then for each tile ``Partial("tile", Tile)`` (mean over outputs) and ``Progress``. Raises
    ``NtkLabError`` for a module without gradients of single samples or that raises itself, ``SpecError`` for layers
    that there are not, ``DataError`` for samples that do not fit, ``MemoryBudgetError`` if the budget is too small,
    ``FileError`` for a store of another request or a full disk.
    """
    return Request(
        model_or_architecture, x1, x2, outputs, split, seed, dtype, device, memory, store,
        (pattern1, pattern2), mask_constant, Asking(head, layers, parameters, metric),
    ).work()  # fmt: skip
