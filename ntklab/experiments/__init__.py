"""Answers to whole questions: each takes an experiment, says how far it is, and returns results as numpy values.

Importing this imports torch: do it late, in the thread that computes.
"""

from ntklab.experiments.devices import devices, use_threads
from ntklab.experiments.empirical import empirical
from ntklab.experiments.forecast import forecast, ledger_forecast, monte_carlo_forecast, phase_forecast
from ntklab.experiments.kernels import kernels
from ntklab.experiments.ledger import ledger, model_ledger, mute
from ntklab.experiments.load import load
from ntklab.experiments.monte_carlo import monte_carlo
from ntklab.experiments.parts import ledger_of
from ntklab.experiments.phase import phase, phase_of
from ntklab.experiments.run import run
from ntklab.experiments.stored import stored
from ntklab.experiments.training import train
from ntklab.experiments.warm_up import warm_up
from ntklab.experiments.width_convergence import width_convergence
from ntklab.experiments.width_dial import width_dial

__all__ = [
    "devices",
    "empirical",
    "forecast",
    "kernels",
    "ledger",
    "ledger_forecast",
    "ledger_of",
    "load",
    "model_ledger",
    "monte_carlo",
    "monte_carlo_forecast",
    "mute",
    "phase",
    "phase_forecast",
    "phase_of",
    "run",
    "stored",
    "train",
    "use_threads",
    "warm_up",
    "width_convergence",
    "width_dial",
]
