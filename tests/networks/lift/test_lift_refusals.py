"""What has no rule is refused at the first operation that has none, by its path, with a remedy."""

import logging

import pytest
import torch
from torch import nn
from torch.nn import functional

import ntklab
from ntklab.errors import NtkLabError, SpecError
from ntklab.networks.lift import examine, lift


class Function(nn.Module):
    """Calls ``function`` with the module and x; ``parts`` are submodules."""

    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def conv(**options):
    return nn.Conv2d(4, 4, 3, **options)


def within(*layers):
    """Layers in the middle of a network, called ``net.1`` and so on."""
    return nn.ModuleDict({"net": nn.Sequential(nn.Conv2d(3, 4, 1), *layers)})["net"]


IMAGE = (3, 8, 8)

MODULES = [
    (conv(groups=2), r"1 \(Conv2d\): groups=2: .*; use groups=1"),
    (conv(dilation=2), r"1 \(Conv2d\): dilation=\(2, 2\): .*; use dilation=1"),
    (conv(padding_mode="reflect"), r"1 \(Conv2d\): padding_mode='reflect' has no rule; use 'zeros' or 'circular'"),
    (conv(padding=2), r"1 \(Conv2d\): padding=2 with a window of 3 on 8 positions .*; pad by 1 at most"),
    (nn.MaxPool2d(2), r"1 \(MaxPool2d\): the maximum over positions .*; use average pooling"),
    (nn.AdaptiveMaxPool2d(1), r"1 \(AdaptiveMaxPool2d\): the maximum"),
    (nn.BatchNorm2d(4), r"1 \(BatchNorm2d\): in training mode .*; call \.eval\(\)"),
    (nn.GroupNorm(2, 4), r"1 \(GroupNorm\): num_groups=2: .*; use one group, or LayerNorm"),
    (nn.InstanceNorm2d(4), r"1 \(InstanceNorm2d\): it normalises over positions"),
    (nn.GELU("tanh"), r"1 \(GELU\): approximate='tanh': .*; use approximate='none'"),
    (nn.GLU(1), r"1 \(GLU\): there is no infinite-width rule"),
    (nn.PReLU(), r"1 \(PReLU\): a learned slope has no rule; use leaky_relu"),
    (nn.Softmax(1), r"1 \(Softmax\): it normalises over units.*; lift the network up to its logits"),
    (nn.Upsample(size=5), r"1 \(Upsample\): mode='nearest' from \[8, 8\] to \[5, 5\] .*'nearest-exact'"),
    (nn.Upsample(scale_factor=2, mode="bicubic"), r"1 \(Upsample\): mode='bicubic' has no rule"),
    (nn.Upsample(size=4, mode="bilinear", align_corners=True), r"1 \(Upsample\): align_corners=True"),
    (nn.ZeroPad2d(1), r"1 \(ZeroPad2d\): padding apart from a convolution"),
    (nn.Dropout2d(0.5), r"1 \(Dropout2d\): dropout of whole channels .*; call \.eval\(\)"),
    (nn.AvgPool2d(3, ceil_mode=True), r"1 \(AvgPool2d\): ceil_mode=True"),
    (nn.AvgPool2d(2, divisor_override=3), r"1 \(AvgPool2d\): divisor_override=3"),
    (nn.AdaptiveAvgPool2d(3), r"1 \(AdaptiveAvgPool2d\): \[8, 8\] positions do not divide into \[3, 3\]"),
    (nn.LSTM(4, 4), r"1 \(LSTM\): recurrent layers share their weights"),
    (nn.PixelShuffle(2), r"1 \(PixelShuffle\): there is no infinite-width rule for this module"),
    (nn.Linear(8, 4), r"1 \(Linear\): it mixes positions"),
    (nn.utils.parametrizations.weight_norm(conv()), r"1 \(ParametrizedConv2d\): .* parametrisation"),
    (nn.LayerNorm([8, 8]), r"1 \(LayerNorm\): it normalises over positions, not over channels"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "message"), MODULES, ids=[message[:28] for _, message in MODULES])
def test_modules(module, message):
    with pytest.raises(SpecError, match=message):
        examine(within(module), IMAGE)


CALLS = [
    (lambda self, x: torch.softmax(self.a(x), dim=-1), r"Function, softmax\(\): it normalises over units"),
    (lambda self, x: functional.max_pool1d(self.a(x), 2), r"Function, max_pool1d\(\): the maximum"),
    (lambda self, x: torch.matmul(self.a(x), self.b(x).mT), r"Function, matmul\(\): products of tensors"),
    (lambda self, x: self.a(x) * self.gain, r"Function, mul\(\): it multiplies by the parameter gain"),
    (lambda self, x: self.a(x) + torch.ones(4), r"Function, add\(\): it adds a fixed tensor"),
    (lambda self, x: self.a(x) / self.b(x), r"Function, truediv\(\): it divides by a tensor"),
    (lambda self, x: self.a(x) ** 0.5, r"Function, pow\(\): the power 0\.5"),
    (lambda self, x: self.a(x).detach(), r"Function, detach\(\): it stops gradients"),
    (lambda self, x: self.a(x).clamp(max=1), r"Function, clamp\(\): it clips on one side"),
    (lambda self, x: self.a(x).cumsum(1), r"Function, cumsum\(\): there is no infinite-width rule"),
    (lambda self, x: self.a(x).mean(), r"Function, mean\(\): it pools over the batch too"),
    (lambda self, x: self.a(x).mean(-1), r"Function, mean\(\): it pools over channels"),
    (lambda self, x: self.a(x).view(-1, 4), r"Function, view\(\): it joins the batch axis .*\(n, 5, 4\) to \(5·n, 4\)"),
    (lambda self, x: self.a(x).view(x.size(0), 5, 2, 2), r"Function, view\(\): it splits an axis.*MultiheadAttention"),
    (lambda self, x: self.a(x).transpose(0, 1), r"Function, transpose\(\): it acts along the batch axis"),
    (lambda self, x: self.a(x)[..., :2], r"Function, getitem\(\): it takes a part of the channels"),
    (lambda self, x: self.a(x)[0], r"Function, getitem\(\): it picks samples"),
    (lambda self, x: (h := self.a(x)) * h.mean(1, keepdim=True), r"mul\(\): .*\(n, 5, 4\) and \(n, 1, 4\).*broadcast"),
    (lambda self, x: self.b(self.b(x)), r"b \(Linear\): b\.weight is used again \(first by b \(Linear\)\)"),
    (lambda self, x: self.a(x) * 0, r"Function, mul\(\): it multiplies by 0"),
    (lambda self, x: self.a(x) if self.a(x).sum(1) > 0 else x, r"Function, gt\(\): there is no infinite-width rule"),
    (lambda self, x: self.a(x) if x else x, r"Function: what it computes depends on the values of a tensor"),
    (lambda self, x: [self.a(row) for row in x], r"Function: it loops over a tensor"),
    (lambda self, x: (self.a(x), self.b(x)), r"Function: it returns tuple, not one tensor"),
    (lambda _, x: x, r"Function: it gives back its input"),
    (lambda self, x: torch.cat([self.token, self.a(x)], 1), r"Function, cat\(\): it joins the input's values with a"),
    (lambda self, x: self.a(x) + x.transpose(1, 2).reshape(x.shape), r"Function, reshape\(\): it splits an axis"),
    (lambda self, x: functional.scaled_dot_product_attention(*3 * [self.a(x)]), r"use nn\.MultiheadAttention"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "message"), CALLS, ids=[message[:34] for _, message in CALLS])
def test_calls(function, message):
    module = Function(function, a=nn.Linear(4, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 4))
    module.gain = nn.Parameter(torch.ones(4))
    module.token = nn.Parameter(torch.zeros(1, 1, 4))
    with pytest.raises(SpecError, match=message):
        examine(module, (5, 4))


def test_the_first_of_several_is_named():
    with pytest.raises(SpecError, match=r"2 \(GroupNorm\)"):
        examine(within(nn.ReLU(), nn.GroupNorm(2, 4), nn.MaxPool2d(2)), IMAGE)


def test_shared_weights():
    linear, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = linear.weight
    with pytest.raises(SpecError, match=r"2 \(Linear\): 0\.weight is used again \(first by 0 \(Linear\)\)"):
        examine(nn.Sequential(linear, nn.ReLU(), other), (4,))


def test_connections_that_are_not_nested():
    def forward(self, x):
        u, v = self.a(x), self.b(x)
        return self.c(torch.tanh(u + v)) + u

    module = Function(forward, a=nn.Linear(4, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 4))
    with pytest.raises(SpecError, match=r"add\(\): the branches that meet here share the weights of a;"):
        examine(module, (4,))


def test_masks_and_other_attention():
    attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def masked(self, x):
        return self.m(x, x, x, attn_mask=torch.zeros(5, 5))[0]

    def crossed(self, x):
        return self.m(x, self.a(x), x)[0]

    for function, message in ((masked, "masked attention has no rule"), (crossed, "only self-attention")):
        with pytest.raises(SpecError, match=rf"m \(MultiheadAttention\): .*{message}"):
            examine(Function(function, m=attention, a=nn.Linear(4, 4)), (5, 4), attention="linear_scaling")
    late = nn.MultiheadAttention(4, 2)
    with pytest.raises(SpecError, match="use batch_first=True"):
        examine(Function(lambda self, x: self.m(x, x, x)[0], m=late), (5, 4), attention="linear_scaling")


def test_attention_is_refused_unless_its_scaling_is_accepted():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True, dropout=0.0)
    module = nn.Sequential(nn.Linear(3, 4), layer)
    with pytest.raises(SpecError, match=r'1\.self_attn \(MultiheadAttention\): .*√d .*attention="linear_scaling"'):
        examine(module, (5, 3))
    assert examine(module, (5, 3), attention="linear_scaling").obstacles == ()
    with pytest.raises(SpecError, match="no closed form"):
        examine(module, (5, 3), attention="standard", closed_form=True)


def test_dropout_of_attention_weights():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.1)
    with pytest.raises(SpecError, match=r"self_attn .*: dropout of attention weights"):
        examine(nn.Sequential(nn.Linear(3, 4), layer), (5, 3), attention="linear_scaling")


OPEN = [
    (nn.ReLU(), r"ReLU: it acts on the input, whose units are not Gaussian"),
    (nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.ReLU()), r"2 \(ReLU\): it acts on 1 \(ReLU\), whose units"),
    (nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.LayerNorm(4)), r"2 \(LayerNorm\): it normalises 1 \(Tanh\)"),
    (nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Tanh()), r"2 \(Tanh\): it acts on 1 \(Dropout\)"),
    (Function(lambda self, x: x + self.a(x), a=nn.Linear(4, 4)), r"the branch that ends at the input is not Gaussian"),
    (
        Function(lambda self, x: (h := self.a(x)) + torch.tanh(h), a=nn.Linear(4, 4)),
        r"branches that end at a \(Linear\), .*tanh\(\) have no weights of their own",
    ),
    (
        Function(lambda self, x: torch.cat([self.a(x), self.b(x)], 1).relu(), a=nn.Linear(4, 4), b=nn.Linear(4, 2)),
        r"apply it to each part before they are joined",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("module", "message"), OPEN, ids=[message[:30] for _, message in OPEN])
def test_what_has_no_closed_form_is_lifted_and_named(module, message, caplog):
    with caplog.at_level(logging.WARNING):
        assert lift(module, (4,)).layers
    assert any("no closed form, use Monte Carlo" in record.message for record in caplog.records)
    with pytest.raises(SpecError, match=message):
        lift(module, (4,), closed_form=True)


def test_batch_normalisation_that_learned():
    module = within(nn.BatchNorm2d(4)).eval()
    module[1].running_mean[0] = 0.5
    with pytest.raises(SpecError, match=r"1 \(BatchNorm2d\): .*different numbers.*fuse_conv_bn_eval"):
        examine(module, IMAGE)
    fused = nn.utils.fusion.fuse_conv_bn_eval(module[0].eval(), module[1])
    assert examine(fused, IMAGE).architecture.layers[0].kernel == (1, 1)


def test_affine_parameters_that_learned():
    module = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    with torch.no_grad():
        module[1].weight[0] = 2.0
    with pytest.raises(SpecError, match=r"1 \(LayerNorm\): it multiplies channels by different numbers"):
        examine(module, (3,))


def test_hooks():
    module = nn.Sequential(nn.Linear(3, 4))
    module[0].register_forward_hook(lambda *_: None)
    with pytest.raises(SpecError, match=r"0 \(Linear\): it has forward hooks"):
        examine(module, (3,))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((), {}, "input_shape: expected one to four sizes"),
        ((2, -1), {}, "input_shape"),
        (7, {}, "input_shape"),
        ((3,), {"init": "he"}, "init: expected one of auto, default, measured, got 'he'"),
        ((3,), {"param": "sp"}, "param: expected one of ntk"),
        ((3,), {"attention": True}, "attention: expected one of None, linear_scaling, standard"),
        ((5,), {}, r"Linear: it takes 3 channels but gets 5 of \(n, 5\)"),
    ],
)
def test_requests(shape, options, message):
    with pytest.raises(SpecError, match=message):
        examine(nn.Linear(3, 2), shape, **options)


def test_no_module():
    with pytest.raises(SpecError, match="module: expected a torch module, got int"):
        lift(3, (2,))


@pytest.mark.parametrize("module", [module for module, message in OPEN if "joined" not in message])
def test_kernels_refuse_what_lifts_call_an_obstacle(module):
    architecture = examine(module, (4,)).architecture
    with pytest.raises(NtkLabError, match=r"^layer \d"):
        ntklab.infinite_kernel(architecture, torch.randn(2, 4).numpy())
