"""An experiment: data, a network, the kernels to compute and the training to run."""

from __future__ import annotations

from ntklab.errors import SpecError
from ntklab.spec.architecture import Architecture, Input
from ntklab.spec.codec import Document
from ntklab.spec.dataset import Dataset, sample_shape
from ntklab.spec.fitting import follow
from ntklab.spec.kernel import KernelRequest
from ntklab.spec.shapes import output_shape
from ntklab.spec.training import Training


class Experiment(Document, frozen=True):
    """Everything a run needs; equal experiments give equal results on the same device."""

    architecture: Architecture
    dataset: Dataset = Dataset()
    kernel: KernelRequest = KernelRequest()
    training: Training = Training()
    name: str = "experiment"

    def check(self) -> None:
        shape = sample_shape(self.dataset)
        if shape is not None:
            check_fit(self.architecture, *shape)


def check_fit(architecture: Architecture, features: int, outputs: int) -> None:
    """Raise ``SpecError`` unless ``architecture`` takes ``features`` numbers and gives ``outputs``."""
    taken, given = architecture.input.shape, output_shape(architecture)
    if taken != (features,):
        raise SpecError(
            f"architecture: the data has {features} features, got an input of {list(taken)}; set it to match"
        )
    if given != (outputs,):
        raise SpecError(f"architecture: the data has {outputs} targets, got an output of {list(given)}; "
                        f"give the last Dense layer a width of {outputs}")  # fmt: skip


def fitted(architecture: Architecture, features: int, outputs: int) -> Architecture:
    """``architecture`` with its input and read-out resized to the data, and the branches that depend on them."""
    layers = architecture.with_outputs(outputs).layers
    shape = (features,)
    return Architecture(input=Input("vector", shape), layers=follow(layers, shape), name=architecture.name)
