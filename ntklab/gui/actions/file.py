"""File menu."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from ntklab.gui.actions.export import copy_given_figure, export_given_figure
from ntklab.gui.starter import starter_experiment
from ntklab.session import edits, files

if TYPE_CHECKING:
    from ntklab.figures.model import Heatmap
    from ntklab.gui.window import Window

EXPERIMENTS = "Experiments (*.json *.toml)"
MODELS = "Python files (*.py)"
CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
CHECKPOINTS = f"Parameters ({' '.join('*' + suffix for suffix in CHECKPOINT_SUFFIXES)})"
DATA = "Data (*.npz *.npy *.csv *.tsv *.txt *ubyte *ubyte.gz *.idx *.gz);;All files (*)"


def new_experiment(window: Window) -> None:
    """The starter experiment again; undo brings the present one back."""
    window.session.edit(starter_experiment(), "new experiment")
    window.laboratory.compute()


def open_experiment(window: Window) -> None:
    """Ask for a file and open it."""
    path, _ = QFileDialog.getOpenFileName(window, "Open experiment", window.folder, EXPERIMENTS)
    if path:
        open_path(window, Path(path))


def open_data(window: Window) -> None:
    """Ask for a data file and learn from it."""
    path, _ = QFileDialog.getOpenFileName(window, "Use my data", window.folder, DATA)
    if path:
        use_data(window, Path(path))


def open_kernel(window: Window) -> None:
    """Ask for the folder of a stored kernel and show it."""
    folder = QFileDialog.getExistingDirectory(window, "Open kernel", window.folder)
    if folder:
        show_kernel(window, Path(folder))


def use_model(window: Window) -> None:
    """Ask for a Python file, then whether it may run."""
    path, _ = QFileDialog.getOpenFileName(window, "Use my model", window.folder, MODELS)
    if path:
        window.remember_folder(Path(path))
        window.consent.choose(Path(path))


def load_parameters(window: Window) -> None:
    """Ask for a checkpoint and put it into the network."""
    path, _ = QFileDialog.getOpenFileName(window, "Load parameters", window.folder, CHECKPOINTS)
    if path:
        window.remember_folder(Path(path))
        window.laboratory.use_checkpoint(Path(path))


def save_experiment(window: Window) -> None:
    """Ask where to, and write the experiment."""
    name = f"{window.session.experiment.name}.json"
    path, _ = QFileDialog.getSaveFileName(window, "Save experiment", str(Path(window.folder) / name), EXPERIMENTS)
    if path:
        window.remember_folder(Path(path))
        files.save_experiment(Path(path), window.session.experiment)
        window.session.saved(path)
        window.say(f"saved {Path(path).name}")


def open_settings(window: Window) -> None:
    """Theme, memory budget and threads."""
    from ntklab.gui.dialogs.settings import SettingsDialog

    window.open_dialog(SettingsDialog(window.settings, window.apply_settings, window))


def quit_application(window: Window) -> None:
    """Close the window, and with it the application."""
    window.close()


def open_path(window: Window, path: Path) -> None:
    """Open ``path`` by what it is: an experiment, a network, its parameters, a stored kernel (its folder), or data."""
    window.remember_folder(path)
    if path.is_dir():
        show_kernel(window, path)
        return
    suffix = path.suffix.lower()
    if suffix in (".json", ".toml"):
        window.session.opened(files.open_experiment(path), path)
        window.laboratory.compute()
    elif suffix == ".py":
        window.consent.choose(path)
    elif suffix in CHECKPOINT_SUFFIXES:
        window.laboratory.use_checkpoint(path)
    else:
        use_data(window, path)


def show_kernel(window: Window, folder: Path) -> None:
    """Show the kernel stored in ``folder`` in a window of its own; the worker opens it."""

    def show(figure: Heatmap) -> None:
        from ntklab.gui.dialogs.stored_kernel import StoredKernelDialog

        dialog = StoredKernelDialog(figure, str(folder), window)
        dialog.view.export_requested.connect(partial(export_given_figure, window))
        dialog.view.copy_requested.connect(partial(copy_given_figure, window))
        window.open_dialog(dialog)

    window.remember_folder(folder)
    window.laboratory.make("Open kernel", lambda: _stored_figure(folder), show)


def _stored_figure(folder: Path) -> Heatmap:
    from ntklab import figures, store

    return figures.stored(store.open_kernel(folder), name=folder.name)


def use_data(window: Window, path: Path) -> None:
    """Make ``path`` the source of the data; the worker reads it and fits the network to it."""
    window.remember_folder(path)
    window.laboratory.use_file(edits.set_source(window.session.experiment, "File", path=str(path)), path.name)
