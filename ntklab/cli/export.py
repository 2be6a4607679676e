"""``ntklab export``: one figure, the arrays or the script of an experiment."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntklab.cli import quantities
from ntklab.cli.experiment import add_options, chosen, models_of
from ntklab.cli.main import UsageError
from ntklab.cli.meter import Meter
from ntklab.files import check_folder
from ntklab.progress import Work, drain
from ntklab.results import Run
from ntklab.spec import Experiment

if TYPE_CHECKING:
    from ntklab.experiments.models import Models
    from ntklab.figures.views import Choice

FORMATS = ("pdf", "svg", "png")
WIDTHS = (32, 64, 128, 256, 512, 1024)
SEEDS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_options(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--figure", metavar="NAME", help=f"one of {', '.join(_choices())}")
    what.add_argument("--arrays", action="store_true", help="kernels and results as .npz, .h5 or .csv")
    what.add_argument("--script", action="store_true", help="the experiment as a Python script")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: named after the experiment)")
    parser.add_argument("--format", choices=FORMATS, help="of a figure (default: by the suffix of FILE, else pdf)")
    parser.add_argument("--width", type=quantities.length, default=85.0, metavar="LENGTH", help="default 85mm")
    parser.add_argument("--height", type=quantities.length, metavar="LENGTH", help="default: what the figure needs")
    parser.add_argument("--font", type=quantities.points, default=8.0, metavar="SIZE", help="text size, default 8pt")
    parser.add_argument("--dpi", type=int, default=300, help="resolution of a png, default 300")
    parser.add_argument("--no-caption", action="store_true", help="leave out the line of conventions")
    parser.add_argument(
        "--mode", type=int, metavar="K", help="eigenmode of function-mode, 1 (the default) is the largest"
    )
    parser.add_argument("--layer", metavar="NAME", help="layer of kernel-layer, by its name (default: the first)")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Write what was asked for and print the paths written."""
    experiment = chosen(options)
    if options.script:
        written = _script(options, experiment)
    elif options.arrays:
        written = _arrays(options, experiment)
    else:
        written = _figure(options, experiment)
    for path in written:
        print(path)
    return 0


def _script(options: argparse.Namespace, experiment: Experiment) -> tuple[Path, ...]:
    from ntklab import export
    from ntklab.files import write_atomically

    return (write_atomically(_target(options, "py"), export.script(experiment).encode()),)


def _arrays(options: argparse.Namespace, experiment: Experiment) -> tuple[Path, ...]:
    from ntklab import experiments, export

    target = _target(options, "npz")
    export.check_arrays_path(target)
    check_folder(target.parent)
    run = _drained(options, experiments.run(experiment, models=models_of(options)))
    return export.arrays(run, target, experiment=experiment)


def _figure(options: argparse.Namespace, experiment: Experiment) -> tuple[Path, ...]:
    from ntklab import export

    choice = _choice(options.figure)
    target = _figure_target(options)
    export.suffix_format(target)
    check_folder(target.parent)
    sizes = {"width_mm": options.width, "height_mm": options.height, "font_pt": options.font, "dpi": options.dpi,
             "caption": not options.no_caption}  # fmt: skip
    export.Page(**sizes)
    scene, run = _scene(options, experiment, choice)
    figure = choice.figure(scene)
    if figure is None:
        reason = "this experiment has nothing to show there" if run.absence is None else run.absence.reason
        raise UsageError(f"--figure {options.figure}: {reason}; choose another")
    return (export.figure(figure, target, metadata=export.origin(run, experiment), **sizes),)


def _scene(options: argparse.Namespace, experiment: Experiment, choice: Choice) -> tuple[Any, Any]:
    """What the figure shows, computed with no more work than it needs, and the run that it is part of."""
    from dataclasses import replace

    from ntklab import experiments
    from ntklab.figures.views import scene_of

    parts = {*choice.needs, *choice.wants}
    run = _drained(options, _work(experiment, parts, models_of(options)))
    size = 0 if run.ntk_spectrum is None else run.ntk_spectrum.eigenvalues.size
    if options.mode is not None and not 1 <= options.mode <= max(size, 1):
        raise UsageError(f"--mode: modes are 1 to {size}, got {options.mode}; choose one of them")
    scene = scene_of(run, mode=None if options.mode is None else options.mode - 1, layer=options.layer)
    if "convergence" in parts:
        widths = experiments.width_convergence(experiment, WIDTHS, SEEDS)
        scene = replace(scene, convergence=_drained(options, widths))
    return scene, run


def _work(experiment: Experiment, parts: set[str], models: Models) -> Any:
    """The least that finds ``parts``."""
    from ntklab import experiments

    if "phase" in parts:
        return _phase(experiment, models)
    if "monte_carlo" in parts:
        return experiments.monte_carlo(experiment, models=models)
    if parts & {"ledger", "unmuted"}:
        return experiments.kernels(experiment, estimates=False, split=True, models=models)
    if "trajectory" in parts:
        return experiments.run(experiment, estimates=False, models=models)
    split = bool(parts & {"ledger", "unmuted"})
    return experiments.kernels(experiment, estimates=False, split=split, models=models)


def _phase(experiment: Experiment, models: Models) -> Work[Run]:
    """The data and the phase alone."""
    from ntklab import experiments
    from ntklab.experiments.stages import data_stage, without_forecast

    yield experiments.phase_forecast(experiment, models)
    data = yield from data_stage(experiment)
    phase = yield from without_forecast(experiments.phase(experiment, data, models=models))
    return Run(experiment.content_hash(), data, phase=phase)


def _drained(options: argparse.Namespace, work: Any) -> Any:
    meter = Meter(quiet=options.quiet)
    try:
        return drain(work, meter.event)
    finally:
        meter.close()


def _target(options: argparse.Namespace, suffix: str) -> Path:
    return options.out or Path(f"{options.experiment.stem}.{suffix}")


def _figure_target(options: argparse.Namespace) -> Path:
    """The file to write; ``--format`` and the suffix of ``--out`` must agree."""
    if options.out is None:
        return Path(f"{options.experiment.stem}-{options.figure}.{options.format or 'pdf'}")
    out: Path = options.out
    if options.format is None:
        return out
    if not out.suffix:
        return out.with_suffix(f".{options.format}")
    if out.suffix.lower() != f".{options.format}":
        raise UsageError(f"--format {options.format}: the name {out.name!r} says otherwise; leave one of them out")
    return out


def _choices() -> dict[str, Choice]:
    """Figures by name: ``kernel-empirical``, and ``kernel`` for the first of a view."""
    from ntklab.figures.views import VIEWS

    names = {view.id: view.choices[0] for view in VIEWS}
    return names | {f"{view.id}-{choice.id}": choice for view in VIEWS for choice in view.choices}


def _choice(name: str) -> Choice:
    found = _choices().get(name)
    if found is None:
        raise UsageError(f"--figure: unknown name {name!r}; choose one of {', '.join(_choices())}")
    return found
