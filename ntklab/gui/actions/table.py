"""The rows. ``handler`` names a function of the module of its menu; ``enabled`` a property of the window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionRow:
    """One action: where it stands in the menus, how it is called, and what it does, in a sentence."""

    id: str
    title: str
    menu: str
    handler: str
    help: str
    shortcut: str = ""
    icon: str = ""
    enabled: str = ""
    separator: bool = False


MENUS = ("File", "Edit", "View", "Experiment", "Export", "Help")

ACTIONS: tuple[ActionRow, ...] = (
    ActionRow("new", "New from starter", "File", "new_experiment", "Go back to the starter experiment", "Ctrl+N"),
    ActionRow("open", "Open experiment…", "File", "open_experiment", "Open an experiment from a JSON or TOML file",
              "Ctrl+O", "open"),
    ActionRow("open-data", "Use my data…", "File", "open_data", "Learn from an .npz, .npy, .csv or IDX file", "Ctrl+D",
              "data"),
    ActionRow("open-kernel", "Open kernel…", "File", "open_kernel", "Look at a kernel in a folder, however large",
              "Ctrl+Shift+O", "kernel"),
    ActionRow("use-model", "Use my model…", "File", "use_model", "Compute with a torch network of a Python file, which "
              "runs only if you trust it", "Ctrl+Shift+O", "layers"),
    ActionRow("load-parameters", "Load parameters…", "File", "load_parameters", "Take the parameters of the network "
              "from a .pt, .pth or .safetensors file", "", "open"),
    ActionRow("save", "Save experiment…", "File", "save_experiment", "Write the experiment to a JSON or TOML file",
              "Ctrl+S", "save"),
    ActionRow("settings", "Settings…", "File", "open_settings", "Theme and threads", "Ctrl+,",
              "settings", separator=True),
    ActionRow("quit", "Quit", "File", "quit_application", "Stop what runs and close the window", "Ctrl+Q",
              separator=True),
    ActionRow("undo", "Undo", "Edit", "undo", "Take back the last change of the experiment", "Ctrl+Z", "undo",
              "can_undo"),
    ActionRow("redo", "Redo", "Edit", "redo", "Make the change again", "Ctrl+Shift+Z", "redo", "can_redo"),
    ActionRow("palette", "Find a command…", "Edit", "open_palette", "Search every command by name", "Ctrl+K", "search",
              separator=True),
    ActionRow("maximise", "Maximise view", "View", "maximise_view", "Give one view the whole centre, or give it back",
              "F11", "maximize"),
    ActionRow("theme", "Switch light and dark", "View", "toggle_theme", "Change between the light and the dark theme",
              "Ctrl+Shift+L", "moon"),
    ActionRow("reset-layout", "Reset layout", "View", "reset_layout", "Give every region its first size again"),
    ActionRow("compute", "Compute kernels", "Experiment", "compute", "Finite and infinite kernels and their spectra",
              "Ctrl+R", "kernel"),
    ActionRow("train", "Train", "Experiment", "train", "The network, its linearisation and the infinite-width "
              "prediction, on the same axes", "Ctrl+T", "play"),
    ActionRow("stop", "Stop", "Experiment", "stop", "Give a maximised view back, or cancel the newest job; what is "
              "finished stays", "Esc", "stop"),
    ActionRow("sweep", "Sweep the width", "Experiment", "sweep", "Distance of the finite from the infinite kernel over "
              "widths and seeds", "Ctrl+W", "", "can_sweep", separator=True),
    ActionRow("monte-carlo", "Draw networks (Monte Carlo)", "Experiment", "draw_networks", "Mean and standard error of "
              "the kernels of random networks, beside the analytic ones", "Ctrl+M", "dice"),
    ActionRow("seed", "Draw another network", "Experiment", "next_seed", "The same architecture with the next seed",
              "Ctrl+Shift+R", "dice"),
    ActionRow("export-figure", "Export figure…", "Export", "export_figure", "The active view as PDF, SVG or PNG, in mm "
              "and pt", "Ctrl+E", "export", "has_figure"),
    ActionRow("copy-figure", "Copy figure", "Export", "copy_figure", "The active view to the clipboard as a picture",
              "Ctrl+Shift+E", "copy", "has_figure"),
    ActionRow("export-arrays", "Export arrays…", "Export", "export_arrays", "Kernels and results as .npz, .csv or .h5",
              "Ctrl+Shift+S", "save", "has_results"),
    ActionRow("export-report", "Export report…", "Export", "export_report", "A folder with figures, kernels and a page "
              "that explains them", "", "export", "has_results"),
    ActionRow("export-script", "Export Python script…", "Export", "export_script", "A script that computes the same "
              "arrays", "", "export", separator=True),
    ActionRow("copy-script", "Copy Python script", "Export", "copy_script", "The script to the clipboard",
              "Ctrl+Shift+C", "copy"),
    ActionRow("notation", "Notation", "Help", "open_notation", "Symbols, conventions and units", "F1", "help"),
    ActionRow("about", "About", "Help", "open_about", "Versions, devices, licence", "", "info"),
)  # fmt: skip
