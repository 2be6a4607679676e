"""The experiment that a command works on, with the options that change it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntklab.cli import quantities
from ntklab.cli.main import UsageError
from ntklab.files import read_code, sha256_of
from ntklab.session.files import open_experiment
from ntklab.spec import Checkpoint, Experiment, ModelFile

if TYPE_CHECKING:
    from ntklab.experiments.models import Models


def add_options(parser: argparse.ArgumentParser, *, draws: bool = True) -> None:
    """The file, where and within what memory to compute, and with ``draws`` how many networks to draw."""
    parser.add_argument("experiment", metavar="EXPERIMENT", type=Path, help="experiment file (.json or .toml)")
    parser.add_argument("--device", help="compute on cpu, cuda or cuda:N (default: as the file says)")
    parser.add_argument("--memory", type=quantities.memory, metavar="SIZE",
                        help="memory budget such as 2GB (default: a share of what is free)")  # fmt: skip
    if draws:
        _add_draws(parser)
    parser.add_argument("--model", metavar="FILE.py:FUNCTION",
                        help="a Python file and its function that returns a torch module, in place of the network "
                        "described; needs --trust")  # fmt: skip
    parser.add_argument("--input", type=quantities.whole_numbers, metavar="N,N,…",
                        help="shape of one sample as the model takes it, such as 3,32,32")  # fmt: skip
    parser.add_argument("--checkpoint", metavar="FILE", help="parameters of the network: .pt, .pth or .safetensors")
    parser.add_argument("--trust", action="store_true", help="run the Python file of the model, which you have read")
    parser.add_argument("--split", action="store_const", const=True,
                        help="also what each layer adds to the finite-width kernel: maps, spectra, shares of trace and "
                        "target alignment (default: as the file says)")  # fmt: skip
    parser.add_argument("--mute", type=quantities.names, metavar="NAME,NAME,…", help="also the kernel of training all "
                        "layers but these, by their names in the ledger (default: as the file says)")  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="do not report progress")
    parser.set_defaults(monte_carlo=None, widths=None)


def _add_draws(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--monte-carlo", type=int, metavar="S", help="draw S networks at each width for estimates "
                        "of the kernels with error bars (default: as the file says)")  # fmt: skip
    parser.add_argument("--widths", type=quantities.whole_numbers, metavar="N,N,…",
                        help="hidden widths of these networks (default: as the file says)")  # fmt: skip


def chosen(options: argparse.Namespace) -> Experiment:
    """The experiment of ``options``. Raises ``FileError`` and ``SpecError``."""
    experiment = open_experiment(options.experiment)
    asked = {
        "device": options.device, "memory": options.memory, "monte_carlo": options.monte_carlo,
        "monte_carlo_widths": options.widths, "split": options.split, "muted": options.mute,
    }  # fmt: skip
    given = {name: value for name, value in asked.items() if value is not None}
    changed: Experiment = experiment.replace(kernel=experiment.kernel.replace(**given)) if given else experiment
    network = _network(options, experiment)
    return changed.replace(**network) if network else changed


def models_of(options: argparse.Namespace) -> Models:
    """What makes the user's own networks: files are run if the command says that they are trusted."""
    from ntklab.experiments.models import Models

    return Models(trusted=options.trust)


def _network(options: argparse.Namespace, experiment: Experiment) -> dict[str, Any]:
    """The model and the checkpoint that the options name, as they are now. Runs nothing."""
    found: dict[str, Any] = {}
    if options.model is not None:
        path, colon, function = options.model.rpartition(":")
        if not colon:
            raise UsageError(f"--model: expected FILE.py:FUNCTION, got {options.model!r}; name the function too")
        found["model"] = ModelFile(path, function, read_code(path)[1], options.input)
    elif options.input is not None:
        if experiment.model is None:
            raise UsageError("--input: this experiment has no model; name one with --model FILE.py:FUNCTION")
        found["model"] = experiment.model.replace(input=options.input)
    if options.checkpoint is not None:
        found["checkpoint"] = Checkpoint(options.checkpoint, sha256_of(options.checkpoint))
    return found
