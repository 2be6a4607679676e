"""Kernels estimated from random networks: the mean, its standard error, and the deviations of the analytic kernel."""

from __future__ import annotations

import numpy as np

from ntklab.figures import captions, norms
from ntklab.figures.heatmaps import arranged
from ntklab.figures.model import Array, Axis, Curves, Heatmap, Norm, Role, Rule, Series
from ntklab.results import Data, Gram, MonteCarlo, ZScores, agreement

LIMIT = 3.0
_NARROWEST, _WIDEST = 4.0, 10.0  # of the axis of z
_BINS = 40
_SYMBOLS = {"ntk": ("NTK", "Θ(i, j)"), "nngp": ("NNGP kernel", "K(i, j)")}


def monte_carlo_mean(found: MonteCarlo, data: Data) -> Heatmap:
    """The mean over the widest networks, (n, n); the caption states its error and what biases it."""
    name, symbol = _SYMBOLS[found.kind]
    return Heatmap(
        title=f"Monte Carlo {name}",
        norm=norms.robust(found.mean),
        value_label=f"mean of {symbol}",
        caption=captions.join(_precision(found), *_origin(found, "shown")),
        **arranged(found.mean, data),
    )


def monte_carlo_error(found: MonteCarlo, data: Data) -> Heatmap | None:
    """The standard error of the mean over the widest networks, (n, n); None while there is a single network."""
    if found.networks < 2:
        return None
    name, symbol = _SYMBOLS[found.kind]
    return Heatmap(
        title=f"Standard error of the {name}",
        norm=norms.robust(found.standard_error),
        value_label=f"standard error of {symbol}",
        caption=captions.join(_precision(found), "standard deviation over seeds / √networks", *_origin(found, "shown")),
        **arranged(found.standard_error, data),
    )


def z_scores(found: MonteCarlo, analytic: Gram, data: Data) -> Heatmap | None:
    """z-scores of the estimate against the ``analytic`` kernel, (n, n); None where they cannot be had (yet)."""
    z = agreement(found, analytic)
    if z is None:
        return None
    name, symbol = _SYMBOLS[found.kind]
    high = max(LIMIT, norms.symmetric(z.values).high)
    return Heatmap(
        title=f"z-scores of the {name}",
        norm=Norm("symmetric", -high, high),
        value_label=f"z of {symbol}",
        colours="diverging",
        caption=captions.join(_verdict(z), *_compared(found, z)),
        **arranged(z.values, data),
    )


def z_histogram(
    found: MonteCarlo, analytic: Gram, *, nngp: Gram | None = None, monte_carlo_nngp: MonteCarlo | None = None
) -> Curves | None:
    """How the z-scores of the NTK, and of the NNGP kernel where it is given, are distributed, beside N(0, 1)."""
    z = agreement(found, analytic)
    if z is None:
        return None
    kernels: list[tuple[str, Role, ZScores]] = [("NTK", "empirical", z)]
    if nngp is not None and monte_carlo_nngp is not None:
        other = agreement(monte_carlo_nngp, nngp)
        kernels += [] if other is None else [("NNGP kernel", "difference", other)]
    reach = min(_WIDEST, max(_NARROWEST, *(float(np.ceil(each.largest)) for _, _, each in kernels)))
    edges = np.linspace(-reach, reach, _BINS + 1)
    x = np.linspace(-reach, reach, 201)
    normal = Series("N(0, 1)", x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), "guide", "dashes")
    return Curves(
        title="Histogram of z-scores",
        x=Axis("z", "standard errors", limits=(-reach, reach)),
        y=Axis("density"),
        series=(*(_steps(name, role, each.distinct, edges) for name, role, each in kernels), normal),
        rules=(Rule("x", -LIMIT), Rule("x", LIMIT)),
        caption=captions.join(_verdict(z), *_compared(found, z)),
    )


def _steps(name: str, role: Role, z: Array, edges: Array) -> Series:
    """A histogram as a line of steps; what lies beyond the edges counts in the last bins."""
    counts, _ = np.histogram(np.clip(z, edges[0], edges[-1]), edges)
    density = counts / max(counts.sum(), 1) / np.diff(edges)
    return Series(name, np.repeat(edges, 2)[1:-1], np.repeat(density, 2), role)


def _precision(found: MonteCarlo) -> str:
    if found.networks < 2:
        return "one network: no error bar yet"
    return f"± {captions.number(100 * found.relative_error, 2)} %"


def _verdict(z: ZScores) -> str:
    beyond, expected = (captions.number(100 * share, 2) for share in (z.beyond, z.expected))
    return captions.join(
        f"rms z = {captions.number(z.rms, 2)}",
        f"max |z| = {captions.number(z.largest, 2)}",
        f"|z| > 3: {beyond} % ({expected} % expected)",
    )


def _compared(found: MonteCarlo, z: ZScores) -> tuple[str, ...]:
    """What was compared with the analytic kernel."""
    what = "extrapolated to width ∞ as a + b/n" if z.extrapolated else "bias of order 1/width counts as deviation"
    return (what, captions.estimate(found), "entries share their networks", *_conventions(found))


def _origin(found: MonteCarlo, verb: str) -> tuple[str, ...]:
    several = f"{verb}: width {found.width}, biased by O(1/n)" if len(found.widths) > 1 else "biased by O(1/n)"
    return (captions.estimate(found), several, *_conventions(found))


def _conventions(found: MonteCarlo) -> tuple[str, ...]:
    origin = found.provenance
    seeds = "" if origin.seed is None else f"seeds from {origin.seed}"
    return (captions.parameterisation(origin), seeds, origin.dtype)
