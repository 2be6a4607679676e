"""Numbers and tensors added, multiplied and joined: residual connections, scalings, shifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ntklab import spec
from ntklab.networks.lift.activations import activate
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.shaping import axis_of, shown
from ntklab.networks.lift.values import Step, Value, dependence, merge
from ntklab.spec.activations import Monomial, Polynomial


def add(spot: Spot, input: Any, other: Any, alpha: float = 1) -> Value:
    """Branches added, or a number added to every unit."""
    if isinstance(input, Value) and isinstance(other, Value):
        if input is other:
            return scaled(spot, input, 1 + alpha)
        return merged(spot, "sum", (input, scaled(spot, other, alpha)))
    if isinstance(other, Value):
        return shifted(spot, scaled(spot, other, alpha), _number(spot, input, "adds"))
    return shifted(spot, input, alpha * _number(spot, other, "adds"))


def sub(spot: Spot, input: Any, other: Any, alpha: float = 1) -> Value:
    """Branches or numbers subtracted."""
    return add(spot, input, other, -alpha)


def rsub(spot: Spot, input: Any, other: Any, alpha: float = 1) -> Value:
    """``other`` − alpha·``input``."""
    return add(spot, other, input, -alpha)


def mul(spot: Spot, input: Any, other: Any) -> Value:
    """Branches multiplied, or every unit by a number."""
    if isinstance(input, Value) and isinstance(other, Value):
        return activate(spot, input, Monomial(2)) if input is other else merged(spot, "prod", (input, other))
    value, number = (input, other) if isinstance(input, Value) else (other, input)
    return scaled(spot, value, _number(spot, number, "multiplies by"))


def div(spot: Spot, input: Any, other: Any, rounding_mode: str | None = None) -> Value:
    """Every unit divided by a number."""
    if not isinstance(input, Value) or isinstance(other, Value) or rounding_mode is not None:
        spot.refuse("it divides by a tensor", "divide by numbers alone")
    number = _number(spot, other, "divides by")
    if number == 0:
        spot.refuse("it divides by 0", "divide by another number")
    return scaled(spot, input, 1 / number)


def neg(spot: Spot, input: Value) -> Value:
    """−x."""
    return scaled(spot, input, -1.0)


def scaled(spot: Spot, x: Value, number: float) -> Value:
    """Every unit times ``number``: taken into the weights before it where that is the same (see ``folded``)."""
    if number == 1:
        return x
    if number == 0:
        spot.refuse("it multiplies by 0, so nothing passes through it", "leave the branch out")
    return x.then(spot.place, Step(spec.DotGeneral(float(number)), scalar=float(number)))


def shifted(spot: Spot, x: Value, number: float) -> Value:
    """``number`` added to every unit."""
    return x if number == 0 else activate(spot, x, Polynomial((float(number), 1.0)))


def merged(spot: Spot, how: str, ends: Sequence[Value], axis: int | None = None) -> Value:
    """The branches that end in ``ends``; the same ones merged twice are one value."""
    if axis is None and any((end.shape, end.axes) != (ends[0].shape, ends[0].axes) for end in ends):
        sizes = " and ".join(shown(end.sizes) for end in ends)
        reason = f"the branches end in different shapes or layouts, {sizes}, and there is no rule for broadcasting"
        spot.refuse(reason, "make their shapes equal")
    memory, key = spot.settings.merges, (how, axis, *ends)
    if key not in memory:
        obstacle = dependence(how, ends, axis)
        if obstacle is not None:
            spot.obstruct(*obstacle)
        memory[key] = merge(spot.place, how, ends, axis)
    return memory[key]


def cat(spot: Spot, tensors: Sequence[Any], dim: int = 0) -> Value:
    """Branches side by side; what was joined before is joined as it is (dense connections)."""
    if not all(isinstance(part, Value) for part in tensors):
        reason = "it joins the input's values with a parameter or a fixed tensor (a class token, say)"
        spot.refuse(reason, "leave that out; pool over positions instead")
    ends: tuple[Value, ...] = tuple(tensors)
    position = axis_of(spot, ends[0], dim)
    group = ends[0].axes[position]
    if len(group) != 1 or any(end.axes != ends[0].axes for end in ends):
        spot.refuse("it joins along an axis that is not one of the spec's", "join channels, or axes of positions")
    if len(ends) == 1:
        return ends[0]
    found = merged(spot, "concat", _grouped(spot, ends, group[0]), group[0])
    spot.settings.merges["concat", group[0], *ends] = found
    return found


def _grouped(spot: Spot, ends: tuple[Value, ...], axis: int) -> tuple[Value, ...]:
    """``ends`` with the longest beginning that was joined already as one."""
    for count in range(len(ends) - 1, 1, -1):
        known = spot.settings.merges.get(("concat", axis, *ends[:count]))
        if known is not None:
            return (known, *ends[count:])
    return ends


def _number(spot: Spot, other: Any, what: str) -> float:
    """A number, or a tensor that holds one and is not trained."""
    if isinstance(other, int | float):
        return float(other)
    if isinstance(other, Tensor) and other.numel() == 1 and not other.requires_grad:
        return float(other)
    if not isinstance(other, Constant):
        spot.refuse(f"it {what} a fixed tensor", "leave it out: layers see all channels and positions alike")
    reason = f"it {what} the parameter {other.path}, and there is no rule for parameters outside layers"
    return spot.refuse(reason, "leave it out, or use nn.Linear, a convolution or nn.MultiheadAttention")
