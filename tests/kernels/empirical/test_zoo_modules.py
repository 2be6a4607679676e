"""Modules of every kind against J Jᵀ in float64: each form of the kernel, several batches, each layer's part."""

import pytest
import torch
from zoo import ZOO, drawn, made

from ntklab.kernels.empirical.forms import FORMS, kernel
from ntklab.kernels.empirical.reference import REDUCTIONS, jacobian_by_autograd
from ntklab.kernels.empirical.subject import subject

GRAPH = "per-layer factors, by the module's graph of operations"


def assert_close(got, expected):
    assert got.shape == expected.shape
    assert (got - expected).abs().max() <= 1e-10 * expected.abs().max()


def values(outputs, k, rows, columns):
    form = FORMS[outputs](k)
    return torch.from_numpy(form.values(kernel(form, rows, columns).numpy()))


@pytest.mark.parametrize("name", ZOO)
def test_equals_the_jacobians(name):
    x = drawn(name, 5)
    J = jacobian_by_autograd(made(name), x)
    full, k = torch.einsum("iop,jqp->ijoq", J, J), J.shape[1]
    pairs = list(ZOO).index(name) % 2 == 0
    asked = subject(made(name), seed=0, dtype="float64", device="cpu", pairs=pairs).ready(x)
    F, one, some = (asked.factors(part) for part in (x, x[:1], x[:k]))
    layers = [layer.name for layer in asked.route.layers]
    parts = [asked.factors(x, {layer}) for layer in layers]
    for outputs, reduced in REDUCTIONS.items():
        expected = reduced(full)
        assert_close(values(outputs, k, F, F), expected)
        assert_close(values(outputs, k, one, one), expected[:1, :1])
        assert_close(values(outputs, k, F, some), expected[:, :k])
        assert_close(sum(values(outputs, k, part, part) for part in parts if part), expected)
    assert {f.layer for f in F} <= set(layers)
    assert asked.route.name in (GRAPH, "per-layer factors, one backward pass for all outputs"), asked.notes
