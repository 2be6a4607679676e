"""The empirical NTK against its naive twin, J Jᵀ, in float64, whatever the architecture, form, samples and tiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ntklab import spec
from ntklab.errors import DataError, MemoryBudgetError, SpecError
from ntklab.kernels.empirical import empirical_ntk, preparation
from ntklab.kernels.empirical.reference import reference_ntk
from ntklab.networks import build
from ntklab.progress import Forecast, Partial, Progress, drain
from ntklab.spec import LAYER_TYPES, Branch, Dense, Dropout, Flatten
from ntklab.spec.activations import Erf, Gelu, Relu

GOLDEN = Path(__file__).parents[2] / "golden" / "predict"
FORMS = ("full", "diagonal", "mean")
TOLERANCE = 1e-10

ACTIVATIONS = [
    LAYER_TYPES[name]()
    for name, cls in LAYER_TYPES.items()
    if issubclass(cls, spec.Activation) and name != "ExpNormalized"
]
HIDDEN = Dense(7, W_std=1.3, b_std=0.2)
OUT = Dense(3, W_std=1.1, b_std=0.1)
ARCHITECTURES = {
    "dense": (OUT,),
    "no bias": (Dense(7), Relu(), Dense(5), Relu(), Dense(1)),
    "zero bias": (Dense(7, b_std=0.0), Erf(), Dense(2, b_std=0.0)),
    "linear": (HIDDEN, HIDDEN, OUT),
    "standard": (
        Dense(7, W_std=1.3, b_std=0.2, param="standard"), Erf(), Dense(6, param="standard", s=(2.0, 1.0)), Relu(),
        Dense(3, b_std=0.3, param="standard"),
    ),
    "mixed": (Dense(7, W_std=1.3, b_std=0.2, param="standard"), Erf(), OUT),
    "ends in an activation": (HIDDEN, Gelu(), OUT, Erf()),
    "dropout": (HIDDEN, Dropout(0.7), Relu(), OUT, Dropout(0.5)),
    "residual": (HIDDEN, Branch(((), (Relu(), HIDDEN, Erf(), HIDDEN))), Branch(((), (Relu(), HIDDEN))), OUT),
    "residual on the input": (Branch(((), (Dense(6, W_std=1.4), Erf()))), OUT),
    "two branches": (Branch(((HIDDEN, Relu()), (HIDDEN, Erf()))), OUT),
    "product": (HIDDEN, Branch(((), (Erf(), HIDDEN), (Relu(), HIDDEN)), merge="prod"), OUT),
    "concat": (Branch(((HIDDEN, Relu()), (Dense(4), Erf()), ()), merge="concat"), OUT),
    "ends in a sum": (HIDDEN, Erf(), Branch(((OUT,), (OUT, Gelu())))),
    "ends in a concat": (HIDDEN, Branch(((Erf(),), (Dense(2),)), merge="concat", axis=1)),
    "nested": (
        HIDDEN,
        Branch(((Erf(), Branch(((), (Relu(), Dense(3))), merge="concat")), (Dense(10),)), merge="sum"),
        Flatten(),
        OUT,
    ),
    **{type(a).__name__: (HIDDEN, a, HIDDEN, a, OUT) for a in ACTIVATIONS},
}  # fmt: skip


def architecture(*layers, shape=(6,)):
    kind = {1: "vector", 2: "sequence", 3: "image"}[len(shape)]
    return spec.Architecture(spec.Input(kind, shape), layers)


MLP = architecture(HIDDEN, Relu(), HIDDEN, Erf(), OUT)


def samples(n, *shape, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *(shape or (6,)))) * 0.7


def kernel(model, x1, x2=None, **options):
    return drain(empirical_ntk(model, x1, x2, **{"dtype": "float64", **options}))


def expected(model, x1, x2=None, outputs="full", seed=0):
    module = model if isinstance(model, nn.Module) else build(model, seed=seed, dtype="float64")
    second = None if x2 is None else torch.as_tensor(x2)
    return reference_ntk(module, torch.as_tensor(x1), second, outputs=outputs).numpy()


def assert_close(got, reference, tolerance=TOLERANCE):
    assert got.shape == reference.shape
    assert np.abs(got - reference).max() <= tolerance * np.abs(reference).max()


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equals_the_twin(name, outputs):
    a, x1, x2 = architecture(*ARCHITECTURES[name]), samples(5), samples(4, seed=1)
    square, wide = kernel(a, x1, outputs=outputs), kernel(a, x1, x2, outputs=outputs)
    assert_close(square.values, expected(a, x1, outputs=outputs))
    assert_close(wide.values, expected(a, x1, x2, outputs=outputs))
    assert square.symmetric
    assert not wide.symmetric
    assert square.health.good
    assert square.health.asymmetry == 0


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ((4, 3), (Dense(5, b_std=0.3), Relu(), Flatten(), OUT)),
        ((4, 3), (Dense(5), Erf(), Branch(((), (Dense(5, b_std=0.2),))), Flatten(), Gelu(), Dense(4), OUT)),
        ((4, 3), (Dense(2, b_std=0.3), Erf(), Flatten())),
        ((2, 2, 3), (Dense(5, b_std=0.3), Branch(((), (Relu(), Dense(4))), merge="concat", axis=-1), Flatten(), OUT)),
        ((4, 3), (Dense(5), Branch(((), (Dense(5),)), merge="concat", axis=1), Flatten(), OUT)),
        ((1, 3), (Dense(5, b_std=0.3), Relu(), Flatten(), OUT)),
        ((2, 3), (Flatten(), HIDDEN, Relu(), OUT)),
    ],
)  # fmt: skip
def test_layers_applied_at_several_positions(shape, layers, outputs):
    a, x = architecture(*layers, shape=shape), samples(3, *shape)
    assert_close(kernel(a, x, outputs=outputs).values, expected(a, x, outputs=outputs))


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize(
    ("rows", "columns", "groups", "chunk", "tile"),
    [(100, 100, 1, 100, 100), (100, 100, 3, 3, 4), (7, 5, 1, 7, 7), (7, 3, 2, 3, 2), (4, 9, 3, 2, 99), (1, 1, 1, 1, 1)],
)
def test_does_not_depend_on_how_the_work_is_cut(outputs, rows, columns, groups, chunk, tile, monkeypatch):
    def cut(*args, **options):
        plan = make_plan(*args, **options)
        names = [name for group in plan.groups for name in group]
        blocks = replace(plan.blocks, rows=min(rows, plan.blocks.n1), columns=min(columns, plan.blocks.n2))
        taken = tuple(tuple(names[i::groups]) for i in range(groups))
        return replace(plan, blocks=blocks, groups=taken, chunk=chunk, tile=tile)

    make_plan = preparation.make_plan
    monkeypatch.setattr(preparation, "make_plan", cut)
    x1, x2 = samples(17), samples(9, seed=1)
    assert_close(kernel(MLP, x1, outputs=outputs).values, expected(MLP, x1, outputs=outputs))
    assert_close(kernel(MLP, x1, x2, outputs=outputs).values, expected(MLP, x1, x2, outputs=outputs))


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("x2", [None, samples(30, seed=1)])
def test_does_not_depend_on_the_budget(outputs, x2):
    x1 = samples(41)
    wide = architecture(Dense(500), Relu(), Dense(400), Erf(), OUT)
    needed = next(empirical_ntk(wide, x1, x2, outputs=outputs, dtype="float64")).peak_bytes
    reference = kernel(wide, x1, x2, outputs=outputs)
    for saved in (300_000, 600_000):
        work = empirical_ntk(wide, x1, x2, outputs=outputs, dtype="float64", memory=needed - saved)
        assert next(work).peak_bytes <= needed - saved
        assert_close(drain(work).values, reference.values, 1e-13)


def test_a_budget_that_is_too_small_says_what_would_do():
    with pytest.raises(MemoryBudgetError, match=r"41 × 41 samples needs at least .* the memory budget is 1 MiB"):
        kernel(MLP, samples(41), memory=2**20)


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("x2", [None, samples(60, seed=1)])
def test_events(outputs, x2):
    x1 = samples(300)
    events = []
    gram = drain(empirical_ntk(MLP, x1, x2, outputs=outputs), events.append)
    assert isinstance(events[0], Forecast)
    tiles = [event.value for event in events if isinstance(event, Partial)]
    assert all(event.key == "tile" for event in events if isinstance(event, Partial))
    assert len(tiles) == events[0].tiles
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].done == progress[-1].total == len(tiles)
    seen = np.full(tiles[0].shape, np.nan, dtype="float32")
    for tile in tiles:
        assert tile.kernel == "empirical"
        seen[slice(*tile.rows), slice(*tile.columns)] = tile.values
        if tile.mirror:
            seen[slice(*tile.columns), slice(*tile.rows)] = tile.values.T
    np.testing.assert_allclose(seen, gram.matrix, rtol=1e-6, atol=1e-6)


def test_provenance_states_conventions_and_origin():
    gram = kernel(MLP, samples(4), outputs="mean", seed=3)
    p = gram.provenance
    assert (p.kind, p.parameterisation, p.dtype, p.device) == ("empirical", "ntk", "float64", "cpu")
    assert (p.seed, p.outputs, p.spec) == (3, "mean", MLP.content_hash())
    assert p.route
    assert p.seconds > 0
    assert_close(gram.values, expected(MLP, samples(4), outputs="mean", seed=3))
    standard = architecture(Dense(4, param="standard"))
    assert kernel(standard, samples(2)).provenance.parameterisation == "standard"
    nested = architecture(Dense(4, param="standard"), Branch(((), (Dense(4),))), Dense(2, param="standard"))
    assert kernel(nested, samples(2)).provenance.parameterisation == "mixed"


def test_float32_is_the_default_and_close():
    gram = drain(empirical_ntk(MLP, samples(40)))
    assert gram.values.dtype == np.float32
    assert_close(gram.values.astype("float64"), expected(MLP, samples(40)), 1e-5)


def test_float32_products_large_enough_for_onednn():
    a = architecture(Dense(300), Relu(), Dense(300, b_std=0.4), Relu(), OUT, shape=(200,))
    x = samples(400, 200)
    for outputs in FORMS:
        single = drain(empirical_ntk(a, x, outputs=outputs))
        assert_close(single.values, kernel(a, x, outputs=outputs).values, 1e-5)


def test_the_error_of_float32_is_measured_where_that_is_cheap():
    a, x = architecture(Dense(300), Relu(), OUT), samples(1500)
    single, double = drain(empirical_ntk(a, x, outputs="mean")), kernel(a, x, outputs="mean")
    assert 1e-9 < single.error < 1e-5
    assert double.error is None
    assert drain(empirical_ntk(a, x[:10])).error is None


@pytest.mark.parametrize("name", ["empirical_axes_linearize", "gd_mse_empirical_full_noreg"])
def test_golden_values(name):
    case = np.load(GOLDEN / f"{name}.npz")
    a = architecture(Dense(32, W_std=1.5, b_std=0.1), Erf(), Dense(2, W_std=1.5, b_std=0.1))
    network = build(a, dtype="float64")
    with torch.no_grad():
        for i, parameter in enumerate(network.parameters()):
            parameter.copy_(torch.from_numpy(case[f"param_{i}"].T.reshape(parameter.shape).copy()))
    x, test = case["x_train"], case["x_test"]
    assert_close(kernel(network, x).values, case["ntk_dd"], 1e-7)
    assert_close(kernel(network, test, x).values, case["ntk_td"], 1e-7)
    if name == "empirical_axes_linearize":
        assert_close(kernel(network, x, outputs="diagonal").values, case["ntk_diag"], 1e-7)
        assert_close(kernel(network, x, outputs="mean").values, case["ntk_trace"], 1e-7)


def test_the_operator_acts_on_stacked_outputs():
    gram = kernel(MLP, samples(5))
    np.testing.assert_array_equal(gram.operator[1 * 3 + 2, 4 * 3 + 0], gram.values[1, 4, 2, 0])
    assert np.linalg.eigvalsh(gram.operator).min() > -1e-12 * np.abs(gram.operator).max()


def test_bad_requests_say_so():
    x = samples(3)
    with pytest.raises(SpecError, match="outputs: expected one of full, diagonal, mean, got 'sum'"):
        kernel(MLP, x, outputs="sum")
    with pytest.raises(DataError, match=r"x1: the network takes samples of shape \[6\], got \[5\]"):
        kernel(MLP, x[:, :5])
    with pytest.raises(DataError, match="x2: expected samples"):
        kernel(MLP, x, x[:0])
    for strange in ([["a"]], [[1.0], [1.0, 2.0]]):
        with pytest.raises(DataError, match="x1: expected an array of numbers, got list"):
            kernel(MLP, strange)
    with pytest.raises(SpecError, match="model: expected an Architecture"):
        kernel("resnet", x)
    with pytest.raises(SpecError, match="ExpNormalized"):
        kernel(architecture(HIDDEN, LAYER_TYPES["ExpNormalized"](), OUT), x)


def test_takes_lists_read_only_arrays_and_tensors():
    x = samples(4)
    reference = kernel(MLP, x).values
    x.flags.writeable = False
    for form in (x, x.tolist(), torch.tensor(x), np.asfortranarray(x), torch.tensor(x).requires_grad_()):
        np.testing.assert_array_equal(kernel(MLP, form).values, reference)


def random_layers(rng, depth):
    layers = []
    for _ in range(rng.integers(1, 4)):
        kind = rng.integers(5 if depth else 3)
        if kind < 2:
            layers.append(Dense(4, W_std=rng.uniform(0.5, 1.5), b_std=rng.choice([None, 0.3])))
        elif kind == 2:
            layers.append(rng.choice([Relu(), Erf(), Gelu(), Dropout(0.5)]))
        else:
            branches = tuple(random_layers(rng, depth - 1) for _ in range(rng.integers(1, 4)))
            merge = str(rng.choice(["sum", "prod", "concat"]))
            layers.append(Branch((*branches, ()) if rng.integers(2) else branches, merge=merge))
            if merge == "concat":
                layers.append(Dense(4))
    return tuple(layers)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), outputs=st.sampled_from(FORMS))
def test_random_networks_equal_the_twin(seed, outputs):
    rng = np.random.default_rng(seed)
    a = architecture(Dense(4, b_std=0.2), *random_layers(rng, 2), shape=(3,))
    x1, x2 = rng.standard_normal((3, 3)), rng.standard_normal((2, 3))
    for second in (None, x2):
        assert_close(kernel(a, x1, second, outputs=outputs).values, expected(a, x1, second, outputs=outputs))


def test_nan_in_the_data_is_labelled_not_hidden():
    x = samples(4)
    x[2, 1] = np.nan
    assert kernel(MLP, x, outputs="mean").health.bad == 7


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("outputs", FORMS)
def test_cuda_gives_the_same(outputs):
    x1, x2 = samples(70), samples(30, seed=1)
    for second in (None, x2):
        there = kernel(MLP, x1, second, outputs=outputs, device="cuda")
        assert_close(there.values, kernel(MLP, x1, second, outputs=outputs).values)
