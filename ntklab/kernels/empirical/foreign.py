"""Errors that a user's module raises, told as errors of that module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from torch import nn

from ntklab.errors import NtkLabError
from ntklab.kernels.budget import is_allocation

_RAISED = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, OSError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip


@contextmanager
def naming(model: nn.Module) -> Iterator[None]:
    """Raises ``NtkLabError`` naming the part of ``model`` in which an error rose; failed allocations pass."""
    try:
        yield
    except _RAISED as error:
        if isinstance(error, NtkLabError) or is_allocation(error):
            raise
        name, kind = _innermost(model, error.__traceback__)
        where = f"the module {name!r} ({kind})" if name else f"the module {kind}"
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NtkLabError(
            f"empirical NTK: {where} raised {type(error).__name__}: {text}; "
            "call it on a batch of your samples to see why"
        ) from error


def _innermost(model: nn.Module, trace: TracebackType | None) -> tuple[str, str]:
    """Name and kind of the part of ``model`` whose method was the last to be called."""
    names = {id(module): name for name, module in model.named_modules()}
    found: nn.Module = model
    while trace is not None:
        caller = trace.tb_frame.f_locals.get("self")
        if isinstance(caller, nn.Module) and id(caller) in names:
            found = caller
        trace = trace.tb_next
    return names[id(found)], type(found).__name__
