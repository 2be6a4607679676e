"""What is the finite-width kernel of this network, larger than memory?"""

from __future__ import annotations

from pathlib import Path

from ntklab import datasets, store
from ntklab.experiments.models import Models
from ntklab.experiments.stages import check_fit, of_subject, stamped, subject_of
from ntklab.kernels.empirical import empirical_ntk
from ntklab.progress import Work
from ntklab.results import Gram
from ntklab.spec import Experiment


def stored(experiment: Experiment, folder: Path, *, models: Models | None = None) -> Work[Gram]:
    """The finite-width kernel on the training samples, tile by tile into ``folder``; its values are read from there.

    Goes on with the tiles that are there. Stopped at any moment, it leaves those that are finished. Yields a
    ``Forecast``, then ``Partial`` "tile" and ``Progress``. Raises ``FileError`` for a folder that holds anything but
    this kernel, a full disk, or one that another job writes.
    """
    subject, request = subject_of(experiment, models), experiment.kernel
    data = datasets.load(experiment.dataset)
    check_fit(experiment, data)
    gram = yield from empirical_ntk(
        subject.finite, subject.samples(data.X_train), outputs=request.outputs, seed=request.seed, dtype=request.dtype,
        device=request.device, memory=request.memory, store=folder,
    )  # fmt: skip
    found = of_subject(subject, stamped(gram, experiment))
    store.describe(folder, found.provenance)
    return found
