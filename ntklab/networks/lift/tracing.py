"""A module's forward, run once on a stand-in for a sample: every operation on it becomes layers, or is refused.

The tracer is torch.fx's, which patches module calls and attributes, but it carries shapes and layers along and turns
every operation into them on the spot. So sizes are plain numbers (code may branch on them), and the operation refused
first is the one that runs first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor, fx, nn

from ntklab.networks.lift.context import Constant, Settings, Spot
from ntklab.networks.lift.faults import place_of
from ntklab.networks.lift.functions import call_function
from ntklab.networks.lift.modules import COMPOSITES, call_module, is_known, is_plain
from ntklab.networks.lift.values import BATCH, Value


class Probe(fx.Proxy):
    """Stands for a tensor or a parameter; operations in place change ``value``."""

    def __init__(self, tracer: Tracer, node: fx.Node, value: Value | Constant) -> None:
        super().__init__(node, tracer)
        self.value = value

    @property
    def shape(self) -> torch.Size:
        """The sizes that torch sees."""
        if isinstance(self.value, Constant):
            return self.value.tensor.shape
        return torch.Size((BATCH, *self.value.sizes))

    @property
    def ndim(self) -> int:
        """The number of axes that torch sees."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> torch.Size | int:
        """As ``Tensor.size``."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """As ``Tensor.dim``."""
        return len(self.shape)

    def numel(self) -> int:
        """As ``Tensor.numel``."""
        return self.shape.numel()

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> torch.dtype:
        """As ``Tensor.dtype``: lifts do not depend on it."""
        return torch.get_default_dtype()

    @property
    def device(self) -> torch.device:
        """As ``Tensor.device``: lifts do not depend on it."""
        return torch.device("cpu")

    is_cuda = is_nested = is_sparse = False

    def _in_place(self, function: Callable[[Any, Any], Any], other: Any) -> Probe:
        self.value = function(self, other).value
        return self

    def __iadd__(self, other: Any) -> Probe:
        return self._in_place(operator.add, other)

    def __isub__(self, other: Any) -> Probe:
        return self._in_place(operator.sub, other)

    def __imul__(self, other: Any) -> Probe:
        return self._in_place(operator.mul, other)

    def __itruediv__(self, other: Any) -> Probe:
        return self._in_place(operator.truediv, other)


class Wrapped(nn.Module):
    """Gives the module that is lifted a name of its own, so that it is met like any other."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Any:
        return self.module(x)


class Tracer(fx.Tracer):
    """Runs ``settings.module`` on ``value``. ``count`` is how many operations have been understood so far."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.count = 0
        self._result: Any = None
        self._inside = False

    def run(self, value: Value) -> Any:
        """What the module returns. Raises ``SpecError`` at the first operation without a rule, and torch's own errors
        for a forward that cannot be run on a stand-in."""
        self._start = value
        self.trace(Wrapped(self.settings.module))
        return _values(self._result)

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> tuple[Any, list[Any]]:  # noqa: ARG002
        """The input alone: other arguments of forward keep their defaults."""
        return root_fn, [self.root, self._shown(self._start)]

    def create_arg(self, a: Any) -> Any:
        """Called with what the module returns."""
        self._result = a
        return None

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:  # noqa: ARG002
        """Parameters of modules whose forward is run show as probes."""
        if isinstance(attr_val, nn.Parameter) and not self._inside:
            return self._shown(Constant(attr_val, self.settings.name(attr_val, f"{self._path()}.{attr}".lstrip("."))))
        return attr_val

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        """Known modules and those of torch by their rule, others by their forward."""
        if type(m) in COMPOSITES:
            return super().call_module(m, lambda *a, **k: COMPOSITES[type(m)](self._spot(m), m, *a, **k), args, kwargs)
        return super().call_module(m, forward, args, kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether ``m`` has a rule, or is torch's own and so is refused by its name."""
        if type(m) in COMPOSITES or is_plain(m):
            return False
        return is_known(m) or super().is_leaf_module(m, module_qualified_name)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *_: Any, **__: Any) -> Any:
        """Runs the rule of an operation, instead of recording it."""
        inside, self._inside = self._inside, True
        try:
            plain_args, plain_kwargs = _values(args), _values(kwargs)
            if kind == "call_module":
                module = self.root.get_submodule(target)
                found = call_module(self._spot(module), module, plain_args, plain_kwargs)
                in_place = bool(getattr(module, "inplace", False))
            else:
                found, in_place = call_function(self._function_spot, target, plain_args, plain_kwargs)
        finally:
            self._inside = inside
        self.count += 1
        if in_place and isinstance(args[0], Probe):
            args[0].value = found
            return args[0]
        return self._shown(found, args)

    def to_bool(self, obj: fx.Proxy) -> NoReturn:  # noqa: ARG002
        """A value decides what is computed."""
        reason = "what it computes depends on the values of a tensor"
        self._spot(None).refuse(reason, "lift the part of the module in which it does not")

    def iter(self, obj: fx.Proxy) -> NoReturn:  # noqa: ARG002
        """A loop over the entries of a tensor."""
        reason = "it loops over a tensor"
        self._spot(None).refuse(reason, "apply the operation to the whole tensor")

    def _shown(self, found: Any, args: tuple[Any, ...] = ()) -> Any:
        """Values as probes; a value that came in stays the probe that it was."""
        if isinstance(found, tuple) and not isinstance(found, torch.Size):
            return tuple(self._shown(part, args) for part in found)
        if not isinstance(found, Value | Constant):
            return found
        for arg in args:
            if isinstance(arg, Probe) and arg.value is found:
                return arg
        return Probe(self, self.graph.create_node("placeholder", "value"), found)

    def _path(self) -> str:
        return self.scope.module_path.removeprefix("module").removeprefix(".")

    def _spot(self, module: nn.Module | None) -> Spot:
        kind = self.scope.module_type if module is None else type(module)
        path = self._path()
        return Spot(path, place_of(path, kind.__name__), self.settings)

    def _function_spot(self, name: str) -> Spot:
        around = self._spot(None)
        if is_plain(self.scope.module_type):
            return around
        return Spot(around.path, f"{around.place}, {name}()", self.settings)


def _values(arg: Any) -> Any:
    """``arg`` with values instead of probes, inside tuples, lists, dictionaries and slices too."""
    if isinstance(arg, fx.proxy.Attribute):
        return arg.node  # no value: refused by the name of the attribute
    if isinstance(arg, Probe):
        return arg.value
    if isinstance(arg, torch.Size):
        return arg
    if isinstance(arg, tuple | list):
        return type(arg)(_values(part) for part in arg)
    if isinstance(arg, dict):
        return {key: _values(part) for key, part in arg.items()}
    if isinstance(arg, slice):
        return slice(_values(arg.start), _values(arg.stop), _values(arg.step))
    return arg
