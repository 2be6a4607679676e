"""The experiment that a command works on, with the options that change it."""

from __future__ import annotations

import argparse
from pathlib import Path

from ntklab.cli import quantities
from ntklab.session.files import open_experiment
from ntklab.spec import Experiment


def add_options(parser: argparse.ArgumentParser) -> None:
    """The file, where and within what memory to compute, and how many networks to draw."""
    parser.add_argument("experiment", metavar="EXPERIMENT", type=Path, help="experiment file (.json or .toml)")
    parser.add_argument("--device", help="compute on cpu, cuda or cuda:N (default: as the file says)")
    parser.add_argument("--memory", type=quantities.memory, metavar="SIZE",
                        help="memory budget such as 2GB (default: a share of what is free)")  # fmt: skip
    parser.add_argument("--monte-carlo", type=int, metavar="S", help="draw S networks at each width for estimates "
                        "of the kernels with error bars (default: as the file says)")  # fmt: skip
    parser.add_argument("--widths", type=quantities.whole_numbers, metavar="N,N,…",
                        help="hidden widths of these networks (default: as the file says)")  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="do not report progress")


def chosen(options: argparse.Namespace) -> Experiment:
    """The experiment of ``options``. Raises ``FileError`` and ``SpecError``."""
    experiment = open_experiment(options.experiment)
    asked = {
        "device": options.device, "memory": options.memory, "monte_carlo": options.monte_carlo,
        "monte_carlo_widths": options.widths,
    }  # fmt: skip
    given = {name: value for name, value in asked.items() if value is not None}
    changed: Experiment = experiment.replace(kernel=experiment.kernel.replace(**given)) if given else experiment
    return changed
