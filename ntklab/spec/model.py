"""The user's own torch network, and parameters from a file: what they are called and what they must be. Never code."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ntklab.spec.base import Count, Spec
from ntklab.spec.dataset import FilePath
from ntklab.spec.faults import PlacedError

Digest = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        extra={
            "words": "the sha256 of the file in 64 hexadecimal digits",
            "remedy": "sha256sum FILE prints it, ntklab.model_file(path, function) finds it out",
        },
    ),
]
FunctionName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\W\d]\w{0,199}\Z",
        extra={"words": "the name of a function of the file", "remedy": "write make_network, without brackets"},
    ),
]
QualifiedName = Annotated[str, msgspec.Meta(pattern=r"^[^\s:]{0,200}:\S{1,200}\Z", extra={"words": "module:Class"})]
SampleShape = Annotated[
    tuple[Count, ...],
    msgspec.Meta(min_length=1, max_length=4, extra={"remedy": "write [3, 32, 32], without the batch axis"}),
]


class ModelFile(Spec, frozen=True, tag=True):
    """A network that a function of a Python file makes.

    ``function`` takes no arguments and returns a ``torch.nn.Module`` (a class of one will do). ``sha256`` is that of
    the content of the file at ``path``: another content is another network. ``input`` is the shape of one sample as the
    network takes it, without the batch axis, filled row by row; None is (features,).
    """

    word = "model"

    path: FilePath
    function: FunctionName
    sha256: Digest
    input: SampleShape | None = None

    def check(self) -> None:
        if not self.path:
            raise PlacedError(("path",), "expected the path of a Python file, got an empty text; choose a file")


class ModelObject(Spec, frozen=True, tag=True):
    """A network that a running program holds, known by its class (``name``, as module:Class) and its contents.

    ``sha256`` is that of its parameters and buffers. A file cannot hold the network, so one that names it opens without
    it. ``input`` is as in ``ModelFile``.
    """

    word = "model"

    name: QualifiedName
    sha256: Digest
    input: SampleShape | None = None


class Checkpoint(Spec, frozen=True):
    """Parameters of the network from a file (.pt, .pth, .safetensors) whose content has this ``sha256``."""

    word = "checkpoint"

    path: FilePath
    sha256: Digest

    def check(self) -> None:
        if not self.path:
            raise PlacedError(("path",), "expected the path of a checkpoint, got an empty text; choose a file")


Model = ModelFile | ModelObject
