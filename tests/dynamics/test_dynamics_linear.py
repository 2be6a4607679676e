"""The linear model: closed form, simulation in function space and explicit weights are three ways to one number."""

from itertools import islice

import numpy as np
import pytest
import torch

from ntklab import networks
from ntklab.dynamics import closed_form, losses, schedule
from ntklab.dynamics.descent import simulate
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.products import largest_eigenvalue
from ntklab.errors import NumericalError, SpecError
from ntklab.progress import drain
from ntklab.spec import Architecture
from ntklab.spectra import critical_rate

N, M, K = 9, 5, 3
BAR = 1e-10


def network(width=20, seed=0):
    layers = [{"type": "Dense", "width": width, "W_std": 1.4, "b_std": 0.3}, {"type": "Erf"},
              {"type": "Dense", "width": K, "W_std": 1.1, "b_std": 0.2}]  # fmt: skip
    architecture = Architecture.from_dict({"input": {"kind": "vector", "shape": [4]}, "layers": layers})
    return networks.build(architecture, seed=seed, dtype="float64")


def jacobian(module, x):
    """(n·k, P), one reverse pass a row."""
    parameters = list(module.parameters())
    rows = [
        torch.cat([g.ravel() for g in torch.autograd.grad(f, parameters, retain_graph=True)]) for f in module(x).ravel()
    ]
    return torch.stack(rows).numpy()


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(1)
    module = network()
    x, x_test = (torch.from_numpy(rng.standard_normal((n, 4))) for n in (N, M))
    with torch.no_grad():
        start, start_test = module(x).numpy(), module(x_test).numpy()
    return jacobian(module, x), jacobian(module, x_test), start, start_test, rng.standard_normal((N, K))


@pytest.fixture(params=["stacked", "alike"])
def model(request, features):
    J, J_test, start, start_test, y = features
    if request.param == "stacked":
        return LinearModel(J @ J.T, J_test @ J.T, start, start_test, y)
    A, A_test = J[::K], J_test[::K]  # a kernel of one output, acting on all alike
    return LinearModel(A @ A.T, A_test @ A.T, start, start_test, y)


def rate_of(model, loss, momentum, share):
    top = drain(largest_eigenvalue(model.kernel))
    return share * critical_rate(top, n=N, k=K, loss=loss, momentum=momentum)


def assert_equal(found, expected, bar=BAR):
    for a, b in zip(found, expected, strict=True):
        assert np.abs(a - b).max() <= bar * np.abs(b).max()


@pytest.mark.parametrize("loss", ["half_mse", "torch_mse"])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("steps", "share"), [(1, 0.5), (7, 1.9), (400, 0.5), (400, 1.02), (3000, 0.99)])
def test_closed_form_equals_simulated_descent(model, loss, momentum, steps, share):
    rate = rate_of(model, loss, momentum, share)
    spectrum = closed_form.decompose(model.kernel)
    q = closed_form.descent(spectrum.values, steps, rate=rate, slope=losses.slope(loss, N, K), momentum=momentum)
    expected = simulate(model, [None] * steps, rate=rate, loss=loss, momentum=momentum)
    assert_equal(closed_form.predict(model, spectrum, q), expected)


@pytest.mark.parametrize("loss", ["half_mse", "torch_mse"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("size", [None, 4, 1])
def test_simulated_descent_equals_descent_of_weights(features, loss, momentum, size):
    J, J_test, start, start_test, y = features
    model = LinearModel(J @ J.T, J_test @ J.T, start, start_test, y)
    rate, steps = rate_of(model, loss, momentum, 0.1), 60
    u, velocity = np.zeros(J.shape[1]), np.zeros(J.shape[1])
    for batch in islice(schedule.batches(N, size, seed=3), steps):
        chosen = np.arange(N) if batch is None else batch
        rows = model.indices(chosen)
        residual = (start.ravel() + J @ u - y.ravel())[rows]
        count = residual.size if loss == "torch_mse" else 2 * len(chosen)
        velocity = momentum * velocity + J[rows].T @ residual * (2 / count)
        u = u - rate * velocity
    expected = start + (J @ u).reshape(N, K), start_test + (J_test @ u).reshape(M, K)
    found = simulate(model, islice(schedule.batches(N, size, seed=3), steps), rate=rate, loss=loss, momentum=momentum)
    assert_equal(found, expected)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_simulated_path_is_that_of_torch_on_the_linearised_network(features, momentum):
    J, J_test, start, start_test, y = features
    model = LinearModel(J @ J.T, J_test @ J.T, start, start_test, y)
    rate = rate_of(model, "torch_mse", momentum, 0.3)
    u = torch.zeros(J.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([u], lr=rate, momentum=momentum)
    for _ in range(40):
        outputs = torch.from_numpy(start) + (torch.from_numpy(J) @ u).reshape(N, K)
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(outputs, torch.from_numpy(y)).backward()
        optimiser.step()
    expected = start + (J @ u.detach().numpy()).reshape(N, K), start_test + (J_test @ u.detach().numpy()).reshape(M, K)
    assert_equal(simulate(model, [None] * 40, rate=rate, loss="torch_mse", momentum=momentum), expected)


def test_torch_mse_is_half_mse_at_another_rate(model):
    rate = rate_of(model, "torch_mse", 0.9, 0.5)
    found = simulate(model, [None] * 50, rate=rate, loss="torch_mse", momentum=0.9)
    assert_equal(found, simulate(model, [None] * 50, rate=rate * 2 / K, loss="half_mse", momentum=0.9))


@pytest.mark.parametrize("substeps", [200, 2000])
def test_gradient_flow_is_the_limit_of_small_steps(model, substeps):
    spectrum = closed_form.decompose(model.kernel)
    time = 5.0 / spectrum.values[0] * N
    flow = closed_form.predict(model, spectrum, closed_form.flow(spectrum.values, time, slope=1 / N))
    small = simulate(model, [None] * substeps, rate=time / substeps)
    gap = max(np.abs(a - b).max() for a, b in zip(flow, small, strict=True))
    assert 0.02 / substeps < gap < 10 / substeps  # first order: neither worse nor better


@pytest.mark.parametrize("algorithm", ["flow", "descent", "momentum"])
def test_decay_towards_the_start_ends_in_kernel_ridge_regression(model, algorithm):
    spectrum, decay = closed_form.decompose(model.kernel), 0.02
    rate = rate_of(model, "half_mse", 0.0, 0.5)
    q = {
        "flow": lambda v: closed_form.flow(v, 1e5, slope=1 / N, decay=decay),
        "descent": lambda v: closed_form.descent(v, 20_000, rate=rate, slope=1 / N, decay=decay),
        "momentum": lambda v: closed_form.descent(v, 20_000, rate=rate, slope=1 / N, decay=decay, momentum=0.9),
    }[algorithm](spectrum.values)
    dual = np.linalg.solve(
        model.kernel + N * decay * np.eye(len(model.kernel)), model.columns(model.targets - model.start)
    )
    expected = model.start + model.rows(model.kernel @ dual), model.start_test + model.rows(model.kernel_test @ dual)
    assert_equal(closed_form.predict(model, spectrum, q), expected)
    assert_equal(closed_form.predict(model, spectrum, closed_form.ridge(spectrum.values, N * decay)), expected)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_modes_without_curvature_move_at_constant_speed(momentum):
    tiny = np.array([0.0, 1e-14, 1e-8])
    q = closed_form.descent(tiny, 100, rate=0.1, slope=0.5, momentum=momentum)
    velocities = np.cumsum(momentum ** np.arange(100))
    assert q[0] == pytest.approx(0.1 * 0.5 * velocities.sum(), rel=1e-13)
    assert q[1] == pytest.approx(q[0], rel=1e-11)
    assert closed_form.flow(tiny, 7.0, slope=0.5)[0] == 3.5


def test_a_mode_at_critical_damping_is_exact():
    momentum, rate = 0.49, 1.0
    double = (1 - momentum**0.5) ** 2 / rate  # both roots of the step coincide: it cannot be diagonalised
    one = LinearModel(np.array([[double]]), np.array([[double]]), np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)))
    q = closed_form.descent(np.array([double]), 25, rate=rate, slope=1.0, momentum=momentum)
    train, _ = simulate(one, [None] * 25, rate=rate, momentum=momentum)
    assert double * q[0] == pytest.approx(train[0, 0], rel=1e-13)


def test_without_test_samples(features):
    J, _, start, _, y = features
    model = LinearModel(J @ J.T, np.zeros((0, N * K)), start, np.zeros((0, K)), y)
    train, test = simulate(model, [None] * 3, rate=0.01)
    assert train.shape == (N, K)
    assert test.shape == (0, K)


@pytest.mark.parametrize("n", [40, 700])
def test_largest_eigenvalue(n):
    A = np.random.default_rng(n).standard_normal((n, n // 2))
    K = A @ A.T
    assert drain(largest_eigenvalue(K)) == pytest.approx(np.linalg.eigvalsh(K)[-1], rel=1e-9)


@pytest.mark.parametrize("n", [40, 700])
def test_largest_eigenvalue_of_degenerate_kernels(n):
    assert drain(largest_eigenvalue(np.zeros((n, n)))) == pytest.approx(0.0, abs=1e-12)
    assert drain(largest_eigenvalue(np.eye(n))) == pytest.approx(1.0, rel=1e-12)
    with pytest.raises(NumericalError, match="NaN"):
        drain(largest_eigenvalue(np.full((n, n), np.nan)))


def test_an_indefinite_kernel_is_refused():
    with pytest.raises(NumericalError, match="positive semi-definite"):
        closed_form.decompose(np.diag([1.0, -0.1]))


def test_shapes_that_do_not_fit_are_refused(features):
    J, J_test, start, start_test, y = features
    with pytest.raises(SpecError, match="do not fit"):
        LinearModel(J @ J.T, J_test[::K] @ J.T, start, start_test, y)


def test_unknown_loss():
    with pytest.raises(SpecError, match="half_mse"):
        losses.slope("hinge", 3, 1)
    assert np.isnan(losses.value("half_mse", np.zeros((0, 2)), np.zeros((0, 2))))
    assert losses.value("half_mse", np.full((1, 1), 1e200), np.zeros((1, 1))) == np.inf
