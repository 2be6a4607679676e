"""What each layer adds to the NTK: maps, spectra, shares of the eigenvalues, and shares of trace and alignment.

Diagrams with a colour for each contributor show the groups of a deep network; maps show every layer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntklab.figures import captions, norms
from ntklab.figures.colours import class_role
from ntklab.figures.heatmaps import arranged
from ntklab.figures.model import Axis, Bar, Bars, Curves, Heatmap, Maps, Rule, Series
from ntklab.figures.order import sample_order
from ntklab.results import Data, Ledger, Spectrum

Array = NDArray[np.float64]

_LARGEST_MAP = 96  # entries along each side of a small map
_AREA = 0.55
_LINES = 40.0  # times below the least of the whole that spectra of layers are still shown


def layer_map(ledger: Ledger, data: Data, *, layer: str | None = None) -> Heatmap:
    """The part of one layer (n, n) in the order of the samples; of the first where ``layer`` names none."""
    row = ledger.row(layer or "") or 0
    values = ledger.parts[row]
    return Heatmap(
        title=f"Empirical · layer {row + 1}, {ledger.titles[row]}",
        norm=norms.robust(values),
        value_label=f"Θ{captions.subscript(row + 1)}(i, j)",
        caption=captions.join(
            f"{_percent(ledger.trace_share[row])} of the trace",
            f"{_percent(ledger.alignment_share[row])} of the alignment",
            captions.count(int(ledger.parameters[row]), "parameter") if ledger.parameters[row] else "",
            _conventions(ledger),
        ),
        **arranged(values, data),
    )


def layer_maps(ledger: Ledger, data: Data) -> Maps:
    """The parts of all layers in one scale: each over the mean of its diagonal, so that their patterns compare.

    Large ones are averaged over blocks of samples.
    """
    n = len(data.X_train)
    at = sample_order(data).positions if ledger.parts.shape[1] == n else np.arange(ledger.parts.shape[1])
    values = np.stack([_reduced(_scaled(part)[np.ix_(at, at)]) for part in ledger.parts])
    rows = range(len(ledger.names))
    return Maps(
        title="Parts of the layers",
        values=values,
        names=tuple(f"{ledger.label(row)} · {_percent(ledger.trace_share[row])}" for row in rows),
        keys=tuple(str(row + 1) for row in rows),
        picks=ledger.names,
        norm=norms.robust(values),
        value_label="Θₗ(i, j) / mean diagonal",
        caption=captions.join("percent: share of the trace", f"n = {ledger.parts.shape[1]}", _conventions(ledger)),
    )


def layer_spectra(ledger: Ledger, unmuted_spectrum: Spectrum | None = None, mode: int | None = None) -> Curves:
    """Eigenvalues of each part, and of the sum; log-log. Those below the precision of the largest are not drawn."""
    modes = np.arange(1, ledger.whole.size + 1, dtype=np.float64)
    series = [Series("all layers", modes, _above(ledger, ledger.whole), "target", key="all")]
    if unmuted_spectrum is not None:
        values = _above(ledger, unmuted_spectrum.eigenvalues)
        series.append(Series("without muted layers", modes, values, "target", "dashes", weight=0.8, key="not muted"))
    series += [
        Series(name, modes, _above(ledger, values), class_role(group), weight=0.8, key=_key(name))
        for group, (name, values) in enumerate(zip(ledger.group_titles, ledger.group_eigenvalues, strict=True))
    ]
    return Curves(
        title="Spectra of the layers",
        x=Axis("mode k", scale="log"),
        y=Axis("eigenvalue of Θₗ", scale="log", limits=_decades(ledger, series)),
        series=tuple(series),
        rules=_marked(mode),
        caption=captions.join(f"N = {ledger.whole.size}", _grouping(ledger), _conventions(ledger)),
    )


def layer_modes(ledger: Ledger, mode: int | None = None) -> Curves:
    """Which layers carry each eigenvalue of the sum: v_kᵀΘ_l v_k / λ_k, stacked up to 1 in the order of the network."""
    modes = np.arange(1, ledger.whole.size + 1, dtype=np.float64)
    shares = ledger.by_group(ledger.mode_share)
    tops = np.cumsum(shares, axis=0)
    series = tuple(
        Series(name, modes, top, class_role(group), weight=0.5, low=top - share, high=top, fill=_AREA, key=_key(name))
        for group, (name, top, share) in enumerate(zip(ledger.group_titles, tops, shares, strict=True))
    )
    below = int(np.isnan(ledger.mode_share[0]).sum())
    return Curves(
        title="Layers in each mode",
        x=Axis("mode k", scale="log"),
        y=Axis("share of λₖ", limits=(0.0, 1.0)),
        series=series,
        rules=_marked(mode),
        caption=captions.join(
            "vₖᵀΘₗvₖ / λₖ", f"{below} below the precision floor not drawn" if below else "", _grouping(ledger),
            _conventions(ledger),
        ),
    )  # fmt: skip


def layer_shares(ledger: Ledger) -> Bars:
    """Shares of each layer in the parameters, in the trace and in the alignment with the targets, stacked to 100 %."""
    total = int(ledger.parameters.sum())
    rows: list[tuple[str, Array]] = [
        ("trace", ledger.trace_share),
        ("target alignment", ledger.alignment_share),
    ]
    if total:
        rows.insert(0, ("parameters", ledger.parameters / total))
    grouped = np.stack([ledger.by_group(values) for _, values in rows], axis=1)  # (G, R)
    return Bars(
        title="Shares of the layers",
        x=Axis("share", "%", limits=(0.0, 100.0)),
        names=tuple(name for name, _ in rows),
        parts=tuple(
            Bar(_key(name), 100 * values, class_role(group), key=_range(ledger, group))
            for group, (name, values) in enumerate(zip(ledger.group_titles, grouped, strict=True))
        ),
        caption=captions.join(
            "trace: tr Θₗ / tr Θ",
            "no alignment: the targets do not vary" if np.isnan(ledger.alignment_share).all()
            else "alignment: tr(YᵀΘₗY) / tr(YᵀΘY), Y centred",
            _grouping(ledger), _conventions(ledger),
        ),
    )  # fmt: skip


# -- parts -------------------------------------------------------------------------------------------------------------


def _key(title: str) -> str:
    """A group in a legend: "layers 1–5" as 1–5, as there are many."""
    return title.removeprefix("layers ")


def _range(ledger: Ledger, group: int) -> str:
    """The numbers of the layers in a group."""
    first, last = np.flatnonzero(ledger.groups == group)[[0, -1]] + 1
    return f"{first}–{last}" if last > first else f"{first}"


def _above(ledger: Ledger, values: Array) -> Array:
    """NaN where rounding of the whole hides them."""
    floor = len(ledger.whole) * float(np.finfo(ledger.parts.dtype).eps) * max(float(ledger.whole[0]), 0.0)
    return np.where(values > floor, values, np.nan)


def _decades(ledger: Ledger, series: list[Series]) -> tuple[float, float] | None:
    """Limits that show the whole, and of the layers what is not too far below."""
    whole = _above(ledger, ledger.whole)
    drawn = np.concatenate([one.y for one in series])
    if not np.isfinite(drawn).any() or not np.isfinite(whole).any():
        return None
    low = max(float(np.nanmin(whole)) / _LINES, float(np.nanmin(drawn)) / 1.5)
    return low, float(np.nanmax(drawn)) * 2


def _scaled(part: NDArray[np.floating]) -> Array:
    mean = float(np.trace(part)) / len(part)
    return np.asarray(part, dtype=np.float64) / (mean if mean > 0 else 1.0)


def _reduced(values: Array) -> Array:
    """Means of blocks, so that neither side is long; blocks at the end may be smaller."""
    size = len(values)
    starts = np.arange(0, size, -(-size // _LARGEST_MAP))
    if len(starts) == size:
        return values
    sizes = np.diff(np.append(starts, size))
    summed = np.add.reduceat(np.add.reduceat(values, starts, axis=0), starts, axis=1)
    return np.asarray(summed / np.outer(sizes, sizes))


def _marked(mode: int | None) -> tuple[Rule, ...]:
    return () if mode is None else (Rule("x", mode + 1, f"mode {mode + 1}"),)


def _grouping(ledger: Ledger) -> str:
    count = len(ledger.names)
    return f"{count} layers in {len(ledger.group_titles)} groups" if count > len(ledger.group_titles) else ""


def _conventions(ledger: Ledger) -> str:
    origin = ledger.provenance
    return captions.join(captions.parameterisation(origin), captions.seed(origin), origin.dtype)


def _percent(share: float) -> str:
    if math.isnan(share):
        return "no share"
    return f"{captions.number(100 * float(share), 2 if share < 0.1 else 3)} %"
