"""Maths cards as a table: what each view shows, as a formula whose symbols have the present numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable

from ntklab.gui.panels import readings
from ntklab.gui.panels.card_spec import CardSpec, Symbol, Value
from ntklab.gui.panels.ledger_cards import LEDGER_CARDS
from ntklab.gui.panels.outline import outline, parameterisations, widths
from ntklab.gui.panels.phase_cards import PHASE_CARDS
from ntklab.gui.panels.words import PARAMETERISATION_TITLES
from ntklab.gui.widgets.numbers import integer, number, percent
from ntklab.results import MonteCarlo, ZScores, agreement
from ntklab.session import Session
from ntklab.spec import Dense


def _samples(session: Session) -> str:
    data = session.results.data
    return integer(session.experiment.dataset.n_train if data is None else len(data.X_train))


def _of_described(value: Value) -> Value:
    """What is read off the described network, where that is the one in use."""
    return lambda session: value(session) if session.experiment.model is None else "—"


def _outputs(session: Session) -> str:
    if session.experiment.model is not None:
        network = readings.own_network(session)
        return "—" if network is None else integer(network.outputs)
    return integer(session.experiment.architecture.layers[-1].width) if _ends_dense(session) else "—"  # type: ignore[union-attr]


def _ends_dense(session: Session) -> bool:
    return isinstance(session.experiment.architecture.layers[-1], Dense)


@_of_described
def _widths(session: Session) -> str:
    found = widths(session.experiment.architecture)
    if not found:
        return "none"
    return integer(found[0]) if len(set(found)) == 1 else f"{min(found)}–{max(found)}"


@_of_described
def _depth(session: Session) -> str:
    return str(len(widths(session.experiment.architecture)))


def _parameterisation(session: Session) -> str:
    if session.experiment.model is not None:
        return "its own"
    names = sorted(parameterisations(session.experiment.architecture))
    return ", ".join(PARAMETERISATION_TITLES[name] for name in names) or "—"


def _deviations(field: str) -> Value:
    @_of_described
    def value(session: Session) -> str:
        layers = [line.layer for line in outline(session.experiment.architecture) if hasattr(line.layer, field)]
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


def _estimate(read: Callable[[MonteCarlo], str]) -> Value:
    def value(session: Session) -> str:
        found = session.results.monte_carlo
        return "—" if found is None else read(found)

    return value


def _widths_drawn(found: MonteCarlo) -> str:
    return ", ".join(str(width) for width in found.widths.tolist() if width) or "as written"


def _score(read: Callable[[ZScores], str]) -> Value:
    def value(session: Session) -> str:
        found, analytic = session.results.monte_carlo, session.results.ntk
        z = None if found is None or analytic is None else agreement(found, analytic)
        return "—" if z is None else read(z)

    return value


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
    return readings.critical_words(session)


_N = Symbol("N", "training samples", _samples)
_ETA = Symbol("η", "learning rate", _rate)
_C = Symbol("c", "loss curvature", _curvature)
_WIDTH = Symbol("n", "hidden width", _widths)
_DEPTH = Symbol("L", "hidden layers", _depth)
_DISTANCE = Symbol("‖ΔΘ‖_{!F}", "relative, now", lambda s: readings.distance(s.results))
_NETWORKS = Symbol("S", "networks a width", _estimate(lambda m: integer(m.networks)))
_DRAWN = Symbol("n", "widths", _estimate(_widths_drawn))
_SIGMA_W = Symbol("σ_W", "W_std of layers", _deviations("W_std"))
_SIGMA_B = Symbol("σ_b", "b_std of layers", _deviations("b_std"))
_S_STEP = "S ← σ_W² !E[φ(u)φ(v)] + σ_b²"
_UV = "(u, v) ∼ !N(0, S)"

CARDS: tuple[CardSpec, ...] = (
    CardSpec(
        "kernel", "Empirical NTK", "Θ(x, x′) = ^1⁄_k Σ_c ⟨∇f_c(x), ∇f_c(x′)⟩",
        "How far a small gradient step on x′ moves the output at x: gradients in all weights, averaged over outputs.",
        (
            Symbol("P", "parameters", readings.parameters),
            _WIDTH,
            Symbol("k", "outputs", _outputs),
            Symbol("θ", "parameterisation", _parameterisation),
        ),
        "Jacot, Gabriel, Hongler 2018, arXiv:1806.07572",
    ),
    CardSpec(
        "analytic", "NTK at infinite width", f"{_S_STEP}\nΘ ← σ_W² !E[φ′(u)φ′(v)] Θ + S\n{_UV}",
        "Layer by layer, from S = σ_W² x·x′/d + σ_b² and Θ = S. No random weights are left, and training does not "
        "move it.",
        (_DEPTH, _SIGMA_W, _SIGMA_B, _DISTANCE),
        "Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720",
    ),
    CardSpec(
        "difference", "Finite minus infinite", "‖Θ_n − Θ_∞‖_{!F} / ‖Θ_∞‖_{!F} ∼ n^{−1/2}",
        "What the random weights of one finite network add: noise that changes with the seed, and shrinks as the "
        "layers widen.",
        (_WIDTH, _DEPTH, _DISTANCE),
        "Arora et al. 2019, arXiv:1904.11955; Hanin, Nica 2020, arXiv:1909.05989",
    ),
    CardSpec(
        "nngp", "NNGP kernel", f"K(x, x′) = !E_θ[f(x) f(x′)]\n{_S_STEP}\n{_UV}",
        "Covariance of the outputs over random weights: at the start an infinitely wide network is this Gaussian "
        "process.",
        (_DEPTH, _SIGMA_W, _SIGMA_B),
        "Lee et al. 2018, arXiv:1711.00165; Matthews et al. 2018, arXiv:1804.11271",
    ),
    CardSpec(
        "monte-carlo", "Monte Carlo", "m = ^1⁄_S Σ_s Θ_s\n!S!E² = Σ_s (Θ_s − m)² / S(S − 1)",
        "The mean over networks with random weights, with its standard error: for any architecture that can be drawn. "
        "At width n it is off from the limit by about 1/n.",
        (
            _NETWORKS,
            _DRAWN,
            Symbol("±", "relative error", _estimate(lambda m: percent(m.relative_error) if m.networks > 1 else "—")),
            Symbol("θ", "parameterisation", _parameterisation),
        ),
        "Novak et al. 2019, arXiv:1810.05148; Hanin, Nica 2020, arXiv:1909.05989",
    ),
    CardSpec(
        "z-scores", "z-scores", "m ≈ a + b/n\nz = (a − Θ_∞) / !S!E_a",
        "How many standard errors lie between the extrapolated estimate and the analytic kernel, by Student's t. If "
        "both are right, z is N(0, 1); entries share networks, so they stray together.",
        (
            Symbol("rms z", "about 1 if right", _score(lambda z: number(z.rms, 3))),
            Symbol("max |z|", "largest deviation", _score(lambda z: number(z.largest, 3))),
            Symbol("|z| > 3", "0.27 % to expect", _score(lambda z: percent(z.beyond))),
            _NETWORKS,
            _DRAWN,
        ),
        "Student 1908; Lee et al. 2018, arXiv:1711.00165",
    ),
    CardSpec(
        "spectrum", "Spectrum", "Θ v_k = λ_k v_k\nκ = λ_1 / λ_N\nη_{max} = 2(1 + μ) / (c λ_1)",
        "Each mode is learned on its own, the faster the larger its eigenvalue. The largest one limits the learning "
        "rate.",
        (
            Symbol("λ_1", "largest eigenvalue", _spectrum(lambda s: number(s.eigenvalues[0]))),
            Symbol("κ", "condition number", _spectrum(readings.condition)),
            Symbol("d_{eff}", "Σ λ/(λ + δ)", _spectrum(lambda s: number(s.effective_dimension, 3))),
            Symbol("η_{max}", "critical rate", _critical),
            _C,
        ),
        "Jacot et al. 2018, arXiv:1806.07572; Xiao et al. 2020, arXiv:1912.13053",
    ),
    CardSpec(
        "power", "Target power", "C(k) = Σ_{j ≤ k} ‖v_jᵀY‖² / ‖Y‖²",
        "How much of the target lies in the first k modes. Of a kernel that suits the task the curve rises at once.",
        (
            Symbol("C(10)", "in ten modes", _spectrum(lambda s: _power_in(s, 10))),
            Symbol("KTA", "⟨Θ, YYᵀ⟩ / (‖Θ‖‖YYᵀ‖)", _spectrum(lambda s: number(s.alignment, 3))),
            Symbol("CKA", "the same, centred", _spectrum(lambda s: number(s.centred_alignment, 3))),
        ),
        "Canatar et al. 2021, arXiv:2006.13198; Cortes et al. 2012, arXiv:1203.0550",
    ),
    CardSpec(
        "function", "Prediction",
        "f_t(x) = f_0(x) + Θ(x, X) Θ^{−1}\n    · [I − (I − ηcΘ)^t] (Y − f_0)",
        "What the linearised network predicts after t steps: a sum of kernels at the training samples.",
        (_N, _ETA, _C, Symbol("t", "steps", lambda s: integer(s.experiment.training.steps))),
        "Lee et al. 2019, arXiv:1902.06720",
    ),
    CardSpec(
        "mode", "Eigenfunction",
        "φ_k(x) = λ_k^{−1} Σ_i Θ(x, x_i) v_{k,i}\nr_k(t) = (1 − ηcλ_k)^t r_k(0)",
        "A direction of the kernel, on the samples and beyond them. The residual along it shrinks at its own rate.",
        (
            Symbol("k", "mode, from 1", lambda s: str(_mode_number(s) + 1)),
            Symbol("λ_k", "eigenvalue", _of_mode(0)),
            Symbol("r_k²", "share of target", _of_mode(1)),
            Symbol("t_½", "half-life, steps", _of_mode(3)),
            _ETA,
        ),
        "Bietti, Mairal 2019, arXiv:1905.12173; Basri et al. 2019, arXiv:1906.00425",
    ),
    CardSpec(
        "dynamics", "Training", "f_t − Y = (I − ηcΘ)^t (f_0 − Y)",
        "The linear model under plain full-batch descent. Above the critical rate it diverges; the network itself may "
        "catapult instead.",
        (
            _ETA,
            Symbol("η/η_{max}", "of critical", _share_of_critical),
            _C,
            Symbol("L_{net}", "last train loss", _last_loss("network")),
            Symbol("L_{lin}", "of the linear model", _last_loss("linearised")),
        ),
        "Lee et al. 2019, arXiv:1902.06720; Lewkowycz et al. 2020, arXiv:2003.02218",
    ),
    CardSpec(
        "drift", "Kernel drift", "‖Θ_t − Θ_0‖_{!F} / ‖Θ_0‖_{!F}",
        "Near 0 the network is lazy: it stays with the kernel it began with. Far from 0 it learns features.",
        (
            Symbol("drift", "at the last snapshot", lambda s: readings.drift(s.results)),
            Symbol("CKA", "at the last snapshot", _last_alignment),
            _WIDTH,
        ),
        "Fort et al. 2020, arXiv:2010.15110; Chizat et al. 2019, arXiv:1812.07956",
    ),
    CardSpec(
        "convergence", "Width law", "log ‖Θ_n − Θ_∞‖ ≈ a + s log n\ns → −½",
        "Fitted to the RMS error over seeds. One seed scatters widely: give the fit ten or more.",
        (Symbol("s", "fitted slope", _slope), Symbol("n", "widths, seeds", _sweep), _DISTANCE),
        "Jacot et al. 2018, arXiv:1806.07572; Huang, Yau 2020, arXiv:1909.08156",
    ),
    *PHASE_CARDS,
    *LEDGER_CARDS,
)  # fmt: skip


def _power_in(spectrum: object, modes: int) -> str:
    power = spectrum.target_power  # type: ignore[attr-defined]
    return percent(float(power[:modes].sum())) if power.size else "—"


def card(card_id: str) -> CardSpec:
    """The card of that id. Raises ``KeyError``."""
    return {spec.id: spec for spec in CARDS}[card_id]
