"""The largest eigenpairs against a full decomposition, whatever the spectrum, and leaving in the middle."""

import threading

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from ntklab.errors import NumericalError, SpecError
from ntklab.progress import Forecast, Progress, drain
from ntklab.results import Gram, Provenance
from ntklab.spectra import eigen, top_eigenpairs


def kernel(n, decay, seed=0):
    """A kernel with the eigenvalues (i + 1)^-decay, or of rank 5 for 0."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = (np.arange(n) < 5) * np.arange(n, 0, -1.0) if decay == 0 else np.arange(1, n + 1.0) ** -decay
    K = (vectors * values) @ vectors.T
    return (K + K.T) / 2


class Products:
    """Known by its products alone."""

    def __init__(self, K, gate=None):
        self.K, self.shape, self.gate, self.products = K, K.shape, gate, 0

    def matvec(self, v):
        self.products += 1
        if self.gate is not None:
            self.gate(self.products)
        return self.K @ v


CASES = {
    "flat": kernel(120, 0.3),
    "smooth": kernel(200, 2.0),
    "steep": kernel(150, 6.0) * 1e7,
    "of low rank": kernel(130, 0),
    "in pairs": np.kron(kernel(60, 1.0), np.eye(2)),
    "three outputs": np.kron(kernel(40, 1.5), np.eye(3)),
    "zero": np.zeros((70, 70)),
    "negative": -kernel(90, 1.0),
    "small": kernel(20, 1.0),
    "one": np.array([[3.0]]),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_the_full_decomposition(name):
    K = CASES[name]
    count = min(8, len(K))
    found = drain(top_eigenpairs(Products(K), count))
    values, _ = eigen(K)
    scale = np.abs(values).max()
    assert np.abs(found.eigenvalues - values[:count]).max() <= 1e-10 * scale
    V = found.eigenvectors
    assert np.abs(V.T @ V - np.eye(count)).max() <= 1e-9
    assert np.abs(K @ V - V * found.eigenvalues).max() <= 1e-9 * scale
    assert (found.residuals <= 1e-10 * max(scale, 1e-300)).all()
    assert found.products > 0
    assert (V[np.abs(V).argmax(axis=0), np.arange(count)] > 0).all()


def test_arrays_and_grams_of_any_layout():
    K = kernel(120, 1.0)
    expected = drain(top_eigenpairs(K, 5))
    full = K.reshape(60, 2, 60, 2).transpose(0, 2, 1, 3)
    gram = Gram(full.astype("float32"), Provenance("empirical", dtype="float32", outputs="full", seed=3))
    found = drain(top_eigenpairs(gram, 5))
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=1e-6)
    assert found.provenance.seed == 3
    np.testing.assert_allclose(expected.eigenvalues, eigen(K)[0][:5], rtol=1e-10)


def test_the_same_seed_gives_the_same_numbers():
    K = kernel(100, 1.0)
    first, second = (drain(top_eigenpairs(K, 3, seed=4)) for _ in range(2))
    np.testing.assert_array_equal(first.eigenvectors, second.eigenvectors)


def test_most_eigenvalues_are_asked():
    K = kernel(90, 1.0)
    found = drain(top_eigenpairs(Products(K), 90))
    np.testing.assert_allclose(found.eigenvalues, eigen(K)[0], atol=1e-14)


@pytest.mark.parametrize("reached", [1, 5])
def test_leaving_stops_the_products(reached):
    """The thread that multiplies ends before the next product."""
    seen = threading.Event()
    operator = Products(kernel(200, 0.1), lambda count: seen.set() if count == reached + 1 else None)
    work = top_eigenpairs(operator, 4)
    assert isinstance(next(work), Forecast)
    for event in work:
        assert isinstance(event, Progress)
        if operator.products >= reached:
            break
    work.close()
    after = operator.products
    assert after < 2 * reached + 400
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eigenvalues")]
    assert operator.products == after


def test_leaving_in_the_middle_of_a_product():
    K, inside = kernel(100, 0.5), []

    class Slow(Products):
        def product(self, V):
            yield Forecast(0)
            for i in range(50):
                inside.append(i)
                if len(inside) > 60:  # within the first product of the thread
                    waiting.wait(5)
                yield Progress(i, 50)
            return self.K @ V

    waiting = threading.Event()
    work = top_eigenpairs(Slow(K), 4)
    while len(inside) <= 60:
        next(work)
    closing = threading.Timer(0.2, waiting.set)
    closing.start()
    work.close()
    closing.join()
    assert len(inside) < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eigenvalues")]


def fail(message):
    raise NumericalError(message)


@pytest.mark.parametrize(("operator", "count", "error", "words"), [
    (kernel(20, 1.0), 0, SpecError, "expected 1 to 20 eigenvalues"),
    (kernel(20, 1.0), 21, SpecError, "got 21"),
    (np.ones((3, 4)), 1, SpecError, r"square kernel with at least one row, got the shape \[3, 4\]"),
    (Products(np.full((60, 60), np.nan)), 3, NumericalError, "NaN or infinite"),
    (Products(kernel(60, 1.0), lambda count: fail("broken") if count > 4 else None), 3, NumericalError, "broken"),
])  # fmt: skip
def test_what_is_refused(operator, count, error, words):
    with pytest.raises(error, match=words):
        drain(top_eigenpairs(operator, count))


def test_without_convergence(monkeypatch):
    def give_up(operator, k, v0, **options):
        for _ in range(7):
            operator.matvec(v0)
        raise ArpackNoConvergence("no", np.ones(2), np.ones((60, 2)))

    monkeypatch.setattr("scipy.sparse.linalg.eigsh", give_up)
    with pytest.raises(NumericalError, match=r"2 of 10 converged after 8 products; ask for fewer"):
        drain(top_eigenpairs(kernel(60, 1.0), 10))


class Noise(Products):
    """Products that are not those of one matrix."""

    def matvec(self, v):
        self.products += 1
        return self.K @ v + 1e-2 * np.random.default_rng(self.products).standard_normal(len(v))


def test_products_that_no_matrix_has():
    with pytest.raises(NumericalError, match="not those of one symmetric matrix"):
        drain(top_eigenpairs(Noise(kernel(150, 0.01)), 10))
