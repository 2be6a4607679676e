"""Small results made by hand, for the tests of figures and exports."""

from __future__ import annotations

import numpy as np

from ntklab.results import Data, Gram, MonteCarlo, Provenance, Run, Spectrum, Trajectory, WidthConvergence


def ntk_origin(kind: str = "ntk", **changes: object) -> Provenance:
    return Provenance(**{"kind": kind, "parameterisation": "ntk", "spec": "5pec", **changes})  # type: ignore[arg-type]


def drawn_origin(**changes: object) -> Provenance:
    return ntk_origin("ntk", **{"dtype": "float32", "seed": 7, "outputs": "mean", **changes})


def data(X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, Y_test: np.ndarray, **changes: object) -> Data:
    given = {"labels_train": None, "labels_test": None, "raw_train": X, "raw_test": X_test, **changes}
    return Data(X, Y, X_test, Y_test, **given)  # type: ignore[arg-type]


def two_circles(n: int = 16, n_test: int = 8, seed: int = 0) -> Data:
    random = np.random.default_rng(seed)

    def half(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 2
        angle = random.uniform(0, 2 * np.pi, count)
        radius = np.where(labels == 0, 1.0, 0.5)
        X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return X + 0.02 * random.normal(size=X.shape), labels

    (X, labels), (X_test, labels_test) = half(n), half(n_test)
    return data(X, 1.0 - 2.0 * labels[:, None], X_test, 1.0 - 2.0 * labels_test[:, None], labels_train=labels,
                labels_test=labels_test, class_names=("outer", "inner"), title="two circles")  # fmt: skip


def classes(n: int = 30, n_test: int = 12, k: int = 3, d: int = 5, seed: int = 0) -> Data:
    random = np.random.default_rng(seed)
    labels, labels_test = np.arange(n) % k, np.arange(n_test) % k
    centres = 2.0 * random.normal(size=(k, d))
    X, X_test = (centres[which] + random.normal(size=(len(which), d)) for which in (labels, labels_test))
    Y, Y_test = np.eye(k)[labels] - 1 / k, np.eye(k)[labels_test] - 1 / k
    return data(X, Y, X_test, Y_test, labels_train=labels, labels_test=labels_test,
                class_names=tuple("abcdefghij"[:k]), title=f"{k} classes")  # fmt: skip


def line(n: int = 12, n_test: int = 40) -> Data:
    X, X_test = np.linspace(-1, 1, n)[:, None], np.linspace(-0.97, 0.97, n_test)[:, None]
    return data(X, np.sin(3 * X), X_test, np.sin(3 * X_test), title="sine")


def circle(n: int = 24) -> Data:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    X = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return data(X, np.cos(angle)[:, None], X[:0], np.empty((0, 1)), title="circle")


def gram(data: Data, *, drawn: bool = False, origin: Provenance | None = None, seed: int = 3) -> Gram:
    """A radial kernel on the training samples; with noise and in float32 where it stands for a drawn network."""
    distance = ((data.X_train[:, None] - data.X_train[None]) ** 2).sum(-1)
    K = np.exp(-0.5 * distance / data.features) + 0.2
    if drawn:
        noise = 0.02 * np.random.default_rng(seed).normal(size=K.shape)
        K = (K + noise + noise.T).astype(np.float32)
    return Gram(K, origin or (drawn_origin() if drawn else ntk_origin()))


def spectrum(kernel: Gram, data: Data) -> Spectrum:
    values, vectors = np.linalg.eigh(kernel.matrix.astype(np.float64))
    values, vectors = values[::-1], np.ascontiguousarray(vectors[:, ::-1])
    power = ((vectors.T @ data.Y_train) ** 2).sum(axis=1)
    floor = len(values) * float(np.finfo(kernel.values.dtype).eps) * float(values[0])
    condition = float(values[0] / values[-1]) if values[-1] > floor else np.inf
    return Spectrum(
        values, vectors, floor, condition, stable_rank=2.0, participation_ratio=3.0, effective_dimension=4.2, ridge=0.1,
        target_power=power / power.sum(), alignment=0.31, centred_alignment=0.42,
        largest_rate=float(2 * len(values) / values[0]), loss="half_mse", momentum=0.0, provenance=kernel.provenance,
    )  # fmt: skip


def trajectory(
    data: Data, *, steps: int = 41, runs: tuple[str, ...] = ("network", "linearised", "infinite")
) -> Trajectory:
    time = np.arange(steps) * 10
    decay = np.exp(-time / 120)[None, :] * (1 + 0.05 * np.arange(len(runs))[:, None])
    chosen = np.arange(min(3, len(data.Y_test)))
    Y = data.Y_test[chosen]
    shown = Y[None, None] * (1 - decay[:, :, None, None])
    noise = np.random.default_rng(1).normal(scale=0.2, size=(len(runs), *data.Y_train.shape))
    return Trajectory(
        steps=time, runs=runs, train_loss=0.5 * decay**2, test_loss=0.5 * decay**2 + 0.02, outputs=shown, chosen=chosen,
        chosen_from="test", drift_steps=time[::8], drift=0.02 * (1 - np.exp(-time[::8] / 90)),
        alignment=0.3 + 0.1 * (1 - np.exp(-time[::8] / 90)), train_outputs=0.9 * data.Y_train[None] + noise,
        test_outputs=0.8 * data.Y_test[None].repeat(len(runs), 0), learning_rate=0.5, critical_rate=1.0, momentum=0.0,
        loss="half_mse", provenance=drawn_origin(dtype="float64"),
    )  # fmt: skip


def widths() -> WidthConvergence:
    sizes = np.array([64, 128, 256, 512, 1024])
    errors = sizes[:, None] ** -0.5 * (1 + 0.1 * np.random.default_rng(0).normal(size=(5, 4)))
    return WidthConvergence(sizes, errors, -0.51, 0.02, drawn_origin())


def estimate(limit: Gram, *, kind: str = "ntk", networks: int = 12, seed: int = 0, widths: int = 3) -> MonteCarlo:
    """Independent noise around ``limit`` plus a bias of 1/width, as networks of three widths would have it."""
    n = 64 * 2 ** np.arange(widths)
    noise = np.random.default_rng(seed).normal(size=(networks, widths, *limit.values.shape))
    noise = (noise + noise.swapaxes(-1, -2)) / np.sqrt(2 * n)[:, None, None]
    drawn = limit.values * (1 + 1 / n)[:, None, None] + noise
    errors = drawn.std(0, ddof=1) / np.sqrt(networks) if networks > 1 else np.full(drawn.shape[1:], np.nan)
    return MonteCarlo(
        kind, n, drawn.mean(0), errors, networks, ntk_origin(f"monte carlo {kind}", seed=0, outputs="mean"),
        limit=limit.values + noise.mean(0)[-1] if widths > 2 else None, limit_error=errors[-1] if widths > 2 else None,
    )  # fmt: skip


def run(data: Data) -> Run:
    empirical, ntk = gram(data, drawn=True), gram(data)
    return Run("5pec", data, empirical, ntk, gram(data, origin=ntk_origin("nngp")), spectrum(empirical, data),
               spectrum(ntk, data), trajectory(data))  # fmt: skip
