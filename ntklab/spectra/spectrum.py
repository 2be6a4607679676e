"""Everything about the spectrum of one kernel, as long work."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import DataError, NumericalError
from ntklab.progress import Forecast, Progress, Work
from ntklab.results import Gram, Spectrum
from ntklab.spectra.alignment import centred_target_alignment, target_alignment
from ntklab.spectra.condition import condition_number, rounding_floor
from ntklab.spectra.effective_dimension import effective_dimension
from ntklab.spectra.eigen import eigen
from ntklab.spectra.power import target_power
from ntklab.spectra.rank import participation_ratio, stable_rank
from ntklab.spectra.stability import critical_rate

Array = NDArray[np.float64]

NEGATIVE = 1e-10  # tolerated size of a negative eigenvalue relative to the largest, in float64
SECONDS_PER_CUBE = 2e-10  # of LAPACK's syevd on one core: N³ of these
COPIES = 6  # matrices alive inside eigh: kernel, symmetric part, LAPACK's copy and workspace (2), result


def spectrum(
    gram: Gram,
    targets: NDArray[np.floating] | None = None,
    *,
    loss: str = "half_mse",
    momentum: float = 0.0,
    ridge: float | None = None,
) -> Work[Spectrum]:
    """Spectrum of a symmetric ``gram`` with the ``targets`` (N, k) of its samples.

    Eigenvalues are those of ``gram.operator``: N of them, or N·k with index i·k + output for outputs "full". Alignments
    are those of ``gram.matrix`` (mean over outputs), comparable between both. ``ridge`` None takes the mean eigenvalue.
    k, which "torch_mse" needs, is that of the kernel or else of the targets, or else 1. Negative eigenvalues of
    rounding size become 0.

    Raises ``NumericalError`` for a rectangular or asymmetric kernel, entries that are not finite, and eigenvalues more
    negative than rounding explains; ``DataError`` for targets that do not fit; ``SpecError`` for an unknown loss, a
    momentum outside [0, 1) or a negative ridge.
    """
    size, n = _check_symmetric(gram)
    Y = None if targets is None else _checked(targets, gram, n)
    k = _outputs(gram, Y)
    critical_rate(1.0, n=n, k=k, loss=loss, momentum=momentum)  # a bad request fails before the long step
    effective_dimension(np.ones(1), ridge or 0.0)
    yield Forecast(COPIES * 8 * size**2, SECONDS_PER_CUBE * size**3, route="eigh in float64")
    yield Progress(0, 1, f"eigenvalues of {size} × {size} (one step, cannot be cancelled inside)")
    start = time.perf_counter()
    values, vectors = eigen(gram.operator)
    values, notes = _without_negatives(values, gram)
    yield Progress(1, 1, "eigenvalues")

    floor = rounding_floor(values, gram.values.dtype)
    chosen = float(values.mean()) if ridge is None else float(ridge)
    K = np.asarray(gram.matrix, dtype=np.float64)
    notes += _label(gram, k)
    return Spectrum(
        eigenvalues=values,
        eigenvectors=vectors,
        floor=floor,
        condition=condition_number(values, floor),
        stable_rank=stable_rank(values),
        participation_ratio=participation_ratio(values),
        effective_dimension=effective_dimension(values, chosen),
        ridge=chosen,
        target_power=np.zeros(0) if Y is None else target_power(vectors, Y.reshape(size, -1)),
        alignment=None if Y is None else target_alignment(K, Y),
        centred_alignment=None if Y is None else centred_target_alignment(K, Y),
        largest_rate=critical_rate(float(values[0]), n=n, k=k, loss=loss, momentum=momentum),
        loss=loss,
        momentum=momentum,
        provenance=replace(
            gram.provenance, seconds=time.perf_counter() - start, notes=(*gram.provenance.notes, *notes)
        ),
    )


def _check_symmetric(gram: Gram) -> tuple[int, int]:
    """Number of rows of the operator, and of samples."""
    n1, n2 = gram.values.shape[:2]
    if n1 != n2 or not gram.symmetric:
        raise NumericalError(
            f"a spectrum needs a kernel between a set of samples and itself, got {n1} × {n2} between two sets; "
            "compute the kernel without x2"
        )
    asymmetry, precision = gram.health.asymmetry, float(np.finfo(gram.values.dtype).eps)
    if asymmetry > precision**0.5:
        raise NumericalError(
            f"the kernel is asymmetric by {asymmetry:.1e} of its largest entry, far beyond rounding; "
            "compute it again in float64"
        )
    return n1 * (gram.values.shape[3] if gram.values.ndim == 4 else 1), n1


def _checked(targets: NDArray[np.floating], gram: Gram, n: int) -> Array:
    Y = np.asarray(targets, dtype=np.float64)
    Y = Y.reshape(len(Y), -1) if Y.ndim else Y.reshape(1, 1)
    if len(Y) != n or (gram.values.ndim == 4 and Y.shape[1] != gram.values.shape[3]):
        raise DataError(f"the kernel has the shape {gram.values.shape} and the targets {Y.shape}; pass the targets of "
                        "the same samples, one a row")  # fmt: skip
    if not np.isfinite(Y).all():
        raise DataError("the targets hold NaN or infinite numbers; remove or fill those samples")
    return Y


def _outputs(gram: Gram, Y: Array | None) -> int:
    if gram.values.ndim > 2:
        return int(gram.values.shape[2])
    return 1 if Y is None else Y.shape[1]


def _without_negatives(values: Array, gram: Gram) -> tuple[Array, tuple[str, ...]]:
    """Set negative eigenvalues of rounding size to 0, or say that the kernel is not positive semi-definite."""
    negative = values < 0
    count, worst = int(negative.sum()), float(-values[-1])
    if not count:
        return values, ()
    dtype = gram.values.dtype
    tolerance = max(NEGATIVE, len(values) * float(np.finfo(dtype).eps), gram.error or 0.0)
    if worst > tolerance * values[0]:
        raise NumericalError(
            f"the kernel is not positive semi-definite: its smallest eigenvalue is {-worst:.2e} and its largest "
            f"{values[0]:.2e}, beyond rounding in {dtype}; compute the kernel again in float64"
        )
    return np.where(negative, 0.0, values), (f"{count} eigenvalues down to {-worst:.1e} (rounding) were set to 0",)


def _label(gram: Gram, k: int) -> tuple[str, ...]:
    """What a reader must know about this spectrum."""
    notes = []
    if not gram.health.good:
        notes.append(f"the kernel was asymmetric by {gram.health.asymmetry:.1e}; this is the spectrum of (K + Kᵀ)/2")
    if k > 1 and gram.provenance.outputs in ("mean", "diagonal"):
        notes.append(
            f"spectrum of the mean over {k} outputs: the largest eigenvalue of the full kernel may be larger, and its "
            "largest stable rate smaller"
        )
    return tuple(notes)
