"""Export menu. Everything is written in the worker; matplotlib and h5py are imported there."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from ntklab.figures.model import Figure
from ntklab.files import write_atomically
from ntklab.gui import work
from ntklab.progress import Work
from ntklab.results import Run
from ntklab.spec import Experiment

if TYPE_CHECKING:
    from ntklab.gui.window import Window

ARRAYS = "NumPy archive (*.npz);;HDF5 (*.h5);;CSV tables (*.csv)"


def export_figure(window: Window) -> None:
    """Ask for size and format of the active view's figure, and write it."""
    figure = window.views.active_figure()
    if figure is not None:
        export_given_figure(window, figure)


def export_given_figure(window: Window, figure: Figure) -> None:
    """Ask for size and format, and write ``figure``."""
    from ntklab.gui.dialogs.export import ExportDialog

    window.open_dialog(ExportDialog(figure, window.folder, partial(_write_figure, window), window))


def copy_figure(window: Window) -> None:
    """The active view's figure to the clipboard."""
    figure = window.views.active_figure()
    if figure is not None:
        copy_given_figure(window, figure)


def copy_given_figure(window: Window, figure: Figure) -> None:
    """``figure`` to the clipboard as a picture."""
    found, experiment = window.session.run(), window.session.experiment

    def copy(picture: bytes) -> None:
        QGuiApplication.clipboard().setImage(QImage.fromData(picture))
        window.say("the figure is on the clipboard")

    window.laboratory.make("Copy figure", lambda: _picture(figure, experiment, found), copy)


def export_arrays(window: Window) -> None:
    """Kernels and results to one file (CSV: one file an array)."""
    path, _ = QFileDialog.getSaveFileName(window, "Export arrays", str(Path(window.folder) / "results.npz"), ARRAYS)
    if path:
        window.remember_folder(Path(path))
        experiment, run = window.session.experiment, window.run()
        window.laboratory.write("Export arrays", lambda: _arrays(experiment, run, Path(path)))


def export_report(window: Window) -> None:
    """A folder with figures, kernels and a page that explains them."""
    folder = QFileDialog.getExistingDirectory(window, "Export report into a folder", window.folder)
    if folder:
        experiment, run = window.session.experiment, window.run()
        window.laboratory.export("Export report", lambda: _report(experiment, run, Path(folder)))


def export_script(window: Window) -> None:
    """The experiment as a Python script."""
    name = f"{window.session.experiment.name}.py"
    path, _ = QFileDialog.getSaveFileName(window, "Export script", str(Path(window.folder) / name), "Python (*.py)")
    if path:
        window.remember_folder(Path(path))
        experiment = window.session.experiment
        window.laboratory.write("Export script", lambda: _script(experiment, Path(path)))


def copy_script(window: Window) -> None:
    """The script to the clipboard."""
    from ntklab import export

    QGuiApplication.clipboard().setText(export.script(window.session.experiment))
    window.say("the script is on the clipboard")


def _write_figure(window: Window, figure: Figure, path: Path, width_mm: float, font_pt: float) -> None:
    window.remember_folder(path)
    found, experiment = window.session.run(), window.session.experiment

    def write() -> Path:
        from ntklab import export

        origin = None if found is None else export.origin(found, experiment)
        return export.figure(figure, path, width_mm=width_mm, font_pt=font_pt, metadata=origin)

    window.laboratory.write("Export figure", write)


def _picture(figure: Figure, experiment: Experiment, found: Run | None) -> bytes:
    from ntklab import export

    return export.figure_bytes(figure, "png", metadata=None if found is None else export.origin(found, experiment))


def _arrays(experiment: Experiment, run: Run, path: Path) -> tuple[Path, ...]:
    from ntklab import export

    return export.arrays(run, path, experiment=experiment)


def _report(experiment: Experiment, run: Run, folder: Path) -> Work[str]:
    from ntklab import export

    page = yield from export.reporting(experiment, run, folder)
    return work.written(page)


def _script(experiment: Experiment, path: Path) -> Path:
    from ntklab import export

    return write_atomically(path, export.script(experiment).encode())
