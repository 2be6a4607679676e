"""Maths cards of the ledger: which layers carry the kernel, in formulas with the present numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable

from ntklab.gui.panels.card_spec import CardSpec, Symbol, Value
from ntklab.gui.widgets.numbers import integer, number, percent
from ntklab.results import Ledger, Spectrum
from ntklab.session import Session


def _ledger(read: Callable[[Ledger, int], str]) -> Value:
    """Of the selected layer, the first where none is."""

    def value(session: Session) -> str:
        found = session.results.ledger
        return "—" if found is None else read(found, found.row(session.selection.layer or "") or 0)

    return value


def _spectrum(read: Callable[[Spectrum], str], *, whole: bool = False) -> Value:
    def value(session: Session) -> str:
        results = session.results
        found = results.empirical_spectrum if whole else results.unmuted_spectrum
        return "—" if found is None else read(found)

    return value


def _share(value: float) -> str:
    return "—" if math.isnan(value) else percent(value)


def _training(session: Session) -> str:
    found = session.results.ledger
    if found is None:
        return "—"
    rows = found.unmuted(session.experiment.kernel.muted)
    return f"{len(rows)} of {len(found.names)} layers"


def _condition(spectrum: Spectrum) -> str:
    return number(spectrum.condition, 3)


def _rate(spectrum: Spectrum) -> str:
    return number(spectrum.largest_rate, 3)


def _aligned(spectrum: Spectrum) -> str:
    return number(spectrum.centred_alignment, 3)


_LAYER = Symbol("l", "layer", _ledger(lambda found, row: found.label(row)))
_COUNT = Symbol("L", "layers", _ledger(lambda found, _: integer(len(found.names))))
_PARAMETERS = Symbol("P_l", "parameters", _ledger(lambda found, row: integer(int(found.parameters[row])) or "—"))
_TRACE = Symbol("t_l", "trace share", _ledger(lambda found, row: _share(found.trace_share[row])))
_ALIGNED = Symbol("a_l", "alignment share", _ledger(lambda found, row: _share(found.alignment_share[row])))
_OWN = Symbol("A_l", "own alignment", _ledger(lambda found, row: number(float(found.alignment[row]), 3)))
_TRAINED = Symbol("trained", "", _training)
_NOVAK = "Novak, Sohl-Dickstein, Schoenholz 2022, arXiv:2206.08720; Jacot et al. 2018, arXiv:1806.07572"

LEDGER_CARDS: tuple[CardSpec, ...] = (
    CardSpec(
        "ledger", "Ledger of the layers", "Θ = Σ_l Θ_l,  t_l = tr Θ_l / tr Θ\na_l = tr(Yᵀ Θ_l Y) / tr(Yᵀ Θ Y)",
        "The kernel is the sum of what the parameters of each layer add. Shares of the trace and of the alignment with "
        "the targets Y, centred over the samples, add up to 1. A layer with more alignment than trace points at the "
        "target.",
        (_TRAINED, _LAYER, _PARAMETERS, _TRACE, _ALIGNED, _OWN),
        _NOVAK,
    ),
    CardSpec(
        "layer", "Part of a layer", "Θ_l(x, x′) = Σ_{θ ∈ l} ∂_θ f(x) ∂_θ f(x′)",
        "The part of the kernel that comes from the parameters of one layer, averaged over outputs: the kernel of "
        "training that layer alone.",
        (_LAYER, _PARAMETERS, _TRACE, _ALIGNED, _OWN),
        _NOVAK,
    ),
    CardSpec(
        "unmuted", "Kernel without muted layers", "Θ_{train} = Σ_{l trained} Θ_l",
        "What is left when the muted layers are frozen: the kernel of training the others. None of its eigenvalues is "
        "larger than with all layers, so larger steps are stable; the smallest may vanish. η_c is that of the present "
        "loss.",
        (_TRAINED, Symbol("κ", "condition", _spectrum(_condition)),
         Symbol("κ_all", "of all layers", _spectrum(_condition, whole=True)),
         Symbol("A", "alignment", _spectrum(_aligned)),
         Symbol("A_all", "of all layers", _spectrum(_aligned, whole=True)),
         Symbol("η_c", "critical rate", _spectrum(_rate)),
         Symbol("η_c,all", "of all layers", _spectrum(_rate, whole=True))),
        _NOVAK,
    ),
    CardSpec(
        "layer-spectra", "Spectra of the layers", "Θ_l u = μ u\nλ_k(Θ) ≥ max_l μ_k(Θ_l)",
        "Each part has eigenvalues of its own. They do not add up to those of the sum, but none of its eigenvalues is "
        "smaller than that of a part (Weyl).",
        (_COUNT, _LAYER, _TRACE),
        _NOVAK,
    ),
    CardSpec(
        "layer-modes", "Layers in each mode", "λ_k = Σ_l v_kᵀ Θ_l v_k",
        "The eigenvalue of a mode is the sum of what the layers add along its eigenvector: which layer learns which "
        "function.",
        (_COUNT, _LAYER, _TRACE),
        _NOVAK,
    ),
)  # fmt: skip
