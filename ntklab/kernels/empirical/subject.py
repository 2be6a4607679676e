"""What a kernel is asked of: the module, on the device and in the precision asked for, and the samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import DataError, NtkLabError, SpecError
from ntklab.kernels.empirical.dressed import dressed
from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.graphs import WithPatterns
from ntklab.kernels.empirical.outputs import outputs_of
from ntklab.kernels.empirical.routes.choice import choose
from ntklab.kernels.empirical.routes.quiet import quiet
from ntklab.kernels.empirical.routes.route import Route
from ntklab.kernels.empirical.routes.uses import frozen
from ntklab.networks import build, torch_device, torch_dtype
from ntklab.spec.convolution import Convolution

PROBED = 3
"""Samples that a module is tried on before the work starts."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A module to be looked at, and what its provenance says; once it is ``ready`` with the way to its factors.

    ``pairs``: the kernel keeps all pairs of outputs. ``trusted``: it was built here.
    ``scales`` are numbers of a metric, for parts of the kernel by the names of parameters.
    """

    module: nn.Module
    pairs: bool
    dtype: torch.dtype
    device: torch.device
    parameterisation: str | None = None
    seed: int | None = None
    content: str = ""
    trusted: bool = True
    sample_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = field(default=())
    scales: Mapping[str, float] = field(default_factory=dict)
    chosen: Route | None = None

    @property
    def route(self) -> Route:
        """The way to the factors of a subject that is ``ready``."""
        assert self.chosen is not None, "a subject is made ready with samples before its factors are asked for"
        return self.chosen

    def ready(self, x: Tensor) -> Subject:
        """The same with a route, checked against autograd on the first few of the samples ``x``.

        Raises ``NtkLabError`` for a module that has no gradients of single samples, or no trained parameters.
        """
        with torch.random.fork_rng(devices=[]):
            found = choose(self.module, _probed(x), pairs=self.pairs, dtype=self.dtype, trusted=self.trusted)
        return replace(self, chosen=dressed(found.route, self.scales), notes=(*self.notes, *found.notes))

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        """Factors on the samples ``x`` of the layers of these names, None for all."""
        return self.route.factors(x, layers)

    def of(self, module: nn.Module, **changes: Any) -> Subject:
        """The same of another module, not ready yet."""
        return replace(self, module=module, chosen=None, **changes)

    def outputs(self, x: Tensor) -> int:
        """The number k of outputs of a sample, asked with a few samples ``x`` where no spec says it."""
        if self.output_shape is not None:
            return math.prod(self.output_shape)
        with torch.no_grad():
            return outputs_of(self.module(x), len(x)).shape[1]

    def cast(self, x: Tensor) -> Tensor:
        """``x`` on the device and in the precision; whole numbers stay whole."""
        return x.to(self.device, self.dtype if x.is_floating_point() else None).contiguous()

    def samples(self, x: ArrayLike | Tensor, name: str) -> Tensor:
        """``x`` as a tensor (n, *sample shape) on the device. Raises ``DataError``.

        Whole numbers stay whole where the module takes them, as token ids must.
        """
        tensor = x.detach() if isinstance(x, Tensor) else _tensor(x, name, self.dtype)
        if tensor.ndim < 1 or len(tensor) < 1:
            raise DataError(f"{name}: expected samples (n, *shape), got shape {list(tensor.shape)}; give at least one")
        if self.sample_shape is not None and tuple(tensor.shape[1:]) != self.sample_shape:
            raise DataError(
                f"{name}: the network takes samples of shape {list(self.sample_shape)}, got {list(tensor.shape[1:])}; "
                "change the input of the architecture or the data"
            )
        if not tensor.is_floating_point() and not tensor.is_complex():
            tensor = self._whole(tensor)
        return self.cast(tensor)

    def _whole(self, x: Tensor) -> Tensor:
        """``x`` as it is, as int64, or as real numbers: the first that the module runs on."""
        if not self.trusted:
            for kind in dict.fromkeys((x.dtype, torch.int64)):
                if _runs(self.module, x[:1].to(self.device, kind)):
                    return x.to(kind)
        return x.to(self.dtype)

    def with_patterns(self, shape: tuple[int, ...], pattern_shape: tuple[int, ...]) -> Subject:
        """The same for rows of samples of ``shape`` and their patterns."""
        return self.of(WithPatterns(self.module, shape, pattern_shape), sample_shape=None)


def _probed(x: Tensor) -> Tensor:
    """A few samples to look at: the first whose numbers are all finite, or else zeros."""
    first = x[: 4 * PROBED]
    good = first if not first.is_floating_point() else first[torch.isfinite(first.flatten(1)).all(1)]
    return good[:PROBED] if len(good) else torch.zeros_like(x[:PROBED])


def _runs(module: nn.Module, x: Tensor) -> bool:
    try:
        with torch.no_grad(), quiet():
            module(x)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
        return False
    return True


def _tensor(x: ArrayLike, name: str, dtype: torch.dtype) -> Tensor:
    """``x`` without copying where its dtype fits and it may be written (torch warns about any other array)."""
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty(0, dtype=object)  # rows of different lengths
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected an array of numbers, got {type(x).__name__}; convert it")
    number: Any = np.float32 if dtype == torch.float32 else np.float64
    if array.dtype.kind in "bi" or array.dtype == np.uint8:
        number = array.dtype
    elif array.dtype.kind == "u":
        number = np.int64
    return torch.from_numpy(np.require(array, number, ["C", "W"]))


def subject(
    model: nn.Module | spec.Architecture, *, seed: int, dtype: str, device: str, pairs: bool = True,
    mask_constant: float | None = None,
) -> Subject:  # fmt: skip
    """Build ``model`` if it is a spec; else take it, as a copy where its dtype or device is another."""
    number, place = torch_dtype(dtype), torch_device(device)
    if isinstance(model, spec.Architecture):
        network = build(model, seed=seed, dtype=dtype, device=place, mask_constant=mask_constant)
        return Subject(
            network, pairs, number, place,
            parameterisation=parameterisation(model), seed=seed, content=model.content_hash(),
            sample_shape=model.input.shape, output_shape=spec.output_shape(model),
        )  # fmt: skip
    if not isinstance(model, nn.Module):
        raise SpecError(f"model: expected an Architecture or a torch.nn.Module, got {type(model).__name__}")
    return Subject(_moved(model, number, place), pairs, number, place, trusted=False, notes=_remarks(model, number))


def _remarks(model: nn.Module, dtype: torch.dtype) -> tuple[str, ...]:
    """What a reader must know of parameters that are not trained or were given in another precision."""
    left, notes = frozen(model), []
    if left:
        notes.append(f"parameters not trained and not counted: {', '.join(left)}")
    kinds = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.dtype != _kind(p, dtype)}
    if kinds:
        wanted = str(dtype).removeprefix("torch.")
        notes.append(f"the kernel is of a copy in {wanted}: parameters were given in {', '.join(sorted(kinds))}")
    return tuple(notes)


def _moved(model: nn.Module, dtype: torch.dtype, device: torch.device) -> nn.Module:
    tensors = [t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point() or t.is_complex()]
    if all(t.dtype == _kind(t, dtype) and t.device == _indexed(device) for t in tensors):
        return model
    return converted(model, dtype, device)


def converted(model: nn.Module, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """A copy of ``model`` in ``dtype``, complex numbers in as many digits. Raises ``NtkLabError``."""

    def moved(tensor: Tensor) -> Tensor:
        return tensor.to(device, _kind(tensor, dtype))

    try:
        copied: nn.Module = copy.deepcopy(model)._apply(moved)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise NtkLabError(f"model: it cannot be copied to {dtype} on {device}: {error}; convert it first") from error
    return copied


def _kind(tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
    """What ``tensor`` becomes where real numbers become ``dtype``."""
    if tensor.is_complex():
        return torch.complex64 if dtype == torch.float32 else torch.complex128
    return dtype if tensor.is_floating_point() else tensor.dtype


def _indexed(device: torch.device) -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if device == torch.device("cuda") else device


def parameterisation(architecture: spec.Architecture) -> str | None:
    """ "ntk", "standard", "mup", "mixed", or None without layers that have weights."""
    found = set(_parameterisations(architecture.layers))
    return found.pop() if len(found) == 1 else ("mixed" if found else None)


def _parameterisations(layers: Sequence[spec.Layer]) -> Iterator[str]:
    for layer in layers:
        if isinstance(layer, spec.Branch):
            for branch in layer.branches:
                yield from _parameterisations(branch)
        elif isinstance(layer, spec.SelfAttention):
            yield "ntk"
        elif isinstance(layer, spec.Dense | Convolution):
            yield layer.param
