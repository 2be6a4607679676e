"""Kernels to store, and storing them."""

import numpy as np

from ntklab.results import Provenance
from ntklab.store import TileStore
from ntklab.store.kernel import mirrored

KEPT = {"mean": (), "diagonal": (3,), "full": (2, 2)}


def kernel(n1, n2=None, *, outputs="mean", dtype="float32", seed=0):
    """Random values of a kernel, symmetric where ``n2`` is None."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n1, n2 or n1, *KEPT[outputs])).astype(dtype)
    return values if n2 else values + mirrored(values)


def about(values, outputs):
    return Provenance("empirical", "ntk", str(values.dtype), outputs=outputs, seed=3, notes=("a note",))


def start(folder, values, *, edge=4, outputs="mean", symmetric=True, **fingerprint):
    """The store of ``values`` in ``folder``."""
    return TileStore.create_or_resume(
        folder, shape=values.shape, edge=edge, dtype=str(values.dtype), outputs=outputs, symmetric=symmetric,
        fingerprint=fingerprint or {"network": "a" * 40, "seed": 3}, about=about(values, outputs),
    )  # fmt: skip


def cut(values, cell):
    """The part of ``values`` in a tile."""
    return values[slice(*cell.rows), slice(*cell.columns)]


def put(store, values, cells=None):
    """Write the tiles ``cells``, or all that are missing."""
    for cell in store.todo() if cells is None else cells:
        store.write(cell, cut(values, cell))


def stored(folder, values, **options):
    """Store all of ``values`` and return its ``Gram``."""
    with start(folder, values, **options) as store:
        put(store, values)
        return store.finish(about(values, options.get("outputs", "mean")), error=1e-6)


def files(folder):
    """The files of a stored kernel whose content matters, relative to it."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != "lock"
    )
