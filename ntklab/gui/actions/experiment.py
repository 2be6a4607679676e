"""Experiment menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntklab.session import edits

if TYPE_CHECKING:
    from ntklab.gui.window import Window


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


def next_seed(window: Window) -> None:
    """Draw another network of the same architecture."""
    experiment = window.session.experiment
    seed = experiment.kernel.seed + 1
    window.session.edit(edits.set_kernel(experiment, seed=seed), f"seed {seed}")
    window.laboratory.compute()
