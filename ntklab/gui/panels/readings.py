"""The numbers that the inspector shows, read off the session: values, units and conventions in words. No Qt.

Columns are the empirical (finite width) and the analytic (infinite width) kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ntklab.gui.widgets.numbers import integer, number, percent
from ntklab.results import Gram, Network, Spectrum, Trajectory
from ntklab.results import distance as measured_distance
from ntklab.session import Results, Session
from ntklab.spec import ModelFile, parameter_count

Tone = Literal["", "ok", "warning", "error", "muted"]


@dataclass(frozen=True)
class Reading:
    """A row: a name, one or two values (empirical, analytic), and in the tooltip what it means."""

    name: str
    values: tuple[str, ...]
    tooltip: str
    tone: Tone = ""


@dataclass(frozen=True)
class Badge:
    """One statement about the health of a kernel."""

    text: str
    tooltip: str
    tone: Tone


_ALIGNMENT = "cosine between Θ and YYᵀ (Frobenius product), from −1 to 1"


def summary(session: Session) -> tuple[Reading, ...]:
    """Everything about the kernels that fits one number."""
    results = session.results
    return (
        *_size(session),
        *_network(session),
        *_spectral(session),
        Reading("|Θ−Θ∞| / |Θ∞|", (distance(results),),
                "Frobenius distance of the empirical from the analytic NTK, relative to the analytic one"),
        Reading("drift", (drift(results),), "|Θₜ − Θ₀| / |Θ₀| (Frobenius) at the last kernel snapshot of training"),
    )  # fmt: skip


def _network(session: Session) -> tuple[Reading, ...]:
    """The number of parameters and, where that is not just drawn, what network it is and where they come from."""
    experiment = session.experiment
    if experiment.model is None:
        rows = [Reading("parameters", (parameters(session),), "Trainable numbers of the finite network")]
    else:
        name = experiment.model.function if isinstance(experiment.model, ModelFile) else experiment.model.name
        rows = [
            Reading("network", (short_name(name),), f"Your own network: {name}"),
            Reading("parameters", (parameters(session),), "Trained numbers of your network"),
        ]
    if experiment.checkpoint is not None:
        path = Path(experiment.checkpoint.path)
        rows.append(
            Reading("parameters from", (short_name(path.name),), f"{path}, sha256 {experiment.checkpoint.sha256}")
        )
    return tuple(rows)


def own_network(session: Session) -> Network | None:
    """What is known of the user's own network, once it was computed as it is asked for now."""
    return None if "network" in session.results.outdated else session.results.network


def parameters(session: Session) -> str:
    """The number of trained parameters of the network in use."""
    if session.experiment.model is None:
        return integer(parameter_count(session.experiment.architecture))
    network = own_network(session)
    return "—" if network is None else integer(network.trained)


def short_name(name: str) -> str:
    """At most about 24 characters, the end of the name among them."""
    name = name.rpartition(":")[2]
    return name if len(name) <= 24 else f"{name[:10]}…{name[-12:]}"


def _size(session: Session) -> tuple[Reading, ...]:
    data, dataset = session.results.data, session.experiment.dataset
    if data is None:
        return (Reading("samples", (f"{dataset.n_train} + {dataset.n_test}",), "Training + test samples asked for"),)
    return (
        Reading("samples", (f"{len(data.X_train)} + {len(data.X_test)}",), "Training + test samples"),
        Reading("d → k", (f"{data.features} → {data.outputs}",), "Features of a sample → outputs of the network"),
    )


def _spectral(session: Session) -> tuple[Reading, ...]:
    results = session.results
    spectra = (results.empirical_spectrum, results.ntk_spectrum)
    ridge = next((number(s.ridge, 2) for s in spectra if s is not None), "δ")
    rate = next((f"{s.loss}, momentum {s.momentum:g}" for s in spectra if s is not None), "the loss in use")
    rows = (
        ("λ₁", "Largest eigenvalue of Θ on the training samples", lambda s: number(s.eigenvalues[0])),
        ("condition κ", "λ₁ / λ_N; singular where λ_N is below rounding noise", condition),
        ("effective dim.", f"Σ λ/(λ + δ) at ridge δ = {ridge}: how many modes the kernel can use",
         lambda s: number(s.effective_dimension, 3)),
        ("KTA", f"Kernel-target alignment: {_ALIGNMENT}. The constant mode of an NTK dominates it",
         lambda s: number(s.alignment, 3)),
        ("CKA", f"Centred alignment: the {_ALIGNMENT}, after centring both", lambda s: number(s.centred_alignment, 3)),
    )  # fmt: skip
    critical = Reading(
        "critical rate",
        (critical_words(session), _of(results.ntk_spectrum, lambda s: number(s.largest_rate, 3))),
        f"Largest stable learning rate of the linear model for {rate}; ≈ is of the mean over outputs until training "
        "measures it",
    )
    return (*(Reading(name, tuple(_of(s, read) for s in spectra), tip) for name, tip, read in rows), critical)


def _of(spectrum: Spectrum | None, read: object) -> str:
    if spectrum is None or spectrum.eigenvalues.size == 0:
        return "—"
    return str(read(spectrum))  # type: ignore[operator]


def condition(spectrum: Spectrum) -> str:
    """κ, or that it has none."""
    return number(spectrum.condition, 3) if math.isfinite(spectrum.condition) else "singular"


def distance(results: Results) -> str:
    """Relative distance of the empirical from the analytic kernel; the worker has measured it before."""
    a, b = results.empirical, results.ntk
    if a is None or b is None or a.values.shape[:2] != b.values.shape[:2]:
        return "—"
    return number(measured_distance(a, b), 3)


def drift(results: Results) -> str:
    """Relative movement of the kernel at the last snapshot."""
    trajectory = results.trajectory
    return "—" if trajectory is None or trajectory.drift.size == 0 else number(float(trajectory.drift[-1]), 3)


def badges(gram: Gram | None, spectrum: Spectrum | None) -> tuple[Badge, ...]:
    """Whether a kernel can be trusted; nothing without one."""
    if gram is None:
        return ()
    health = gram.health
    origin = gram.provenance
    symmetric = health.bad == 0 and health.good
    return (
        _verdict(symmetric, "sym", f"symmetric: max|K − Kᵀ| / max|K| = {number(health.asymmetry, 2)}"),
        *_positive(spectrum),
        Badge(f"NaN {integer(health.bad)}", "Entries that are NaN or infinite", "error" if health.bad else "ok"),
        Badge(
            origin.dtype.replace("float", "f"),
            f"Computed in {origin.dtype} on {origin.device}; {origin.route or 'exact'}",
            "muted",
        ),
    )


def _positive(spectrum: Spectrum | None) -> tuple[Badge, ...]:
    if spectrum is None or spectrum.eigenvalues.size == 0:
        return ()
    least = float(spectrum.eigenvalues[-1])
    noise = number(spectrum.floor, 2)
    tip = f"positive semi-definite: smallest eigenvalue {number(least, 3)}, rounding noise up to {noise}"
    return (_verdict(least >= -spectrum.floor, "PSD", tip),)


def _verdict(good: bool, word: str, tooltip: str) -> Badge:
    return Badge(f"{word} ✓" if good else f"not {word}", tooltip, "ok" if good else "error")


def entry(gram: Gram | None, i: int, j: int) -> float | None:
    """Θ(i, j), averaged over the output diagonal where several outputs are kept."""
    if gram is None or i >= gram.values.shape[0] or j >= gram.values.shape[1]:
        return None
    value = gram.values[i, j]
    if value.ndim == 0:
        return float(value)
    return float(value.mean() if value.ndim == 1 else np.trace(value) / len(value))


def pair(session: Session, i: int, j: int) -> tuple[Reading, ...]:
    """The kernels at samples i and j, and the angle between the inputs."""
    results = session.results
    empirical, analytic = entry(results.empirical, i, j), entry(results.ntk, i, j)
    change = None if empirical is None or analytic is None else empirical - analytic
    relative = "" if change is None or not analytic else f" ({percent(change / abs(analytic))})"
    cosine = input_cosine(session, i, j)
    return (
        Reading("Θ empirical", (number(empirical),), "Empirical NTK of the finite network, mean over outputs"),
        Reading("Θ analytic", (number(analytic),), "NTK at infinite width"),
        Reading("difference", (number(change, 3) + relative,), "Empirical − analytic, and in percent of the analytic"),
        Reading(
            "NNGP", (number(entry(results.nngp, i, j)),), "Covariance of the outputs at random weights, infinite width"
        ),
        Reading("cos(xᵢ, xⱼ)", (number(cosine, 3),), "Cosine of the angle between the scaled inputs"),
    )


def input_cosine(session: Session, i: int, j: int) -> float | None:
    """Cosine of the angle between two training inputs; None without data or for an input of 0."""
    data = session.results.data
    if data is None or max(i, j) >= len(data.X_train):
        return None
    x, y = data.X_train[i], data.X_train[j]
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / norms if norms > 0 else None


def mode(session: Session, k: int) -> tuple[Reading, ...]:
    """Eigenmode k (from 0) of both kernels: size, share of the target, speed of learning."""
    results = session.results
    spectra = (results.empirical_spectrum, results.ntk_spectrum)
    rate = learning_rate(session)
    shown = "the learning rate in use" if rate is None else f"η = {number(rate, 3)}"

    def column(read: object) -> tuple[str, ...]:
        return tuple("—" if s is None or k >= s.eigenvalues.size else str(read(s)) for s in spectra)  # type: ignore[operator]

    return (
        Reading("λ", column(lambda s: number(s.eigenvalues[k])), "Eigenvalue of Θ on the training samples"),
        Reading("share of target", column(lambda s: _share(s, k)), "Part of |Y|² that lies in this mode"),
        Reading("cumulative", column(lambda s: _cumulative(s, k)), "Part of |Y|² in this mode and the larger ones"),
        Reading("half-life, steps", column(lambda s: _half_life(session, s, k)),
                f"Steps in which the residual in this mode halves, on the linear model, at {shown}"),
    )  # fmt: skip


def _share(spectrum: Spectrum, k: int) -> str:
    return percent(float(spectrum.target_power[k])) if spectrum.target_power.size > k else "—"


def _cumulative(spectrum: Spectrum, k: int) -> str:
    return percent(float(spectrum.target_power[: k + 1].sum())) if spectrum.target_power.size > k else "—"


def _half_life(session: Session, spectrum: Spectrum, k: int) -> str:
    from ntklab.spectra.modes import half_life  # scipy, which the first paint does without

    data, rate = session.results.data, learning_rate(session)
    if data is None or rate is None:
        return "—"
    training = session.experiment.training
    steps = half_life(
        float(spectrum.eigenvalues[k]), rate=rate, n=len(data.X_train), k=data.outputs, loss=training.loss,
        momentum=training.momentum,
    )  # fmt: skip
    return number(steps, 3) if math.isfinite(steps) else "never"


def trained(session: Session) -> Trajectory | None:
    """The training of the present experiment, if it has been run or runs."""
    return None if "trajectory" in session.results.outdated else session.results.trajectory


def learning_rate(session: Session) -> float | None:
    """The learning rate that the training used, or will use; None while the critical rate is not known."""
    training, found = session.experiment.training, trained(session)
    if found is not None:
        return found.learning_rate
    if training.learning_rate is not None:
        return training.learning_rate
    critical = critical_rate(session)
    return None if critical is None else training.critical_share * critical


def critical_rate(session: Session) -> float | None:
    """The largest stable learning rate of the linear model; None until it is known for the present experiment.

    Training measures it on all outputs together. Before, it is that of the kernel's mean over outputs: an estimate
    where there are several (see ``critical_rate_is_estimated``).
    """
    found = trained(session)
    if found is not None:
        return found.critical_rate
    spectrum = session.results.empirical_spectrum
    known = spectrum is not None and "empirical_spectrum" not in session.results.outdated
    return spectrum.largest_rate if known and spectrum is not None else None


def critical_rate_is_estimated(session: Session) -> bool:
    """Whether ``critical_rate`` is of the mean over several outputs, which may be too large."""
    data = session.results.data
    return trained(session) is None and data is not None and data.outputs > 1


def critical_words(session: Session) -> str:
    """The critical rate, with ≈ where it is an estimate."""
    rate = critical_rate(session)
    return "—" if rate is None else f"{'≈ ' * critical_rate_is_estimated(session)}{number(rate, 3)}"


def sample_words(session: Session, index: int) -> str:
    """What sample ``index`` is: its number, class or target."""
    data = session.results.data
    if data is None or index >= len(data.X_train):
        return f"#{index}"
    if data.labels_train is not None:
        label = int(data.labels_train[index])
        name = data.class_names[label] if label < len(data.class_names) else f"class {label}"
        return f"#{index} · {name}"
    return f"#{index} · y = {number(float(data.Y_train[index, 0]), 3)}"


def features(session: Session, index: int, count: int = 4) -> tuple[tuple[str, str], ...]:
    """Names and raw values of the first features of a sample, and how many more there are."""
    data = session.results.data
    if data is None or index >= len(data.raw_train):
        return ()
    values = data.raw_train[index]
    names = data.feature_names or tuple(f"x{_SUBSCRIPTS[n % 10] if n < 10 else n}" for n in range(1, len(values) + 1))
    rows = [
        (names[n] if n < len(names) else f"x{n + 1}", number(float(values[n]), 3))
        for n in range(min(count, len(values)))
    ]
    if len(values) > count:
        rows.append((f"and {len(values) - count} more", ""))
    return tuple(rows)


_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
