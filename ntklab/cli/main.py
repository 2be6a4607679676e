"""Which command is meant, and what becomes of its errors: one line and a status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from ntklab import __version__
from ntklab.errors import NtkLabError

CANCELLED = 130
BAD_INPUT = 2

# command → what it does, in the order of the help
COMMANDS = {
    "run": "compute an experiment without a window and write kernels, figures and a report",
    "export": "write one figure, the arrays or the script of an experiment",
    "kernel": "compute the finite-width kernel of an experiment into a folder, whatever its size",
    "monte-carlo": "estimate the kernels from random networks, with error bars, also where no closed form exists",
    "info": "versions, devices and memory; or how far a kernel in a folder is, and what it depends on",
    "window": "open the window (also without any command)",
}


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are ordinary errors of this program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


class UsageError(NtkLabError):
    """The command line cannot be understood."""


def main(argv: Sequence[str]) -> int:
    """Exit status of the command line ``argv``: 0, 2 for bad input, 130 for Ctrl-C."""
    try:
        options = _parse(argv)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except NtkLabError as error:
        complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        complain("cancelled")
        return CANCELLED
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        return 0


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"ntklab: {' '.join(message.split())}", file=sys.stderr)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """The first word is a command, or belongs to the window."""
    words = list(argv)
    if not words or words[0] not in (*COMMANDS, "-h", "--help", "--version"):
        words.insert(0, "window")
    parser = Parser(prog="ntklab", description="A laboratory for Neural Tangent Kernels.",
                    epilog="Without a command: open the window, on an experiment file if one is named.")  # fmt: skip
    parser.add_argument("--version", action="version", version=f"ntklab {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == words[0]:
            import_module(f"ntklab.cli.{name.replace('-', '_')}").configure(command)
    return parser.parse_args(words)
