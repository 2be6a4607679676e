"""``ntklab info``: what a bug report needs, and whether the window's libraries were tested together."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator

from ntklab.results import versions
from ntklab.session.environment import installed_pair, pair_warning


def configure(parser: argparse.ArgumentParser) -> None:
    """The command has no options."""
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:  # noqa: ARG001 (the form of a command)
    """Print one line a fact."""
    for name, value in facts():
        print(f"{name + ':':<18}{value}")
    return 0


def facts() -> Iterator[tuple[str, str]]:
    """Names and values, from versions to devices."""
    yield from versions()
    pyside, pyqtgraph = installed_pair()
    yield "PySide6", pyside or "not installed"
    yield "pyqtgraph", pyqtgraph or "not installed"
    yield "window", pair_warning() or "a tested pair of PySide6 and pyqtgraph"
    yield "system", platform.platform()
    yield "processors", f"{os.cpu_count()}"
    yield "memory", _memory()
    yield from _devices()


def _memory() -> str:
    import psutil

    found = psutil.virtual_memory()
    return f"{found.available / 2**30:.1f} GiB free of {found.total / 2**30:.1f} GiB"


def _devices() -> Iterator[tuple[str, str]]:
    import torch

    yield "torch threads", f"{torch.get_num_threads()}"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        yield "CUDA", "no device"
    for index in range(count):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield f"cuda:{index}", f"{name}, {free / 2**30:.1f} GiB free of {total / 2**30:.1f} GiB"
