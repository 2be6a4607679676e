"""An experiment as a Python script that computes it again."""

from __future__ import annotations

import json
from string import Template
from typing import Any

from ntklab import __version__
from ntklab.spec import Experiment, ModelFile, ModelObject

_SCRIPT = Template('''\
#!/usr/bin/env python3
"""$title: kernels, spectra and training, computed with NTK Lab $version.

    python THIS_FILE.py [ARRAYS.npz]

Written for the experiment $short. The same versions on the same device give the same arrays, bit for bit;
elsewhere they agree to rounding.
"""

import sys

import ntklab
from ntklab import export

experiment = ntklab.Experiment.from_dict($experiment)
assert experiment.content_hash().startswith("$short"), "this is no longer the experiment of the title"


def listen(event):
    """Say which results have arrived."""
    if isinstance(event, ntklab.Partial) and event.key not in ("tile", "moment", "training", "estimate", "run"):
        print(f"computed {event.key}", file=sys.stderr)


${network}run = ntklab.drain(ntklab.run(experiment$options), listen)

# Everything is numpy: run.data, run.empirical.values, run.ntk.values, run.ntk_spectrum.eigenvalues,
# run.trajectory.train_loss … and each result has a .provenance that states its conventions.
for path in export.arrays(run, sys.argv[1] if len(sys.argv) > 1 else "arrays.npz", experiment=experiment):
    print(path)
''')

# What stands before the run, and its further arguments, by what the network is.
_NETWORKS: dict[type, tuple[str, str]] = {
    type(None): ("", ""),
    ModelFile: (
        "# This runs the function of the Python file of experiment.model, if the file still has that sha256.\n",
        ", trust=True",
    ),
    ModelObject: (
        "network = None  # put your network here: the module that experiment.model names was in a running program\n",
        ", model=network",
    ),
}


def script(experiment: Experiment) -> str:
    """A script that uses the public ``ntklab`` alone and writes the arrays of ``experiment`` to an ``.npz``.

    It names the user's own network by path and hash, and holds none of its code.
    """
    network, options = _NETWORKS[type(experiment.model)]
    return _SCRIPT.substitute(
        title=_harmless(experiment.name),
        version=__version__,
        short=experiment.content_hash()[:12],
        experiment=literal(experiment.to_dict()),
        network=network,
        options=options,
    )


def literal(value: Any, *, indent: int = 0, room: int = 100) -> str:
    """Plain ``value`` as Python source: on one line if it fits the ``room``, else one item a line."""
    line = _one_line(value)
    if len(line) <= room - indent or not value or not isinstance(value, dict | list | tuple):
        return line
    inner = indent + 4
    if isinstance(value, dict):
        items = [f"{_one_line(key)}: {literal(part, indent=inner, room=room)}" for key, part in value.items()]
    else:
        items = [literal(part, indent=inner, room=room) for part in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    body = "".join(f"{' ' * inner}{item},\n" for item in items)
    return f"{opening}\n{body}{' ' * indent}{closing}"


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_one_line(key)}: {_one_line(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_one_line(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _harmless(title: str) -> str:
    """A title that cannot end the docstring it stands in."""
    words = " ".join(title.split()).replace("\\", "/").replace('"', "'")
    return words[:60] or "Experiment"
