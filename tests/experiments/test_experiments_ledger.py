"""The ledger: parts that add up, muting as freezing, shares and groups."""

import numpy as np
import pytest
import torch
from torch import nn

import ntklab
from ntklab import experiments, spec
from ntklab.errors import DataError, NtkLabError, SpecError
from ntklab.progress import Forecast, Partial, drain
from ntklab.results import grouped
from ntklab.spec import Architecture, Dense, Experiment, Input, KernelRequest
from ntklab.spec.activations import Relu
from ntklab.spec.dataset import TwoCircles


def architecture(inputs=2, outputs=1):
    hidden = (Dense(24, W_std=1.5, b_std=0.1),)
    block = spec.Branch(branches=((Relu(), Dense(24)), ()))
    return Architecture(Input("vector", (inputs,)), (*hidden, block, Relu(), Dense(outputs)))


def experiment(**kernel):
    data = spec.Dataset(source=TwoCircles(), n_train=20, n_test=4)
    return Experiment(architecture(), data, KernelRequest(dtype="float64", **kernel))


def module(seed=0):
    torch.manual_seed(seed)
    layers = (nn.Linear(5, 16), nn.GELU(), nn.Linear(16, 16, bias=False), nn.Tanh(), nn.Linear(16, 3))
    return nn.Sequential(*layers).double()


@pytest.fixture
def samples():
    generator = np.random.default_rng(3)
    return generator.normal(size=(13, 5)), generator.normal(size=(13, 3))


def test_parts_add_up_to_the_kernel(samples):
    X, Y = samples
    net = module()
    found = ntklab.ledger(net, X, Y, dtype="float64")
    whole = ntklab.empirical_ntk(net, X, outputs="mean", dtype="float64").values
    assert found.names == ("0", "2", "4")
    assert found.parameters.tolist() == [5 * 16 + 16, 16 * 16, 16 * 3 + 3]
    scale = np.abs(whole).max()
    np.testing.assert_allclose(found.parts.sum(axis=0), whole, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(found.total((0, 1, 2)), whole, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(found.whole, np.linalg.eigvalsh(whole)[::-1], atol=1e-11 * scale)


@pytest.mark.parametrize("muted", [(0,), (1,), (0, 2)])
def test_muting_is_freezing(samples, muted):
    X, Y = samples
    net = module()
    found = ntklab.ledger(net, X, Y, dtype="float64")
    for name in (found.names[row] for row in muted):
        net.get_submodule(name).requires_grad_(False)
    frozen = ntklab.empirical_ntk(net, X, outputs="mean", dtype="float64").values
    rows = found.unmuted(tuple(found.names[row] for row in muted))
    np.testing.assert_allclose(found.total(rows), frozen, rtol=0, atol=1e-12 * np.abs(frozen).max())


def test_each_part_is_what_its_parameters_alone_give(samples):
    X, _ = samples
    net = module()
    found, x = ntklab.ledger(net, X, dtype="float64"), torch.from_numpy(X)
    for row, name in enumerate(found.names):
        own = tuple(net.get_submodule(name).parameters())
        cells = [(i, o) for o in range(3) for i in range(13)]
        gradients = [torch.cat([g.flatten() for g in torch.autograd.grad(net(x)[cell], own)]) for cell in cells]
        J = torch.stack(gradients).reshape(3, 13, -1)
        wanted = torch.einsum("oip,ojp->ij", J, J).numpy() / 3
        np.testing.assert_allclose(found.parts[row], wanted, rtol=1e-10, atol=1e-12)


def test_shares_are_those_of_trace_alignment_and_modes(samples):
    X, Y = samples
    found = ntklab.ledger(module(), X, Y, dtype="float64")
    K, centred = found.total((0, 1, 2)), Y - Y.mean(axis=0)
    for row, part in enumerate(found.parts):
        assert found.trace_share[row] == pytest.approx(np.trace(part) / np.trace(K))
        of_target = np.trace(centred.T @ part @ centred) / np.trace(centred.T @ K @ centred)
        assert found.alignment_share[row] == pytest.approx(of_target)
        np.testing.assert_allclose(found.eigenvalues[row], np.linalg.eigvalsh(part)[::-1], atol=1e-10)
        assert found.alignment[row] == pytest.approx(ntklab.spectrum(part, Y).centred_alignment)
    for column in (found.trace_share, found.alignment_share):
        assert column.sum() == pytest.approx(1.0, abs=1e-14)
    vectors = ntklab.spectrum(K).eigenvectors
    wanted = vectors[:, 2] @ found.parts[1] @ vectors[:, 2] / found.whole[2]
    assert found.mode_share[1, 2] == pytest.approx(wanted)
    np.testing.assert_allclose(found.mode_share.sum(axis=0), 1.0, atol=1e-9)


def test_what_has_no_share_is_not_a_number(samples):
    X, Y = samples
    assert np.isnan(ntklab.ledger(module(), X, dtype="float64").alignment_share).all()
    constant = ntklab.ledger(module(), X, np.ones_like(Y), dtype="float64")
    assert np.isnan(constant.alignment_share).all()
    assert np.isnan(constant.alignment).all()
    few = nn.Linear(2, 1, bias=False).double()  # a kernel of rank 2
    modes = ntklab.ledger(few, X[:, :2], dtype="float64").mode_share
    assert np.isfinite(modes[:, :2]).all()
    assert np.isnan(modes[:, 2:]).all()


def test_an_experiment_says_what_it_needs_and_gives_the_unmuted_kernel():
    asked = experiment(muted=("1.branches.0.1", "no such layer"))
    events = []
    found = drain(experiments.ledger(asked), events.append)
    assert isinstance(events[0], Forecast)
    assert events[0].peak_bytes >= 2 * found.parts.nbytes
    assert events[0].tiles >= 1
    partial = {event.key: event.value for event in events if isinstance(event, Partial)}
    assert partial["ledger"] is found
    assert found.titles == ("Dense 24", "Dense 24", "Dense 1")
    assert found.label(1) == "2 Dense 24"
    np.testing.assert_allclose(partial["unmuted"].values, found.parts[0] + found.parts[2], rtol=1e-12)
    assert partial["unmuted"].provenance.notes[-1] == "muted, not trained: 2 Dense 24"
    assert partial["unmuted"].provenance.spec == asked.content_hash()
    spectrum = partial["unmuted_spectrum"]
    values = np.linalg.eigvalsh(found.parts[0] + found.parts[2])
    assert spectrum.condition == pytest.approx(values[-1] / values[0], rel=1e-6)
    assert spectrum.largest_rate > ntklab.spectrum(found.total((0, 1, 2))).largest_rate


def test_nothing_muted_and_everything_muted():
    plain = experiment()
    data = ntklab.load(plain.dataset)
    found = drain(experiments.ledger(plain, data))
    assert drain(experiments.mute(plain, data, found)) is None
    with pytest.raises(SpecError, match="expected at least one layer to train, got all 3 muted; unmute one"):
        drain(experiments.mute(experiment(muted=found.names), data, found))


def test_layers_that_follow_each_other_are_grouped():
    few = ("0", "2"), ("Dense 8", "Dense 1")
    assert grouped(*few, most=10) == ((0, 1), ("1 Dense 8", "2 Dense 1"))
    blocks = tuple(f"layer{i}.{j}.conv{k}" for i in (1, 2, 3) for j in (0, 1) for k in (1, 2))
    names = ("conv1", *blocks, "fc")
    runs, called = grouped(names, names, most=10)
    assert called == ("conv1", "layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1", "fc")
    assert runs == (0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7)
    assert grouped(names, names, most=5)[1] == ("conv1", "layer1", "layer2", "layer3", "fc")
    flat = tuple(str(2 * row) for row in range(25))
    runs, called = grouped(flat, flat, most=10)
    assert called[0] == "layers 1–3"
    assert called[-1] == "layer 25"
    assert runs[-1] == 8


def test_groups_have_the_spectra_of_their_sums():
    deep = Architecture(Input("vector", (3,)), (*12 * (Dense(6), Relu()), Dense(1)))
    X = np.random.default_rng(0).normal(size=(9, 3))
    found = ntklab.ledger(deep, X, dtype="float64")
    assert len(found.names) == 13
    assert len(found.group_titles) <= 10
    first = found.parts[found.groups == 0].sum(axis=0)
    np.testing.assert_allclose(found.group_eigenvalues[0], np.linalg.eigvalsh(first)[::-1], atol=1e-12)
    np.testing.assert_allclose(found.by_group(found.trace_share).sum(), 1.0)
    assert found.by_group(found.mode_share).shape == found.group_eigenvalues.shape


def test_refusals(samples):
    X, Y = samples
    with pytest.raises(DataError, match="expected the targets of 13 samples, got 4"):
        ntklab.ledger(module(), X, Y[:4])
    with pytest.raises(SpecError, match="expected samples X"):
        ntklab.ledger(module())
    with pytest.raises(SpecError, match="has its own data"):
        ntklab.ledger(experiment(), X)
    with pytest.raises(NtkLabError, match="no parts of its layers"):
        drain(experiments.ledger_of(ntklab.empirical_ntk(module(), X)))
    with pytest.raises(SpecError, match="expected distinct layers"):
        experiment(muted=("0", "0"))


def test_a_run_that_is_asked_for_parts_computes_the_kernel_once():
    asked = experiment(split=True, muted=("0",), outputs="full")
    events = []
    found = drain(experiments.kernels(asked), events.append)
    keys = [event.key for event in events if isinstance(event, Partial) and event.key != "tile"]
    assert keys == ["data", "ntk", "nngp", "empirical", "empirical_spectrum", "ntk_spectrum", "ledger", "unmuted",
                    "unmuted_spectrum"]  # fmt: skip
    assert found.empirical.parts == {}
    assert found.empirical.values.shape == (20, 20, 1, 1)
    np.testing.assert_allclose(found.ledger.parts.sum(axis=0), found.empirical.matrix, rtol=1e-12)
    np.testing.assert_allclose(found.unmuted.values, found.ledger.total((1, 2)), rtol=1e-12)
    plain = drain(experiments.kernels(experiment(outputs="full")))
    np.testing.assert_allclose(plain.empirical.values, found.empirical.values, rtol=0, atol=1e-12)
    assert plain.ledger is None
    assert drain(experiments.kernels(experiment(), split=True)).ledger is not None


def test_the_forecast_counts_the_parts_and_says_how_layers_are_treated():
    plain, split = experiments.forecast(experiment()), experiments.forecast(experiment(split=True))
    assert split.peak_bytes >= plain.peak_bytes + 3 * 8 * 20 * 20
    assert [layer.name for layer in split.layers] == ["0", "1.branches.0.1", "3"]
    assert all(layer.rule for layer in plain.layers)
    assert split.budget > split.peak_bytes
    small = experiment(memory=30_000_000, split=True)
    assert experiments.forecast(small).budget == 30_000_000
