"""The line under a figure: which object is shown, by which conventions, at what precision, and whether it is sound."""

from __future__ import annotations

import math

from ntklab.results import Gram, MonteCarlo, Provenance, Spectrum

DOT = " · "
_PARAMETERISATIONS = {"ntk": "NTK parameterisation", "standard": "standard parameterisation", "mup": "muP",
                      "mixed": "mixed parameterisations"}  # fmt: skip
_LOSSES = {"half_mse": "1/(2N)·Σ(f−y)²", "torch_mse": "mean of (f−y)² over N·k"}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def join(*parts: str | None) -> str:
    """The parts that say something, with a dot between them."""
    return DOT.join(part for part in parts if part)


def number(value: float, digits: int = 3) -> str:
    """``value`` for a reader: 0.0123, 418, 3.1×10⁵."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        text = f"{value:.{decimals}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = f"10{superscript(int(exponent))}"
    return power if mantissa == "1" else f"{mantissa}×{power}"


def superscript(index: int) -> str:
    """``index`` in superscript digits."""
    return str(index).translate(_SUPERSCRIPT)


def count(how_many: int, noun: str) -> str:
    """``how_many`` of ``noun``: 1 output, 10 outputs."""
    return f"{how_many} {noun}" if how_many == 1 else f"{how_many} {noun}s"


def parameterisation(provenance: Provenance) -> str:
    """The parameterisation in words; empty where there is none."""
    return _PARAMETERISATIONS.get(provenance.parameterisation or "", "")


def outputs(provenance: Provenance, k: int) -> str:
    """What was done with the ``k`` outputs (0: unknown) of a network to show one matrix; empty in the limit."""
    if provenance.outputs is None:
        return ""
    if k == 0:
        return "mean over outputs"
    return "one output" if k == 1 else f"mean over {k} outputs"


def seed(provenance: Provenance) -> str:
    """The seed of the network that was drawn; empty in the limit."""
    return "" if provenance.seed is None else f"seed {provenance.seed}"


def condition(spectrum: Spectrum | None) -> str:
    """The condition number, or that the matrix is singular at its precision."""
    if spectrum is None or spectrum.eigenvalues.size == 0:
        return ""
    if math.isfinite(spectrum.condition):
        return f"κ = {number(float(f'{spectrum.condition:.1e}'), 2)}"
    return "numerically singular"


def health(gram: Gram) -> str:
    """What is wrong with a kernel; empty when it is sound."""
    found = gram.health
    if found.bad:
        return f"{count(found.bad, 'entry')} NaN or infinite".replace("entrys", "entries")
    if not found.good:
        return f"asymmetric by {number(found.asymmetry, 2)}"
    return ""


def gram(value: Gram, k: int, spectrum: Spectrum | None = None) -> str:
    """Health, size and conventions of a kernel, what matters most first: a narrow view shows the beginning."""
    n1, n2 = value.values.shape[:2]
    size = f"n = {n1}" if n1 == n2 else f"{n1} × {n2}"
    origin = value.provenance
    return join(
        health(value),
        size,
        condition(spectrum),
        parameterisation(origin),
        outputs(origin, k),
        seed(origin),
        origin.dtype,
    )


def estimate(found: MonteCarlo) -> str:
    """How many networks of which widths an estimate rests on."""
    widths = [str(width) for width in found.widths.tolist() if width]
    at = f"at widths {', '.join(widths)}" if len(widths) > 1 else f"of width {widths[0]}" if widths else "as written"
    each = " each" if len(widths) > 1 else ""
    return f"{count(found.networks, 'network')}{each} {at}"


def loss(name: str) -> str:
    """The loss as a formula."""
    return _LOSSES.get(name, name)


def subscript(index: int) -> str:
    """``index`` in subscript digits."""
    return str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
