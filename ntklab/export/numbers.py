"""The key numbers of a run, each with the convention behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntklab.figures import captions
from ntklab.results import Data, Gram, MonteCarlo, Run, Spectrum, Trajectory, agreement, distance

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """``name`` of a quantity, its ``value`` in words, and what it means."""

    name: str
    value: str
    convention: str


def key_numbers(run: Run) -> tuple[Number, ...]:
    """What a reader asks first; quantities of parts that are not there are left out."""
    return (
        *_distance(run),
        *_estimates(run),
        *_spectra(run),
        *_layers(run),
        *_phase(run),
        *_training(run),
        *_accuracies(run),
    )


def _distance(run: Run) -> Iterator[Number]:
    if run.empirical is not None and run.ntk is not None and run.empirical.matrix.shape == run.ntk.matrix.shape:
        value = distance(run.empirical, run.ntk)
        yield Number("distance of the finite from the infinite kernel", captions.number(value),
                     "|Θ − Θ∞| / |Θ∞|, Frobenius norm, training samples")  # fmt: skip


def _estimates(run: Run) -> Iterator[Number]:
    """How the Monte Carlo estimates agree with the analytic kernels."""
    pairs: tuple[tuple[str, MonteCarlo | None, Gram | None], ...] = (
        ("NTK", run.monte_carlo, run.ntk), ("NNGP kernel", run.monte_carlo_nngp, run.nngp),
    )  # fmt: skip
    for name, found, analytic in pairs:
        z = None if found is None or analytic is None else agreement(found, analytic)
        if z is not None and found is not None:
            yield Number(f"Monte Carlo {name} against the analytic one",
                         f"root mean square z {captions.number(z.rms)}, max |z| {captions.number(z.largest)}",
                         captions.estimate(found))  # fmt: skip


def _spectra(run: Run) -> Iterator[Number]:
    rows: tuple[tuple[str, Callable[[Spectrum], float | None], str], ...] = (
        (
            "largest eigenvalue λ₁",
            lambda s: float(s.eigenvalues[0]) if s.eigenvalues.size else None,
            "of the N × N kernel",
        ),
        ("condition number κ", lambda s: s.condition, "λ₁/λ_N; ∞ where λ_N is below N·ε·λ₁ (numerically singular)"),
        ("stable rank", lambda s: s.stable_rank, "Σλ² / λ₁²"),
        ("participation ratio", lambda s: s.participation_ratio, "(Σλ)² / Σλ²"),
        ("effective dimension", lambda s: s.effective_dimension, "Σ λ/(λ + ridge), ridge {ridge}"),
        ("target alignment", lambda s: s.alignment, "⟨Θ, YYᵀ⟩ / (|Θ|·|YYᵀ|)"),
        ("centred alignment (CKA)", lambda s: s.centred_alignment, "the same after centring both"),
        ("largest stable learning rate", lambda s: s.largest_rate, "of the linear model; loss {loss}"),
    )
    spectra: list[tuple[str, Spectrum | None]] = [("analytic", run.ntk_spectrum), ("empirical", run.empirical_spectrum)]
    found = [(kind, spectrum) for kind, spectrum in spectra if spectrum is not None]
    for name, read, convention in rows:
        values = [(kind, read(spectrum)) for kind, spectrum in found]
        words = ", ".join(f"{captions.number(v)} {kind}" for kind, v in values if v is not None)
        if words:
            first = found[0][1]
            yield Number(name, words, convention.format(ridge=captions.number(first.ridge),
                                                        loss=captions.loss(first.loss)))  # fmt: skip


def _layers(run: Run) -> Iterator[Number]:
    """Which layer carries most, and what is left without the muted ones."""
    found, rest = run.ledger, run.unmuted_spectrum
    columns = () if found is None else (
        ("trace", found.trace_share, "tr Θ_l / tr Θ"),
        ("target alignment", found.alignment_share, "tr(YᵀΘ_l Y) / tr(YᵀΘ Y), Y centred over the samples"),
    )  # fmt: skip
    for name, shares, convention in columns:
        if found is not None and np.isfinite(shares).any():
            row = int(np.nanargmax(shares))
            share = captions.number(100 * float(shares[row]))
            yield Number(f"layer with most of the {name}", f"{found.label(row)}, {share} %", convention)
    if rest is not None:
        rate = f"largest stable learning rate {captions.number(rest.largest_rate)}"
        yield Number("without muted layers", f"κ = {captions.number(rest.condition)}, {rate}",
                     "kernel of training the layers that are not muted")  # fmt: skip


def _phase(run: Run) -> Iterator[Number]:
    if run.phase is None:
        return
    here = run.phase.here
    setting = f"{run.phase.activation}, W_std {captions.number(here.W_std)}, b_std {captions.number(here.b_std)}"
    yield Number("phase", f"{here.word}, χ₁ = {captions.number(here.chi1)}", f"χ₁ = W_std² E φ′² at q*; {setting}")
    c = "kept" if np.isnan(here.correlation) else captions.number(here.correlation)
    yield Number("variance q* and correlation c* at great depth", f"{captions.number(here.variance)}, {c}",
                 "fixed points of the infinite-width recursion")  # fmt: skip
    if run.phase.depth_to_width is not None and run.phase.spread is not None:
        spread = f"output variances differ by ±{captions.number(100 * run.phase.spread, 2)} % between networks"
        yield Number("depth over width", captions.number(run.phase.depth_to_width, 2),
                     f"Σ 1/n over the hidden layers; {spread}, to first order")  # fmt: skip


def _training(run: Run) -> Iterator[Number]:
    found = run.trajectory
    if found is None or found.steps.size == 0:
        return
    share = (
        f"{captions.number(found.learning_rate / found.critical_rate)} × the largest stable rate of the linear model"
    )
    yield Number("learning rate η", captions.number(found.learning_rate), share)
    for split, values in (("train", found.train_loss), ("test", found.test_loss)):
        yield Number(
            f"{split} loss at step {found.steps[-1]}", _by_run(found, values[:, -1]), captions.loss(found.loss)
        )
    if found.drift.size:
        yield Number("kernel drift at the end", captions.number(float(found.drift[-1])),
                     "|Θ_t − Θ_0| / |Θ_0|, Frobenius norm, training samples")  # fmt: skip


def _accuracies(run: Run) -> Iterator[Number]:
    found, data = run.trajectory, run.data
    if found is None or data.labels_train is None:
        return
    for split, Y, outputs in (("train", data.Y_train, found.train_outputs), ("test", data.Y_test, found.test_outputs)):
        if len(Y):
            right = np.array([100 * _right(data, F, Y).mean() for F in outputs])
            rule = "largest output" if Y.shape[1] > 1 else "side of the middle of the targets"
            yield Number(f"{split} accuracy in %", _by_run(found, right), f"class by the {rule}")


def _right(data: Data, F: Float, Y: Float) -> NDArray[np.bool_]:
    if Y.shape[1] > 1:
        return np.asarray(F.argmax(axis=1) == Y.argmax(axis=1))
    middle = 0.5 * (data.Y_train.min() + data.Y_train.max())
    return np.asarray((F[:, 0] > middle) == (Y[:, 0] > middle))


def _by_run(found: Trajectory, values: Float) -> str:
    return ", ".join(f"{captions.number(float(v))} {run}" for run, v in zip(found.runs, values, strict=True)
                     if np.isfinite(v)) or "NaN or infinite"  # fmt: skip
