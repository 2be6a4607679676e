"""Ways that are not taken, with the reason; modules that have no gradients of single samples; what samples may be."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from zoo import Through

from ntklab.errors import NtkLabError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.kernels.empirical.reference import jacobian_by_autograd
from ntklab.kernels.empirical.routes.graph import rules
from ntklab.kernels.empirical.subject import subject
from ntklab.progress import drain

JACOBIAN = "per-sample gradients, one autograd pass an output and sample"
GRAPH = "per-layer factors, by the module's graph of operations"


def samples(n=4, width=6):
    return torch.randn(n, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def asked(model, x=None, dtype="float64"):
    model = model.to(torch.float64) if dtype == "float64" else model
    return subject(model, seed=0, dtype=dtype, device="cpu").ready(samples() if x is None else x)


def assert_right(model, x, tolerance=1e-10):
    gram = drain(empirical_ntk(model, x, dtype="float64"))
    J = jacobian_by_autograd(model, torch.as_tensor(x))
    expected = torch.einsum("iop,jqp->ijoq", J, J).numpy()
    assert np.abs(gram.values - expected).max() <= tolerance * np.abs(expected).max()
    return gram


def by_value(m, x):
    h = m.a(x)
    return m.o(torch.tanh(h) if h.sum() > 0 else -h)


@pytest.mark.parametrize(
    ("run", "why"),
    [(by_value, "it cannot be exported"), (lambda m, x: m.o(m.a(x) * int(2 + x[:, 0].sum())), "exported")],
)
def test_control_by_values_falls_back_wholly(run, why):
    torch.manual_seed(0)
    model = Through(run, a=nn.Linear(6, 6), o=nn.Linear(6, 3)).double()
    gram = assert_right(model, samples())
    assert gram.provenance.route == JACOBIAN
    assert any(why in note for note in gram.provenance.notes)
    assert any("each sample was run by itself" in note for note in gram.provenance.notes)
    assert all(why in layer.why for layer in asked(model).route.layers)


def test_operations_without_a_rule_fall_back_alone():
    torch.manual_seed(0)
    model = Through(lambda m, x: m.o(torch.einsum("ni,oi->no", m.a(x), m.W)), a=nn.Linear(6, 6), o=nn.Linear(3, 2),
                    W=nn.Parameter(torch.randn(3, 6)))  # fmt: skip
    layers = {layer.name: layer for layer in asked(model).route.layers}
    assert {layers[name].rule for name in ("a", "o")} == {"inputs × cotangents"}
    assert layers[""].rule == "per-sample gradients by the operation's own derivative"
    assert layers[""].why == "no rule for W in aten.einsum.default"


def test_a_wrong_kernel_is_found_and_never_given(monkeypatch):
    wrong = rules.Local(lambda _, B: 1.1 * B.sum(2))
    monkeypatch.setitem(rules.RULES, torch.ops.aten.add.Tensor, lambda *_: wrong)
    torch.manual_seed(0)
    model = Through(lambda m, x: m.o(m.p + m.a(x).view(-1, 2, 3)).sum(1), a=nn.Linear(6, 6),
                    p=nn.Parameter(torch.ones(3)), o=nn.Linear(3, 2))  # fmt: skip
    gram = assert_right(model.double(), samples())
    assert gram.provenance.route == JACOBIAN
    assert any("misses the gradient of single samples by" in note for note in gram.provenance.notes)


def test_outputs_go_one_after_another_where_they_cannot_go_together(monkeypatch):
    def refuse(self, *args, **kwargs):
        if kwargs.get("is_grads_batched"):
            raise RuntimeError("no batching rule")
        return grad(*args, **kwargs)

    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: refuse(None, *a, **k))
    model = nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4), nn.Linear(4, 3)).double()
    assert assert_right(model, samples()).provenance.route == GRAPH


def test_many_outputs_take_several_passes(monkeypatch):
    from ntklab.kernels.empirical.routes.graph import route

    monkeypatch.setattr(route, "_COTANGENTS", 40)
    model = nn.Sequential(nn.Unflatten(1, (3, 2)), nn.Linear(2, 3), nn.LayerNorm(3), nn.Flatten(), nn.Linear(9, 7))
    assert_right(model.double(), samples())


def test_batches_in_functional_use_are_refused():
    model = Through(lambda m, x: m.o(functional.batch_norm(m.a(x), None, None, training=True)), a=nn.Linear(6, 6),
                    o=nn.Linear(6, 2))  # fmt: skip
    with pytest.raises(NtkLabError, match=r"normalises by the statistics of the whole batch.*training=False"):
        asked(model.eval())
    with pytest.raises(NtkLabError, match=r"'1' .BatchNorm1d. normalises.*track_running_stats"):
        asked(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4, track_running_stats=False)).eval())


def test_random_functions_are_refused():
    model = Through(lambda m, x: m.o(functional.dropout(m.a(x), 0.5)), a=nn.Linear(6, 6), o=nn.Linear(6, 2))
    with pytest.raises(NtkLabError, match=r"is random.*call model.eval\(\)"):
        asked(model)
    quiet = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.0)).train()
    state = torch.get_rng_state()
    asked(quiet)
    assert torch.equal(state, torch.get_rng_state())


def test_buffers_that_change_in_a_pass_are_refused_and_left():
    model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(6, 6)), nn.Linear(6, 2)).double().train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with pytest.raises(NtkLabError, match=r"changes its buffers.*call model.eval\(\)"):
        asked(model)
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


@pytest.mark.parametrize("n", [1, 4])
def test_samples_that_affect_each_other_are_found(n):
    model = Through(lambda m, x: m.o(m.a(x) - m.a(x).mean(0)), a=nn.Linear(6, 6), o=nn.Linear(6, 2))
    with pytest.raises(NtkLabError, match="mixes the samples of a batch"):
        asked(model, samples(n))


@pytest.mark.parametrize("run", [lambda m, x: (m.a(x), x), lambda m, x: {"logits": m.a(x)}, lambda m, x: m.a(x).sum()])
def test_what_is_not_a_row_for_each_sample_is_refused(run):
    with pytest.raises(NtkLabError, match=r"must return one tensor \(n, k\) for n samples, got"):
        asked(Through(run, a=nn.Linear(6, 3)))


def test_parts_in_half_precision_are_told():
    torch.manual_seed(0)
    inside = Through(lambda m, x: m.o(m.a(x).to(torch.bfloat16).to(x.dtype)), a=nn.Linear(6, 6), o=nn.Linear(6, 2))
    assert "parts of the module compute in bfloat16" in asked(inside).notes
    given = nn.Sequential(nn.Linear(6, 6).bfloat16(), nn.Tanh(), nn.Linear(6, 2))
    notes = subject(given, seed=0, dtype="float32", device="cpu").notes
    assert notes == ("the kernel is of a copy in float32: parameters were given in bfloat16",)
    assert given[0].weight.dtype == torch.bfloat16


def test_whole_numbers_stay_whole_where_the_module_takes_them():
    torch.manual_seed(0)
    words = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2)).double()
    ids = np.random.default_rng(0).integers(0, 9, (5, 3))
    gram = assert_right(words, ids)
    assert np.array_equal(drain(empirical_ntk(words, ids.astype(np.uint16), dtype="float64")).values, gram.values)
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6)).astype(np.uint8)
    dense = nn.Linear(6, 2).double()
    as_numbers = drain(empirical_ntk(dense, pixels.astype(np.float64), dtype="float64")).values
    assert np.array_equal(drain(empirical_ntk(dense, pixels, dtype="float64")).values, as_numbers)


def test_the_module_is_left_as_it_was():
    model = Through(by_value, a=nn.Linear(6, 6), o=nn.Linear(6, 3)).double()
    parts = {name: dict(module.__dict__) for name, module in model.named_modules()}
    drain(empirical_ntk(model, samples(), dtype="float64"))
    assert all(parts[name].keys() == module.__dict__.keys() for name, module in model.named_modules())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
