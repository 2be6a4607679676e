"""``ntklab info``: what a bug report needs, or what is known of a kernel that lies in a folder."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from ntklab import store
from ntklab.cli.main import BAD_INPUT, UsageError, complain
from ntklab.cli.meter import Meter
from ntklab.progress import drain
from ntklab.results import versions
from ntklab.session.environment import installed_pair, pair_warning


def configure(parser: argparse.ArgumentParser) -> None:
    """What to tell of."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?",
                        help="of a stored kernel: tell of that instead of this machine")  # fmt: skip
    parser.add_argument("--check", action="store_true", help="read every tile of the kernel and name those damaged")
    parser.set_defaults(command=command)


def command(options: argparse.Namespace) -> int:
    """Print one line a fact; the status is 2 if tiles of a kernel are damaged."""
    if options.folder is None and options.check:
        raise UsageError("--check: name the folder of a stored kernel too")
    for name, value in facts() if options.folder is None else kernel_facts(options.folder):
        print(f"{name + ':':<18}{value}")
    if not options.check:
        return 0
    meter = Meter()
    try:
        found = drain(store.damages(options.folder), meter.event)
    finally:
        meter.close()
    print(f"{'tiles:':<18}{f'{len(found)} damaged' if found else 'as they were written'}")
    for fault in found:
        complain(fault)
    return BAD_INPUT if found else 0


def kernel_facts(folder: Path) -> Iterator[tuple[str, str]]:
    """Of the kernel stored in ``folder``, from how far it is to what it depends on. Raises ``FileError``."""
    found = store.state(folder)
    layout, about = found.layout, found.about
    yield "kernel", f"{' × '.join(map(str, layout.shape))} {layout.dtype}, {about.kind}, outputs {layout.outputs}"
    yield "state", _progress(found)
    yield "tiles", f"{found.done} of {found.tiles} with {layout.edge} × {layout.edge} samples, {found.written} written"
    yield "on disk", f"{layout.bytes_on_disk(found.done) / 2**20:,.1f} MiB of {layout.bytes_on_disk() / 2**20:,.1f} MiB"
    yield "health", _health(found)
    if found.error is not None:
        yield "relative error", f"{found.error:.1e}"
    origin = {"route": about.route, "seed": about.seed, "device": about.device, "experiment": about.spec}
    yield from ((name, str(value)) for name, value in origin.items() if value not in (None, ""))
    yield from (("note", note) for note in about.notes)
    told = {name: value for name, value in found.fingerprint.items() if value not in (None, "", "[]")}
    yield from (("depends on", f"{name} {_short(str(value))}") for name, value in told.items())


def _short(text: str) -> str:
    """The beginning of a hash."""
    return text if len(text) <= 20 else f"{text[:16]}…"


def _progress(found: store.State) -> str:
    if found.writer:
        return f"being computed by {found.writer}"
    return "complete" if found.done == found.tiles else "not complete: run the same command again with --resume"


def _health(found: store.State) -> str:
    health, missing = found.health, "" if found.done == found.tiles else ", missing ones included"
    if health.bad:
        return f"{health.bad} entries NaN or infinite{missing}"
    if not found.layout.symmetric:
        return "all entries finite"
    return f"all entries finite, asymmetry {health.asymmetry:.1e}"


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
