"""Layers taken offset by offset give what all pairs of positions at the same time give; what large pairs cost."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from ntklab import spec
from ntklab.errors import MemoryBudgetError
from ntklab.kernels.infinite import infinite_kernel
from ntklab.kernels.infinite.inputs import inputs
from ntklab.kernels.infinite.request import Request
from ntklab.kernels.tiles import Block
from ntklab.progress import Forecast, drain

RELU, GAP, READOUT = {"type": "Relu"}, {"type": "GlobalAvgPool"}, {"type": "Dense", "width": 1}
NORM = {"type": "LayerNorm", "axis": [-1], "eps": 1e-3}
SUM, POOL = {"type": "GlobalSumPool"}, {"type": "AvgPool", "window": [2, 2]}
DROPOUT = {"type": "Dropout", "keep_rate": 0.8}
FLAT = {"type": "Flatten"}


def mean(*window: int, kind: str = "AvgPool", **fields) -> dict:
    return {"type": kind, "window": list(window), "stride": list(window), **fields}


def conv(*kernel: int, padding: str = "SAME", kind: str = "Conv", **fields) -> dict:
    return {
        "type": kind,
        "channels": 8,
        "kernel": list(kernel),
        "padding": padding,
        "W_std": 1.4,
        "b_std": 0.1,
        **fields,
    }


def branch(*branches: list, merge: str = "sum") -> dict:
    return {"type": "Branch", "merge": merge, "branches": list(branches)}


TANH = {"type": "Numerical", "fn": "tanh"}
JOIN = branch([conv(3, 3), RELU], [conv(1, 3), TANH], merge="concat")
ATTENTION = {"type": "SelfAttention", "n_chan_out": 8, "n_chan_key": 8, "n_chan_val": 8, "n_heads": 2}
CASES = {
    "sequence": ((7, 2), [conv(3), RELU, conv(2), TANH, GAP, READOUT]),
    "image": ((5, 6, 2), [conv(3, 3), RELU, conv(2, 4), RELU, GAP, READOUT]),
    "valid": ((5, 6, 1), [conv(2, 3, padding="VALID"), RELU, conv(3, 2, padding="VALID"), RELU, GAP, READOUT]),
    "volume": ((3, 4, 2, 1), [conv(2, 2, 2), RELU, conv(3, 1, 2), RELU, GAP, READOUT]),
    "norm, dropout": ((5, 4, 2), [conv(3, 3), NORM, RELU, DROPOUT, conv(2, 2), RELU, SUM, READOUT]),
    "residual": ((4, 5, 2), [conv(3, 3), branch([RELU, conv(3, 3)], []), RELU, GAP, READOUT]),
    "joined": ((4, 5, 2), [JOIN, conv(2, 2), RELU, GAP, READOUT]),
    "pool": ((6, 5, 2), [conv(3, 3), RELU, POOL, conv(2, 2), RELU, {"type": "Flatten"}, READOUT]),
    "attention": ((5, 3), [conv(3), RELU, ATTENTION, GAP, READOUT]),
    "no read-out": ((4, 3, 2), [conv(3, 2), RELU, conv(2, 2)]),
    "circle": ((6, 4, 2), [conv(3, 3, padding="CIRCULAR"), RELU, conv(2, 5, padding="CIRCULAR"), RELU, GAP, READOUT]),
    "odd circle": ((5, 2), [conv(3, padding="CIRCULAR"), RELU, conv(4, padding="CIRCULAR"), RELU, mean(2), GAP]),
    "stride": ((7, 6, 2), [conv(3, 3, stride=[2, 1]), RELU, conv(2, 2, stride=[1, 3]), RELU, GAP, READOUT]),
    "stride, valid": ((9, 2), [conv(2, stride=[2], padding="VALID"), RELU, conv(3, stride=[1]), RELU, SUM, READOUT]),
    "stride in branches": (
        (6, 5, 2), [conv(3, 3), branch([RELU, conv(3, 3, stride=[2, 2])], [conv(1, 1, stride=[2, 2])]), RELU, GAP]
    ),
    "close pairs": ((9, 8, 2), [conv(3, 3), RELU, conv(2, 3), RELU, mean(2, 2), FLAT, READOUT]),
    "close pairs, twice": (
        (13, 12, 1),
        [conv(3, 3), RELU, mean(2, 2), conv(3, 3, padding="VALID"), TANH, conv(2, 2), RELU, mean(2, 2), FLAT, READOUT],
    ),
    "close pairs of a sequence": ((12, 2), [conv(3), RELU, conv(3), RELU, mean(3), conv(2), RELU, FLAT, READOUT]),
    "close pairs, stride": (
        (14, 11, 1), [conv(3, 3, stride=[2, 2]), RELU, conv(2, 2), RELU, mean(2, 2), conv(3, 3), RELU, FLAT, READOUT]
    ),
    "edges": (
        (8, 7, 2),
        [conv(3, 3), RELU, mean(3, 2, padding="SAME", normalize_edges=True, stride=[2, 1]), conv(3, 3), RELU,
         mean(3, 3, padding="SAME", kind="SumPool", stride=[3, 2]), FLAT, READOUT],
    ),
    "pools to the end": (
        (8, 8, 1), [conv(3, 3), RELU, mean(2, 2), conv(3, 3), RELU, mean(2, 2), conv(3, 3), RELU, mean(2, 2), FLAT]
    ),
    "pools, then all": ((6, 7, 2), [conv(3, 3), RELU, mean(2, 3), conv(2, 2), NORM, RELU, GAP, READOUT]),
    "pools of volumes": ((4, 5, 4, 1), [conv(2, 2, 2), RELU, mean(2, 2, 2), conv(2, 1, 2), RELU, GAP, READOUT]),
    "circular pool": ((6, 5, 1), [conv(3, 3), RELU, mean(2, 2, padding="CIRCULAR"), conv(3, 3), RELU, FLAT, READOUT]),
    "transposed behind": (
        (6, 5, 1), [conv(3, 3), RELU, conv(3, 3, stride=[2, 2], kind="ConvTranspose"), RELU, mean(2, 2), FLAT]
    ),
    "local between": ((6, 5, 1), [conv(3, 3), RELU, conv(2, 2, kind="ConvLocal"), RELU, conv(2, 2), RELU, GAP]),
    "standard": ((4, 5, 2), [conv(3, 3, param="standard"), RELU, conv(2, 2, param="standard"), RELU, GAP, READOUT]),
}  # fmt: skip
KINDS = {2: "sequence", 3: "image", 4: "volume"}


def network(shape: tuple[int, ...], layers: list) -> spec.Architecture:
    return spec.Architecture.from_dict({"input": {"kind": KINDS[len(shape)], "shape": shape}, "layers": layers})


@pytest.mark.parametrize("name", CASES)
def test_offset_by_offset_is_all_at_once(name: str) -> None:
    architecture = network(*CASES[name])
    x = np.random.default_rng(3).standard_normal((4, *architecture.input.shape))
    data = inputs(architecture, x, None, dtype=torch.float64, device=torch.device("cpu"))
    swept = Request(architecture.layers, data, ntk=True)
    plain = replace(swept, sweep=False)
    assert swept.network().sweeps
    assert not plain.network().sweeps
    (a, a_selves), (b, b_selves) = swept.settled(), plain.settled()
    pairs = [(a_selves, b_selves)]
    for block in (Block((0, 2), (1, 4)), Block((0, 4), (0, 4), diagonal=True)):
        pairs.append((swept.tile(a, block), plain.tile(b, block)))
    for one, other in pairs:
        # Positions that are nearly collinear behind a kink carry the root of their rounding.
        rtol = 1e-8 if name == "close pairs, twice" else 1e-13
        torch.testing.assert_close(one.nngp, other.nngp, rtol=rtol, atol=1e-14)
        torch.testing.assert_close(one.ntk, other.ntk, rtol=rtol, atol=1e-14)


def pooled(size: int) -> spec.Architecture:
    return network((size, size, 1), [conv(3, 3), RELU, conv(3, 3), RELU, GAP, READOUT])


def test_a_pair_of_large_images_can_be_left_at_once() -> None:
    x = np.random.default_rng(0).standard_normal((2, 64, 64, 1))  # each pair takes seconds and would be 134 MB a kernel
    work = infinite_kernel(pooled(64), x, memory=2**30)
    assert next(work).seconds > 1  # type: ignore[union-attr]
    next(work)
    next(work)
    started = time.perf_counter()
    work.close()
    assert time.perf_counter() - started < 2  # no measure of speed: the pair would take ten times as long


@pytest.mark.parametrize("size", [16, 28])
def test_what_a_pair_needs_does_not_grow_with_all_pairs_of_positions(size: int) -> None:
    forecast = next(infinite_kernel(pooled(size), np.ones((2, size, size, 1)), memory=2**30))
    assert isinstance(forecast, Forecast)
    assert forecast.peak_bytes - 2**23 < 400 * size**3 * 8  # beside what the process takes


def test_a_budget_below_a_single_pair_says_what_to_change() -> None:
    with pytest.raises(MemoryBudgetError, match=r"needs at least .*budget is 1 MiB; use fewer samples, smaller inputs"):
        next(infinite_kernel(pooled(28), np.ones((2, 28, 28, 1)), memory=2**20))


def test_a_tile_that_memory_refuses_is_quartered(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = network((4, 4, 1), [conv(3, 3), RELU, GAP, READOUT])
    x = np.random.default_rng(1).standard_normal((5, 4, 4, 1))
    expected = drain(infinite_kernel(architecture, x))["ntk"]
    tile = Request.tile

    def scarce(self: Request, network: object, block: Block) -> object:
        if block.shape != (1, 1):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return tile(self, network, block)  # type: ignore[arg-type]

    monkeypatch.setattr(Request, "tile", scarce)
    found = drain(infinite_kernel(architecture, x))["ntk"]
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-13)
    assert any("smaller" in note for note in found.provenance.notes)
    assert not any("smaller" in note for note in expected.provenance.notes)
