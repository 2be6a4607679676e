"""What a stored kernel depends on, so that its computation goes on with the right one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from ntklab.kernels.empirical.preparation import Terms
from ntklab.store import stored_edge

Scalar = str | int | float | None

_ENGINE = 1  # counted up when the numbers of the same request change
_TILE = 8 * 2**20  # bytes of a tile on disk
_WIDEST, _NARROWEST = 1024, 16  # samples a side of one
_COPIES = 4  # tiles held while one is written: it, the copy in the order of the file, that in whole chunks, and means
_OVERVIEW, _LONGEST = 12, 1024  # bytes of a pixel of the small picture, and pixels a side of it


def terms(folder: Path, n1: int, n2: int, cell: int, *, memory: int | None) -> Terms:
    """For a plan with a store in ``folder``, of a kernel with ``cell`` bytes a pair of samples.

    A store that is there keeps its tiles. Raises ``FileError`` for a damaged one.
    """
    there = stored_edge(folder)
    beside = _OVERVIEW * min(n1, _LONGEST) * min(n2, _LONGEST)
    edges = (there,) if there is not None else tuple(_edges(max(n1, n2), cell))
    return Terms(memory, edges=edges, copies=_COPIES, beside=beside)


def _edges(longest: int, cell: int) -> Iterator[int]:
    """Samples a side of tiles to try, best first."""
    edge = min(_WIDEST, longest, max(_NARROWEST, int((_TILE / cell) ** 0.5)))
    yield edge
    while edge > _NARROWEST:
        edge = max(_NARROWEST, edge // 2)
        yield edge


def fingerprint(module: nn.Module, x1: Tensor, x2: Tensor, **request: Scalar) -> dict[str, Scalar]:
    """Hashes of the network and the samples, with the values of the ``request`` that the numbers depend on."""
    across = _hash(x1) if x2 is x1 else _hash(x2)
    return {"engine": _ENGINE, "network": _network(module), "x1": _hash(x1), "x2": across, **request}


def _network(module: nn.Module) -> str:
    """SHA-256 of a module: of what it is made of, what is trained, and all its numbers."""
    digest = hashlib.sha256(repr(module).encode())
    for name, part in module.named_modules():
        digest.update(f"{name}:{type(part).__module__}.{type(part).__qualname__}:{part.training};".encode())
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        digest.update(f"{name}:{tensor.requires_grad}:{_hash(tensor)};".encode())
    return digest.hexdigest()


def _hash(tensor: Tensor) -> str:
    """SHA-256 of shape, dtype and numbers."""
    digest = hashlib.sha256(f"{tuple(tensor.shape)}:{tensor.dtype}".encode())
    numbers = tensor.detach().cpu().contiguous().reshape(-1)
    digest.update(memoryview(numbers.view(torch.uint8).numpy()))  # type: ignore[arg-type]
    return digest.hexdigest()
