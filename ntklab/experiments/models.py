"""Which network is it? Described, or made by a file that may run, or held by a program, from a checkpoint or not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path

from torch import nn

from ntklab.errors import FileError, ModelError, SpecError, TrustError
from ntklab.files import sha256_of
from ntklab.kernels.empirical.subject import parameterisation
from ntklab.networks import build, own
from ntklab.networks.checkpoints import load_parameters
from ntklab.networks.lift import examine
from ntklab.networks.subject import Subject, check_shape, described
from ntklab.results import Network
from ntklab.spec import Checkpoint, Experiment, Model, ModelFile, sample_shape

Trust = bool | Callable[[ModelFile], bool]

_KEPT = 4  # networks that are not made again


class Models:
    """Makes the networks of experiments, and keeps the last few. It lives where they are computed.

    ``trusted`` says which Python files may be run: all, none, or those of which the function says so. ``objects`` are
    modules that the program holds, by their fingerprint.
    """

    def __init__(self, trusted: Trust = False, objects: Mapping[str, nn.Module] | None = None) -> None:
        self._trusted = trusted
        self._objects = {} if objects is None else objects
        self._made: dict[object, Subject] = {}
        self._digests: dict[tuple[str, int, int], str] = {}  # of checkpoints, by path, time and size

    @staticmethod
    def of(trusted: Trust, module: nn.Module | None) -> Models:
        """With one module that the program holds, or none."""
        return Models(trusted, None if module is None else {own.fingerprint(module): module})

    def subject(self, experiment: Experiment) -> Subject:
        """What ``experiment`` asks about.

        Raises ``TrustError`` for a file that nobody has allowed to run or that has changed, for a module that is not
        here, ``ModelError`` for what goes wrong in the user's code, ``SpecError`` and ``FileError``.
        """
        model, checkpoint = experiment.model, experiment.checkpoint
        if model is None and checkpoint is None:
            return described(experiment.architecture)
        if isinstance(model, ModelFile):
            self._check(model)
        if checkpoint is not None:
            self._check_checkpoint(checkpoint)
        network = experiment.architecture if model is None else (model, experiment.architecture.input.shape)
        key = network, checkpoint, experiment.kernel.seed
        if key not in self._made:
            found = self._made_for(experiment)
            while len(self._made) >= _KEPT:
                del self._made[next(iter(self._made))]
            self._made[key] = found
        return self._made[key]

    def _check(self, model: ModelFile) -> None:
        trusted = self._trusted if isinstance(self._trusted, bool) else self._trusted(model)
        if not trusted:
            raise TrustError(
                f"model: {model.path} is Python code that nobody has allowed to run (sha256 {model.sha256}); read it, "
                "and allow it if you trust it: --trust on the command line, trust=True in Python, or in the window"
            )
        own.checked(model)

    def _check_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Raises ``FileError`` where it is not there or another than then; it is read anew where that may be so."""
        try:
            found = Path(checkpoint.path).stat()
        except OSError as error:
            raise FileError(f"cannot read {checkpoint.path}: {error.strerror or error}; check the path") from error
        key = checkpoint.path, found.st_mtime_ns, found.st_size
        digest = self._digests.get(key) or sha256_of(checkpoint.path)
        self._digests = {key: digest}
        if digest != checkpoint.sha256:
            raise FileError(
                f"checkpoint: {checkpoint.path} has changed: its sha256 is {digest[:12]}…, expected "
                f"{checkpoint.sha256[:12]}…; choose it again"
            )

    def _made_for(self, experiment: Experiment) -> Subject:
        model, checkpoint, seed = experiment.model, experiment.checkpoint, experiment.kernel.seed
        if model is None:
            module = build(experiment.architecture, seed=seed)
            known = parameterisation(experiment.architecture)
            found = replace(described(experiment.architecture), finite=module, parameterisation=known, seed=seed)
            return _with_checkpoint(replace(found, origin=_origin("drawn network", module, found)), checkpoint)
        if isinstance(model, ModelFile):
            module, name = own.make(model, seed=seed), f"{model.function}() of {Path(model.path).name}"
            notes = (f"network made by {model.function}() of {model.path}, sha256 {model.sha256}",)
        else:
            module, name = self._object(model.sha256, model.name), model.name.rpartition(":")[2]
            module = module if checkpoint is None else copy.deepcopy(module)  # it is the program's
            notes = (f"a module of the program, {model.name}, fingerprint {model.sha256}",)
        features, sizes = prod(experiment.architecture.input.shape), sample_shape(experiment.dataset)
        shape = model.input or (features,)
        if sizes is not None:
            check_shape(shape, sizes[0])  # before the network fails on it in words of its own
        made_with = seed if isinstance(model, ModelFile) else None
        found = Subject(module, shape, None, tuple(range(len(shape))), notes=notes, seed=made_with)
        found = replace(found, origin=_origin(name, module, found, _place(model)))
        return _lifted(_with_checkpoint(found, checkpoint))

    def _object(self, digest: str, name: str) -> nn.Module:
        if digest not in self._objects:
            others = "; the one given has other parameters" if self._objects else ""
            raise TrustError(
                f"model: {name} was handed over by a program, and no file holds it{others}; give it again with "
                "ntklab.show(model, X, y), or choose a Python file that makes it"
            )
        return self._objects[digest]


def _place(model: Model) -> str:
    return model.path if isinstance(model, ModelFile) else model.name


def _origin(name: str, module: nn.Module, found: Subject, where: str = "the description") -> Network:
    parameters = list(module.parameters())
    return Network(
        name, sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad),
        own.outputs_of(module, found.shape, where),
    )  # fmt: skip


def _with_checkpoint(found: Subject, checkpoint: Checkpoint | None) -> Subject:
    """The same with the parameters of the file put into the module, which must be nobody else's."""
    if checkpoint is None:
        return found
    assert isinstance(found.finite, nn.Module)
    assert found.origin is not None
    load_parameters(found.finite, checkpoint.path)
    note = f"parameters from {checkpoint.path}, sha256 {checkpoint.sha256}"
    name = Path(checkpoint.path).name
    return replace(found, notes=(*found.notes, note), origin=replace(found.origin, parameters_from=name))


def _lifted(found: Subject) -> Subject:
    """The same with a description of its limit, or the reason why there is none."""
    assert isinstance(found.finite, nn.Module)
    assert found.origin is not None
    try:
        with own.border(found.origin.name, "reading the layers"):
            lifted = examine(found.finite, found.shape, param="standard")
    except (SpecError, ModelError) as fault:
        return replace(found, why=f"no infinite-width kernel: {fault}")
    notes = (*lifted.notes, *(f"the infinite-width description lacks: {text}" for text in lifted.differences))
    return replace(
        found, limit=lifted.architecture, axes=lifted.axes, notes=(*found.notes, *notes),
        origin=replace(found.origin, differences=lifted.differences),
    )  # fmt: skip
