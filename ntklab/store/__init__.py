"""Kernels larger than memory: in a folder, tile by tile, each with a checksum; they outlive the process that computes.

A stored kernel is a zarr version 3 folder: ``kernel`` (and, for several outputs, ``mean``) in one chunk a tile with the
codecs ``bytes`` and ``crc32c``, of a symmetric kernel the tiles on and above the diagonal, and ``overview``, a small
picture of it. ``tiles.log`` names the tiles that are finished, ``manifest.json`` what they belong to. Files are written
here rather than through zarr so that each is on the disk before it is announced, is never a link to another place, and
is read without threads of its own.
"""

from ntklab.store.kernel import LazyArray, StoredKernel
from ntklab.store.layout import Cell, Layout
from ntklab.store.reading import describe, is_stored, open_kernel, stored_edge
from ntklab.store.state import State, damages, state
from ntklab.store.tiles import TileStore

__all__ = [
    "Cell",
    "Layout",
    "LazyArray",
    "State",
    "StoredKernel",
    "TileStore",
    "damages",
    "describe",
    "is_stored",
    "open_kernel",
    "state",
    "stored_edge",
]
