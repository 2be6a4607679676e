"""What goes wrong while an empirical kernel is computed: memory that cannot be had at any moment, and cancellation."""

import threading

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ntklab import spec
from ntklab.errors import MemoryBudgetError
from ntklab.kernels.empirical import empirical_ntk
from ntklab.progress import Forecast, Partial, drain
from ntklab.spec import Conv, Dense, Flatten
from ntklab.spec.activations import Erf, Relu

FORMS = ("full", "diagonal", "mean")
CNN = spec.Architecture(
    spec.Input("image", (6, 6, 2)),
    (Conv(12, (3, 3), padding="SAME", b_std=0.2), Erf(), Conv(9, (3, 3), b_std=None), Relu(), Flatten(), Dense(3)),
)


class Scarce(TorchDispatchMode):
    """Refuses memory to the ``at``-th operation that asks for it, or to all that ask for more than ``most`` bytes."""

    def __init__(self, at=None, most=None):
        super().__init__()
        self.at, self.most, self.asked, self.refused = at, most, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        makes = func._schema.returns and all(result.alias_info is None for result in func._schema.returns)
        if makes:
            self.asked += 1
            if self.asked == self.at:
                self._refuse()
        made = func(*args, **(kwargs or {}))
        if makes and self.most is not None and isinstance(made, torch.Tensor) and made.nbytes > self.most:
            del made
            self._refuse()
        return made

    def _refuse(self):
        self.refused += 1
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried …")


def samples(n, *, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 6, 6, 2))


def work(x1, x2=None, **options):
    return empirical_ntk(CNN, x1, x2, **{"dtype": "float64", **options})


def assert_close(got, wanted):
    assert np.abs(got - wanted).max() <= 1e-12 * np.abs(wanted).max()


def needed(**options):
    return next(work(samples(9), **options)).peak_bytes


@pytest.mark.parametrize(
    ("outputs", "split", "tight"), [("full", True, True), ("mean", False, True), ("diagonal", False, False)]
)
def test_memory_that_cannot_be_had_once_costs_nothing_but_time(outputs, split, tight):
    options = {"outputs": outputs, "split": split}
    options |= {"memory": needed(**options) - 60_000} if tight else {}
    wanted = drain(work(samples(9), **options))
    going = work(samples(9), **options)
    next(going)
    with Scarce() as counted:
        drain(going)
    assert counted.asked > 30
    for at in range(1, counted.asked + 1, 1 + counted.asked // 25):
        going = work(samples(9), **options)
        next(going)
        with Scarce(at) as scarce:
            gram = drain(going)
        assert scarce.refused == 1
        assert_close(gram.values, wanted.values)
        assert any("memory could not be had as planned" in note for note in gram.provenance.notes)
        for name, part in gram.parts.items():
            assert_close(part, wanted.parts[name])


@pytest.mark.parametrize("x2", [None, samples(13, seed=1)])
@pytest.mark.parametrize("outputs", FORMS)
def test_goes_on_with_pieces_as_small_as_it_takes(outputs, x2):
    wanted = drain(work(samples(16), x2, outputs=outputs)).values
    for most in (100_000, 45_000):
        going, events = work(samples(16), x2, outputs=outputs), []
        next(going)
        with Scarce(most=most) as scarce:
            gram = drain(going, events.append)
        assert scarce.refused > 0
        assert_close(gram.values, wanted)
        seen = np.full(gram.values.shape[:2], np.nan)
        for tile in (event.value for event in events if isinstance(event, Partial)):
            seen[slice(*tile.rows), slice(*tile.columns)] = tile.values
            if tile.mirror:
                seen[slice(*tile.columns), slice(*tile.rows)] = tile.values.T
        assert_close(seen, gram.matrix)


def test_says_so_when_there_is_no_memory_for_a_pair_of_samples():
    going = work(samples(5))
    next(going)
    with Scarce(most=500), pytest.raises(MemoryBudgetError, match="not enough free memory for a pair of samples"):
        drain(going)


@pytest.mark.parametrize("at", [1, 5, 40])
def test_memory_that_cannot_be_had_before_the_plan_is_an_error_of_the_budget(at):
    with Scarce(at), pytest.raises(MemoryBudgetError, match="not enough free memory"):
        next(work(samples(5)))


def test_can_be_cancelled_at_every_event_and_leaves_no_threads():
    before = threading.active_count()
    options = {"memory": needed() - 60_000}
    events = []
    drain(work(samples(9), **options), events.append)
    for count in range(1, len(events)):
        going = work(samples(9), **options)
        seen = [next(going) for _ in range(count)]
        assert isinstance(seen[0], Forecast)
        going.close()
    assert threading.active_count() == before
    assert torch.get_num_threads() >= 1
