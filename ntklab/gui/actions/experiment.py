"""Experiment menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntklab.figures.views import find
from ntklab.session import edits

if TYPE_CHECKING:
    from ntklab.gui.window import Window

NETWORKS = 32  # drawn at each width where the experiment does not say how many


def compute(window: Window) -> None:
    """Kernels and spectra."""
    window.laboratory.compute()


def train(window: Window) -> None:
    """Network, linearisation and infinite-width prediction."""
    window.laboratory.train()


def stop(window: Window) -> None:
    """Give a maximised view back, else cancel the newest job."""
    if not window.views.restore():
        window.laboratory.stop()


def sweep(window: Window) -> None:
    """Distance of the finite from the infinite kernel over widths and seeds."""
    window.views.show_choice("dynamics", "convergence")
    window.laboratory.sweep()


def draw_networks(window: Window) -> None:
    """Kernels of random networks with error bars; as many as the experiment says, which then says some number."""
    experiment = window.session.experiment
    if experiment.kernel.monte_carlo is None:
        window.session.edit(edits.set_kernel(experiment, monte_carlo=NETWORKS), f"networks {NETWORKS}")
    if not find("kernel", window.views.panels["kernel"].choice.id).group:
        window.views.show_choice("kernel", "mc-mean")
    window.laboratory.draw_networks()


def next_seed(window: Window) -> None:
    """Draw another network of the same architecture."""
    experiment = window.session.experiment
    seed = experiment.kernel.seed + 1
    window.session.edit(edits.set_kernel(experiment, seed=seed), f"seed {seed}")
    window.laboratory.compute()
