"""Maths cards as a table: what each view shows, as a formula whose symbols have the present numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ntklab.gui.panels import readings
from ntklab.gui.panels.outline import dense_widths, parameterisations
from ntklab.gui.widgets.numbers import integer, number, percent
from ntklab.session import Session
from ntklab.spec import Dense, parameter_count

Value = Callable[[Session], str]


@dataclass(frozen=True)
class Symbol:
    """``html`` as it stands in the formula, what it means, and its present value."""

    html: str
    meaning: str
    value: Value


@dataclass(frozen=True)
class CardSpec:
    """``formula`` in HTML; ``text`` says in a sentence what it is about; ``reference`` author, year, arXiv."""

    id: str
    title: str
    formula: str
    text: str
    symbols: tuple[Symbol, ...]
    reference: str

    def rows(self, session: Session) -> tuple[tuple[str, str, str], ...]:
        """Symbol, meaning, value."""
        return tuple((symbol.html, symbol.meaning, symbol.value(session)) for symbol in self.symbols)


def _samples(session: Session) -> str:
    data = session.results.data
    return integer(session.experiment.dataset.n_train if data is None else len(data.X_train))


def _outputs(session: Session) -> str:
    return integer(session.experiment.architecture.layers[-1].width) if _ends_dense(session) else "—"  # type: ignore[union-attr]


def _ends_dense(session: Session) -> bool:
    return isinstance(session.experiment.architecture.layers[-1], Dense)


def _widths(session: Session) -> str:
    widths = dense_widths(session.experiment.architecture)
    if not widths:
        return "none"
    return integer(widths[0]) if len(set(widths)) == 1 else f"{min(widths)}–{max(widths)}"


def _depth(session: Session) -> str:
    return str(len(dense_widths(session.experiment.architecture)))


def _deviations(field: str) -> Value:
    def value(session: Session) -> str:
        layers = [layer for layer in session.experiment.architecture.layers if isinstance(layer, Dense)]
        found = sorted({getattr(layer, field) or 0.0 for layer in layers})
        return ", ".join(number(x, 3) for x in found[:3]) or "—"

    return value


def _spectrum(read: Callable[..., str]) -> Value:
    def value(session: Session) -> str:
        spectrum = session.results.empirical_spectrum
        return "—" if spectrum is None or spectrum.eigenvalues.size == 0 else read(spectrum)

    return value


def _share_of_critical(session: Session) -> str:
    rate, critical = readings.learning_rate(session), readings.critical_rate(session)
    return "—" if rate is None or not critical else f"{number(rate / critical, 3)}"


def _mode_number(session: Session) -> int:
    return session.selection.mode or 0


def _of_mode(row: int) -> Value:
    return lambda session: readings.mode(session, _mode_number(session))[row].values[0]


def _curvature(session: Session) -> str:
    data, training = session.results.data, session.experiment.training
    n = session.experiment.dataset.n_train if data is None else len(data.X_train)
    if training.loss == "half_mse":
        return f"1/{n}"
    return "2/(N·k)" if data is None else f"2/{n * data.outputs}"


def _slope(session: Session) -> str:
    found = session.results.convergence
    if found is None or found.slope is None:
        return "—"
    error = "" if found.slope_error is None or not math.isfinite(found.slope_error) else f" ± {found.slope_error:.2f}"
    return f"{found.slope:.2f}{error}".replace("-", "−")


def _sweep(session: Session) -> str:
    found = session.results.convergence
    return "—" if found is None else f"{found.widths.min()}–{found.widths.max()}, {found.errors.shape[1]} seeds"


def _last_alignment(session: Session) -> str:
    trajectory = session.results.trajectory
    return "—" if trajectory is None or trajectory.alignment.size == 0 else number(float(trajectory.alignment[-1]), 3)


def _last_loss(run: str) -> Value:
    def value(session: Session) -> str:
        trajectory = session.results.trajectory
        if trajectory is None or run not in trajectory.runs:
            return "—"
        return number(float(trajectory.train_loss[trajectory.runs.index(run), -1]), 3)

    return value


def _rate(session: Session) -> str:
    return number(readings.learning_rate(session))


def _critical(session: Session) -> str:
    return number(readings.critical_rate(session))


_N = Symbol("<i>N</i>", "training samples", _samples)
_ETA = Symbol("<i>η</i>", "learning rate", _rate)
_C = Symbol("<i>c</i>", "curvature of the loss", _curvature)
_WIDTH = Symbol("<i>n</i>", "hidden width", _widths)
_DISTANCE = Symbol("‖ΔΘ‖<sub>F</sub>", "relative distance now", lambda s: readings.distance(s.results))
_E = "E<sub>(<i>u,v</i>) ~ N(0, <i>S</i>)</sub>"

CARDS: tuple[CardSpec, ...] = (
    CardSpec(
        "kernel", "Empirical NTK",
        "Θ(<i>x, x′</i>) = <sup>1</sup>⁄<sub><i>k</i></sub> Σ<sub><i>c</i></sub> "
        "⟨∇<sub><i>θ</i></sub> <i>f<sub>c</sub></i>(<i>x</i>), ∇<sub><i>θ</i></sub> <i>f<sub>c</sub></i>(<i>x′</i>)⟩",
        "How much a small gradient step on x′ moves the output at x. All weights count, averaged over outputs.",
        (
            Symbol("<i>P</i>", "parameters θ",
                   lambda s: integer(parameter_count(s.experiment.architecture))),
            _WIDTH,
            Symbol("<i>k</i>", "outputs", _outputs),
            Symbol("<i>θ</i>", "parameterisation", lambda s: ", ".join(sorted(parameterisations(s.experiment.architecture)))),
        ),
        "Jacot, Gabriel, Hongler 2018, arXiv:1806.07572",
    ),
    CardSpec(
        "analytic", "NTK at infinite width",
        f"<i>S</i> ← <i>σ<sub>W</sub></i>² {_E} <i>φ</i>(<i>u</i>)<i>φ</i>(<i>v</i>) + <i>σ<sub>b</sub></i>²<br>"
        f"Θ ← <i>σ<sub>W</sub></i>² {_E} <i>φ′</i>(<i>u</i>)<i>φ′</i>(<i>v</i>) · Θ + <i>S</i>",
        "Layer by layer from S = σ_W² x·x′/d + σ_b² and Θ = S: no random weights are left, and training does not move it.",
        (
            Symbol("<i>L</i>", "hidden layers", _depth),
            Symbol("<i>σ<sub>W</sub></i>", "W_std of the layers", _deviations("W_std")),
            Symbol("<i>σ<sub>b</sub></i>", "b_std of the layers", _deviations("b_std")),
            _DISTANCE,
        ),
        "Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720",
    ),
    CardSpec(
        "difference", "Finite minus infinite",
        "‖Θ<sub><i>n</i></sub> − Θ<sub>∞</sub>‖<sub>F</sub> / ‖Θ<sub>∞</sub>‖<sub>F</sub> ∼ <i>n</i><sup>−1/2</sup>",
        "What the random weights of one finite network add. It is noise with the seed, and shrinks as the layers widen.",
        (_WIDTH, Symbol("<i>L</i>", "hidden layers", _depth), _DISTANCE),
        "Arora et al. 2019, arXiv:1904.11955; Hanin, Nica 2020, arXiv:1909.05989",
    ),
    CardSpec(
        "nngp", "NNGP kernel",
        f"<i>K</i>(<i>x, x′</i>) = E<sub><i>θ</i></sub> <i>f</i>(<i>x</i>) <i>f</i>(<i>x′</i>),&nbsp; "
        f"<i>S</i> ← <i>σ<sub>W</sub></i>² {_E} <i>φ</i>(<i>u</i>)<i>φ</i>(<i>v</i>) + <i>σ<sub>b</sub></i>²",
        "Covariance of the outputs over random weights: an infinitely wide network at the start is this Gaussian process.",
        (
            Symbol("<i>σ<sub>W</sub></i>", "W_std of the layers", _deviations("W_std")),
            Symbol("<i>σ<sub>b</sub></i>", "b_std of the layers", _deviations("b_std")),
        ),
        "Lee et al. 2018, arXiv:1711.00165; Matthews et al. 2018, arXiv:1804.11271",
    ),
    CardSpec(
        "spectrum", "Spectrum",
        "Θ <i>v<sub>k</sub></i> = <i>λ<sub>k</sub></i> <i>v<sub>k</sub></i>,&nbsp; <i>κ</i> = <i>λ</i><sub>1</sub>/<i>λ<sub>N</sub></i>,"
        "&nbsp; <i>η</i> &lt; 2(1 + <i>μ</i>)/(<i>c λ</i><sub>1</sub>)",
        "Each mode is learned on its own, the faster the larger its eigenvalue; the largest one limits the learning rate.",
        (
            Symbol("<i>λ</i><sub>1</sub>", "largest eigenvalue", _spectrum(lambda s: number(s.eigenvalues[0]))),
            Symbol("<i>κ</i>", "condition number", _spectrum(readings.condition)),
            Symbol("<i>d</i><sub>eff</sub>", "Σ λ/(λ + δ)", _spectrum(lambda s: number(s.effective_dimension, 3))),
            Symbol("<i>η</i><sub>max</sub>", "critical rate", _critical),
            _C,
        ),
        "Jacot et al. 2018, arXiv:1806.07572; Xiao et al. 2020, arXiv:1912.13053",
    ),
    CardSpec(
        "power", "Target power",
        "<i>C</i>(<i>k</i>) = Σ<sub><i>j ≤ k</i></sub> ‖<i>v<sub>j</sub></i>ᵀ<i>Y</i>‖² / ‖<i>Y</i>‖²",
        "How much of the target lies in the first k modes. A kernel that suits the task has a curve that rises at once.",
        (
            Symbol("<i>C</i>(10)", "in ten modes", _spectrum(lambda s: _power_in(s, 10))),
            Symbol("KTA", "⟨Θ, YYᵀ⟩ / (‖Θ‖‖YYᵀ‖)", _spectrum(lambda s: number(s.alignment, 3))),
            Symbol("CKA", "the same, centred", _spectrum(lambda s: number(s.centred_alignment, 3))),
        ),
        "Canatar et al. 2021, arXiv:2006.13198; Cortes et al. 2012, arXiv:1203.0550",
    ),
    CardSpec(
        "function", "Prediction",
        "<i>f<sub>t</sub></i>(<i>x</i>) = <i>f</i><sub>0</sub>(<i>x</i>) + Θ(<i>x, X</i>) Θ<sup>−1</sup> "
        "[<i>I</i> − (<i>I</i> − <i>ηc</i>Θ)<sup><i>t</i></sup>] (<i>Y</i> − <i>f</i><sub>0</sub>)",
        "What the linearised network predicts after t steps: a sum of kernels at the training samples.",
        (_N, _ETA, _C, Symbol("<i>t</i>", "steps", lambda s: integer(s.experiment.training.steps))),
        "Lee et al. 2019, arXiv:1902.06720",
    ),
    CardSpec(
        "mode", "Eigenfunction",
        "<i>φ<sub>k</sub></i>(<i>x</i>) = <i>λ<sub>k</sub></i><sup>−1</sup> Σ<sub><i>i</i></sub> Θ(<i>x, x<sub>i</sub></i>) "
        "<i>v<sub>ki</sub></i>,&nbsp; <i>r<sub>k</sub></i>(<i>t</i>) = (1 − <i>ηcλ<sub>k</sub></i>)<sup><i>t</i></sup> "
        "<i>r<sub>k</sub></i>(0)",
        "A direction of the kernel, on the samples or beyond them. The residual along it shrinks at a rate of its own.",
        (
            Symbol("<i>k</i>", "mode, from 1", lambda s: str(_mode_number(s) + 1)),
            Symbol("<i>λ<sub>k</sub></i>", "eigenvalue", _of_mode(0)),
            Symbol("<i>r<sub>k</sub></i>²", "share of target", _of_mode(1)),
            Symbol("<i>t</i><sub>½</sub>", "half-life", _of_mode(3)),
            _ETA,
        ),
        "Bietti, Mairal 2019, arXiv:1905.12173; Basri et al. 2019, arXiv:1906.00425",
    ),
    CardSpec(
        "dynamics", "Training",
        "<i>f<sub>t</sub></i> − <i>Y</i> = (<i>I</i> − <i>ηc</i>Θ)<sup><i>t</i></sup> (<i>f</i><sub>0</sub> − <i>Y</i>)",
        "The linear model under plain full-batch descent. Above the critical rate it diverges; "
        "the network itself may catapult instead.",
        (
            _ETA,
            Symbol("<i>η/η</i><sub>max</sub>", "share of critical", _share_of_critical),
            _C,
            Symbol("<i>L</i><sub>net</sub>", "last train loss", _last_loss("network")),
            Symbol("<i>L</i><sub>lin</sub>", "of the linear model", _last_loss("linearised")),
        ),
        "Lee et al. 2019, arXiv:1902.06720; Lewkowycz et al. 2020, arXiv:2003.02218",
    ),
    CardSpec(
        "drift", "Kernel drift",
        "‖Θ<sub><i>t</i></sub> − Θ<sub>0</sub>‖<sub>F</sub> / ‖Θ<sub>0</sub>‖<sub>F</sub>",
        "Near 0 the network is lazy: it stays with the kernel it began with. Far from 0 it learns features.",
        (
            Symbol("drift", "at the last snapshot", lambda s: readings.drift(s.results)),
            Symbol("KTA", "of Θ at the last snapshot", _last_alignment),
            _WIDTH,
        ),
        "Fort et al. 2020, arXiv:2010.15110; Chizat et al. 2019, arXiv:1812.07956",
    ),
    CardSpec(
        "convergence", "Width law",
        "log ‖Θ<sub><i>n</i></sub> − Θ<sub>∞</sub>‖ ≈ <i>a</i> + <i>s</i> · log <i>n</i>,&nbsp; <i>s</i> → −½",
        "Fitted to the RMS error over seeds. One seed scatters widely: give the fit ten or more.",
        (
            Symbol("<i>s</i>", "fitted slope", _slope),
            Symbol("<i>n</i>", "widths, seeds", _sweep),
            _DISTANCE,
        ),
        "Jacot et al. 2018, arXiv:1806.07572; Huang, Yau 2020, arXiv:1909.08156",
    ),
)  # fmt: skip


def _power_in(spectrum: object, modes: int) -> str:
    power = spectrum.target_power  # type: ignore[attr-defined]
    return percent(float(power[:modes].sum())) if power.size else "—"


def card(card_id: str) -> CardSpec:
    """The card of that id. Raises ``KeyError``."""
    return {spec.id: spec for spec in CARDS}[card_id]
