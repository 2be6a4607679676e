"""A network that was built from an architecture is lifted to that architecture."""

import pytest
import torch
from golden.cases import CASES
from torch import nn

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.networks import build
from ntklab.networks.lift import examine, lift
from ntklab.spec.activations import Erf, ExpNormalized, Relu
from ntklab.spec.presets import PRESETS

WIDTHS = ("width", "channels", "n_chan_out", "n_chan_key", "n_chan_val", "n_heads")


def small(layer):
    """The layer with few channels, so that every architecture is built at once."""
    if isinstance(layer, spec.Branch):
        return layer.replace(branches=tuple(tuple(small(part) for part in branch) for branch in layer.branches))
    return layer.replace(**{name: min(getattr(layer, name), 2) for name in WIDTHS if hasattr(layer, name)})


def has(layers, kind):
    return any(
        isinstance(layer, kind) or (isinstance(layer, spec.Branch) and any(has(path, kind) for path in layer.branches))
        for layer in layers
    )


def golden():
    for name, case in CASES.items():
        architecture = case.architecture()
        shrunk = architecture.replace(layers=tuple(small(layer) for layer in architecture.layers))
        if not has(shrunk.layers, ExpNormalized):
            yield pytest.param(shrunk, id=name)


@pytest.mark.parametrize("architecture", list(golden()))
def test_golden_architectures(architecture):
    lifted = examine(build(architecture), architecture.input.shape)
    assert lifted.architecture == architecture
    assert lifted.differences == ()


INPUTS = {"vector": (6,), "sequence": (9, 3), "image": (12, 10, 3), "volume": (8, 8, 8, 2)}
MADE = [
    pytest.param(preset.make(spec.Input(kind, shape), 2).replace(name=""), id=f"{preset.id}-{kind}")
    for preset in PRESETS for kind, shape in INPUTS.items() if kind in preset.kinds
]  # fmt: skip


@pytest.mark.parametrize("architecture", MADE)
def test_presets(architecture):
    shrunk = architecture.replace(layers=tuple(small(layer) for layer in architecture.layers))
    assert lift(build(shrunk), shrunk.input.shape) == shrunk


def test_masked_networks_keep_their_layers_and_say_so():
    layers = (spec.Conv(3, (3,), padding="SAME"), Relu(), spec.GlobalAvgPool(), spec.Dense(2))
    architecture = spec.Architecture(spec.Input("sequence", (5, 4)), layers)
    lifted = examine(build(architecture, mask_constant=-1.5), (5, 4))
    assert lifted.architecture == architecture
    assert "mask_constant" in lifted.notes[0]
    assert "-1.5" in lifted.notes[0]


@pytest.mark.parametrize("param", ["ntk", "standard", "mup"])
def test_parameterisations_are_kept(param):
    layers = (spec.Dense(4, 1.3, 0.2, param), Erf(), spec.Dense(1, 0.7, None, param))
    architecture = spec.Architecture(spec.Input("vector", (3,)), layers)
    assert lift(build(architecture), (3,), param="standard", W_std=9.0) == architecture


def test_built_networks_inside_others():
    inner = spec.Architecture(spec.Input("vector", (3,)), (spec.Dense(4), Relu()))
    lifted = lift(nn.Sequential(build(inner), nn.Linear(4, 2), nn.Tanh()), (3,))
    assert lifted.layers[:2] == inner.layers
    assert [type(layer).__name__ for layer in lifted.layers[2:]] == ["Dense", "Numerical"]


def test_a_branch_that_was_changed_is_lifted_as_it_is_now():
    branches = ((Relu(), spec.Dense(4)), ())
    architecture = spec.Architecture(spec.Input("vector", (3,)), (spec.Dense(4), spec.Branch(branches)))
    network = build(architecture)
    network[1].branches[0][0] = nn.GELU()
    lifted = lift(network, (3,))
    assert [type(layer).__name__ for layer in lifted.layers[1].branches[0]] == ["Gelu", "Dense"]
    assert lifted.layers[1].branches[1] == ()


def test_channels_last_is_said_when_a_built_network_is_given_channels_first():
    layers = (spec.Conv(3, (3, 3)), spec.Flatten(), spec.Dense(2))
    network = build(spec.Architecture(spec.Input("image", (5, 6, 4)), layers))
    with pytest.raises(SpecError, match=r"0 \(Conv\): it takes channels last"):
        lift(network, (4, 5, 6), channels="first")


def test_lifting_leaves_the_module_as_it_was():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    names = set(vars(module))
    lift(module, (3,))
    assert set(vars(module)) == names
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
