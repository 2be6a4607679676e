"""From a torch module to the architecture whose infinite width it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.fx.proxy import TraceError

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks.lift.axes import layouts
from ntklab.networks.lift.context import Attention, Settings
from ntklab.networks.lift.exporting import Exported
from ntklab.networks.lift.faults import LayoutError, listed, refuse
from ntklab.networks.lift.tracing import Tracer
from ntklab.networks.lift.values import Shape, Value, folded, path
from ntklab.networks.lift.weights import Init, Scales
from ntklab.spec.weights import Parameterisation

_KINDS: tuple[Any, ...] = ("vector", "sequence", "image", "volume")
_FAULTS = (TraceError, TypeError, AttributeError, LookupError, ValueError, RuntimeError, NameError, AssertionError)


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lifted:
    """An architecture and how it came about.

    ``obstacles``: operations for which no closed form is known, first one first; Monte Carlo gives the kernel.
    ``differences``: what the module has and the architecture lacks. ``notes``: how layouts and scales were chosen.
    ``sources``: the path of the module behind each layer with weights, in the order of the layers, depth first.
    ``axes``: for each axis of the architecture's samples, which of the module's it is (the batch axis not counted).
    """

    architecture: spec.Architecture
    obstacles: tuple[str, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    axes: tuple[int, ...] = ()


def lift(module: nn.Module, input_shape: Sequence[int], **options: Any) -> spec.Architecture:
    """The architecture of ``module``. Options and errors: see ``examine``, which also says how it came about.

    Logs a warning where the architecture differs from the module or no closed form is known for it.
    """
    lifted = examine(module, input_shape, **options)
    if lifted.obstacles:
        _log.warning("no closed form, use Monte Carlo: %s", lifted.obstacles[0])
    for difference in lifted.differences:
        _log.warning("the architecture differs from the module: %s", difference)
    return lifted.architecture


def examine(  # noqa: PLR0913 (one for each choice)
    module: nn.Module,
    input_shape: Sequence[int],
    *,
    init: Init = "auto",
    param: Parameterisation = "ntk",
    W_std: float | None = None,
    b_std: float | None = None,
    attention: Attention | None = None,
    closed_form: bool = False,
    channels: str = "auto",
    name: str = "",
) -> Lifted:
    """The architecture of ``module`` for samples of ``input_shape``, as the module takes them, without the batch axis.

    The forward is run once on a stand-in for a sample, with torch.fx's tracer; modules, functions and operators become
    layers. Where it does not run on a stand-in, they are read from the graph of torch.export.

    Convolutional modules take channels first, architectures channels last: (3, 32, 32) gives an image (32, 32, 3).
    ``channels`` "first" or "last" says which the module takes; "auto" finds out.

    ``init``: where W_std and b_std come from. "default" is torch's documented initialisation of each module
    (W_std = 1/√3 and b_std = 1/√(3 fan_in) for linear and convolutional layers). "measured" takes the root mean square
    of the present weights, times √fan_in. "auto" takes the first for modules whose weights look like draws from it, and
    measures the others. ``W_std`` and ``b_std`` override both for every layer.

    ``param``: the parameterisation of the architecture. "ntk" (weights N(0, 1) times W_std/√fan_in) has a limit for
    every width, and is what kernels are compared in. "standard" has the tangent kernel of the torch module itself,
    whose weights are trained as they are: near ``empirical_ntk(module)`` at large width, and growing with width.

    ``attention``: softmax attention with scores divided by √d has no closed form. "linear_scaling" accepts scores
    divided by d with queries and keys tied instead (Hron et al. 2020, arXiv:2006.10540); "standard" keeps √d, for Monte
    Carlo alone; None refuses.

    Some architectures have no closed form although all their layers have one: activations of what is not Gaussian, as
    behind the sums of residual networks that apply ReLU after adding (He et al. 2015, arXiv:1512.03385). These are
    lifted, for Monte Carlo and finite networks, and named in ``obstacles``; ``closed_form=True`` refuses them.

    Raises ``SpecError`` naming the first operation without an infinite-width rule, by its module path, with a remedy.
    """
    sizes = _checked(module, input_shape, {"init": init, "param": param, "attention": attention, "channels": channels})

    def attempt(kind: Reader) -> Lifted:
        starts = [Value(shape, axes) for shape, axes in layouts(sizes, channels)]
        readers = [
            kind(Settings(_original(module), Scales(init, W_std, b_std), param, attention, closed_form)) for _ in starts
        ]
        return _first(readers, starts, name)

    try:
        return attempt(Tracer)
    except _UnreadableError as fault:
        try:
            return attempt(Exported)
        except _UnreadableError:
            raise fault from None


Reader = Callable[[Settings], "Tracer | Exported"]


class _UnreadableError(SpecError):
    """The forward does not run as it would have to for its operations to be read."""


def _first(readers: Sequence[Tracer | Exported], starts: Sequence[Value], name: str) -> Lifted:
    """What the first reader makes that can read the module; if none can, the fault of the one that got furthest."""
    best: tuple[tuple[int, bool], SpecError] | None = None
    for reader, start in zip(readers, starts, strict=True):
        try:
            return _lifted(reader, start, name)
        except SpecError as fault:
            reached = (reader.count, not isinstance(fault, LayoutError))
            if best is None or reached > best[0]:
                best = reached, fault
    assert best is not None
    raise best[1]


_CHOICES: dict[str, tuple[Any, ...]] = {
    "init": ("auto", "default", "measured"),
    "param": ("ntk", "standard", "mup"),
    "attention": (None, "linear_scaling", "standard"),
    "channels": ("auto", "first", "last"),
}


def _checked(module: Any, input_shape: Any, options: dict[str, Any]) -> Shape:
    if not isinstance(module, nn.Module):
        refuse("module", f"expected a torch module, got {type(module).__name__}", "pass an nn.Module")
    sizes = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if not 1 <= len(sizes) <= len(_KINDS) or not all(isinstance(size, int) and size > 0 for size in sizes):
        reason = f"expected one to four sizes of one sample, got {input_shape!r}"
        refuse("input_shape", reason, "write (3, 32, 32), without the batch axis")
    for option, given in options.items():
        if given not in _CHOICES[option]:
            refuse(option, f"expected one of {', '.join(map(str, _CHOICES[option]))}, got {given!r}", "choose one")
    return sizes


def _original(module: nn.Module) -> nn.Module:
    """What torch.compile or a data-parallel module wraps."""
    inner = module.module if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel) else module
    return getattr(inner, "_orig_mod", inner)


def _lifted(reader: Tracer | Exported, start: Value, name: str) -> Lifted:
    settings = reader.settings
    end = _read(reader, start)
    steps = folded(path(end))
    if not steps:
        refuse(type(settings.module).__name__, "it gives back its input, so there are no layers", "give it layers")
    architecture = spec.Architecture(
        spec.Input(_KINDS[len(start.shape) - 1], start.shape), tuple(step.layer for step in steps), name
    )
    sources = tuple(source for step in steps for source in step.weights)
    differences = settings.said(settings.differences)
    axes = tuple(start.axes.index((axis,)) for axis in range(len(start.shape)))
    return Lifted(architecture, tuple(settings.obstacles), differences, _notes(settings, start, end), sources, axes)


def _read(reader: Tracer | Exported, start: Value) -> Value:
    kind = type(reader.settings.module).__name__
    try:
        found = reader.run(start)
    except SpecError:
        raise
    except _FAULTS as fault:
        reason = f"its forward cannot be run on a stand-in for a tensor ({str(fault).partition('.')[0]})"
        remedy = "lift the parts of the module that are plain layers"
        raise _UnreadableError(f"{kind}: {reason}; {remedy}") from fault
    if not isinstance(found, Value):
        refuse(kind, f"it returns {type(found).__name__}, not one tensor", "wrap it in a module that returns one")
    return found


def _notes(settings: Settings, start: Value, end: Value) -> tuple[str, ...]:
    notes = list(settings.said(settings.choices))
    if not start.canonical:
        notes.append(f"the module takes ({_listed(start.sizes)}), the architecture ({_listed(start.shape)})")
    if len(end.axes) > 1 and not end.canonical:
        notes.append(f"the module gives ({_listed(end.sizes)}), the architecture ({_listed(end.shape)})")
    if settings.scales.measured:
        notes.append(f"weights measured, as not of torch's own initialisation: {listed(settings.scales.measured)}")
    return tuple(notes)


def _listed(sizes: Shape) -> str:
    return ", ".join(map(str, sizes))
