"""The user's own network: made by a function of a Python file, once that is the file that was allowed to run.

This is a border: whatever the user's code raises becomes one error that names the line.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ntklab.errors import ModelError, NtkLabError, TrustError
from ntklab.files import read_code
from ntklab.networks.checkpoints import content_hash
from ntklab.spec import ModelFile, ModelObject

_PREFIX = "_ntklab_model_"  # of names in sys.modules, which no module of anybody else has
_SHOWN = 12  # digits of a sha256 in a message


def make(model: ModelFile, *, seed: int = 0) -> nn.Module:
    """Run the file of ``model`` and its function; the module that it returns, in evaluation mode.

    Call this only for a file that the user trusts. What runs is the very content that was hashed. torch's random
    numbers begin at ``seed`` while the function runs, and are then as they were. Raises ``FileError``, ``TrustError``
    where the file is not the one that ``model`` names, ``ModelError`` for what goes wrong in it.
    """
    content = checked(model)
    devices = range(torch.cuda.device_count())
    with border(model.path, f"{model.function}()"), torch.random.fork_rng(devices):
        function = _function(_executed(content, model), model)
        torch.manual_seed(seed)
        made = function()
    if not isinstance(made, nn.Module):
        raise ModelError(
            f"model: {model.function}() of {model.path} returned {type(made).__name__}, expected a torch.nn.Module; "
            "return the network"
        )
    return made.eval()


def checked(model: ModelFile) -> bytes:
    """The content of the file of ``model``. Raises ``FileError``, and ``TrustError`` where it is another than then."""
    content, digest = read_code(model.path)
    if digest != model.sha256:
        raise TrustError(
            f"model: {model.path} has changed: its sha256 is {digest[:_SHOWN]}…, expected {model.sha256[:_SHOWN]}…; "
            "read it again, and choose it again if you trust it"
        )
    return content


def model_object(module: nn.Module, shape: tuple[int, ...] | None = None) -> ModelObject:
    """What ``module`` is called in an experiment; ``shape`` is that of one sample as it takes it."""
    return ModelObject(f"{type(module).__module__}:{type(module).__qualname__}", fingerprint(module), shape)


def fingerprint(module: nn.Module) -> str:
    """The sha256 of the class of ``module``, its structure as it prints, and its parameters and buffers."""
    digest = hashlib.sha256(f"{type(module).__module__}:{type(module).__qualname__}\0{module!r}\0".encode())
    tensors = dict([*module.named_parameters(), *module.named_buffers()])
    digest.update(content_hash(tensors).encode())
    return digest.hexdigest()


@torch.no_grad()
def outputs_of(module: nn.Module, shape: tuple[int, ...], where: str) -> int:
    """How many outputs ``module`` has, tried on two samples of ones. Raises ``ModelError`` where it fails on them."""
    like = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(1))
    samples = torch.ones(2, *shape, dtype=like.dtype, device=like.device)
    with border(where, f"the network on samples of shape {list(shape)}"):
        found: Any = module(samples)
    if not isinstance(found, Tensor) or found.ndim < 1 or len(found) != len(samples):
        got = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ModelError(
            f"model: for samples of shape {[2, *shape]} the network of {where} gave {got}, expected a tensor of "
            "[2, outputs]; wrap it in a module that returns one"
        )
    return found[0].numel()


@contextmanager
def border(path: str, doing: str) -> Iterator[None]:
    """Turn whatever code of the file at ``path`` raises into ``ModelError``, with its last line there."""
    try:
        yield
    except (KeyboardInterrupt, NtkLabError):
        raise
    except BaseException as error:
        words = " ".join(str(error).split())
        kind = type(error).__name__ + (f": {words}" if words else "")
        raise ModelError(f"model: {doing} of {path} failed{_place(error, path)}: {kind}; mend the file") from error


def _place(error: BaseException, path: str) -> str:
    """The last line of the user's file on the way to ``error``."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not frames:
        return f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
    last = frames[-1]
    return f" in line {last.lineno}, {last.name}: {(last.line or '').strip()}"


def _executed(content: bytes, model: ModelFile) -> ModuleType:
    """A module of the file, under a name in ``sys.modules`` that is its own: classes must find their module there."""
    module = ModuleType(_PREFIX + model.sha256[:32])
    module.__file__ = str(Path(model.path).absolute())
    code = compile(content, model.path, "exec", dont_inherit=True)
    sys.modules[module.__name__] = module
    try:
        exec(code, vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _function(module: ModuleType, model: ModelFile) -> Any:
    found = vars(module).get(model.function)
    if not callable(found):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        there = ", ".join(names[:8]) or "nothing that can be called"
        raise ModelError(
            f"model: {model.path} has no function {model.function!r}; it has {there}; choose one of its functions"
        )
    return found
