"""What may be added and what can be done: layers and presets to pick from, the menu of a line."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.layer_cards import layer_card
from ntklab.gui.panels.layer_painter import group_colour
from ntklab.gui.panels.outline import Line
from ntklab.gui.panels.words import shape_text
from ntklab.gui.panels.workbench import Offer, Workbench
from ntklab.gui.widgets import Picker, PickerRow, maths
from ntklab.session.tracing import shape_before
from ntklab.spec import PRESETS, Branch, Layer, Preset

_WORDS = {  # what else people call these
    "Dense": "linear fully connected mlp", "Conv": "cnn filter", "ConvTranspose": "deconvolution upsample",
    "ConvLocal": "locally connected", "Branch": "residual skip resnet parallel concat product add",
    "SelfAttention": "transformer head query key", "ImageResize": "upsample interpolate", "Index": "crop subsample",
    "DotGeneral": "matmul einsum", "Aggregate": "graph gnn adjacency", "GlobalAvgPool": "gap mean",
    "Elementwise": "pytorch functional hardswish hardtanh relu6 softsign celu own", "Elu": "exponential linear unit",
    "Selu": "self-normalising exponential linear unit",
    "Numerical": "sigmoid swish silu softplus mish tanh", "Sigmoid_like": "logistic", "Gelu": "gaussian error",
    "Dropout": "regularisation", "LayerNorm": "normalisation", "Flatten": "vectorise reshape",
}  # fmt: skip
_MENU: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (("add", "Add a layer after it…", "Ins"), ("duplicate", "Duplicate", "Ctrl+Shift+D"), ("remove", "Remove", "Del")),
    (("up", "Move towards the input", "Alt+Up"), ("down", "Move towards the output", "Alt+Down"),
     ("in", "Move into the block beside it", "Alt+Right"), ("out", "Move out of the block", "Alt+Left")),
    (("wrap", "Put into a residual block", ""), ("unwrap", "Dissolve the block", "")),
    (("formula", "Formula and kernel", "F1"),),
)  # fmt: skip


class LayerPicker(QObject):
    """Layer types by group; ``chosen(name)`` is that of the type that was picked."""

    chosen = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self.list = Picker("Search layers", parent)
        self.list.picked.connect(self.chosen)

    def offer(self, under: QWidget) -> None:
        """Show what may be added where the workbench says."""
        bench = self._bench
        shape = shape_text(shape_before(bench.sketch, bench.place_to_add()))
        rows = [_layer_row(offer, shape) for offer in bench.offers()]
        self.list.show_rows(rows, title=f"Add {bench.place_words()} · {shape}")
        self.list.pop_up(under)


def _layer_row(offer: Offer, shape: str) -> PickerRow:
    row = offer.row
    note = f"not on {shape}" if offer.refusal else "breaks what follows" if offer.warning else ""
    about = "" if offer.layer is None else _about(offer.layer, offer.warning)
    return PickerRow(
        row.name, row.title, row.group, note, about, f"layers/{row.name}", group_colour(row.group), offer.refusal,
        _WORDS.get(row.name, ""),
    )  # fmt: skip


def _about(layer: Layer, warning: str) -> str:
    card = layer_card(layer)
    first, *_ = card.text.split(". ")
    return f"{maths(card.formula)}<br>{escape(warning or first.rstrip('.'))}"


class PresetPicker(QObject):
    """Networks to begin with; ``chosen(id)`` is that of the preset that was picked."""

    chosen = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self.list = Picker("Search networks", parent)
        self.list.picked.connect(self.chosen)

    def offer(self, under: QWidget) -> None:
        """Show all presets."""
        self.list.show_rows([self._row(preset) for preset in PRESETS], title="Begin with another network")
        self.list.pop_up(under)

    def _row(self, preset: Preset) -> PickerRow:
        icon = _preset_icon(preset)
        group = "On vectors" if "vector" in preset.kinds else "On images and sequences"
        try:
            made = self._bench.fitted(preset)
        except SpecError as error:
            return PickerRow(preset.id, preset.title, group, "not on this data", icon=icon, refusal=str(error))
        note = f"{made.input.kind} {shape_text(made.input.shape)}"
        return PickerRow(
            preset.id, preset.title, group, note, escape(preset.help), icon, group_colour("Weights"),
            words=" ".join(preset.kinds),
        )  # fmt: skip


def _preset_icon(preset: Preset) -> str:
    """The glyph of the most telling layer of a preset."""
    shape = (8,) if "vector" in preset.kinds else (8, 8, 1)
    layers = preset.layers(shape, 1)
    inner = [part for layer in layers if isinstance(layer, Branch) for branch in layer.branches for part in branch]
    names = {type(layer).__name__ for layer in (*layers, *inner)}
    return next(f"layers/{name}" for name in ("SelfAttention", "Branch", "Conv", "Dense") if name in names)


def line_menu(
    parent: QWidget, line: Line | None, bench: Workbench, actions: dict[str, Callable[[], None]]
) -> QMenu:  # fmt: skip
    """What can be done with ``line``; ``actions`` does it."""
    menu = QMenu(parent)
    for group in _MENU:
        menu.addSeparator()
        for name, title, key in group:
            if _offered(name, line):
                action = menu.addAction(title, actions[name])
                action.setObjectName(f"line-{name}")
                action.setEnabled(name not in ("up", "down", "in", "out") or bench.can_step(name))
                if key:
                    action.setShortcut(QKeySequence(key))
    return menu


def _offered(name: str, line: Line | None) -> bool:
    if name in ("add", "formula"):
        return True
    if line is None or not line.movable:
        return False
    if name == "out":
        return line.depth > 0 or len(line.target) > 1
    return isinstance(line.layer, Branch) == (name == "unwrap") if name in ("wrap", "unwrap") else True
