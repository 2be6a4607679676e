"""Eigenvalues of kernels, and how much of the target lies in their first modes."""

from __future__ import annotations

import numpy as np

from ntklab.figures import captions
from ntklab.figures.model import Axis, Curves, Mark, Role, Rule, Series, Shade
from ntklab.results import Spectrum

_K = Axis("mode k", scale="log")
_MARKS: dict[str, Mark] = {"analytic": "line", "empirical": "dots", "target": "dashes"}


def spectrum(
    empirical: Spectrum | None,
    analytic: Spectrum | None,
    *,
    mode: int | None = None,
    unmuted: Spectrum | None = None,
) -> Curves:
    """Eigenvalues λ_k, largest first, on log-log axes: analytic as a line, empirical as dots.

    Values below the precision floor are not drawn; the caption counts them, and the floor's region is shaded where the
    spectrum comes near it. ``mode`` (from 0) is marked. ``unmuted`` is that of training some layers alone.
    """
    parts = _named(empirical, analytic)
    parts += [] if unmuted is None else [("without muted layers", "target", unmuted)]
    series = tuple(
        Series(name, _modes(part), _above_floor(part), role, _MARKS[role], key=name.split(",")[0])
        for name, role, part in parts
    )
    limits, shades = _range(series, [part for _, _, part in parts])
    return Curves(
        title="Spectrum",
        x=_K,
        y=Axis("eigenvalue λₖ", scale="log", limits=limits),
        series=series,
        rules=() if mode is None else (Rule("x", mode + 1, f"mode {mode + 1}"),),
        shades=shades,
        caption=_conventions(parts),
    )


def power(empirical: Spectrum | None, analytic: Spectrum | None) -> Curves:
    """Share of the target's squared norm in the first k modes (Canatar, Bordelon, Pehlevan 2021), against k."""
    parts = [(name, role, part) for name, role, part in _named(empirical, analytic) if part.target_power.size]
    series = tuple(
        Series(name, _modes(part), part.cumulative_power, role, _MARKS[role], key=name.split(",")[0])
        for name, role, part in parts
    )
    return Curves(
        title="Target power",
        x=_K,
        y=Axis("share of target in first k modes", limits=(0.0, 1.02)),
        series=series,
        rules=tuple(_dimension(part) for _, _, part in parts[:1]),
        caption=captions.join(*(_alignment(name, part, len(parts)) for name, _, part in parts)),
    )


def _named(empirical: Spectrum | None, analytic: Spectrum | None) -> list[tuple[str, Role, Spectrum]]:
    """What there is to draw, the line first so that dots lie on it."""
    rows: list[tuple[str, Role, Spectrum | None]] = [
        ("analytic, infinite width", "analytic", analytic),
        ("empirical, finite width", "empirical", empirical),
    ]
    return [(name, role, part) for name, role, part in rows if part is not None]


def _modes(part: Spectrum) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.arange(1, part.eigenvalues.size + 1, dtype=np.float64)


def _above_floor(part: Spectrum) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    drawn = part.eigenvalues > max(part.floor, 0.0)
    return np.where(drawn, part.eigenvalues, np.nan)


def _range(series: tuple[Series, ...], parts: list[Spectrum]) -> tuple[tuple[float, float] | None, tuple[Shade, ...]]:
    """Limits of λ, and the region below the coarsest floor if any spectrum ends within two decades above it."""
    drawn = np.concatenate([s.y[np.isfinite(s.y)] for s in series]) if series else np.empty(0)
    if drawn.size == 0:
        return None, ()
    low, high = float(drawn.min()) / 2, float(drawn.max()) * 2
    coarsest = max(parts, key=lambda part: part.floor)
    if coarsest.floor <= 0 or float(coarsest.eigenvalues.min()) > 100 * coarsest.floor:
        return (low, high), ()
    low = min(low, coarsest.floor / 10)
    return (low, high), (Shade("y", low, coarsest.floor, f"below {coarsest.provenance.dtype} precision"),)


def _conventions(parts: list[tuple[str, Role, Spectrum]]) -> str:
    """Size, what differs between the spectra drawn, and what they share."""
    words = {captions.parameterisation(part.provenance) for _, _, part in parts}
    sizes = {part.eigenvalues.size for _, _, part in parts}
    precisions = {part.provenance.dtype for _, _, part in parts}
    own = (_caption(name, part, len(parts), len(precisions) > 1) for name, _, part in parts)
    return captions.join(*(f"N = {size}" for size in sizes if len(sizes) == 1), *own,
                         *(word for word in words if len(words) == 1),
                         *(dtype for dtype in precisions if len(precisions) == 1))  # fmt: skip


def _caption(name: str, part: Spectrum, of: int, mixed: bool) -> str:
    """Condition and seed of one spectrum, how many eigenvalues are not drawn, and its precision if they are mixed."""
    origin = part.provenance
    below = int((part.eigenvalues <= max(part.floor, 0.0)).sum())
    negative = int((part.eigenvalues < 0).sum())
    lost = f"{below} below the precision floor not drawn" if below else ""
    lost += f" ({negative} negative)" if negative else ""
    words = [captions.condition(part), lost, captions.seed(origin), origin.dtype if mixed else ""]
    words = [word for word in words if word]
    return f"{name.split(',')[0]}: {', '.join(words)}" if of > 1 else captions.join(*words)


def _dimension(part: Spectrum) -> Rule:
    return Rule("x", max(part.effective_dimension, 1.0), f"d_eff = {captions.number(part.effective_dimension)}")


def _alignment(name: str, part: Spectrum, of: int) -> str:
    words = [
        f"effective dimension {captions.number(part.effective_dimension)} at ridge {captions.number(part.ridge, 2)}"
    ]
    if part.alignment is not None:
        words.append(f"alignment {captions.number(part.alignment)}")
    if part.centred_alignment is not None:
        words.append(f"centred {captions.number(part.centred_alignment)}")
    return (f"{name.split(',')[0]}: " if of > 1 else "") + ", ".join(words)
