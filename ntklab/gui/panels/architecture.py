"""The network: width dial, diagram, layers, and the fields of the layer that is chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.diagram import Diagram
from ntklab.gui.panels.layer_editor import LayerEditor
from ntklab.gui.panels.layer_list import LayerList
from ntklab.gui.panels.layer_menu import LayerPicker, PresetPicker, line_menu
from ntklab.gui.panels.outline import Line, parameterisations, widths
from ntklab.gui.panels.own_network import OwnNetworkPanel, ParametersRow
from ntklab.gui.panels.problem import ProblemBox
from ntklab.gui.panels.watching import watch
from ntklab.gui.panels.words import PARAMETERISATION_TITLES
from ntklab.gui.panels.workbench import Workbench
from ntklab.gui.widgets import Choice, IconButton, LogDial, Segments
from ntklab.gui.widgets.numbers import integer
from ntklab.session import Session, edits
from ntklab.session.sketches import Path
from ntklab.spec import PRESETS

_WIDTH_HELP = (
    "Width of all hidden layers. Drag it and the finite kernel is computed again at every width; hold ∞ to look at "
    "the infinite-width kernel"
)
_PARAM_HELP = (
    "ntk: unit-variance weights times W_std/√fan_in, so the kernel has a limit. "
    "standard: that factor in the variance of the weights, so the kernel grows with the width. "
    "µP: as ntk, with the read-out divided by another √fan_in, so that features move"
)


class ArchitecturePanel(QWidget):
    """Edits ``experiment.architecture``.

    ``width_dragged(int)`` follows the dial without touching the document; ``infinity(bool)`` says that it is held on ∞.
    ``model_requested`` asks the window for a Python file, ``parameters_requested`` for a checkpoint.
    """

    width_dragged = Signal(int)
    infinity = Signal(bool)
    model_requested = Signal()
    parameters_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.bench = Workbench(session)
        self._drag = 0
        self.setObjectName("architecture-panel")
        self.dial = LogDial("Width", tooltip=_WIDTH_HELP)
        self.diagram = Diagram()
        self.param = Choice([(name, title, "") for name, title in PARAMETERISATION_TITLES.items()])
        self.layers = LayerList()
        self.problem = ProblemBox()
        self.editor = LayerEditor(self.bench)
        self.total = QLabel()
        self.total.setObjectName("total")
        self.total.setProperty("role", "muted")
        self.kind = Segments((("described", "Described", ""), ("own", "My model…", "")), "Network")
        self.kind.setToolTip("The network described here, or your own from a Python file")
        self.own = OwnNetworkPanel(session)
        self.parameters = ParametersRow(session)
        self.described = QWidget()
        self._make_buttons()
        self._lay_out()
        self._connect()
        watch(self, session, experiment=self.refresh, sketch=self.refresh)
        self.refresh()

    def _make_buttons(self) -> None:
        self.add = IconButton(
            "add", "Add a layer after the chosen one (Insert)", title="Layer", object_name="add-layer"
        )
        self.picker = LayerPicker(self.bench, self)
        self.up = IconButton("up", "Move the layer towards the input (Alt+Up)", object_name="move-up")
        self.down = IconButton("down", "Move the layer towards the output (Alt+Down)", object_name="move-down")
        self.remove = IconButton("remove", "Remove the layer (Del)", object_name="remove-layer")
        self.presets = IconButton("layers", "Begin with another network", title="Presets", object_name="presets")
        self.preset_picker = PresetPicker(self.bench, self)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(0)
        for button in (self.add, self.up, self.down, self.remove):
            tools.addWidget(button)
        tools.addStretch(1)
        tools.addWidget(self.presets)
        param = QHBoxLayout()
        label = QLabel("Parameterisation")
        label.setBuddy(self.param)
        for widget in (label, self.param):
            widget.setToolTip(_PARAM_HELP)
        self.param.setObjectName("parameterisation")
        self.param.setAccessibleName("Parameterisation of all layers with weights")
        param.addWidget(label)
        param.addWidget(self.param, 1)
        inside = QVBoxLayout(self.described)
        inside.addWidget(self.dial)
        inside.addWidget(self.diagram)
        inside.addLayout(param)
        inside.addLayout(tools)
        for part in (self.layers, self.problem, self.total, self.editor):
            inside.addWidget(part)
        layout = QVBoxLayout(self)
        kind = QHBoxLayout()
        kind.addWidget(QLabel("Network"))
        kind.addWidget(self.kind, 1)
        layout.addLayout(kind)
        for whole in (self.own, self.parameters, self.described):
            layout.addWidget(whole)
        for each in (layout, inside):
            each.setContentsMargins(0, 0, 0, 0)
            each.setSpacing(8)

    def _connect(self) -> None:
        self.kind.chosen.connect(self._choose_kind)
        self.own.file_requested.connect(self.model_requested)
        self.parameters.load_requested.connect(self.parameters_requested)
        self.dial.moved.connect(self.width_dragged)
        self.dial.infinity.connect(self.infinity)
        self.dial.committed.connect(self._set_width)
        self.dial.slider.sliderPressed.connect(self._new_step)
        self.dial.edit.editingFinished.connect(self._new_step)
        self.param.committed.connect(self._set_parameterisation)
        self.diagram.picked.connect(self.select)
        self.add.clicked.connect(self._offer_layers)
        self.picker.chosen.connect(self.add_layer)
        self.presets.clicked.connect(self._offer_presets)
        self.preset_picker.chosen.connect(self.use_preset)
        self.up.clicked.connect(self._move_up)
        self.down.clicked.connect(self._move_down)
        self.remove.clicked.connect(self.remove_layer)
        self.problem.revert_requested.connect(self._revert)
        self._connect_list()

    def _connect_list(self) -> None:
        layers = self.layers
        layers.chosen.connect(self.select)
        layers.remove_requested.connect(self.remove_layer)
        layers.duplicate_requested.connect(self.duplicate_layer)
        layers.step_requested.connect(self.move_layer)
        layers.add_requested.connect(self._offer_layers)
        layers.dropped.connect(self._dropped)
        layers.fold_requested.connect(self._fold)
        layers.menu_requested.connect(self._show_menu)
        layers.edit_requested.connect(self.editor.focus_first)
        layers.help_requested.connect(self.editor.toggle_card)

    @property
    def selected(self) -> Line | None:
        """The chosen line."""
        return self.bench.line(self.layers.lines.lines)

    @Slot()
    def refresh(self) -> None:
        """Show the document."""
        own = self._session.experiment.model is not None
        self.kind.check("own" if own else "described")
        self.own.setVisible(own)
        self.described.setVisible(not own)
        if not own:
            self._show_described()

    def _show_described(self) -> None:
        problem = self.bench.problem()
        lines = self.bench.lines()
        chosen = self.bench.line(lines)
        self.problem.show_problem(problem, lines)
        self.layers.show_lines(lines, None if chosen is None else chosen.path)
        marked = None if chosen is None else chosen.target
        self.diagram.show_network(self.bench.sketch, marked, fault=None if problem is None else problem.path)
        self.editor.show_line(chosen)
        self._show_dial()
        params = parameterisations(self.bench.sketch)
        self.param.show_value(next(iter(params)) if len(params) == 1 else None)
        self._show_total(lines)
        self._show_buttons(chosen)

    def _show_total(self, lines: tuple[Line, ...]) -> None:
        outer = [line for line in lines if line.kind in ("layer", "readout") and line.depth == 0]
        count, parameters = len(outer), sum(line.parameters for line in outer)
        unknown = any(line.shape is None for line in outer)
        size = "does not fit yet" if unknown else f"{integer(parameters)} parameters"
        self.total.setText(f"{count} layer{'s' * (count != 1)} · {size}")

    def _show_dial(self) -> None:
        found = widths(self._session.experiment.architecture)
        drawn = self._session.experiment.checkpoint is None  # parameters of a file have one width
        self.dial.setEnabled(bool(found) and drawn and self._session.sketch is None)
        if found:
            self.dial.show_value(found[0], note="" if len(set(found)) == 1 else " (first of several)")

    def _show_buttons(self, line: Line | None) -> None:
        movable = line is not None and line.movable
        self.remove.setEnabled(movable)
        self.up.setEnabled(movable and self.bench.can_step("up"))
        self.down.setEnabled(movable and self.bench.can_step("down"))

    @Slot(str)
    def _choose_kind(self, kind: str) -> None:
        """Back to the described network; to the user's own by choosing its file, whose question may be answered no."""
        experiment = self._session.experiment
        if kind == "own":
            self.refresh()
            self.model_requested.emit()
        elif experiment.model is not None:
            self._session.edit(edits.use_model(experiment, None), "the described network")

    @Slot(object)
    def select(self, path: Path) -> None:
        """Choose the line at ``path``."""
        self.bench.choose(path)
        self.refresh()

    @Slot(int)
    def _set_width(self, width: int) -> None:
        try:
            experiment = edits.set_width(self._session.experiment, width)
        except SpecError as error:
            self.dial.refuse(str(error))
            return
        self._session.edit(experiment, f"width {width}", merge=f"{id(self)}.width.{self._drag}")
        self._show_dial()

    @Slot()
    def _new_step(self) -> None:
        self._drag += 1

    @Slot(object)
    def _set_parameterisation(self, param: str) -> None:
        self._try(lambda: self.bench.set_parameterisation(param))

    @Slot(str)
    def add_layer(self, name: str) -> None:
        """Put a new layer of type ``name`` after the chosen one, or before the read-out, and choose it."""
        self._try(lambda: self.bench.add(name))

    @Slot()
    def remove_layer(self) -> None:
        """Take the chosen layer out."""
        self._try(self.bench.remove)

    @Slot()
    def duplicate_layer(self) -> None:
        """Put another layer like the chosen one behind it."""
        self._try(self.bench.duplicate)

    @Slot(str)
    def move_layer(self, direction: str) -> None:
        """Move the chosen layer "up", "down", "in" or "out"."""
        self._try(lambda: self.bench.step(direction))

    @Slot()
    def _move_up(self) -> None:
        self.move_layer("up")

    @Slot()
    def _move_down(self) -> None:
        self.move_layer("down")

    @Slot(object, object)
    def _dropped(self, source: Path, target: Path) -> None:
        self._try(lambda: self.bench.move(source, target))

    @Slot(str)
    def use_preset(self, preset_id: str) -> None:
        """Put a preset, fitted to the data, in place of the network."""
        preset = next(preset for preset in PRESETS if preset.id == preset_id)
        self._try(lambda: self.bench.use_preset(preset))

    @Slot(object)
    def _fold(self, path: Path) -> None:
        self.bench.toggle(path)
        self.refresh()

    @Slot()
    def _revert(self) -> None:
        self._try(self.bench.revert)

    @Slot()
    def _offer_layers(self) -> None:
        self.picker.offer(self.add)

    @Slot()
    def _offer_presets(self) -> None:
        self.preset_picker.offer(self.presets)

    @Slot(object, QPoint)
    def _show_menu(self, path: Path, position: QPoint) -> None:
        self.select(path)
        self.menu(self.layers).popup(position)

    def menu(self, parent: QWidget) -> QMenu:
        """What can be done with the chosen line."""
        menu = line_menu(parent, self.selected, self.bench, {
            "add": self._offer_layers, "duplicate": self.duplicate_layer, "remove": self.remove_layer,
            "wrap": lambda: self._try(self.bench.wrap), "unwrap": lambda: self._try(self.bench.unwrap),
            "formula": self.editor.toggle_card, **{way: self._stepper(way) for way in ("up", "down", "in", "out")},
        })  # fmt: skip
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _stepper(self, direction: str) -> Callable[[], None]:
        return lambda: self.move_layer(direction)

    def _try(self, edit: Callable[[], None]) -> None:
        """Do ``edit`` and show the document, or why it cannot be done."""
        try:
            edit()
        except SpecError as error:
            self.problem.say(str(error))
            return
        self.refresh()
