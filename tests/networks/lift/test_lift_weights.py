"""Where W_std and b_std come from, and kernels of lifted modules against the modules themselves."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import ntklab
from ntklab.errors import SpecError
from ntklab.networks.lift import examine


def scales(lifted):
    return [(layer.W_std, layer.b_std) for layer in lifted.architecture.layers if hasattr(layer, "W_std")]


def test_torchs_initialisation_is_recognised():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.ConvTranspose2d(8, 4, 2, 2), nn.Flatten(), nn.Linear(64, 2)
    )
    lifted = examine(module, (3, 4, 4))
    first, second, third = scales(lifted)
    assert first == pytest.approx((1 / math.sqrt(3), 1 / math.sqrt(3 * 27)))
    assert second == pytest.approx((math.sqrt(8 / 4 / 3), 1 / math.sqrt(3 * 16)))  # torch takes its fan_in from outputs
    assert third == pytest.approx((1 / math.sqrt(3), 1 / math.sqrt(3 * 64)))
    assert not any("measured" in note for note in lifted.notes)


@pytest.mark.parametrize("module", [nn.Linear(50, 40), nn.Conv2d(8, 20, 3), nn.ConvTranspose1d(9, 30, 3)])
def test_the_documented_defaults_are_those_that_torch_draws(module):
    """Guards against a torch that initialises otherwise: the spread of its weights within five standard errors."""
    shape = {2: (50,), 3: (9, 6), 4: (8, 6, 6)}[module.weight.ndim]
    torch.manual_seed(3)
    module.reset_parameters()
    documented, drawn = (scales(examine(module, shape, init=init))[0][0] for init in ("default", "measured"))
    assert drawn / documented == pytest.approx(1, abs=5 * math.sqrt(0.2 / module.weight.numel()))


def test_other_initialisations_are_measured():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(200, 300), nn.ReLU(), nn.Linear(300, 2))
    nn.init.kaiming_normal_(module[0].weight, nonlinearity="relu")
    nn.init.zeros_(module[0].bias)
    lifted = examine(module, (200,))
    assert scales(lifted)[0] == (pytest.approx(math.sqrt(2), rel=0.02), 0.0)
    assert scales(lifted)[1][0] == pytest.approx(1 / math.sqrt(3))
    assert lifted.notes == ("weights measured, as not of torch's own initialisation: 0",)
    assert scales(examine(module, (200,), init="default"))[0][0] == pytest.approx(1 / math.sqrt(3))


def test_overrides():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1, bias=False))
    lifted = examine(module, (3,), W_std=1.5, b_std=0.1, param="mup")
    assert scales(lifted) == [(1.5, 0.1), (1.5, None)]
    assert {layer.param for layer in lifted.architecture.layers if hasattr(layer, "param")} == {"mup"}


def test_weights_that_are_zero():
    module = nn.Linear(3, 4)
    nn.init.zeros_(module.weight)
    with pytest.raises(SpecError, match=r"Linear: its weights are all 0.*init='default'"):
        examine(module, (3,))
    assert scales(examine(module, (3,), W_std=1.0))[0][0] == 1.0


def test_modules_without_memory():
    with torch.device("meta"):
        module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(1, 8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    assert scales(examine(module, (3, 4, 4)))[0][0] == pytest.approx(1 / math.sqrt(3))


def test_parameters_of_ones_own_are_measured():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(40, 30))

        def forward(self, x):
            return nn.functional.linear(x, self.weight) * (1.5 / math.sqrt(self.weight.shape[1]))

    torch.manual_seed(0)
    lifted = examine(Own(), (30,))
    assert scales(lifted)[0] == (pytest.approx(1.5, rel=0.1), None)
    with pytest.raises(SpecError, match=r"linear\(\): torch has no documented initialisation"):
        examine(Own(), (30,), init="default")


def test_attention_by_its_parts():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(3, 16), nn.TransformerEncoderLayer(16, 2, 8, dropout=0.0, batch_first=True, norm_first=True)
    )
    attention = examine(module, (4, 3), attention="linear_scaling").architecture.layers[1].branches[1][1]
    assert (attention.n_chan_out, attention.n_chan_key, attention.n_chan_val, attention.n_heads) == (16, 8, 8, 2)
    inner = [attention.W_query_std, attention.W_key_std, attention.W_value_std]
    assert inner == pytest.approx([math.sqrt(0.5)] * 3)
    assert (attention.W_out_std, attention.b_std) == (pytest.approx(math.sqrt(1 / 3)), 0.0)
    with torch.no_grad():
        module[1].self_attn.in_proj_weight[16:32] *= 3
    measured = examine(module, (4, 3), attention="linear_scaling").architecture.layers[1].branches[1][1]
    assert measured.W_key_std == pytest.approx(3 * math.sqrt(0.5), rel=0.2)
    assert measured.W_query_std == pytest.approx(math.sqrt(0.5))


def test_the_standard_kernel_is_that_of_the_module():
    """The mean of empirical kernels over seeds, within four standard errors and the 1/width of the limit."""
    x = np.random.default_rng(0).standard_normal((4, 6))
    kernels = []
    for seed in range(16):
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(6, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 16))
        kernels.append(ntklab.empirical_ntk(module.double(), x, outputs="mean", dtype="float64").values)
    limit = ntklab.infinite_kernel(examine(module, (6,), param="standard").architecture, x).values
    error = np.std(kernels, axis=0) / math.sqrt(len(kernels))
    assert (error < 0.05 * limit).all()
    assert (np.abs(np.mean(kernels, axis=0) - limit) < 4 * error + 0.01 * limit).all()


class PreActivation(nn.Module):
    """A convolution, a residual block, a pooled read-out."""

    def __init__(self, width):
        super().__init__()
        self.stem = nn.Conv2d(2, width, 3, padding=1)
        self.one = nn.Conv2d(width, width, 3, 2, 1)
        self.two = nn.Conv2d(width, width, 3, padding=1, padding_mode="circular")
        self.fc = nn.Linear(width, 8)

    def forward(self, x):
        x = self.one(self.stem(x).relu())
        x = x + self.two(x.relu())
        return self.fc(x.relu().mean((2, 3)))


def test_the_nngp_kernel_is_the_covariance_of_the_module():
    """Outputs of 200 draws of the module with 8 independent outputs each, within four standard errors."""
    x = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    draws = []
    for _ in range(200):
        module = PreActivation(64)
        with torch.no_grad():
            f = module(x) - module.fc.bias
        draws.append((f @ f.T / 8).numpy())
    architecture = examine(PreActivation(64), (2, 6, 6)).architecture
    bare = architecture.replace(layers=(*architecture.layers[:-1], architecture.layers[-1].replace(b_std=None)))
    limit = ntklab.infinite_kernel(bare, x.movedim(1, -1).double().numpy(), kind="nngp").values
    error = np.std(draws, axis=0) / math.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - limit) < 4 * error + 0.01 * limit).all()


def test_the_public_way_in_passes_options_on():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    made = ntklab.Architecture.from_module(module, (3,), param="standard", name="lifted")
    assert made == examine(module, (3,), param="standard", name="lifted").architecture
    assert made.name == "lifted"
