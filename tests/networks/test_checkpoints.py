"""Parameters from mappings and files: what fits is loaded, what does not is named, and no file runs code."""

import os
import pickle
import zipfile

import pytest
import safetensors.torch
import torch
from torch import nn

import ntklab
from ntklab.errors import FileError, NtkLabError, SpecError
from ntklab.networks.checkpoints import content_hash, load_parameters, save_parameters, with_parameters


def network(seed=0, width=5):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Tanh(), nn.Linear(width, 2)).eval()


class Tied(nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def assert_same(module, other):
    left, right = module.state_dict(), other.state_dict()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def saved(folder, content, name="saved.pt"):
    path = folder / name
    if name.endswith(".safetensors"):
        safetensors.torch.save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("wrap", [
    lambda state: state,
    lambda state: {"state_dict": state, "epoch": 3},
    lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
    lambda state: {"model_state_dict": {f"module.{name}": tensor for name, tensor in state.items()}, "loss": 0.5},
    lambda state: {"state_dict": {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()}},
])  # fmt: skip
@pytest.mark.parametrize("name", [None, "saved.pt", "saved.PTH", "saved.ckpt"])
def test_a_state_dict_in_what_people_save(tmp_path, wrap, name):
    source, target = network(1), network(2)
    content = wrap(source.state_dict())
    found = load_parameters(target, content if name is None else saved(tmp_path, content, name))
    assert_same(target, source)
    assert found == content_hash(source.state_dict())


def test_safetensors_there_and_back(tmp_path):
    source, target = network(1), network(2).double()
    path = save_parameters(source, tmp_path / "deep" / "net.safetensors")
    load_parameters(target, str(path))
    assert_same(target.float(), source)
    assert target[0].weight.requires_grad
    assert [p.name for p in path.parent.iterdir()] == ["net.safetensors"]


def test_a_copy_is_loaded_and_the_module_stays(tmp_path):
    module, before = network(2), network(2)
    copy, found = with_parameters(module, saved(tmp_path, network(1).state_dict()))
    assert_same(copy, network(1))
    assert_same(module, before)
    assert found != content_hash(before.state_dict())


def test_parameters_alone_keep_the_buffers():
    target = network(2)
    target[1].running_mean.fill_(0.5)
    load_parameters(target, dict(network(1).named_parameters()))
    assert torch.equal(target[3].weight, network(1)[3].weight)
    assert torch.equal(target[1].running_mean, torch.full((5,), 0.5))


@pytest.mark.parametrize("names", [("first", "second"), ("first",), ("second",)])
def test_tied_parameters_under_any_of_their_names(tmp_path, names):
    source, target = Tied(1), Tied(2)
    dropped = {"first", "second"} - set(names)
    load_parameters(target, {n: t for n, t in source.state_dict().items() if n not in {f"{d}.weight" for d in dropped}})
    assert_same(target, source)
    again = Tied(2)
    load_parameters(again, save_parameters(source, tmp_path / "tied.safetensors"))
    assert_same(again, source)
    assert again.first.weight is again.second.weight


def changed(**changes):
    state = network(1).state_dict() | {name.replace("_", "."): value for name, value in changes.items()}
    return {name: value for name, value in state.items() if value is not None}


@pytest.mark.parametrize(("content", "words"), [
    (changed(**{"0_weight": None}), ["missing '0.weight'", "state_dict"]),
    (changed(more=torch.ones(1)), ["unexpected 'more'"]),
    (changed(**{"0_bias": None, "0_weight": None, "3_bias": None, "3_weight": None}),
     ["missing '0.weight', '0.bias', '3.weight' and 1 more"]),
    (changed(**{"0_weight": torch.ones(6, 3)}), ["'0.weight' has shape [5, 3]", "[6, 3]", "same widths"]),
    ({name: t for name, t in network().state_dict().items() if "running_mean" not in name}, ["'1.running_mean'"]),
    ({"epoch": 3, "optimizer": {}}, ["'epoch', 'optimizer'", "'state_dict'"]),
    ({}, ["an empty one"]),
    ([torch.ones(2)], ["expected a mapping", "list"]),
])  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_changes(tmp_path, content, words):
    target = network(2)
    with pytest.raises(SpecError) as caught:
        load_parameters(target, saved(tmp_path, content) if isinstance(content, list) else content)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert_same(target, network(2))


def test_tied_parameters_must_agree():
    state = Tied().state_dict() | {"second.weight": torch.ones(4, 4)}
    with pytest.raises(SpecError, match="tied in the module, got different numbers"):
        load_parameters(Tied(), state)


class Doctored:
    """Unpickled by a careless reader, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["evil.pt", "evil.pth", "evil.ckpt", "evil.bin"])
@pytest.mark.parametrize("archive", [True, False])
def test_a_doctored_pickle_runs_nothing(tmp_path, name, archive):
    mark, path = tmp_path / "ran", tmp_path / name
    content = {**network().state_dict(), "more": Doctored(mark)}
    if archive:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(FileError, match=r"cannot read .*evil.*; write it again with ntklab\.save_parameters"):
        load_parameters(network(), path)
    assert not mark.exists()
    if archive:  # the file does what is feared of it
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())
    assert mark.exists()


def test_an_archive_that_grows_is_refused(tmp_path):
    path, bomb = saved(tmp_path, {"0.weight": torch.zeros(1000, 1000)}), tmp_path / "bomb.pt"
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in plain.infolist():
            packed.writestr(member.filename, plain.read(member))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(FileError, match="compressed"):
        load_parameters(network(), bomb)


@pytest.mark.parametrize("name", ["saved.pt", "saved.safetensors"])
def test_damaged_files_are_one_error_or_numbers_that_fit(tmp_path, name):
    path = saved(tmp_path, network(1).state_dict(), name)
    whole = path.read_bytes()
    pieces = [whole[: len(whole) * part // 12] for part in range(12)]
    flipped = [whole[:i] + bytes([whole[i] ^ 0x55]) + whole[i + 1 :] for i in range(0, len(whole), len(whole) // 60)]
    refused = 0
    for content in pieces + flipped:
        path.write_bytes(content)
        try:
            load_parameters(network(2), path)
        except NtkLabError:
            refused += 1
    assert refused >= len(pieces)


@pytest.mark.parametrize(("name", "words"), [
    ("net.npz", "expected one of .pt, .pth, .ckpt, .bin, .safetensors"),
    ("gone.pt", "no such file"),
    (".", "expected one of"),
])  # fmt: skip
def test_paths_that_are_no_checkpoint(tmp_path, name, words):
    (tmp_path / "net.npz").write_bytes(b"PK")
    with pytest.raises(FileError, match=words):
        load_parameters(network(), tmp_path / name)


def test_other_sources_and_suffixes_are_refused(tmp_path):
    with pytest.raises(SpecError, match="expected a mapping from names to tensors or a path, got int"):
        load_parameters(network(), 3)
    with pytest.raises(SpecError, match=r"as \.safetensors, got 'net\.pt'"):
        save_parameters(network(), tmp_path / "net.pt")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot write"):
        save_parameters(network(), tmp_path / "file" / "net.safetensors")


def test_the_facade(tmp_path):
    path = ntklab.save_parameters(network(1), tmp_path / "net.safetensors")
    target = network(2)
    assert ntklab.load_parameters(target, path) == content_hash(target.state_dict())
    assert_same(target, network(1))
