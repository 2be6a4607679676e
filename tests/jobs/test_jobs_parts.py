"""The parts of the worker that need no thread."""

from __future__ import annotations

import pytest

from ntklab.errors import DataError
from ntklab.jobs import report
from ntklab.jobs.eta import LEAST_SECONDS, Eta
from ntklab.progress import Progress


def fed(*seen: tuple[float, int], total: int = 100, text: str = "") -> float | None:
    eta, last = Eta(), None
    for now, done in seen:
        last = eta.update(Progress(done, total, text), now)
    return last


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        ([(0.0, 0)], None),
        ([(0.0, 0), (0.4 * LEAST_SECONDS, 50)], None),
        ([(0.0, 0), (10.0, 0)], None),
        ([(0.0, 0), (1.0, 10)], 9.0),
        ([(0.0, 0), (1.0, 10), (2.0, 20), (3.0, 30)], 7.0),
        ([(0.0, 90), (1.0, 95)], 1.0),
        ([(0.0, 0), (0.1, 100)], 0.0),
    ],
)
def test_eta_of_even_work(seen: list[tuple[float, int]], seconds: float | None) -> None:
    assert fed(*seen) == (None if seconds is None else pytest.approx(seconds))


def test_eta_follows_a_change_of_pace() -> None:
    slow = [(float(second), second) for second in range(20)]
    fast = [(19 + step, 19 + 3 * step) for step in range(1, 21)]
    assert fed(*slow, *fast) == pytest.approx((100 - 79) / 3, rel=0.05)


@pytest.mark.parametrize("next_step", [Progress(0, 50, "a"), Progress(0, 100, "b"), Progress(3, 100, "a")])
def test_eta_starts_again_with_each_step(next_step: Progress) -> None:
    eta = Eta()
    eta.update(Progress(0, 100, "a"), 0.0)
    assert eta.update(Progress(50, 100, "a"), 5.0) == pytest.approx(5.0)
    assert eta.update(next_step, 6.0) is None


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as raised:
        return raised


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("data.csv: no column 'y'; choose x"), "data.csv: no column 'y'; choose x"),
        (KeyError("width"), "Unexpected KeyError: 'width'"),
        (RuntimeError("a\n  b\tc"), "Unexpected RuntimeError: a b c"),
        (AssertionError(), "Unexpected AssertionError"),
    ],
)
def test_report_has_one_line_and_the_rest_to_copy(error: BaseException, message: str) -> None:
    found = report(caught(error), "Computing kernels")
    assert found.message == message
    assert found.details.startswith(f"Computing kernels: {message}\n")
    for part in ("Python 3", "numpy 2", "ntklab 0", "in caught"):
        assert part in found.details
