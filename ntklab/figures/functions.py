"""The function that a network has learnt, and the functions that a kernel likes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntklab.errors import NumericalError
from ntklab.figures import captions, norms
from ntklab.figures.colours import class_role
from ntklab.figures.dynamics import RUN_NAMES, RUN_ROLES
from ntklab.figures.heatmaps import class_name
from ntklab.figures.inputs import Layout, grid, layout
from ntklab.figures.model import Array, Axis, Curves, Mark, Plane, Points, Role, Series
from ntklab.results import Data, Spectrum, Trajectory

Float = NDArray[np.float64]
_SMALL = 0.7


def function(data: Data, trajectory: Trajectory | None, *, output: int = 0) -> Curves | Plane:
    """Targets, and where training has been run the predictions at its last step.

    Inputs on a line (or on a circle, by angle): curves of the target, the network, its linearisation and the limit.
    Otherwise a plane: the two features, or the two principal components. One output: colour is the network's value;
    several classes: colour is the true class. Hollow points are misclassified; small points are test samples.
    """
    place = layout(data)
    if place.line:
        return _curves(data, trajectory, place, output)
    return _plane(data, trajectory, place, output)


def eigenfunction(data: Data, spectrum: Spectrum, mode: int, *, output: int = 0) -> Curves | Plane:
    """Eigenvector ``mode`` (0 is the largest) on the training inputs, scaled to mean square 1, largest entry positive.

    Raises ``NumericalError`` if the spectrum has no such mode or belongs to other samples.
    """
    values = _eigenvector(data, spectrum, mode, output)
    place = layout(data)
    title, caption = f"Eigenfunction {mode + 1}", _mode_caption(spectrum, mode)
    label = f"eigenfunction φ{captions.subscript(mode + 1)}"
    if place.line:
        x, y = _sorted(place.train[:, 0], values)
        mark: Mark = "line+dots" if len(x) <= 200 else "line"
        return Curves(title, place.axes[0], Axis(f"{label}(x)"), (Series(label, x, y, _kernel_role(spectrum), mark),),
                      caption=caption)  # fmt: skip
    points = Points("training samples", place.train[:, 0], place.train[:, 1], "class0", values=values,
                    samples=np.arange(len(values)))  # fmt: skip
    return Plane(title, place.axes[0], place.axes[1], (points,), norm=norms.symmetric(values), value_label=label,
                 equal=place.equal, caption=captions.join(caption, place.note))  # fmt: skip


# -- one input ---------------------------------------------------------------------------------------------------------


def _curves(data: Data, trajectory: Trajectory | None, place: Layout, output: int) -> Curves:
    everywhere = np.concatenate([place.train[:, 0], place.test[:, 0]])
    target = np.concatenate([data.Y_train[:, output], data.Y_test[:, output]])
    series = [Series("target", *_sorted(everywhere, target), "target")]
    for run, train, test in _predictions(trajectory):
        predicted = np.concatenate([train[:, output], test[:, output]])
        series.append(Series(RUN_NAMES.get(run, run), *_sorted(everywhere, predicted), RUN_ROLES.get(run, "muted")))
    trained = Series("training samples", *_sorted(place.train[:, 0], data.Y_train[:, output]), "target", "dots")
    unit = f"output {output}" if data.outputs > 1 else ""
    return Curves(
        title="Function",
        x=place.axes[0],
        y=Axis("f(x)", unit),
        series=(*series, trained),
        caption=captions.join(_when(trajectory), place.note, _conventions(trajectory)),
    )


# -- the plane ---------------------------------------------------------------------------------------------------------


def _plane(data: Data, trajectory: Trajectory | None, place: Layout, output: int) -> Plane:
    prediction = next((p for p in _predictions(trajectory) if p[0] == "network"), None)
    valued = data.outputs == 1 or data.labels_train is None
    train = _values(data.Y_train, prediction and prediction[1], output, valued=valued, classes=data.labels_train)
    test = _values(data.Y_test, prediction and prediction[2], output, valued=valued, classes=data.labels_test)
    points, field, extent = _groups(data, place, prediction, (train, test))
    drawn = [v for v in (train, test) if v is not None]
    norm = norms.symmetric(np.concatenate(drawn)) if drawn else None
    return Plane(
        title="Function",
        x=place.axes[0],
        y=place.axes[1],
        points=points,
        field_values=field,
        extent=extent,
        norm=norm,
        value_label=("network f(x)" if prediction else "target y") if norm else "",
        equal=place.equal,
        caption=captions.join(
            _when(trajectory),
            _mistakes(data, prediction),
            _legend(data, prediction),
            place.note,
            _conventions(trajectory),
        ),
    )


def _values(Y: Float, predicted: Float | None, output: int, *, valued: bool, classes: object) -> Float | None:
    """What colours the points: the prediction, else a regression target; None leaves the colour to the class."""
    if not valued or (predicted is None and classes is not None):
        return None
    return (Y if predicted is None else predicted)[:, output]


_Prediction = tuple[str, Float, Float]


def _groups(
    data: Data, place: Layout, prediction: _Prediction | None, values: tuple[Float | None, Float | None]
) -> tuple[tuple[Points, ...], Array | None, tuple[float, float, float, float]]:
    """Points by split, class and correctness; test samples on a regular grid become a field instead."""
    lattice = grid(place.test) if values[1] is not None and len(place.test) else None
    field, extent = None, (0.0, 1.0, 0.0, 1.0)
    if lattice is not None and values[1] is not None:
        order, shape, extent = lattice
        field = values[1][order].reshape(shape)
    points = _split(data, place.train, "train", prediction, values[0])
    if lattice is None:
        points = _split(data, place.test, "test", prediction, values[1]) + points
    return tuple(points), field, extent


def _split(data: Data, at: Float, part: str, prediction: _Prediction | None, values: Float | None) -> list[Points]:
    """The samples of one split by class and correctness; only right training samples stand in the legend."""
    labels = data.labels_train if part == "train" else data.labels_test
    wrong = _wrong(data, part, prediction)
    groups: list[tuple[str, Role, NDArray[np.bool_], bool]] = []
    if labels is None:
        groups.append((f"{part} samples", "class0", ~wrong, False))
    else:
        for label in np.unique(labels):
            mine, role, name = labels == label, class_role(int(label)), class_name(data, int(label))
            name = name if part == "train" else f"{name}, test"
            groups.append((name, role, mine & ~wrong, False))
            groups.append((f"{name}, misclassified", role, mine & wrong, True))
    return [
        Points(
            name, at[mask, 0], at[mask, 1], role, hollow,
            values=None if values is None else values[mask],
            weight=1.0 if part == "train" else _SMALL,
            samples=np.flatnonzero(mask) if part == "train" else None,
            in_legend=labels is not None and part == "train" and not hollow,
        )
        for name, role, mask, hollow in groups
        if mask.any()
    ]  # fmt: skip


def _wrong(data: Data, part: str, prediction: _Prediction | None) -> NDArray[np.bool_]:
    """(n,): misclassified by the prediction: the largest output, or the side of the middle of the two targets."""
    Y = data.Y_train if part == "train" else data.Y_test
    labels = data.labels_train if part == "train" else data.labels_test
    if prediction is None or labels is None:
        return np.zeros(len(Y), dtype=bool)
    F = prediction[1] if part == "train" else prediction[2]
    if Y.shape[1] > 1:
        return np.asarray(F.argmax(axis=1) != Y.argmax(axis=1))
    middle = 0.5 * (data.Y_train.min() + data.Y_train.max())
    return np.asarray((F[:, 0] > middle) != (Y[:, 0] > middle))


def _mistakes(data: Data, prediction: _Prediction | None) -> str:
    if prediction is None or data.labels_train is None:
        return ""
    parts = [(part, _wrong(data, part, prediction)) for part in ("train", "test")]
    return "wrong: " + ", ".join(f"{int(w.sum())} of {w.size} {part}" for part, w in parts if w.size)


def _legend(data: Data, prediction: _Prediction | None) -> str:
    hollow = "hollow: misclassified" if prediction is not None and data.labels_train is not None else ""
    return captions.join(hollow, "small: test" if len(data.Y_test) else "")


# -- shared ------------------------------------------------------------------------------------------------------------


def _predictions(trajectory: Trajectory | None) -> list[_Prediction]:
    if trajectory is None:
        return []
    return list(zip(trajectory.runs, trajectory.train_outputs, trajectory.test_outputs, strict=True))


def _sorted(x: Float, y: Float) -> tuple[Float, Float]:
    order = np.argsort(x, kind="stable")
    return x[order], np.where(np.isfinite(y), y, np.nan)[order]


def _when(trajectory: Trajectory | None) -> str:
    if trajectory is None or trajectory.steps.size == 0:
        return "before training"
    return f"after step {trajectory.steps[-1]}"


def _conventions(trajectory: Trajectory | None) -> str:
    if trajectory is None:
        return ""
    origin = trajectory.provenance
    return captions.join(captions.parameterisation(origin), captions.seed(origin))


def _eigenvector(data: Data, spectrum: Spectrum, mode: int, output: int) -> Float:
    n, size = len(data.X_train), spectrum.eigenvalues.size
    if not 0 <= mode < size:
        raise NumericalError(f"eigenfunction: modes are 1 to {size}, got {mode + 1}; choose one of them")
    vector = spectrum.eigenvectors[:, mode]
    if vector.size == 0 or vector.size % n:
        raise NumericalError(
            f"eigenfunction: the spectrum has {vector.size} rows and the data {n} samples; compute the kernels again"
        )
    scaled = vector * np.sqrt(vector.size)
    scaled = scaled if scaled[np.abs(scaled).argmax()] >= 0 else -scaled
    columns = scaled.reshape(n, -1)
    return np.asarray(columns[:, min(output, columns.shape[1] - 1)])


def _mode_caption(spectrum: Spectrum, mode: int) -> str:
    values = spectrum.eigenvalues
    power = float(spectrum.target_power[mode]) if spectrum.target_power.size else None
    share = "" if power is None else f"{captions.number(100 * power if power > 1e-8 else 0.0)} % of the target"
    around = np.abs(np.delete(values, mode) - values[mode])
    twins = int((around <= max(spectrum.floor, 1e-9 * abs(values[mode]))).sum())
    shared = f"shares its eigenvalue with {captions.count(twins, 'mode')}: only their span is defined" if twins else ""
    kind = "empirical" if _kernel_role(spectrum) == "empirical" else "analytic"
    return captions.join(f"λ = {captions.number(float(values[mode]))}", share, f"{kind} kernel", shared,
                         captions.parameterisation(spectrum.provenance))  # fmt: skip


def _kernel_role(spectrum: Spectrum) -> Role:
    return "empirical" if spectrum.provenance.seed is not None else "analytic"
