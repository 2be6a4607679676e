"""Compute the starter experiment and store its result in resources/, to be shown before torch has loaded.

Run it again whenever numbers change on purpose; a test compares the stored with the computed result.
"""

from __future__ import annotations

from pathlib import Path

from ntklab import experiments
from ntklab.progress import drain
from ntklab.session.stored import save_run
from ntklab.spec import Experiment

STARTER = Path(__file__).resolve().parents[1] / "resources" / "starter"

if __name__ == "__main__":
    experiment = Experiment.from_json((STARTER / "experiment.json").read_bytes())
    print(save_run(STARTER / "run.npz", drain(experiments.run(experiment))))  # noqa: T201
