"""Kernels, their eigenvalues and stored kernels, as functions that run to their end: the part of the facade on kernels.

Importing this loads neither numpy nor torch: each is imported when it is first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import ArrayLike
    from torch.nn import Module

    from ntklab.kernels.empirical import NtkOperator
    from ntklab.progress import Event
    from ntklab.results import Eigenpairs, Estimate, Gram, MonteCarlo, Spectrum
    from ntklab.spec import Architecture


def infinite_kernel(
    architecture: Architecture,
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    *,
    kind: str = "ntk",
    dtype: str = "float64",
    device: str = "cpu",
    memory: int | None = None,
    **samples: Any,
) -> Gram:
    """The kernel of ``architecture`` at infinite width between samples ``x1`` (n1, …) and ``x2`` (n2, …; None is x1).

    ``kind`` "ntk" or "nngp"; ``values`` (n1, n2), the same for every output. ``memory`` is the budget in bytes; None
    takes a share of what is free. ``samples``: ``pattern1`` and ``pattern2`` (n, L, L) of graphs, ``mask_constant`` of
    masked positions. Details, sources and errors: ``ntklab.kernels.infinite.infinite_kernel``.
    """
    from ntklab.errors import SpecError
    from ntklab.kernels import infinite
    from ntklab.progress import drain

    if kind not in ("nngp", "ntk"):
        raise SpecError(f"kind: expected 'ntk' or 'nngp', got {kind!r}; choose one of them")
    work = infinite.infinite_kernel(
        architecture, x1, x2, kinds=(kind,), dtype=dtype, device=device, memory=memory, **samples
    )
    return drain(work)[kind]


def empirical_ntk(
    model_or_architecture: Module | Architecture,
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    *,
    outputs: str = "full",
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    memory: int | None = None,
    **options: Any,
) -> Gram:
    """The NTK of one finite network between samples ``x1`` (n1, …) and ``x2`` (n2, …; None is x1).

    The network is a torch module, or drawn from an architecture with ``seed``. ``outputs`` "full" keeps
    (n1, n2, k, k), "diagonal" (n1, n2, k), "mean" (n1, n2) averages the diagonal and has the infinite-width NTK as its
    limit. ``options``: ``head`` (a function of the outputs: numbers, "sum", "softmax", "log_softmax", a module or a
    ``Loss``), ``layers`` and ``split`` (the parts of layers), ``parameters`` (a mapping or a checkpoint), ``metric``
    (an optimiser, or numbers by names of parameters), ``store`` (a folder for kernels larger than memory);
    ``pattern1``, ``pattern2``, ``mask_constant`` as for ``infinite_kernel``. Details, sources and errors:
    ``ntklab.kernels.empirical.empirical_ntk``.
    """
    from ntklab.kernels import empirical
    from ntklab.progress import drain

    work = empirical.empirical_ntk(
        model_or_architecture, x1, x2, outputs=outputs, seed=seed, dtype=dtype, device=device, memory=memory, **options
    )
    return drain(work)


def ntk_sketch(
    model_or_architecture: Module | Architecture, x1: ArrayLike, x2: ArrayLike | None = None, **options: Any
) -> Estimate:
    """The mean over outputs of the NTK of one network from random projections, each entry with a standard error.

    ``options``: ``draws``, ``by`` ("outputs" or "parameters"), ``seed``, ``memory``, ``dtype``, ``device``, ``layers``,
    ``parameters``, ``metric``. Details and errors: ``ntklab.kernels.empirical.ntk_sketch``.
    """
    from ntklab.kernels import empirical
    from ntklab.progress import drain

    return drain(empirical.ntk_sketch(model_or_architecture, x1, x2, **options))


def ntk_operator(model_or_architecture: Module | Architecture, x: ArrayLike, **options: Any) -> NtkOperator:
    """The NTK of one network on the samples ``x`` as an operator Θv = J(Jᵀv), for kernels that no memory holds.

    It has ``shape``, ``matvec``, ``matmat``, ``trace``, and eigenvalues by ``top_eigenpairs``. ``options``: ``head``,
    ``layers``, ``parameters``, ``metric``, ``seed``, ``dtype``, ``device``, ``memory``. Details and errors:
    ``ntklab.kernels.empirical.ntk_operator``.
    """
    from ntklab.kernels import empirical

    return empirical.ntk_operator(model_or_architecture, x, **options)


def top_eigenpairs(
    kernel: Any,
    count: int = 10,
    *,
    tolerance: float | None = None,
    seed: int = 0,
    listen: Callable[[Event], None] | None = None,
) -> Eigenpairs:
    """The largest eigenvalues of a kernel with eigenvectors and residuals, by products with it alone.

    ``kernel`` is an ``NtkOperator`` or anything with ``shape`` and ``matvec``, a ``Gram`` (in memory or on disk) or an
    array. ``listen`` is called with every event. Details and errors: ``ntklab.spectra.top_eigenpairs``.
    """
    from ntklab import spectra
    from ntklab.progress import drain

    return drain(spectra.top_eigenpairs(kernel, count, tolerance=tolerance, seed=seed), listen)


def monte_carlo_kernel(
    architecture: Architecture, x1: ArrayLike, x2: ArrayLike | None = None, *, kind: str = "ntk", **options: Any
) -> MonteCarlo:
    """A kernel of ``architecture`` as mean and standard error over random networks; ``kind`` "ntk" or "nngp".

    For every network that can be drawn, with a closed form or without. ``options``: ``widths``, ``seeds``, ``dtype``,
    ``device``, ``memory``, ``pattern1``, ``pattern2``, ``mask_constant``. Details, estimators and errors:
    ``ntklab.kernels.monte_carlo.monte_carlo_kernel``.
    """
    from ntklab.kernels import monte_carlo
    from ntklab.progress import drain

    return drain(monte_carlo.monte_carlo_kernel(architecture, x1, x2, kinds=(kind,), **options))[kind]


def open_kernel(folder: Path | str) -> Gram:
    """A kernel that was computed into ``folder`` (``empirical_ntk(…, store=folder)``), read as it is asked for.

    ``values``, ``matrix`` and ``operator`` take numpy's indices and read only the tiles they need; ``numpy.asarray``
    loads everything. A kernel that is not complete has NaN where tiles are missing, and says so in its notes. Raises
    ``FileError`` for a folder that holds no kernel or a damaged one, and when a damaged tile is read.
    """
    from ntklab import store

    return store.open_kernel(folder)


def spectrum(
    gram: Gram | ArrayLike,
    targets: ArrayLike | None = None,
    *,
    loss: str = "half_mse",
    momentum: float = 0.0,
    ridge: float | None = None,
) -> Spectrum:
    """Eigenvalues of a symmetric kernel, and what follows from them; see ``ntklab.results.Spectrum``.

    ``gram`` is a ``Gram`` or an array (n, n), (n, n, k) or (n, n, k, k); ``targets`` (n,) or (n, k).
    """
    import numpy as np

    from ntklab import spectra
    from ntklab.progress import drain
    from ntklab.results import Gram, Provenance

    if not isinstance(gram, Gram):
        values = np.asarray(gram)
        if not np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float64)
        outputs = {3: "diagonal", 4: "full"}.get(values.ndim)
        gram = Gram(values, Provenance(kind="kernel", dtype=str(values.dtype), outputs=outputs))
    Y = None if targets is None else np.asarray(targets, dtype=np.float64)
    return drain(spectra.spectrum(gram, Y, loss=loss, momentum=momentum, ridge=ridge))
