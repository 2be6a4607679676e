"""``ntklab kernel``: the finite-width kernel of an experiment into a folder, whatever its size."""

from __future__ import annotations

import argparse
from pathlib import Path

from ntklab import store
from ntklab.cli.experiment import add_options, chosen, models_of
from ntklab.cli.main import CANCELLED, UsageError, complain
from ntklab.cli.meter import Meter
from ntklab.progress import drain


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_options(parser, draws=False)
    parser.add_argument("--store", type=Path, required=True, metavar="FOLDER",
                        help="folder of the kernel, made if it is not there")  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the tiles that are in FOLDER already")
    parser.add_argument("--outputs", choices=("full", "diagonal", "mean"),
                        help="all pairs, each with itself, or their mean (default: as in the file)")  # fmt: skip
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Compute what is missing and print the folder. After Ctrl-C the finished tiles stay, and how many is said."""
    from ntklab import experiments

    experiment, folder = chosen(options), options.store
    if options.outputs is not None:
        experiment = experiment.replace(kernel=experiment.kernel.replace(outputs=options.outputs))
    if store.is_stored(folder) and not options.resume:
        raise UsageError(f"--store: {folder} holds a kernel already; add --resume to go on with it, or choose another")
    meter = Meter(quiet=options.quiet)
    try:
        drain(experiments.stored(experiment, folder, models=models_of(options)), meter.event)
    except KeyboardInterrupt:
        meter.close()
        complain(_kept(folder))
        return CANCELLED
    finally:
        meter.close()
    print(folder)
    return 0


def _kept(folder: Path) -> str:
    if not store.is_stored(folder):
        return "cancelled before any tile was finished"
    found = store.state(folder)
    return f"cancelled; {found.done} of {found.tiles} tiles are in {folder}: add --resume to go on with them"
