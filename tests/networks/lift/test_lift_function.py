"""A lifted architecture is the module: with its weights, the finite network computes the same function."""

import itertools

import pytest
import torch
from lift_copying import assert_same_function, network_like
from torch import nn
from torch.nn import functional

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks.lift import examine


class Residual(nn.Module):
    """x + f(x), or scaled."""

    def __init__(self, *layers, scale=1.0):
        super().__init__()
        self.body = nn.Sequential(*layers)
        self.scale = scale

    def forward(self, x):
        return x + self.body(x) * self.scale


class Function(nn.Module):
    """Calls ``function`` with the module and x; ``parts`` are submodules."""

    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


class PreActivation(nn.Module):
    """A block of a pre-activation ResNet (He et al. 2016), with a projection where shapes change."""

    def __init__(self, channels, width, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        changes = stride != 1 or channels != width
        self.short = nn.Conv2d(channels, width, 1, stride) if changes else None

    def forward(self, x):
        out = self.conv2(functional.relu(self.conv1(functional.relu(x))))
        return out + (x if self.short is None else self.short(x))


def test_perceptron():
    module = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6, bias=False), nn.GELU(), nn.Linear(6, 2))
    lifted = assert_same_function(module, (5,))
    assert lifted.sources == ("0", "2", "4")
    assert (lifted.obstacles, lifted.differences, lifted.notes) == ((), (), ())


def test_convolutional_network():
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 5, 3), nn.Tanh(), nn.Flatten(),
    )  # fmt: skip
    lifted = examine(module, (3, 8, 10))
    kinds = [type(layer).__name__ for layer in lifted.architecture.layers]
    assert kinds == ["Conv", "Relu", "AvgPool", "Conv", "Numerical", "Flatten"]
    assert lifted.architecture.input == spec.Input("image", (8, 10, 3))
    assert_same_function(module[:5], (3, 8, 10))


def test_flatten_orders_channels_differently_but_a_pooled_head_is_the_same():
    body = (nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    lifted = assert_same_function(nn.Sequential(*body), (2, 6, 5))
    assert [type(layer).__name__ for layer in lifted.architecture.layers][2:] == ["GlobalAvgPool", "Dense"]


def test_residual_network_with_projections():
    blocks = [PreActivation(4, 4), PreActivation(4, 6, stride=2), PreActivation(6, 6)]
    head = Function(lambda self, x: self.fc(functional.relu(x).mean((2, 3))), fc=nn.Linear(6, 3))
    lifted = assert_same_function(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *blocks, head), (3, 9, 8))
    assert lifted.obstacles == ()
    branches = [layer for layer in lifted.architecture.layers if isinstance(layer, spec.Branch)]
    assert [() in branch.branches for branch in branches] == [True, False, True]


def test_scaled_residual_branch_goes_into_its_last_weights():
    module = nn.Sequential(nn.Linear(4, 5), Residual(nn.ReLU(), nn.Linear(5, 5), scale=0.5), nn.Linear(5, 1))
    lifted = assert_same_function(module, (4,), factors={"1.body.1": 0.5})
    branch = lifted.architecture.layers[1]
    assert branch.branches[1][-1].W_std == pytest.approx(0.5 / 3**0.5)
    assert branch.branches[1][-1].b_std == pytest.approx(0.5 / 15**0.5)


def test_scaled_residual_branch_in_standard_parameterisation_keeps_its_factor():
    module = nn.Sequential(nn.Linear(4, 5), Residual(nn.ReLU(), nn.Linear(5, 5), scale=0.5), nn.Linear(5, 1))
    lifted = assert_same_function(module, (4,), param="standard")
    assert [type(layer).__name__ for layer in lifted.architecture.layers[1].branches[1]] == [
        "Relu", "Dense", "DotGeneral",
    ]  # fmt: skip


@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_encoder(norm_first):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=norm_first, activation="gelu")
    encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)
    module = nn.Sequential(nn.Linear(5, 8), encoder).eval()
    module.requires_grad_(False)
    lifted = assert_same_function(module, (6, 5), first=False, attention="standard")
    assert "√d" in lifted.obstacles[0]
    assert lifted.obstacles[0].startswith("1.layers.0.self_attn (MultiheadAttention): ")
    assert len(lifted.sources) == 7
    linear = examine(module, (6, 5), attention="linear_scaling")
    assert linear.obstacles == ()
    assert "tied" in linear.notes[0]


def test_vision_transformer_stem_on_image_positions():
    class Stem(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 2, stride=2)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.norm = nn.LayerNorm(8)
            self.fc = nn.Linear(8, 4)

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            n, length, width = x.shape
            assert (length, width) == (12, 8)
            x = self.norm(x + self.attention(x, x, x)[0])
            return self.fc(x.view(n, length, -1)).mean(dim=1)

    lifted = assert_same_function(Stem(), (3, 6, 8), attention="standard")
    assert [type(layer).__name__ for layer in lifted.architecture.layers] == [
        "Conv", "Branch", "LayerNorm", "Dense", "GlobalAvgPool",
    ]  # fmt: skip


class BasicBlock(nn.Module):
    """As in torchvision."""

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            short = nn.Conv2d(inplanes, planes, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(planes))

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """As in torchvision, with a small stem."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = nn.Sequential(BasicBlock(4, 4), BasicBlock(4, 4))
        self.layer2 = nn.Sequential(BasicBlock(4, 6, 2), BasicBlock(6, 6))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(6, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def test_torchvision_resnet():
    torch.manual_seed(0)
    module = ResNet().eval().double()
    lifted = examine(module, (3, 16, 16))
    kept = {name: (1 + 1e-5) ** -0.5 for name in lifted.sources if name != "fc"}  # batch normalisation, folded
    network = network_like(module, lifted, kept)
    x = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(network(x.movedim(1, -1)), module(x), rtol=1e-9, atol=1e-11)
    assert lifted.sources[:3] == ("conv1", "layer1.0.conv1", "layer1.0.conv2")
    assert any("measured" in note and "conv1" in note for note in lifted.notes)
    assert "batch normalisation" in lifted.differences[0]


def test_torchvision_resnet_has_no_closed_form_and_says_where():
    module = ResNet().eval()
    first = examine(module, (3, 16, 16)).obstacles[0]
    assert first.startswith("layer1.0 (BasicBlock), add(): the branch that ends at relu (ReLU) is not Gaussian")
    with pytest.raises(SpecError, match=r"layer1\.0 \(BasicBlock\), add\(\): .*not Gaussian.*no infinite-width rule"):
        examine(module, (3, 16, 16), closed_form=True)


GRID = list(itertools.product((4, 5, 6, 7), (1, 2, 3, 4, 5), (1, 2, 3), (0, 1, 2)))


@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_every_convolution_is_lifted_or_refused(mode):
    """All strides and paddings of at most half the window: even sizes with stride 2 too, where XLA pads otherwise."""
    lifted = 0
    for n, k, stride, padding in GRID:
        if k > n + 2 * padding or (mode == "circular" and padding > n):
            continue
        module = nn.Conv1d(2, 3, k, stride, padding, padding_mode=mode)
        if padding <= (k - 1) // 2:
            assert_same_function(module, (2, n))
            lifted += 1
        else:
            with pytest.raises(SpecError, match=f"padding={padding} with a window of {k}"):
                examine(module, (2, n))
    assert lifted > 60


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("kernel", [2, 3, 4])
def test_padding_by_name(kernel):
    for padding in ("same", "valid"):
        assert_same_function(nn.Conv1d(2, 3, kernel, padding=padding), (2, 7))


def test_sides_of_their_own():
    assert_same_function(nn.Conv2d(2, 3, (3, 1), (2, 1), (1, 0)), (2, 6, 5))
    assert_same_function(nn.Conv3d(2, 3, (3, 2, 1), (1, 2, 1), (1, 0, 0)), (2, 4, 6, 3))
    mixed = assert_same_function(nn.Conv2d(2, 3, 3, 1, (1, 0)), (2, 6, 5))
    assert [type(layer).__name__ for layer in mixed.architecture.layers] == ["Conv", "Index"]


@pytest.mark.parametrize("inside", [True, False])
def test_average_pools(inside):
    for n, k, stride, padding in GRID:
        if k <= n and padding <= (k - 1) // 2:
            module = nn.Sequential(
                nn.Conv1d(2, 3, 1), nn.AvgPool1d(k, stride, padding, count_include_pad=inside)
            )  # fmt: skip
            assert_same_function(module, (2, n))


def test_every_transposed_convolution_is_lifted_or_refused():
    same = 0
    grid = itertools.product((3, 4), (1, 2, 3, 4), (1, 2, 3), (0, 1), (0, 1))
    for n, k, stride, padding, extra in grid:
        if extra >= stride or (n - 1) * stride - 2 * padding + k + extra < 1:
            continue
        module = nn.ConvTranspose1d(2, 3, k, stride, padding, extra)
        reach = padding + (n - 1) * stride - 2 * padding + k + extra
        if reach <= n * stride + max(k - stride, 0):
            kinds = [type(layer).__name__ for layer in assert_same_function(module, (2, n)).architecture.layers]
            same += kinds == ["ConvTranspose"]
        else:
            with pytest.raises(SpecError, match="output_padding"):
                examine(module, (2, n))
    assert same > 10
    assert_same_function(nn.ConvTranspose2d(2, 3, (4, 3), 2, 1, (0, 1)), (2, 3, 4))


FUNCTIONS = {
    "functional layers": (
        lambda self, x: functional.linear(functional.relu(self.a(x)), self.b.weight, self.b.bias), (4,), {},
    ),
    "joined and multiplied": (
        lambda self, x: torch.cat([self.a(x), torch.tanh(self.b(x)) * self.c(x)], dim=-1), (4,), {},
    ),
    "subtracted": (lambda self, x: self.a(x) - self.b(x), (4,), {"b": -1}),
    "subtracted, divided, negated": (
        lambda self, x: -(self.a(x) - self.b(functional.relu(self.c(x))) / 2), (4,), {"b": -0.5},
    ),
    "shifted": (lambda self, x: 1 - self.a(x), (4,), {"a": -1}),
    "a power": (lambda self, x: self.a(x) ** 3, (4,), {}),
    "a square": (lambda self, x: (h := self.a(x)) * h, (4,), {}),
    "doubled": (lambda self, x: (h := self.a(x)) + h, (4,), {"a": 2}),
    "one position": (lambda self, x: self.a(x)[:, -1], (5, 4), {}),
    "every second position": (lambda self, x: self.a(x)[:, 1::2], (5, 4), {}),
    "backwards": (lambda self, x: torch.flip(self.a(x), (1,)), (5, 4), {}),
    "sum over positions": (lambda self, x: self.a(x).sum(dim=1), (5, 4), {}),
    "in place": (lambda self, x: self.a(x).relu_().mul_(2).add_(self.b(x)), (4,), {}),
    "in place on the other": (lambda self, x: torch.add(self.a(x), self.b(x), alpha=3), (4,), {"b": 3}),
    "sums of sums": (lambda self, x: sum((self.b(x), self.c(x)), self.a(x)), (4,), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functional_forms(name):
    function, shape, factors = FUNCTIONS[name]
    torch.manual_seed(1)
    module = Function(function, a=nn.Linear(4, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 4))
    assert_same_function(module, shape, first=False, factors=factors)


def test_changes_in_place_are_seen_under_every_name():
    def forward(self, x):
        h = self.a(x)
        same = h
        functional.relu(h, inplace=True)
        return self.b(same)

    lifted = assert_same_function(Function(forward, a=nn.Linear(4, 4), b=nn.Linear(4, 4)), (4,))
    assert [type(layer).__name__ for layer in lifted.architecture.layers] == ["Dense", "Relu", "Dense"]


def test_channels_last_images_that_the_module_permutes():
    module = Function(lambda self, x: self.conv(x.permute(0, 3, 1, 2)).mean((-1, -2)), conv=nn.Conv2d(3, 4, 3))
    lifted = assert_same_function(module, (6, 5, 3), first=False)
    assert lifted.architecture.input.shape == (6, 5, 3)


def test_swapped_image_axes():
    module = Function(lambda self, x: self.conv(x.transpose(2, 3)).mean((-1, -2)), conv=nn.Conv2d(3, 4, (3, 1)))
    lifted = assert_same_function(module, (3, 6, 5))
    assert lifted.architecture.layers[0].kernel == (1, 3)


def test_dense_connections_are_read_as_nested_joins():
    def forward(self, x):
        features = [self.stem(x)]
        for layer in (self.one, self.two):
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)

    module = Function(forward, stem=nn.Conv1d(2, 3, 1), one=nn.Conv1d(3, 2, 3, padding=1),
                      two=nn.Conv1d(5, 2, 3, padding=1))  # fmt: skip
    lifted = assert_same_function(module, (2, 6))
    assert lifted.sources == ("stem", "one", "two")


def test_the_last_layer_may_leave_positions():
    lifted = assert_same_function(nn.Conv2d(3, 4, 3), (3, 6, 5))
    assert spec.output_shape(lifted.architecture) == (4, 3, 4)
    assert "the module gives (4, 4, 3), the architecture (4, 3, 4)" in lifted.notes


def test_a_convolution_on_a_single_position_is_dense():
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Conv2d(5, 3, 1), nn.Flatten()
    )
    lifted = assert_same_function(module, (2, 5, 5))
    assert [type(layer).__name__ for layer in lifted.architecture.layers] == [
        "Conv", "GlobalAvgPool", "Dense", "Relu", "Dense",
    ]  # fmt: skip


ACTIVATIONS = [
    nn.ReLU(), nn.ReLU(inplace=True), nn.LeakyReLU(0.2), nn.GELU(), nn.Tanh(), nn.Sigmoid(), nn.SiLU(), nn.Mish(),
    nn.Softplus(), nn.ELU(), nn.ELU(0.5), nn.SELU(), nn.CELU(), nn.CELU(2.0), nn.RReLU().eval(),
    nn.Softplus(beta=2), nn.Hardtanh(-0.5, 1), nn.ReLU6(), nn.Hardsigmoid(), nn.Hardswish(), nn.Softsign(),
    nn.Tanhshrink(), nn.Softshrink(0.1), nn.Hardshrink(0.1), nn.LogSigmoid(), nn.Threshold(0, 0), nn.Threshold(0.1, 2),
]  # fmt: skip


@pytest.mark.parametrize("module", ACTIVATIONS, ids=str)
def test_activations(module):
    lifted = assert_same_function(nn.Sequential(nn.Linear(4, 5), module, nn.Linear(5, 2)), (4,))
    assert lifted.obstacles == ()
    assert len(lifted.architecture.layers) == 3


@pytest.mark.parametrize(
    "function",
    [
        torch.relu, torch.erf, torch.sin, torch.cos, torch.exp, torch.sign, torch.abs, torch.atan, torch.sinh,
        torch.special.erfc, torch.square, lambda x: x.clamp(-1, 2), lambda x: torch.clamp(x, min=0), lambda x: x**4,
        functional.silu, functional.hardswish, lambda x: functional.hardtanh(x, max_val=0.5), torch.selu,
    ],
)  # fmt: skip
def test_pointwise_functions(function):
    module = Function(lambda self, x: self.b(function(self.a(x))), a=nn.Linear(4, 5), b=nn.Linear(5, 2))
    assert assert_same_function(module, (4,)).obstacles == ()


@pytest.mark.parametrize(
    "module",
    [
        nn.Upsample(scale_factor=2),
        nn.Upsample(scale_factor=(1, 2), mode="bilinear"),
        nn.Upsample(size=(9, 7), mode="bilinear", align_corners=False),
        nn.Upsample(size=(3, 4), mode="bilinear"),
        nn.Upsample(size=(7, 4), mode="nearest-exact"),
        Function(lambda _, x: functional.interpolate(x, (3, 2), mode="bilinear", antialias=True)),
    ],
)
def test_resizing(module):
    assert_same_function(nn.Sequential(nn.Conv2d(2, 3, 1), module), (2, 6, 5))


def test_modules_that_only_export_can_read():
    class Checked(nn.Module):
        """torch.fx's stand-ins are no tensors."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, 2, 1)
            self.norm = nn.LayerNorm(4)
            self.side = nn.Linear(4, 3)
            self.fc = nn.Linear(7, 2)

        def forward(self, x):
            if not isinstance(x, torch.Tensor):
                raise TypeError("expected a tensor")
            x = self.conv(x)
            x = self.norm(x.permute(0, 2, 3, 1)).relu_()
            return self.fc(torch.cat([x, self.side(x)], -1)[:, 1:].mean((1, 2)))

    lifted = assert_same_function(Checked(), (3, 6, 6))
    assert lifted.sources == ("conv", "side", "fc")
    assert [type(layer).__name__ for layer in lifted.architecture.layers] == [
        "Conv", "Index", "LayerNorm", "Relu", "Branch", "Index", "GlobalAvgPool", "Dense",
    ]  # fmt: skip


@pytest.mark.parametrize("norm", [nn.GroupNorm(1, 3), nn.LayerNorm([3, 5, 4]), nn.LayerNorm([3, 5, 4], 0.1, False)])
def test_normalisation_over_channels_and_positions(norm):
    lifted = assert_same_function(nn.Sequential(nn.Conv2d(2, 3, 1), norm), (2, 5, 4))
    assert lifted.architecture.layers[1].axis == (1, 2, -1)


def test_root_mean_square_norm_is_layer_norm_in_the_limit_and_says_so():
    lifted = examine(nn.Sequential(nn.Linear(3, 4), nn.RMSNorm(4, eps=0.5)), (3,))
    assert lifted.architecture.layers[1] == spec.LayerNorm((-1,), 0.5)
    assert lifted.differences[0] == "1: RMSNorm is lifted to LayerNorm, which it equals in the limit of infinite width"


def test_a_common_scale_of_normalisation_stays():
    module = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    nn.init.constant_(module[1].weight, 1.5)
    lifted = assert_same_function(module, (3,))
    assert lifted.architecture.layers[2] == spec.DotGeneral(1.5)


def test_dropout_follows_the_mode_of_the_module():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.25), nn.Linear(4, 2))
    assert examine(module, (3,)).architecture.layers[2] == spec.Dropout(0.75, "train")
    assert examine(module.eval(), (3,)).architecture.layers[2] == spec.Dropout(0.75, "test")
    assert_same_function(module, (3,))


def test_compiled_and_parallel_modules():
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    for wrapped in (torch.compile(module, backend="eager"), nn.DataParallel(module)):
        assert examine(wrapped, (3,)).architecture == examine(module, (3,)).architecture


def test_a_deep_network_is_read_in_one_pass():
    blocks = [Residual(nn.ReLU(), nn.Linear(4, 4)) for _ in range(300)]
    lifted = examine(nn.Sequential(nn.Linear(4, 4), *blocks), (4,))
    assert len(lifted.architecture.layers) == 301
    assert lifted.obstacles == ()
