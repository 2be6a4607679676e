"""``ntklab monte-carlo``: estimates of the kernels from random networks, beside the analytic ones if there are any."""

from __future__ import annotations

import argparse
from pathlib import Path

from ntklab.cli.experiment import add_options, chosen, models_of
from ntklab.cli.meter import Meter
from ntklab.files import check_folder
from ntklab.progress import drain
from ntklab.results import MonteCarlo, Run, agreement


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_options(parser)
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="arrays as .npz, .h5 or .csv (default: named after the experiment)")  # fmt: skip
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Draw the networks, write the arrays, and print how the estimates agree with the analytic kernels."""
    from ntklab import experiments, export

    experiment = chosen(options)
    target: Path = options.out or Path(f"{options.experiment.stem}-monte-carlo.npz")
    export.check_arrays_path(target)
    check_folder(target.parent)
    meter = Meter(quiet=options.quiet)
    try:
        run = drain(experiments.monte_carlo(experiment, models=models_of(options)), meter.event)
    finally:
        meter.close()
    for path in export.arrays(run, target, experiment=experiment):
        print(path)
    if not options.quiet:
        for line in verdicts(run):
            print(line)
    return 0


def verdicts(run: Run) -> tuple[str, ...]:
    """A line for each kernel: how precise its estimate is, and how far from the analytic kernel."""
    pairs = (("NTK", run.monte_carlo, run.ntk), ("NNGP kernel", run.monte_carlo_nngp, run.nngp))
    lines = []
    for name, found, analytic in pairs:
        if found is not None:
            z = None if analytic is None else agreement(found, analytic)
            judged = "no analytic kernel" if analytic is None else "too few networks for z-scores"
            if z is not None:
                judged = (
                    f"rms z {z.rms:.2f}, max |z| {z.largest:.2f}, |z| > 3: {z.beyond:.2%} ({z.expected:.2%} expected)"
                )
            lines.append(f"{name}: {_precision(found)}; {judged}")
    return tuple(lines)


def _precision(found: MonteCarlo) -> str:
    widths = ", ".join(str(width) for width in found.widths.tolist() if width) or "as written"
    return f"{found.networks} networks each, widths {widths}, ± {found.relative_error:.2%}"
