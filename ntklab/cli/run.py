"""``ntklab run``: everything about an experiment, into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntklab.cli.experiment import add_options, chosen, models_of
from ntklab.cli.main import CANCELLED, complain
from ntklab.cli.meter import Meter, result_name
from ntklab.files import check_folder
from ntklab.progress import Event, Partial, drain
from ntklab.results import Run
from ntklab.spec import Experiment

if TYPE_CHECKING:
    from ntklab.experiments.models import Models

PARTIAL = "arrays-partial.npz"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Run the experiment and print the path of its report."""
    return run_into(chosen(options), options.out, models=models_of(options), quiet=options.quiet)


def run_into(experiment: Experiment, folder: Path, *, models: Models | None = None, quiet: bool = False) -> int:
    """Run ``experiment``, write its report into ``folder``, print the report's path; the exit status.

    After Ctrl-C the finished results are kept and named.
    """
    check_folder(folder)  # fails now rather than at the end
    from ntklab import experiments, export

    meter, finished = Meter(quiet=quiet), dict[str, Any]()

    def listen(event: Event) -> None:
        meter.event(event)
        if isinstance(event, Partial) and result_name(event.key):
            finished[event.key] = event.value

    try:
        run = drain(experiments.run(experiment, models=models), listen)
        page = drain(export.reporting(experiment, run, folder), meter.event)
    except KeyboardInterrupt:
        meter.close()
        complain(_kept(experiment, finished, folder))
        return CANCELLED
    meter.close()
    if run.absence is not None:
        complain(run.absence.reason)
    print(page)
    return 0


def _kept(experiment: Experiment, finished: dict[str, Any], folder: Path) -> str:
    """Write the results that were finished and say which."""
    from ntklab import export

    if "data" not in finished:
        return "cancelled before any result was finished"
    run = Run(experiment.content_hash(), **finished)
    (path,) = export.arrays(run, folder / PARTIAL, experiment=experiment)
    return f"cancelled; kept {', '.join(str(result_name(key)) for key in finished)} in {path}"
