"""How the finite-width kernel approaches its limit as the width grows."""

from __future__ import annotations

import numpy as np

from ntklab.figures import captions
from ntklab.figures.model import Array, Axis, Curves, Series
from ntklab.results import WidthConvergence


def convergence(found: WidthConvergence) -> Curves:
    """Relative error of the kernel against width, log-log: RMS over seeds, their range, the fit, and slope −½."""
    widths = found.widths.astype(np.float64)
    errors = np.where(np.isfinite(found.errors) & (found.errors > 0), found.errors, np.nan)
    seeds = errors.shape[1]
    rms = np.sqrt(np.nanmean(errors**2, axis=1)) if errors.size else np.full(len(widths), np.nan)
    band = (np.nanmin(errors, axis=1), np.nanmax(errors, axis=1)) if seeds > 1 else (None, None)
    name = f"RMS of {captions.count(seeds, 'seed')}" if seeds > 1 else "one seed"
    series = [Series(name, widths, rms, "empirical", "dots", low=band[0], high=band[1])]
    series += _guides(widths, rms, found.slope)
    return Curves(
        title="Convergence to infinite width",
        x=Axis("width n", scale="log"),
        y=Axis("relative error |Θₙ − Θ∞| / |Θ∞|", scale="log"),
        series=tuple(series),
        caption=captions.join(
            _slope(found),
            "Frobenius norm",
            f"band: range over {captions.count(seeds, 'seed')}" if seeds > 1 else "",
            captions.parameterisation(found.provenance),
            found.provenance.dtype,
        ),
    )


def _guides(widths: Array, rms: Array, slope: float | None) -> list[Series]:
    """The fitted power law and width^−½, both through the middle of the points."""
    good = np.isfinite(rms)
    if good.sum() < 2:
        return []
    x, y = widths[good], rms[good]
    relative, middle = x / np.exp(np.log(x).mean()), np.exp(np.log(y).mean())
    guides = [Series("slope −½", x, middle * relative**-0.5, "guide", "dashes")]
    if slope is not None:
        name = f"fit, slope {captions.number(slope, 2)}"
        guides.insert(0, Series(name, x, middle * relative**slope, "empirical", weight=0.6))
    return guides


def _slope(found: WidthConvergence) -> str:
    if found.slope is None:
        return ""
    error = "" if found.slope_error is None else f" ± {captions.number(found.slope_error, 2)}"
    return f"slope {captions.number(found.slope, 3)}{error}"
