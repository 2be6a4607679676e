"""Parameters of modules in files, read without running anything that a file may hold, and put into modules by name."""

from __future__ import annotations

import copy
import hashlib
import pickle
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ntklab.errors import FileError, SpecError
from ntklab.files import write_atomically

Source = Mapping[str, Tensor] | str | Path
"""Parameters by name, or the path of a checkpoint."""

TORCH_SUFFIXES = (".pt", ".pth", ".ckpt", ".bin")
SUFFIXES = (*TORCH_SUFFIXES, ".safetensors")

_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "params")
_PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "network.")
_SHOWN = 3  # names in an error
_DAMAGED = (
    RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    AssertionError, OverflowError, zipfile.BadZipFile, NotImplementedError,
)  # fmt: skip
"""What torch raises for a file that is none of its own or broken."""


def load_parameters(module: nn.Module, source: Source) -> str:
    """Put parameters and buffers into ``module`` in place, in its dtype and on its device; returns their hash.

    ``source`` names tensors as ``module.state_dict()`` does, or is the path of a .safetensors file or of one that
    ``torch.save`` wrote, read with ``weights_only``. A state_dict inside a training checkpoint ("state_dict", "model",
    …) is found, and prefixes that wrappers left on every name ("module.") are dropped. Buffers may be left out
    together, tied parameters stand under one name or under all. Nothing is changed unless everything fits. Raises
    ``SpecError`` naming what does not fit, ``FileError`` for a file that cannot be read.
    """
    given = _unprefixed(_tensors(source), module)
    _check_names(module, given)
    targets = module.state_dict(keep_vars=True)
    for name, tensor in given.items():
        if tensor.shape != targets[name].shape:
            raise SpecError(
                f"parameters: {name!r} has shape {list(targets[name].shape)} in the module, got {list(tensor.shape)}; "
                "give the parameters of a network of the same widths"
            )
    _check_tied(module, given)
    with torch.no_grad():
        for name, tensor in given.items():
            targets[name].copy_(tensor)
    return content_hash(given)


def with_parameters(module: nn.Module, source: Source) -> tuple[nn.Module, str]:
    """A copy of ``module`` with the parameters of ``source``, and their hash; see ``load_parameters``."""
    loaded = copy.deepcopy(module)
    return loaded, load_parameters(loaded, source)


def save_parameters(module: nn.Module, path: Path | str) -> Path:
    """Write parameters and buffers of ``module`` to a .safetensors file; a crash leaves the old file or the new one.

    Tied parameters are written once. Raises ``SpecError`` for another suffix, ``FileError``.
    """
    target = Path(path)
    if target.suffix != ".safetensors":
        raise SpecError(f"path: parameters are written as .safetensors, got {target.name!r}; change the suffix")
    tied = {alias for first, *aliases in _ties(module) for alias in aliases}
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
        if name not in tied
    }

    def write(temporary: Path) -> None:
        try:
            safetensors.torch.save_file(tensors, temporary, metadata={"format": "pt"})
        except SafetensorError as error:
            raise FileError(f"cannot write {target}: {error}; choose another folder or free some space") from error

    return write_atomically(target, write)


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hexadecimal) of names, dtypes, shapes and numbers, whatever their order and device."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _tensors(source: Source) -> dict[str, Tensor]:
    if isinstance(source, Mapping):
        return _state(source, "parameters")
    if not isinstance(source, str | Path):
        raise SpecError(f"parameters: expected a mapping from names to tensors or a path, got {type(source).__name__}")
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(f"cannot read {path}: expected one of {', '.join(SUFFIXES)}; save a state_dict as one of these")
    if not path.is_file():
        raise FileError(f"cannot read {path}: there is no such file; check the path")
    try:
        return _state(_read(path), str(path))
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {path}: {error.strerror or error}; check its permissions") from error


def _read(path: Path) -> object:
    """What the file holds: tensors and plain containers alone, whatever its pickle asks for."""
    remedy = "write it again with ntklab.save_parameters or torch.save(model.state_dict(), path)"
    if path.suffix.lower() == ".safetensors":
        try:
            return safetensors.torch.load_file(path)
        except (SafetensorError, ValueError, KeyError) as error:
            raise FileError(f"cannot read {path}: {_line(error)}; {remedy}") from error
    try:
        _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise FileError(f"cannot read {path}: {_line(error)}; {remedy}") from error


def _check_archive(path: Path) -> None:
    """torch.save writes an archive without compression: any other may be larger inside than it is on disk."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not an archive of torch.save (torch 1.6 and later)")
    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("its members are compressed")
        if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
            raise ValueError("its members are larger than the file")


def _line(error: BaseException) -> str:
    """The first line: torch goes on with advice to switch the protection off."""
    return (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0].rstrip(".")


def _state(found: object, what: str) -> dict[str, Tensor]:
    """The mapping from names to tensors in ``found``, alone or in a training checkpoint."""
    if not isinstance(found, Mapping):
        raise SpecError(
            f"{what}: expected a mapping from names to tensors, got {type(found).__name__}; save a state_dict"
        )
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    others = [str(name) for name in found if str(name) not in tensors]
    if tensors and not others:
        return tensors
    for wrapper in _WRAPPERS:
        if isinstance(found.get(wrapper), Mapping):
            return _state(found[wrapper], what)
    raise SpecError(
        f"{what}: expected a mapping from names to tensors, got {_named(others) if others else 'an empty one'}; "
        f"give a state_dict, or a mapping with one under {' or '.join(map(repr, _WRAPPERS[:3]))}"
    )


def _unprefixed(given: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    wanted = module.state_dict().keys()
    while not given.keys() & wanted:
        prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in given)), None)
        if prefix is None:
            break
        given = {name.removeprefix(prefix): tensor for name, tensor in given.items()}
    return given


def _check_names(module: nn.Module, given: Mapping[str, Tensor]) -> None:
    state = module.state_dict()
    buffers = {name for name, _ in module.named_buffers(remove_duplicate=False)}
    optional = {name for aliases in _ties(module) if given.keys() & set(aliases) for name in aliases}
    if not given.keys() & buffers:
        optional |= buffers
    missing = [name for name in state if name not in given and name not in optional and not name.endswith(_EXTRA)]
    unexpected = [name for name in given if name not in state]
    if missing or unexpected:
        parts = [
            f"{what} {_named(names)}" for what, names in (("missing", missing), ("unexpected", unexpected)) if names
        ]
        raise SpecError(
            f"parameters: they do not fit the module: {'; '.join(parts)}; build the network that they were saved from, "
            "or rename them to the names of its state_dict()"
        )


def _check_tied(module: nn.Module, given: Mapping[str, Tensor]) -> None:
    for first, *aliases in _ties(module):
        named = [name for name in (first, *aliases) if name in given]
        if any(not torch.equal(given[named[0]], given[name]) for name in named[1:]):
            raise SpecError(
                f"parameters: {_named(named)} are tied in the module, got different numbers; give equal ones"
            )


_EXTRA = "_extra_state"


def _ties(module: nn.Module) -> Iterator[tuple[str, ...]]:
    """Names of the same tensor, for each that has several."""
    names: dict[int, list[str]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):
            names.setdefault(id(tensor), []).append(name)
    return (tuple(aliases) for aliases in names.values() if len(aliases) > 1)


def _named(names: Iterable[str]) -> str:
    shown = list(names)
    rest = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(map(repr, shown[:_SHOWN])) + rest
