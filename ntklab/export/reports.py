"""A run as a folder: the page, its figures, the arrays, the experiment and the script that computes it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ntklab.export.array_files import arrays
from ntklab.export.contents import origin
from ntklab.export.page import page
from ntklab.export.plots import FORMATS, figure_formats
from ntklab.export.scripts import script
from ntklab.figures.model import Figure
from ntklab.figures.views import VIEWS, scene_of
from ntklab.files import write_atomically
from ntklab.progress import Forecast, Progress, Work, drain
from ntklab.results import Run
from ntklab.spec import Experiment


def report(experiment: Experiment, run: Run, folder: Path | str) -> Path:
    """Write the report of ``run`` into ``folder`` and return the path of its page, ``report.html``.

    Beside it: ``experiment.json``, ``reproduce.py``, ``arrays.npz`` and ``figures/`` with each view as PDF, SVG and
    PNG. Parts of the run that are missing are left out. Each file is whole or absent. Raises ``FileError``.
    """
    return drain(reporting(experiment, run, folder))


def reporting(experiment: Experiment, run: Run, folder: Path | str) -> Work[Path]:
    """``report`` as work that says how far it is; cancelled, it leaves the folder as it was."""
    root = Path(folder)
    drawn = list(figures(run))
    steps = len(drawn) + 2
    yield Forecast(64 * 2**20, seconds=0.6 * steps, tiles=steps, route="report")
    pictures, files = [], dict[str, bytes]()
    for done, (stem, figure) in enumerate(drawn):
        yield Progress(done, steps, f"drawing {stem}")
        forms = figure_formats(figure, FORMATS, metadata=origin(run, experiment))
        files |= {f"{stem}.{form}": content for form, content in forms.items()}
        pictures.append((stem, figure, forms["png"]))
    yield Progress(steps - 2, steps, "writing the page")
    text = page(experiment, run, pictures).encode()
    yield Progress(steps - 1, steps, "writing files")  # from here on to the end at once: an old report or a new one
    write_atomically(root / "experiment.json", experiment.to_json().encode())
    write_atomically(root / "reproduce.py", script(experiment).encode())
    arrays(run, root / "arrays.npz", experiment=experiment)
    for name, content in files.items():
        write_atomically(root / "figures" / name, content, flush=False)
    return write_atomically(root / "report.html", text)


def figures(run: Run) -> Iterator[tuple[str, Figure]]:
    """(file stem, figure) of each view that the run has the parts for; the eigenmode is that of most target power."""
    spectrum = run.empirical_spectrum or run.ntk_spectrum
    power = None if spectrum is None else spectrum.target_power
    scene = scene_of(run, mode=0 if power is None or not power.size else int(power.argmax()))
    for view in VIEWS:
        for choice in view.choices:
            figure = choice.figure(scene)
            if figure is not None:
                yield f"{view.id}-{choice.id}", figure
