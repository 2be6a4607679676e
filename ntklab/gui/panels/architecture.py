"""The network: width dial, diagram, layers, and the fields of the layer that is chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ntklab.errors import SpecError
from ntklab.gui.panels.diagram import Diagram
from ntklab.gui.panels.layer_editor import LayerEditor
from ntklab.gui.panels.layer_list import LayerList
from ntklab.gui.panels.layer_menu import layer_menu, preset_menu
from ntklab.gui.panels.outline import Line, dense_widths, outline, parameterisations
from ntklab.gui.panels.presets import PRESETS
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import Choice, IconButton, InlineError, LogDial
from ntklab.gui.widgets.numbers import integer
from ntklab.session import Session, edits
from ntklab.spec import Experiment, output_shape, parameter_count

Path = tuple[int, ...]
_WIDTH_HELP = (
    "Width of all hidden layers. Drag it and the finite kernel is computed again at every width; hold ∞ to look at "
    "the infinite-width kernel"
)
_PARAM_HELP = (
    "ntk: unit-variance weights times W_std/√fan_in, so the kernel has a limit. "
    "standard: that factor in the variance of the weights, so the kernel grows with the width"
)


class ArchitecturePanel(QWidget):
    """Edits ``experiment.architecture``.

    ``width_dragged(int)`` follows the dial without touching the document; ``infinity(bool)`` says that it is held on ∞.
    """

    width_dragged = Signal(int)
    infinity = Signal(bool)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._selected: Path | None = (0,)
        self._drag = 0
        self.setObjectName("architecture-panel")
        self.dial = LogDial("Width", tooltip=_WIDTH_HELP)
        self.diagram = Diagram()
        self.param = Choice([("ntk", "NTK", ""), ("standard", "standard", "")])
        self.layers = LayerList()
        self.error = InlineError()
        self.editor = LayerEditor(session)
        self.total = QLabel()
        self.total.setObjectName("total")
        self.total.setProperty("role", "muted")
        self._make_buttons()
        self._lay_out()
        self._connect()
        watch(self, session, experiment=self.refresh)
        self.refresh()

    def _make_buttons(self) -> None:
        self.add = IconButton(
            "add", "Add a layer after the chosen one (Insert)", title="Layer", object_name="add-layer"
        )
        self.add.setMenu(layer_menu(self, self.add_layer))
        self.add.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.up = IconButton("up", "Move the layer towards the input (Alt+Up)", object_name="move-up")
        self.down = IconButton("down", "Move the layer towards the output (Alt+Down)", object_name="move-down")
        self.remove = IconButton("remove", "Remove the layer (Del)", object_name="remove-layer")
        self.presets = IconButton("layers", "Begin with another network", title="Presets", object_name="presets")
        self.presets.setMenu(preset_menu(self, self.use_preset))
        self.presets.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)

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
        self.param.setAccessibleName("Parameterisation of all dense layers")
        param.addWidget(label)
        param.addWidget(self.param, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.dial)
        layout.addWidget(self.diagram)
        layout.addLayout(param)
        layout.addLayout(tools)
        layout.addWidget(self.layers)
        layout.addWidget(self.error)
        layout.addWidget(self.total)
        layout.addWidget(self.editor)

    def _connect(self) -> None:
        self.dial.moved.connect(self.width_dragged)
        self.dial.infinity.connect(self.infinity)
        self.dial.committed.connect(self._set_width)
        self.dial.slider.sliderPressed.connect(self._new_step)
        self.dial.edit.editingFinished.connect(self._new_step)
        self.param.committed.connect(self._set_parameterisation)
        self.diagram.picked.connect(self.select)
        self.layers.chosen.connect(self.select)
        self.layers.remove_requested.connect(self.remove_layer)
        self.layers.move_requested.connect(self.move_layer)
        self.layers.add_requested.connect(self.add.showMenu)
        self.layers.lines.dropped.connect(self._dropped)
        self.up.clicked.connect(self._move_up)
        self.down.clicked.connect(self._move_down)
        self.remove.clicked.connect(self.remove_layer)

    @property
    def selected(self) -> Line | None:
        """The line of the chosen layer."""
        found = [line for line in self.layers.lines.lines if line.path == self._selected]
        return found[0] if found and found[0].layer is not None else None

    def refresh(self) -> None:
        """Show the document."""
        architecture = self._session.experiment.architecture
        self.error.say("")
        self.layers.show_lines(outline(architecture), self._selected)
        self.diagram.show_architecture(architecture, self._selected)
        self.editor.show_line(self.selected)
        self._show_dial(dense_widths(architecture))
        params = parameterisations(architecture)
        self.param.show_value(next(iter(params)) if len(params) == 1 else None)
        count = len(architecture.layers)
        self.total.setText(f"{count} layer{'s' * (count != 1)} · {integer(parameter_count(architecture))} parameters")
        self._show_buttons()

    def _show_dial(self, widths: tuple[int, ...]) -> None:
        self.dial.setEnabled(bool(widths))
        if widths:
            self.dial.show_value(widths[0], note="" if len(set(widths)) == 1 else " of the first of several")

    def _show_buttons(self) -> None:
        line = self.selected
        movable = line is not None and not line.readout
        for button in (self.up, self.down, self.remove):
            button.setEnabled(movable)

    @Slot(object)
    def select(self, path: Path) -> None:
        """Choose the layer at ``path``."""
        self._selected = path
        self.refresh()

    @Slot(int)
    def _set_width(self, width: int) -> None:
        try:
            experiment = edits.set_width(self._session.experiment, width)
        except SpecError as error:
            self.dial.refuse(str(error))
            return
        self._session.edit(experiment, f"width {width}", merge=f"{id(self)}.width.{self._drag}")
        self._show_dial(dense_widths(self._session.experiment.architecture))

    @Slot()
    def _new_step(self) -> None:
        self._drag += 1

    @Slot(object)
    def _set_parameterisation(self, param: str) -> None:
        self._edit(lambda e: edits.set_parameterisation(e, param), f"{param} parameterisation")
        self.refresh()

    def add_layer(self, name: str) -> None:
        """Put a new layer of type ``name`` after the chosen one, or before the read-out, and choose it."""
        line = self.selected
        last = self._session.experiment.architecture.readout_index
        end = len(self._session.experiment.architecture.layers) if last is None else last
        path = (end,) if line is None or line.readout else (*line.path[:-1], line.path[-1] + 1)
        self._edit(lambda e: edits.add_layer(e, path, name), f"add {name}", then=path)

    @Slot()
    def remove_layer(self) -> None:
        """Take the chosen layer out."""
        line = self.selected
        if line is not None:
            self._edit(
                lambda e: edits.remove_layer(e, line.path), f"remove {line.title}", then=self._after_removal(line)
            )

    def _after_removal(self, line: Line) -> Path:
        """The layer to choose when ``line`` goes: the next one moves up; the one before if that is the read-out."""
        stack = [other for other in self.layers.lines.lines if other.path[:-1] == line.path[:-1] and other.layer]
        following = [other for other in stack if other.path[-1] > line.path[-1] and not other.readout]
        return line.path if following else (*line.path[:-1], max(line.path[-1] - 1, 0))

    @Slot(int)
    def move_layer(self, by: int) -> None:
        """Move the chosen layer by one place."""
        line = self.selected
        if line is None or line.path[-1] + by < 0:
            return
        target = (*line.path[:-1], line.path[-1] + by)
        if any(other.path == target and not other.readout for other in self.layers.lines.lines) or line.readout:
            self._edit(lambda e: edits.move_layer(e, line.path, target), f"move {line.title}", then=target)

    @Slot()
    def _move_up(self) -> None:
        self.move_layer(-1)

    @Slot()
    def _move_down(self) -> None:
        self.move_layer(1)

    @Slot(object, object)
    def _dropped(self, source: Path, target: Path) -> None:
        self._edit(lambda e: edits.move_layer(e, source, target), "move layer", then=target)

    def use_preset(self, preset_id: str) -> None:
        """Put a preset, fitted to the data, in place of the network."""
        preset = next(preset for preset in PRESETS if preset.id == preset_id)

        def change(experiment: Experiment) -> Experiment:
            features, outputs = experiment.architecture.input.shape[-1], output_shape(experiment.architecture)[-1]
            return experiment.replace(architecture=preset.architecture(features, outputs))  # type: ignore[no-any-return]

        self._edit(change, preset.title, then=(0,))

    def _edit(self, change: Callable[[Experiment], Experiment], label: str, *, then: Path | None = None) -> None:
        try:
            experiment = change(self._session.experiment)
        except SpecError as error:
            self.error.say(str(error))
            return
        self.error.say("")
        if then is not None:
            self._selected = then
        self._session.edit(experiment, label)
