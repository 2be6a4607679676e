"""Pointwise functions by name: those of torch, and those that users give names to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from types import ModuleType

import torch
from torch import Tensor
from torch.nn import functional

from ntklab.errors import SpecError
from ntklab.spec.activations import Elementwise

Pointwise = Callable[[Tensor], Tensor]

_HOMES: dict[str, ModuleType] = {"torch": torch, "torch.special": torch.special, "torch.nn.functional": functional}
_OWN: dict[str, Pointwise] = {}

# Numbers to try functions on: both signs, six decades, none of them round.
_SIZES = torch.logspace(-3, 3, 64, dtype=torch.float64) * 1.0471975511965976
_TRIED = torch.cat([-_SIZES.flip(0), torch.zeros(1, dtype=torch.float64), _SIZES])


def activation(function: Pointwise, name: str, *, kinks: Sequence[float] = ()) -> Elementwise:
    """The layer that applies your own ``function``, a pointwise function of one tensor that torch can differentiate.

    It gets the name own.``name``@digest, where the digest is of its values at 129 points to nine digits: so layers are
    equal, and results kept for them are used again, exactly when their functions have the same values. The function
    itself lives as long as this process; in another one, give it the same name again before you use a saved
    description. ``kinks`` are places where it or its slope jumps, beside those that are found numerically.

    Raises ``SpecError`` unless the function is pointwise, finite and repeatable.
    """
    if not name.isidentifier():
        raise SpecError(f"name: expected a word of letters, digits and _, got {name!r}; use for example 'my_swish'")
    check_pointwise(function, f"own.{name}")
    full = f"own.{name}@{_digest(function)}"
    _OWN[full] = function
    return Elementwise(full, kinks=tuple(float(kink) for kink in kinks))


def function_of(layer: Elementwise) -> Pointwise:
    """The function that ``layer`` names, with its arguments. Raises ``SpecError`` where there is none, or none that is
    pointwise."""
    return _bound(layer.fn, layer.arguments)


@lru_cache(maxsize=256)
def _bound(name: str, arguments: tuple[float, ...]) -> Pointwise:
    if name.startswith("own."):
        return _own(name, arguments)
    function = _of_torch(name)
    numbers = tuple(int(number) if number == int(number) else number for number in arguments)

    def bound(x: Tensor) -> Tensor:
        return function(x, *numbers)

    check_pointwise(bound, f"Elementwise.fn: {name}")
    return bound


def _own(name: str, arguments: tuple[float, ...]) -> Pointwise:
    if arguments:
        raise SpecError(f"Elementwise.arguments: {name} takes the tensor alone; put the numbers into the function")
    if name in _OWN:
        return _OWN[name]
    plain = name.removeprefix("own.").split("@")[0]
    again = any(known.startswith(f"own.{plain}@") for known in _OWN)
    raise SpecError(
        f"Elementwise.fn: {name}: "
        + ("the function of this name has other values here" if again else "this process has no function of that name")
        + f"; call ntklab.activation(function, {plain!r}) with the function meant before"
    )


def _of_torch(name: str) -> Callable[..., Tensor]:
    """Of a module that has pointwise functions. In torch itself only what tensors have as methods too: no function
    that reads files or changes settings is one."""
    home, _, word = name.rpartition(".")
    known = _words(home)
    if word not in known:
        near = get_close_matches(word, known, n=1)
        raise SpecError(
            f"Elementwise.fn: {name}: there is no such function of tensors; "
            + (f"did you mean {home}.{near[0]}?" if near else "ntklab.activation makes layers of functions of your own")
        )
    return getattr(_HOMES[home], word)  # type: ignore[no-any-return]


@cache
def _words(home: str) -> tuple[str, ...]:
    """The functions in ``home`` that may act on tensors."""
    module = _HOMES[home]
    words = (word for word in dir(module) if not word.startswith("_") and not word.endswith("_"))
    functions = (word for word in words if callable(getattr(module, word)) and word[0].islower())
    return tuple(word for word in functions if home != "torch" or hasattr(Tensor, word))


def check_pointwise(function: Pointwise, name: str) -> None:
    """Raises ``SpecError`` unless ``function`` acts on each number alone, each time alike, with finite values."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            whole, again = function(_TRIED.clone()), function(_TRIED.clone())
            turned = function(_TRIED.flip(0))
            part = function(_TRIED[20:100].reshape(8, 10))
        except (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError, AttributeError) as error:
            raise SpecError(
                f"{name}: it does not take one tensor of float64: {str(error).splitlines()[0]}; choose a pointwise "
                "function, with the numbers it needs behind the tensor as arguments"
            ) from None
    tensors = all(isinstance(y, Tensor) and y.dtype == torch.float64 for y in (whole, again, turned, part))
    if not tensors or whole.shape != _TRIED.shape or part.shape != (8, 10):
        raise SpecError(f"{name}: it does not give a number of float64 for each number; choose a pointwise function")
    if not torch.isfinite(whole).all():
        worst = float(_TRIED[~torch.isfinite(whole)].abs().min())
        if worst < 100:
            raise SpecError(f"{name}: it is not finite at numbers of size {worst:.3g}; choose one that is")
    if not (_same(whole, again) and _same(whole, turned.flip(0)) and _same(whole[20:100], part.flatten())):
        raise SpecError(f"{name}: its values are random or depend on other numbers; choose a pointwise function")


def _same(a: Tensor, b: Tensor) -> bool:
    return bool(torch.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True))


def _digest(function: Pointwise) -> str:
    with torch.no_grad():
        values = function(_TRIED.clone()).tolist()
    return hashlib.sha256(" ".join(f"{value:.8e}" for value in values).encode()).hexdigest()[:16]
