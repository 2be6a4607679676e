"""Results as CSV tables. Lines that begin with # state conventions; numbers keep every digit.

Text that a spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage return) gets an apostrophe
in front, which spreadsheets take as the sign of plain text. Numbers are left as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab.export.contents import metadata, to_json
from ntklab.files import write_atomically
from ntklab.results import Data, Gram, Ledger, MonteCarlo, Phase, Run, Spectrum, Trajectory
from ntklab.spec import Experiment

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, eq=False)
class Table:
    """``part`` of the run that it belongs to, column titles (none for a plain matrix), and the rows."""

    part: str
    header: tuple[str, ...]
    rows: Iterable[Sequence[Any]] | NDArray[Any]


def write_tables(run: Run, target: Path, experiment: Experiment | None) -> tuple[Path, ...]:
    """Write each table of ``run`` to ``target`` with the table's name added to its own."""
    described = metadata(run, experiment)
    return tuple(
        write_atomically(target.with_name(f"{target.stem}_{name}{target.suffix}"), _text(table, described).encode())
        for name, table in tables(run).items()
    )


def tables(run: Run) -> dict[str, Table]:
    """The tables of a run by name."""
    found = _data(run.data)
    for part in ("empirical", "ntk", "nngp", "unmuted"):
        gram: Gram | None = getattr(run, part)
        if gram is not None:
            found[part] = _kernel(part, gram)
    for part in ("empirical_spectrum", "ntk_spectrum", "unmuted_spectrum"):
        spectrum: Spectrum | None = getattr(run, part)
        if spectrum is not None:
            found |= _spectrum(part, spectrum)
    if run.trajectory is not None:
        found |= _trajectory(run.trajectory)
    for part in ("monte_carlo", "monte_carlo_nngp"):
        estimate: MonteCarlo | None = getattr(run, part)
        if estimate is not None:
            found |= _estimate(part, estimate)
    if run.ledger is not None:
        found |= _ledger(run.ledger)
    return found if run.phase is None else found | _phase(run.phase)


def safe(cell: Any) -> Any:
    """``cell``, made harmless if it is text that a spreadsheet would run."""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _number(cell):
        return f"'{cell}"
    return cell


# -- what is in them ---------------------------------------------------------------------------------------------------


def _data(data: Data) -> dict[str, Table]:
    names = data.feature_names or tuple(f"x{i}" for i in range(data.features))
    header = ("sample", "class", *names, *(f"y{c}" for c in range(data.outputs)))
    splits = (
        ("train", data.X_train, data.Y_train, data.labels_train),
        ("test", data.X_test, data.Y_test, data.labels_test),
    )
    return {
        f"data_{split}": Table("data", header, [
            (i, _class(data, labels, i), *x.tolist(), *y.tolist()) for i, (x, y) in enumerate(zip(X, Y, strict=True))
        ])
        for split, X, Y, labels in splits
    }  # fmt: skip


def _class(data: Data, labels: NDArray[np.int64] | None, sample: int) -> str | int:
    if labels is None:
        return ""
    label = int(labels[sample])
    return data.class_names[label] if label < len(data.class_names) else label


def _kernel(part: str, gram: Gram) -> Table:
    """A matrix as it is; kernels with outputs in long form, one value a row."""
    if gram.values.ndim == 2:
        return Table(part, (), gram.values)
    index = np.indices(gram.values.shape).reshape(gram.values.ndim, -1)
    header = ("i", "j", "output a", "output b")[: gram.values.ndim]
    return Table(part, (*header, "value"), _columns(gram.values.dtype, *index, gram.values.ravel()))


def _estimate(part: str, found: MonteCarlo) -> dict[str, Table]:
    """Mean and standard error at each width, and of the extrapolation."""
    tables = {}
    for row, width in enumerate(found.widths.tolist()):
        at = f"_width_{width}" if width else ""
        tables[f"{part}{at}"] = Table(part, (), found.means[row])
        tables[f"{part}{at}_standard_error"] = Table(part, (), found.standard_errors[row])
    if found.limit is not None and found.limit_error is not None:
        tables[f"{part}_limit"] = Table(part, (), found.limit)
        tables[f"{part}_limit_error"] = Table(part, (), found.limit_error)
    return tables


def _spectrum(part: str, found: Spectrum) -> dict[str, Table]:
    k = np.arange(1, found.eigenvalues.size + 1)
    header, columns = ["k", "eigenvalue"], [k, found.eigenvalues]
    if found.target_power.size:
        header += ["target power", "cumulative power"]
        columns += [found.target_power, found.cumulative_power]
    return {
        part: Table(part, tuple(header), _columns(found.eigenvalues.dtype, *columns)),
        f"{part}_eigenvectors": Table(part, (), found.eigenvectors),
    }


def _trajectory(found: Trajectory) -> dict[str, Table]:
    splits = (("train", found.train_loss), ("test", found.test_loss))
    losses = [(f"{run} {split} loss", values[r]) for split, values in splits for r, run in enumerate(found.runs)]
    drift = np.column_stack([found.drift_steps, found.drift, found.alignment])
    tables = {
        "trajectory": Table("trajectory", ("step", *(name for name, _ in losses)),
                            np.column_stack([found.steps, *(values for _, values in losses)])),
        "trajectory_kernel": Table("trajectory", ("step", "drift", "alignment"), drift),
        "trajectory_outputs": Table("trajectory", ("run", "step", f"{found.chosen_from} sample", "output", "value"), [
            (found.runs[r], int(found.steps[t]), int(found.chosen[i]), c, float(value))
            for (r, t, i, c), value in np.ndenumerate(found.outputs)
        ]),
    }  # fmt: skip
    for split, values in (("train", found.train_outputs), ("test", found.test_outputs)):
        header = ("sample", *(f"{run} output {c}" for run in found.runs for c in range(values.shape[2])))
        rows = np.column_stack([np.arange(values.shape[1]), *(values[r] for r in range(len(found.runs)))])
        tables[f"trajectory_final_{split}"] = Table("trajectory", header, rows)
    return tables


def _ledger(found: Ledger) -> dict[str, Table]:
    """A row a layer, eigenvalues and shares of each mode in columns, and the part of each layer."""
    rows = [
        (row + 1, name, title, rule, int(count), float(trace), float(target), float(own))
        for row, (name, title, rule, count, trace, target, own) in enumerate(zip(
            found.names, found.titles, found.rules, found.parameters, found.trace_share, found.alignment_share,
            found.alignment, strict=True,
        ))
    ]  # fmt: skip
    header = ("layer", "name", "title", "rule", "parameters", "trace share", "alignment share", "centred alignment")
    k = np.arange(1, found.whole.size + 1)
    labels = tuple(found.label(row) for row in range(len(found.names)))
    parts = {f"ledger_layer_{row + 1}": Table("ledger", (), part) for row, part in enumerate(found.parts)}
    return {
        "ledger": Table("ledger", header, rows),
        "ledger_eigenvalues": Table("ledger", ("k", "all layers", *labels),
                                    _columns(found.whole.dtype, k, found.whole, *found.eigenvalues)),
        "ledger_mode_shares": Table("ledger", ("k", *labels), _columns(found.whole.dtype, k, *found.mode_share)),
        **parts,
    }  # fmt: skip


def _phase(found: Phase) -> dict[str, Table]:
    """Settings, diagram, lines, correlation maps, profiles against depth, and the network's own layers."""
    names = (
        "name",
        "phase",
        "W_std",
        "b_std",
        "q*",
        "chi1",
        "c*",
        "slope at c*",
        "gradient depth",
        "correlation depth",
    )
    settings = [
        (r.name, r.word, r.W_std, r.b_std, r.variance, r.chi1, r.correlation, r.slope, r.gradient_depth,
         r.correlation_depth) for r in found.regimes
    ]  # fmt: skip
    b_std, W_std = np.meshgrid(found.grid_b_std, found.grid_W_std, indexing="ij")
    diagram = np.column_stack([W_std.ravel(), b_std.ravel(), found.grid_chi1.ravel()])
    depth = found.variance_profile.shape[1]
    profiles = [
        (name, layer + 1, *(float(part[row, layer]) for part in
                            (found.variance_profile, found.tangent_profile, found.correlation_profile)))
        for row, name in enumerate(found.names) for layer in range(depth)
    ]  # fmt: skip
    layers = zip(found.layers, found.layer_variance.tolist(), found.layer_tangent.tolist(),
                 found.layer_correlation.tolist(), strict=True)  # fmt: skip
    quantities = ("K(x, x)", "NTK(x, x)", "correlation")
    return {
        "phase": Table("phase", names, settings),
        "phase_diagram": Table("phase", ("W_std", "b_std", "chi1"), diagram),
        "phase_critical_line": Table("phase", ("W_std", "b_std"), found.critical_line.T),
        "phase_correlation_map": Table("phase", ("c", *found.names), np.column_stack([found.map_from, found.map_to.T])),
        "phase_profiles": Table("phase", ("name", "layer", *quantities), profiles),
        "phase_layers": Table("phase", ("layer", *quantities), list(layers)),
    }


def _columns(dtype: np.dtype[Any], *columns: NDArray[Any]) -> NDArray[Any]:
    return np.column_stack([np.asarray(column, dtype=dtype) for column in columns])


# -- how they are written ----------------------------------------------------------------------------------------------


def _text(table: Table, described: dict[str, Any]) -> str:
    stream = io.StringIO()
    for name, value in _conventions(table.part, described):
        words = value if isinstance(value, str) else to_json(value)
        stream.write(f"# {name}: {' '.join(words.splitlines())}\n")
    writer = csv.writer(stream, lineterminator="\n")
    if table.header:
        writer.writerow([safe(cell) for cell in table.header])
    if isinstance(table.rows, np.ndarray):
        np.savetxt(stream, table.rows, delimiter=",", fmt="%.9g" if table.rows.dtype == np.float32 else "%.17g")
    else:
        writer.writerows([safe(cell) for cell in row] for row in table.rows)
    return stream.getvalue()


def _conventions(part: str, described: dict[str, Any]) -> list[tuple[str, Any]]:
    """Of the part first, then of everything."""
    whole = [(name, value) for name, value in described.items() if name != "parts"]
    own = [(name, value) for name, value in described["parts"].get(part, {}).items() if name != "versions"]
    return [("part", part), *own, *whole]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
