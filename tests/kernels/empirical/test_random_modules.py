"""Networks wired at random from parts that share parameters, change values in place and make weights of weights."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from ntklab.kernels.empirical.forms import FORMS, kernel
from ntklab.kernels.empirical.reference import REDUCTIONS, jacobian_by_autograd
from ntklab.kernels.empirical.subject import subject

WIDTH = 4


def changed_slice(m, h, i):
    h = h.clone()
    h[:, :2] *= m.rows[i][:2]
    h[:, 3] = torch.tanh(h[:, 0])
    return h


def tokens(m, h, i):
    return m.each[i](h.view(-1, 2, 2)).flatten(1)


def attended(m, h, i):
    q = m.each[i](h.view(-1, 2, 2))
    return functional.scaled_dot_product_attention(q, q * m.scalar, h.view(-1, 2, 2)).flatten(1)


def plain(function):
    """A step without parameters."""
    return lambda *given: function(given[1])


ONE = {
    "dense": lambda m, h, i: m.dense[i](h),
    "transposed dense": lambda m, h, i: h @ m.dense[i].weight,
    "made weights": lambda m, h, i: functional.linear(h, m.dense[i].weight * m.rows[i] + m.rows[0].unsqueeze(1)),
    "weight norm": lambda m, h, i: m.normed[i](h),
    "convolution": lambda m, h, i: m.convolutions[i](h.unsqueeze(1)).mean(1),
    "layer norm": lambda m, h, i: m.norms[i](h),
    "row added": lambda m, h, i: m.rows[i] + h,
    "row times": lambda m, h, i: h * m.rows[i],
    "scalar": lambda m, h, _: h * m.scalar - m.scalar**2,
    "tanh": plain(torch.tanh),
    "relu in place": plain(lambda h: functional.relu_(h * 1.1)),
    "gelu": plain(functional.gelu),
    "changed slice": changed_slice,
    "in place": lambda m, h, i: h.clone().mul_(m.rows[i]).add_(m.rows[0]),
    "tokens": tokens,
    "attention": attended,
    "fixed": lambda m, h, i: m.dense[i](h).detach() + h,
    "softmax": plain(lambda h: torch.softmax(h, -1) * 2),
}
TWO = {
    "sum": lambda g, h: g + h,
    "product": lambda g, h: torch.sigmoid(g) * h,
    "concatenated": lambda g, h: torch.cat([g, h], 1).view(-1, 2, WIDTH).mean(1),
}


class Wired(nn.Module):
    """Steps (name, part, first value, second value) that each add a value; the last ones are read out."""

    def __init__(self, steps, outputs):
        super().__init__()
        self.steps = steps
        self.dense = nn.ModuleList(nn.Linear(WIDTH, WIDTH, bias=i < 1) for i in range(2))
        self.normed = nn.ModuleList(parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH)) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv1d(1, 2, 3, padding=1 + i, dilation=1 + i) for i in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.rows = nn.ParameterList(nn.Parameter(torch.rand(WIDTH) + 0.5) for _ in range(2))
        self.each = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))
        self.scalar = nn.Parameter(torch.tensor(0.7))
        self.out = nn.Linear(WIDTH, outputs)

    def forward(self, x):
        values = [x]
        for name, part, first, second in self.steps:
            g, h = values[first % len(values)], values[second % len(values)]
            values.append(ONE[name](self, g, part) if name in ONE else TWO[name](g, h))
        return self.out(values[-1] + 0.3 * values[len(values) // 2])


steps = st.lists(
    st.tuples(st.sampled_from([*ONE, *TWO]), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9)),
    min_size=1, max_size=9,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(1, 4), st.integers(1, 5), st.sampled_from(list(REDUCTIONS)))
def test_any_wiring_of_parts(steps, k, n, outputs):
    torch.manual_seed(0)
    model = Wired(steps, k).double()
    x = torch.randn(n, WIDTH, dtype=torch.float64)
    asked = subject(model, seed=0, dtype="float64", device="cpu", pairs=outputs == "full").ready(x)
    assert asked.route.name == "per-layer factors, by the module's graph of operations", asked.notes
    J, F, form = jacobian_by_autograd(model, x), asked.factors(x), FORMS[outputs](k)
    expected = REDUCTIONS[outputs](torch.einsum("iop,jqp->ijoq", J, J))
    got = torch.from_numpy(form.values(kernel(form, F, F).numpy()))
    assert (got - expected).abs().max() <= 1e-10 * expected.abs().max()
