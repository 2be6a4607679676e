"""Flows of a linear model: closed forms, integration and small steps are three ways to one path."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from ntklab import dynamics
from ntklab.dynamics import (
    LinearModel,
    closed_form,
    function_space_flow,
    gradient_descent,
    gradient_flow,
    largest_learning_rate,
    losses,
    simulate,
)
from ntklab.errors import DataError, NumericalError, SpecError
from ntklab.progress import Forecast, Progress, drain
from ntklab.results import Gram, Provenance

N, M, K = 7, 4, 3
SQUARED = ["half_mse", "torch_mse", "half_mean"]
ENTROPIES = ["cross_entropy", "mean_cross_entropy"]


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((N + M, 12))
    theta = A @ A.T / 4
    one_hot = np.eye(K)[rng.integers(0, K, N)]
    return theta[:N, :N], theta[N:, :N], rng.standard_normal((N, K)), rng.standard_normal((M, K)), one_hot


@pytest.fixture(params=["alike", "stacked"])
def model(request):
    theta, cross, start, start_test, Y = arrays()
    if request.param == "stacked":
        mixing = np.array([[1.0, 0.3, 0.1], [0.3, 0.8, 0.0], [0.1, 0.0, 0.6]])
        theta, cross = np.kron(theta, mixing), np.kron(cross, mixing)
    return LinearModel(theta, cross, start, start_test, Y)


def close(found, expected, bar):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= bar * np.abs(expected).max()


# -- closed forms against each other and against steps -----------------------------------------------------------------


@pytest.mark.parametrize("loss", SQUARED)
@pytest.mark.parametrize("momentum", [None, 0.0, 0.5, 0.95])
def test_integration_meets_the_closed_form(model, loss, momentum):
    steps = np.array([0.0, 0.3, 5.0, 40.0])
    exact = gradient_flow(model, loss=loss, rate=0.2, momentum=momentum).at(steps)
    found = drain(function_space_flow(model, steps, loss=loss, rate=0.2, momentum=momentum))
    close(found.train, exact.train, 1e-8)
    close(found.test, exact.test, 1e-8)
    close(found.train_loss, exact.train_loss, 1e-8)
    if momentum is not None:
        close(found.train_velocity, exact.train_velocity, 1e-7)
        close(found.test_velocity, exact.test_velocity, 1e-7)
    assert found.evaluations > 0 == exact.evaluations


def heavy_ball(model, loss, steps, rate, momentum):
    """Small steps v ← μv + g, f ← f − ηΘv in function space, of any loss."""
    gradient = losses.gradient(loss, model.targets)
    f, f_test, velocity = model.start, model.start_test, 0.0
    for _ in range(steps):
        velocity = momentum * velocity + model.columns(gradient(f))
        f = f - rate * model.rows(model.kernel @ velocity)
        f_test = f_test - rate * model.rows(model.kernel_test @ velocity)
    return f, f_test


@pytest.mark.parametrize("loss", ["half_mse", *ENTROPIES])
@pytest.mark.parametrize("momentum", [None, 0.9])
def test_flows_are_the_limit_of_small_steps(model, loss, momentum):
    gaps = []
    for halvings in (0, 1):
        if momentum is None:
            rate, steps, mu = 0.02 / 2**halvings, 400 * 2**halvings, 0.0
        else:  # friction (1 − μ)/√η and time steps·√η stay as they are
            rate, steps = 0.02 / 4**halvings, 400 * 2**halvings
            mu = 1 - (1 - momentum) / 2**halvings
        found = drain(
            function_space_flow(model, [steps], loss=loss, rate=rate, momentum=None if momentum is None else mu)
        )
        f, f_test = heavy_ball(model, loss, steps, rate, mu)
        gaps.append(max(np.abs(found.train[0] - f).max(), np.abs(found.test[0] - f_test).max()))
    assert gaps[0] < 0.1
    assert 1.6 < gaps[0] / gaps[1] < 2.5  # first order in the rate, or in its root with momentum


@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("loss", SQUARED)
def test_descent_is_exact_after_whole_steps(model, loss, momentum):
    rate = 0.3 * N * K / np.linalg.eigvalsh(model.kernel)[-1]
    path = gradient_descent(model, rate=rate, loss=loss, momentum=momentum).at([3, 0, 50])
    for i, steps in enumerate((3, 0, 50)):
        train, test = simulate(model, [None] * steps, rate=rate, loss=loss, momentum=momentum)
        close(path.train[i], train, 1e-10)
        close(path.test[i], test, 1e-10)


def test_momentum_flow_at_every_damping():
    half, s = 0.5, 3.0
    curvatures = np.array([0.0, 1e-12, 1e-3, half**2 * (1 - 1e-9), half**2, half**2 * (1 + 1e-9), 2.0, 400.0])
    q, speed = closed_form.momentum_flow(curvatures, s, rate=1.0, momentum=0.0, slope=1.0)
    for i, a in enumerate(curvatures):
        A = torch.tensor([[0.0, 1.0, 0.0], [-a, -2 * half, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
        expected = torch.linalg.matrix_exp(A * s)[:2, 2].numpy()
        np.testing.assert_allclose([q[i], speed[i]], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("steps", [1e-6, 1e-3])
def test_a_ball_at_early_times_falls_freely(steps):
    a = np.array([0.0, 1e-9, 0.2, 3.0])
    q, speed = closed_form.momentum_flow(a, steps, rate=1.0, momentum=0.9, slope=0.7)
    np.testing.assert_allclose(q, 0.7 * steps**2 / 2 * (1 - 0.1 * steps / 3), rtol=1e-6)
    np.testing.assert_allclose(speed, 0.7 * steps * (1 - 0.1 * steps / 2), rtol=1e-5)


def test_velocities_are_derivatives(model):
    solved, h = gradient_flow(model, rate=0.25, momentum=0.9), 1e-4
    early, now, late = (solved.at(t) for t in (8 - h, 8.0, 8 + h))
    close((late.test - early.test) / (2 * h) / 0.25**0.5, now.test_velocity, 1e-6)


# -- what the settings mean --------------------------------------------------------------------------------------------


def test_losses_differ_by_the_rate_alone(model):
    mean = gradient_flow(model, loss="half_mean", rate=6.0).at(5)
    np.testing.assert_allclose(mean.train, gradient_flow(model, loss="half_mse", rate=2.0).at(5).train, rtol=1e-12)
    np.testing.assert_allclose(mean.train, gradient_flow(model, loss="torch_mse", rate=3.0).at(5).train, rtol=1e-12)


def test_ridge_and_decay_agree_on_test_and_differ_on_train(model):
    delta = 0.7
    noisy, decayed = gradient_flow(model, ridge=delta), gradient_flow(model, decay=delta / N)
    for steps in (3.0, 50.0, np.inf):
        close(noisy.at(steps).test, decayed.at(steps).test, 1e-10)
    close(noisy.at(np.inf).train, model.targets, 1e-12)
    dual = np.linalg.solve(model.kernel + delta * np.eye(len(model.kernel)), model.columns(model.targets - model.start))
    close(decayed.at(np.inf).train, model.start + model.rows(model.kernel @ dual), 1e-10)
    assert noisy.ridge == delta
    assert any("ridge 0.7" in note for note in noisy.notes)


def test_a_relative_ridge_is_in_units_of_the_mean_diagonal(model):
    relative = gradient_flow(model, ridge=0.1, relative=True)
    absolute = gradient_flow(model, ridge=0.1 * np.trace(model.kernel) / len(model.kernel))
    assert relative.ridge == pytest.approx(absolute.ridge)
    np.testing.assert_allclose(relative.at(9).test, absolute.at(9).test, rtol=1e-12)


def test_one_number_of_steps_has_no_axis(model):
    solved = gradient_flow(model)
    assert solved.at(3).train.shape == (N, K)
    assert solved.at(3).train_loss.shape == ()
    assert solved.at([3, 1]).test.shape == (2, M, K)
    np.testing.assert_array_equal(solved.at([3, 1]).train[1], solved.at(1).train)


def test_a_singular_kernel_leaves_modes_at_their_start_and_says_so():
    theta, cross, start, start_test, Y = arrays()
    twice = [0, 1, 2, 3, 0]
    model = LinearModel(theta[np.ix_(twice, twice)], cross[:, twice], start[twice], start_test, Y[twice])
    solved = gradient_flow(model)
    assert solved.condition == np.inf
    assert any("1 of 5 modes" in note and "ridge above" in note for note in solved.notes)
    end = solved.at([1e6, np.inf])
    assert np.abs(end.test).max() < 100  # not rounding noise over rounding noise
    np.testing.assert_allclose(end.train[1, 0], (Y[0] + Y[0]) / 2 * 1.0, atol=1e-8)
    assert gradient_flow(model, ridge=0.1).condition < 1e4


def test_conflicting_targets_of_one_sample_are_averaged():
    model = LinearModel.of(np.ones((2, 2)), [1.0, 3.0], kernel_test=np.ones((1, 2)))
    end = gradient_flow(model).at(np.inf)
    np.testing.assert_allclose(end.train[:, 0], [2.0, 2.0])
    np.testing.assert_allclose(end.test, [[2.0]])


def test_a_kernel_in_float32_is_taken_with_its_rounding():
    A = np.random.default_rng(0).standard_normal((60, 20))
    theta = (A @ A.T).astype(np.float32)
    solved = gradient_flow(LinearModel.of(theta, A[:, 0], kernel_test=theta))
    assert any("float32" in note for note in solved.notes)
    np.testing.assert_allclose(solved.at(np.inf).test[:, 0], A[:, 0], atol=1e-3)


# -- losses and limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "function"), [
    ("torch_mse", mse_loss),
    ("cross_entropy", cross_entropy),
    ("mean_cross_entropy", lambda f, y: cross_entropy(f, y) / K),
])  # fmt: skip
def test_losses_are_those_of_torch(loss, function):
    rng = np.random.default_rng(2)
    f, Y = 3 * rng.standard_normal((N, K)), rng.dirichlet(np.ones(K), N)
    outputs = torch.from_numpy(f).requires_grad_()
    value = function(outputs, torch.from_numpy(Y))
    value.backward()
    assert losses.value(loss, f, Y) == pytest.approx(value.item(), rel=1e-12)
    np.testing.assert_allclose(losses.gradient(loss, Y)(f), outputs.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_a_loss_of_torch(model, momentum):
    named = drain(function_space_flow(model, [1, 30], loss="cross_entropy", momentum=momentum))
    own = drain(function_space_flow(model, [1, 30], loss=cross_entropy, momentum=momentum))
    np.testing.assert_allclose(own.train, named.train, rtol=1e-9)
    np.testing.assert_allclose(own.test, named.test, rtol=1e-9)
    assert own.loss == "cross_entropy"
    assert np.isnan(own.train_loss).all()
    assert (np.diff(named.train_loss) < 0).all()


def test_softmax_of_huge_logits_is_finite():
    f = np.array([[1e4, 0.0, -1e4]])
    assert losses.value("cross_entropy", f, np.array([[0.0, 1.0, 0.0]])) == pytest.approx(1e4)
    assert np.isfinite(losses.gradient("cross_entropy", np.array([[0.0, 1.0, 0.0]]))(f)).all()


def test_the_largest_rate_divides_growth_from_decay(model):
    rate = largest_learning_rate(model.kernel, outputs=K, samples=N, momentum=0.5)
    for share, grows in ((0.99, False), (1.01, True)):
        loss = gradient_descent(model, rate=share * rate, momentum=0.5).at([0, 4000]).train_loss
        assert (loss[1] > loss[0]) == grows


def test_the_largest_rate_of_a_full_kernel():
    theta, *_ = arrays()
    full = np.kron(theta, np.eye(K)).reshape(N, K, N, K).transpose(0, 2, 1, 3)
    gram = Gram(full, Provenance(kind="empirical", outputs="full"))
    expected = 2 * N / np.linalg.eigvalsh(theta)[-1]
    for kernel in (theta, full, gram, torch.from_numpy(full)):
        assert largest_learning_rate(kernel, outputs=K) == pytest.approx(expected)
    with pytest.raises(SpecError, match="do not fit"):
        largest_learning_rate(theta, outputs=K, samples=5)


# -- work that can be left, and requests that are refused --------------------------------------------------------------


def test_the_flow_says_how_far_it_is_and_can_be_left(monkeypatch, model):
    monkeypatch.setattr(dynamics.function_space, "EVENT_SECONDS", 0.0)
    work = function_space_flow(model, np.linspace(0, 50, 20))
    assert isinstance(next(work), Forecast)
    done = [event.done for event in (next(work) for _ in range(200)) if isinstance(event, Progress)]
    assert done == sorted(done)
    assert 0 < done[-1] < dynamics.function_space.PARTS
    work.close()
    assert drain(function_space_flow(model, [0.0])).train.shape == (1, N, K)


def test_a_loss_without_finite_gradient_is_named(model):
    def cliff(f, y):
        return torch.log(1.0 - (f - f.detach()).square().sum() - 1.0) + (f - y).sum()

    with pytest.raises(NumericalError, match="not finite"):
        drain(function_space_flow(model, [10.0], loss=cliff))


@pytest.mark.parametrize(("change", "match"), [
    ({"steps": [3.0, 1.0]}, "ascend"), ({"steps": [-1.0]}, "at least 0"), ({"steps": [np.inf]}, "finite"),
    ({"loss": "hinge"}, "mean_cross_entropy"), ({"rate": 0.0}, "rate"), ({"momentum": 1.0}, "momentum"),
    ({"tolerance": 0.0}, "tolerance"),
])  # fmt: skip
def test_bad_flows_are_refused(model, change, match):
    request = {"steps": [1.0], **change}
    with pytest.raises(SpecError, match=match):
        drain(function_space_flow(model, **request))


@pytest.mark.parametrize(("change", "match"), [
    ({"loss": "cross_entropy"}, "half_mse"), ({"rate": -1.0}, "rate"), ({"momentum": 1.5}, "momentum"),
    ({"ridge": -0.1}, "ridge"), ({"decay": np.nan}, "decay"),
])  # fmt: skip
def test_bad_solutions_are_refused(model, change, match):
    with pytest.raises(SpecError, match=match):
        gradient_flow(model, **change)
    with pytest.raises(SpecError, match=match):
        gradient_descent(model, **{"rate": 1.0, **change})


def test_parts_of_a_step_and_negative_steps_are_refused(model):
    with pytest.raises(SpecError, match="whole"):
        gradient_descent(model, rate=0.1).at([1.0, 2.5])
    with pytest.raises(SpecError, match="at least 0"):
        gradient_flow(model).at(-1.0)


def test_a_model_from_what_people_have():
    theta, cross, start, start_test, Y = arrays()
    full, full_test = (np.kron(A, np.eye(K)).reshape(len(A), K, N, K).transpose(0, 2, 1, 3) for A in (theta, cross))
    plain = LinearModel.of(theta, Y, kernel_test=cross, start=start, start_test=start_test)
    expected = gradient_flow(plain).at(20.0)
    for convert in (lambda a: a, torch.from_numpy, lambda a: torch.from_numpy(a).requires_grad_()):
        model = LinearModel.of(
            convert(full),
            convert(Y),
            kernel_test=convert(full_test),
            start=convert(start),
            start_test=convert(start_test),
        )
        found = gradient_flow(model).at(20.0)
        np.testing.assert_allclose(found.test, expected.test, rtol=1e-10)
    single = LinearModel.of(theta, Y[:, 0])
    assert single.start_test.shape == (0, 1)
    assert not single.start.any()
    assert replace(single, precision="float32").precision == "float32"


@pytest.mark.parametrize(("kernel", "targets", "match"), [
    (np.zeros((2, 2, 3)), np.zeros((2, 3)), "outputs='full'"), (np.full((2, 2), np.nan), np.zeros(2), "NaN"),
    (np.eye(2), np.array([1.0, np.inf]), "targets"), (np.eye(2), np.zeros((2, 1, 1)), "targets"),
    (np.eye(2), ["a", "b"], "array of numbers"),
])  # fmt: skip
def test_what_is_not_a_kernel_or_targets_is_refused(kernel, targets, match):
    with pytest.raises(DataError, match=match):
        LinearModel.of(kernel, targets)
