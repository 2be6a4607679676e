"""The views of the laboratory as a table: what each can show, what that needs, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from ntklab import figures
from ntklab.figures.model import Figure
from ntklab.results import (
    Absence,
    Data,
    Gram,
    Ledger,
    MonteCarlo,
    Network,
    Phase,
    Spectrum,
    Trajectory,
    WidthConvergence,
)


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that can be drawn; parts that do not exist yet are None.

    ``mode`` counts eigenmodes from 0, ``layer`` is the name of a layer in the ledger.
    """

    data: Data | None = None
    empirical: Gram | None = None
    ntk: Gram | None = None
    nngp: Gram | None = None
    empirical_spectrum: Spectrum | None = None
    ntk_spectrum: Spectrum | None = None
    trajectory: Trajectory | None = None
    convergence: WidthConvergence | None = None
    monte_carlo: MonteCarlo | None = None
    monte_carlo_nngp: MonteCarlo | None = None
    phase: Phase | None = None
    network: Network | None = None
    absence: Absence | None = None
    ledger: Ledger | None = None
    unmuted: Gram | None = None
    unmuted_spectrum: Spectrum | None = None
    mode: int | None = None
    layer: str | None = None


SELECTED = ("mode", "layer")
PARTS = tuple(field.name for field in fields(Scene) if field.name not in SELECTED)


@dataclass(frozen=True)
class Choice:
    """One thing a view can show: ``draw`` takes the parts of the scene named in ``needs``, in that order.

    ``wants`` names parts that are passed too where they exist, by keyword. ``card`` is the id of its maths card,
    ``waiting`` what to do when there is nothing to show yet, as where ``draw`` gives None. Choices of one ``group``
    stand together under its name.
    """

    id: str
    title: str
    needs: tuple[str, ...]
    draw: Callable[..., Figure | None]
    card: str
    waiting: str
    wants: tuple[str, ...] = ()
    group: str = ""

    def missing(self, scene: Scene) -> str:
        """Why there can be no figure for this network; empty where there may be one."""
        absence = scene.absence
        if absence is None or not any(part in absence.parts and getattr(scene, part) is None for part in self.needs):
            return ""
        return absence.reason[:1].upper() + absence.reason[1:]

    def figure(self, scene: Scene) -> Figure | None:
        """The figure for ``scene``, or None while a needed part is missing."""
        parts = [getattr(scene, name) for name in self.needs]
        if any(part is None for part in parts):
            return None
        return self.draw(*parts, **{name: getattr(scene, name) for name in self.wants})


@dataclass(frozen=True)
class View:
    """A place in the window and the choices of what to show there.

    ``beside`` is the id of an earlier view whose place it shares: one of them is seen at a time.
    """

    id: str
    title: str
    choices: tuple[Choice, ...]
    beside: str = ""


_KERNELS = "Compute kernels to see it: Ctrl+R"
_TRAIN = "Train to see it: Ctrl+T"
_NETWORKS = "Draw random networks to see it: Ctrl+M"
_MORE_NETWORKS = "Draw at least 3 networks beside an analytic kernel to see it: Ctrl+M"
_SAMPLED = "MC"
_PHASE = "Being computed"
_DEPTH = "Depth"
_LAYERS = "Layers"
_SPLIT = "Being split, once kernels are computed: Ctrl+R"
_MUTE = "Mute a layer under Layers to see it"
_SWEEP = "Drag the width, or sweep it: Ctrl+W"


def _empirical(gram: Gram, data: Data, empirical_spectrum: Spectrum | None) -> Figure:
    return figures.kernel(gram, data, title="Empirical NTK", spectrum=empirical_spectrum)


def _analytic(gram: Gram, data: Data, ntk_spectrum: Spectrum | None) -> Figure:
    return figures.kernel(gram, data, title="Analytic NTK, infinite width", spectrum=ntk_spectrum)


def _nngp(gram: Gram, data: Data) -> Figure:
    return figures.kernel(gram, data, title="NNGP kernel, infinite width")


def _spectrum(
    empirical_spectrum: Spectrum, ntk_spectrum: Spectrum | None, mode: int | None, unmuted_spectrum: Spectrum | None
) -> Figure:
    return figures.spectrum(empirical_spectrum, ntk_spectrum, mode=mode, unmuted=unmuted_spectrum)


def _unmuted(unmuted: Gram, data: Data, unmuted_spectrum: Spectrum | None) -> Figure:
    return figures.kernel(unmuted, data, title="Empirical · without muted layers", spectrum=unmuted_spectrum)


def _eigenfunction(data: Data, empirical_spectrum: Spectrum, mode: int | None) -> Figure:
    return figures.eigenfunction(data, empirical_spectrum, mode or 0)


def _power(empirical_spectrum: Spectrum, ntk_spectrum: Spectrum | None) -> Figure:
    return figures.power(empirical_spectrum, ntk_spectrum)


def _function(data: Data, trajectory: Trajectory | None) -> Figure:
    return figures.function(data, trajectory)


VIEWS: tuple[View, ...] = (
    View("kernel", "Kernel", (
        Choice("empirical", "Empirical", ("empirical", "data"), _empirical, "kernel", _KERNELS,
               ("empirical_spectrum",)),
        Choice("analytic", "Analytic", ("ntk", "data"), _analytic, "analytic", _KERNELS, ("ntk_spectrum",)),
        Choice("difference", "Difference", ("empirical", "ntk", "data"), figures.difference, "difference", _KERNELS),
        Choice("nngp", "NNGP", ("nngp", "data"), _nngp, "nngp", _KERNELS),
        Choice("layer", "Of a layer", ("ledger", "data"), figures.layer_map, "layer", _SPLIT, ("layer",),
               group=_LAYERS),
        Choice("unmuted", "Without muted layers", ("unmuted", "data"), _unmuted, "unmuted", _MUTE,
               ("unmuted_spectrum",), group=_LAYERS),
        Choice("mc-mean", "Monte Carlo mean", ("monte_carlo", "data"), figures.monte_carlo_mean, "monte-carlo",
               _NETWORKS, group=_SAMPLED),
        Choice("mc-error", "Standard error of the mean", ("monte_carlo", "data"), figures.monte_carlo_error,
               "monte-carlo", _NETWORKS, group=_SAMPLED),
        Choice("mc-z", "z-scores against the analytic NTK", ("monte_carlo", "ntk", "data"), figures.z_scores,
               "z-scores", _MORE_NETWORKS, group=_SAMPLED),
        Choice("mc-histogram", "Histogram of z-scores", ("monte_carlo", "ntk"), figures.z_histogram, "z-scores",
               _MORE_NETWORKS, ("nngp", "monte_carlo_nngp"), group=_SAMPLED),
    )),
    View("spectrum", "Spectrum", (
        Choice("eigenvalues", "Eigenvalues", ("empirical_spectrum",), _spectrum, "spectrum", _KERNELS,
               ("ntk_spectrum", "mode", "unmuted_spectrum")),
        Choice("power", "Target power", ("empirical_spectrum",), _power, "power", _KERNELS, ("ntk_spectrum",)),
    )),
    View("function", "Function", (
        Choice("prediction", "Prediction", ("data",), _function, "function", _KERNELS, ("trajectory",)),
        Choice("mode", "Eigenmode", ("data", "empirical_spectrum"), _eigenfunction, "mode", _KERNELS, ("mode",)),
    )),
    View("dynamics", "Dynamics", (
        Choice("loss", "Loss", ("trajectory",), figures.losses, "dynamics", _TRAIN),
        Choice("outputs", "Outputs", ("trajectory", "data"), figures.outputs, "dynamics", _TRAIN),
        Choice("drift", "Drift", ("trajectory",), figures.drift, "drift", _TRAIN),
        Choice("convergence", "Width", ("convergence",), figures.convergence, "convergence", _SWEEP),
    )),
    View("phase", "Phase", (
        Choice("diagram", "Diagram", ("phase",), figures.phase_diagram, "phase", _PHASE),
        Choice("map", "Map", ("phase",), figures.correlation_map, "correlation-map", _PHASE),
        Choice("diagonal", "Diagonals against depth", ("phase",), figures.depth_diagonals, "depth-diagonal", _PHASE,
               group=_DEPTH),
        Choice("correlation", "Correlation against depth", ("phase",), figures.depth_correlation, "depth-correlation",
               _PHASE, group=_DEPTH),
    ), beside="function"),
    View("layers", "Layers", (
        Choice("mixer", "Mixer", ("ledger",), figures.layer_shares, "ledger", _SPLIT),
        Choice("spectra", "Spectra", ("ledger",), figures.layer_spectra, "layer-spectra", _SPLIT,
               ("unmuted_spectrum", "mode")),
        Choice("modes", "Modes", ("ledger",), figures.layer_modes, "layer-modes", _SPLIT, ("mode",)),
        Choice("maps", "Maps", ("ledger", "data"), figures.layer_maps, "layer", _SPLIT),
    ), beside="dynamics"),
)  # fmt: skip


def affected(part: str) -> Iterator[tuple[View, Choice]]:
    """The choices that draw ``part``."""
    for view in VIEWS:
        for choice in view.choices:
            if part in choice.needs or part in choice.wants:
                yield view, choice


def find(view_id: str, choice_id: str) -> Choice:
    """The row of a choice. Raises ``KeyError``."""
    table: dict[tuple[str, str], Choice] = {(view.id, choice.id): choice for view in VIEWS for choice in view.choices}
    return table[view_id, choice_id]


def scene_of(holder: Any, mode: int | None = None, layer: str | None = None) -> Scene:
    """A scene from anything that has its parts as attributes (a ``Run``, a session's results)."""
    return Scene(**{name: getattr(holder, name, None) for name in PARTS}, mode=mode, layer=layer)
