"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from ntklab.export.numbers import key_numbers
from ntklab.figures import captions
from ntklab.figures.model import Figure
from ntklab.results import Gram, Run, Spectrum, versions
from ntklab.spec import Experiment, layer_shapes
from ntklab.spec.base import Spec

_STYLE = """
body { font: 15px/1.5 "DejaVu Sans", Verdana, sans-serif; color: #1d2129; max-width: 62rem; margin: 2rem auto;
       padding: 0 1.5rem; background: #fff; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.quiet, figcaption, td:last-child { color: #5b6472; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
td, th { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e6eb; vertical-align: top; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.6rem; }
figure { margin: 0; } img { width: 100%; } figcaption { font-size: .8rem; }
pre { background: #f5f6f8; padding: .8rem; overflow: auto; font-size: .8rem; } a { color: #0b5fad; }
""".strip()


def page(experiment: Experiment, run: Run, pictures: Sequence[tuple[str, Figure, bytes]]) -> str:
    """The whole page; ``pictures`` are (file stem, figure, PNG)."""
    parts = [
        f"<h1>{escape(experiment.name)}</h1>",
        f'<p class="quiet">{escape(_subtitle(experiment, run))}</p>',
        _section("Numbers", _table(("quantity", "value", "convention"), (
            (n.name, n.value, n.convention) for n in key_numbers(run)))),
        _section("Figures", f'<div class="figures">{"".join(_picture(*picture) for picture in pictures)}</div>'),
        _section("Conventions", _table(("result", "conventions"), _conventions(run))),
        _section("Network", _network(experiment, run)),
        _section("Data", "<br>".join(escape(note) for note in (run.data.title, *run.data.notes) if note)),
        _section("Reproduce", _reproduce(experiment)),
    ]  # fmt: skip
    body = "\n".join(part for part in parts if part)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(experiment.name)} · NTK Lab</title>\n'
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>\n{body}" if body else ""


def _subtitle(experiment: Experiment, run: Run) -> str:
    data, net = run.data, experiment.architecture
    return captions.join(
        data.title,
        f"{len(data.X_train)} training and {len(data.X_test)} test samples",
        captions.count(data.features, "feature"),
        net.name or f"{len(net.layers)} layers" if run.network is None else run.network.name,
        f"experiment {experiment.content_hash()[:12]}",
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    return f"<table>\n<tr>{head}</tr>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def _picture(stem: str, figure: Figure, png: bytes) -> str:
    source = base64.b64encode(png).decode()
    links = " ".join(f'<a href="figures/{stem}.{form}">{form.upper()}</a>' for form in ("pdf", "svg", "png"))
    return (
        f'<figure><img alt="{escape(figure.title)}" src="data:image/png;base64,{source}">'
        f"<figcaption>{escape(figure.title)} {links}</figcaption></figure>\n"
    )


def _conventions(run: Run) -> list[tuple[str, str]]:
    k, rows = run.data.outputs, []
    kernels: tuple[tuple[str, Gram | None, Spectrum | None], ...] = (
        ("empirical NTK", run.empirical, run.empirical_spectrum),
        ("analytic NTK", run.ntk, run.ntk_spectrum),
        ("NNGP kernel", run.nngp, None),
    )
    for name, gram, spectrum in kernels:
        if gram is not None:
            rows.append((name, captions.join(captions.gram(gram, k, spectrum), gram.provenance.device,
                                             *gram.provenance.notes)))  # fmt: skip
    if run.trajectory is not None:
        origin = run.trajectory.provenance
        rows.append(("training", captions.join(captions.parameterisation(origin), origin.dtype, origin.device,
                                               captions.seed(origin), f"loss {captions.loss(run.trajectory.loss)}",
                                               *origin.notes)))  # fmt: skip
    return rows


def _network(experiment: Experiment, run: Run) -> str:
    """The layers; of the user's own network how each is treated, and what cannot be had of it."""
    missing = "" if run.absence is None else f"<p>{escape(run.absence.reason)}</p>"
    told = run.network
    if told is None:
        return _table(("layer", "output shape", "parameters"), _layers(experiment)) + missing
    parameters = "" if not told.parameters_from else f", parameters from {told.parameters_from}"
    head = f"<p>{escape(told.name)}: {told.parameters:,} parameters, {told.outputs} outputs{escape(parameters)}</p>"
    rows = [(layer.name or "the module", captions.join(layer.rule, layer.why), f"{layer.parameters:,}")
            for layer in told.layers]  # fmt: skip
    return head + _table(("layer", "how its part of the kernel is computed", "parameters"), rows) + missing


def _layers(experiment: Experiment) -> list[tuple[str, str, str]]:
    rows = [("input", " × ".join(str(size) for size in experiment.architecture.input.shape), "")]
    for entry in layer_shapes(experiment.architecture):
        shape = " × ".join(str(size) for size in entry.after)
        rows.append((_layer(entry.layer), shape, f"{entry.parameters:,}" if entry.parameters else ""))
    return rows


def _layer(layer: Spec) -> str:
    fields = ((name, getattr(layer, name)) for name in layer.__struct_fields__ if name != "branches")
    words = ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
                      for name, value in fields if value is not None)  # fmt: skip
    return f"{type(layer).__name__}" + (f" ({words})" if words else "")


def _reproduce(experiment: Experiment) -> str:
    found = ", ".join(f"{package} {version}" for package, version in versions())
    return (
        "<p><code>python reproduce.py</code> or <code>ntklab run experiment.json --out DIR</code> computes the arrays "
        f'of arrays.npz again.</p>\n<p class="quiet">{escape(found)}</p>\n'
        f"<details><summary>experiment.json</summary><pre>{escape(experiment.to_json())}</pre></details>"
    )
