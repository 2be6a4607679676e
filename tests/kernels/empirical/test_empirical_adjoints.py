"""Adjoints written by hand, of convolutions, attention, norms and pooling, against the naive twin."""

from __future__ import annotations

import pytest
import torch

from ntklab import spec
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build
from ntklab.progress import drain
from ntklab.spec.activations import Erf, Gelu, Relu

END = (spec.GlobalAvgPool(), spec.Dense(3, 1.0, 0.1))
IMAGE = spec.Input("image", (6, 5, 2))
SEQUENCE = spec.Input("sequence", (5, 4))


def conv(kernel: tuple[int, ...], **more: object) -> spec.Conv:
    return spec.Conv(4, kernel, b_std=0.1, **more)  # type: ignore[arg-type]


def block(mechanism: str, *, linear_scaling: bool) -> tuple[spec.Layer, ...]:
    heads = spec.SelfAttention(6, 3, 2, 2, mechanism=mechanism, linear_scaling=linear_scaling, b_std=0.1)  # type: ignore[arg-type]
    residual = spec.Branch(((), (spec.LayerNorm(), heads)))
    return spec.Dense(6, 1.0, 0.1), residual, spec.LayerNorm(), Gelu(), *END


CASES = {
    "convolutions": (IMAGE, (conv((3, 3), padding="SAME"), Erf(), conv((2, 3), stride=(2, 1)), Relu(), *END)),
    "unevenly padded": (IMAGE, (conv((3, 3)), Erf(), conv((2, 2), padding="SAME"), *END)),
    "wrapped": (IMAGE, (conv((3, 3)), Erf(), conv((3, 3), padding="CIRCULAR"), *END)),
    "along a sequence": (SEQUENCE, (conv((3,), padding="SAME"), Erf(), conv((3,), stride=(2,)), spec.GlobalSumPool())),
    "in a volume": (
        spec.Input("volume", (4, 3, 3, 2)),
        (conv((3, 3, 3), padding="SAME"), Relu(), conv((1, 3, 3), padding="SAME"), spec.LayerNorm((1, -1)), *END),
    ),
    "outputs of a convolution": (IMAGE, (conv((3, 3)), Relu(), conv((3, 3)))),
    "attention first": (SEQUENCE, (spec.SelfAttention(4, 3, 2, 2), *END)),
    "attention last": (SEQUENCE, (spec.Dense(4), Erf(), spec.SelfAttention(2, 3, 2, 2))),
    "attention over an image": (IMAGE, (spec.Dense(4), spec.SelfAttention(4, 3, 2, 2), *END)),
    "attention with positions": (SEQUENCE, (spec.Dense(4), spec.SelfAttention(4, 3, 2, 2, pos_emb_type="SUM"), *END)),
    **{
        f"{mechanism}, {'tied' if tied else 'free'} queries": (SEQUENCE, block(mechanism, linear_scaling=tied))
        for mechanism in ("SOFTMAX", "IDENTITY", "RELU", "ABS", "FLAT")
        for tied in (True, False)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("outputs", ["full", "mean"])
def test_agrees_with_the_jacobian(name: str, outputs: str) -> None:
    given, layers = CASES[name]
    model = build(spec.Architecture(given, layers), seed=1, dtype="float64")
    x = torch.randn(3, *given.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = reference_ntk(model, x, outputs=outputs).detach()
    got = torch.from_numpy(drain(empirical_ntk(model, x, outputs=outputs, dtype="float64")).values)
    assert float((got - wanted).abs().max()) <= 1e-12 * float(wanted.abs().max())
