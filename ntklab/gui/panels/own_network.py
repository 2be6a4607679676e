"""The user's own network in the place of the one described: its file, what came of it, and its parameters."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ntklab.errors import FileError, SpecError
from ntklab.gui.panels.editors import parse_list, show_list
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import Choice, ElidedLabel, IconButton, InlineError, ValueEdit, clear
from ntklab.gui.widgets.numbers import integer
from ntklab.progress import LayerForecast
from ntklab.results import Network
from ntklab.session import Session, edits
from ntklab.session.model_files import read_source
from ntklab.spec import Experiment, ModelFile, ModelObject

MOST_LAYERS = 200  # rows; the report has them all


class OwnNetworkPanel(QWidget):
    """Edits ``experiment.model``. ``file_requested`` asks the window for a Python file."""

    file_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._listed: tuple[str, str] = ("", "")
        self._layers_shown: object = None
        self.setObjectName("own-network")
        self.path = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.path.setObjectName("model-path")
        self.path.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.choose = IconButton("open", "Choose another Python file", object_name="choose-model")
        self.function = Choice()
        self.function.setObjectName("model-function")
        self.input = ValueEdit(self._parse, show_list, none="features in a row")
        self.input.setObjectName("model-shape")
        self.input.setToolTip(
            "Shape of one sample as your network takes it, without the batch axis: 1, 8, 8 for digits as pictures. "
            "Leave empty for all features in a row"
        )
        self.problem = InlineError()
        self.facts = QLabel(wordWrap=True)
        self.facts.setObjectName("model-facts")
        self.why = QLabel(wordWrap=True)
        self.why.setObjectName("model-limit")
        self.why.setProperty("role", "muted")
        self.layers = QWidget()
        self.layers.setObjectName("model-layers")
        self._rows = QGridLayout(self.layers)
        self._lay_out()
        self.choose.clicked.connect(self.file_requested)
        self.function.committed.connect(self._choose_function)
        self.input.committed.connect(self._set_input)
        self.input.problem.connect(self.problem.say)
        watch(self, session, experiment=self.refresh, results=self._show_results)
        self.refresh()

    def _lay_out(self) -> None:
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(3)
        self._rows.setColumnStretch(1, 1)
        file = QHBoxLayout()
        file.setSpacing(6)
        file.addWidget(self.path, 1)
        file.addWidget(self.choose)
        form = QGridLayout()
        form.setVerticalSpacing(6)
        form.setColumnStretch(1, 1)
        for row, (title, widget) in enumerate((("Function", self.function), ("Sample shape", self.input))):
            label = QLabel(title)
            label.setBuddy(widget)
            label.setToolTip(widget.toolTip())
            widget.setAccessibleName(title)
            form.addWidget(label, row, 0)
            form.addWidget(widget, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(file)
        layout.addLayout(form)
        for part in (self.problem, self.facts, self.why, self.layers):
            layout.addWidget(part)

    @Slot()
    def refresh(self) -> None:
        """Show the document."""
        model = self._session.experiment.model
        if model is None:
            return
        self.problem.say("")
        self.input.show_value(model.input)
        self.input.setPlaceholderText(in_a_row(features_of(self._session.experiment)))
        if isinstance(model, ModelFile):
            self.path.say(model.path)
            self._list_functions(model)
        else:
            self.path.say(f"{model.name}, handed over by a program")
            self.function.set_rows([(model.name, model.name.rpartition(":")[2], "")])
            self.function.show_value(model.name)
        self.function.setEnabled(self.function.count() > 1)
        self._show_results()

    def _list_functions(self, model: ModelFile) -> None:
        """Read off the file when it is another than before; it may be gone."""
        if self._listed != (model.path, model.sha256):
            self._listed = (model.path, model.sha256)
            try:
                found = read_source(model.path).functions
            except FileError:
                found = ()
            rows = {function.name: function.about or f"line {function.line}" for function in found}
            rows.setdefault(model.function, "")
            self.function.set_rows([(name, f"{name}()", about) for name, about in rows.items()])
        self.function.show_value(model.function)

    @Slot()
    def _show_results(self) -> None:
        results = self._session.results
        network = None if "network" in results.outdated else results.network
        absence = None if "absence" in results.outdated else results.absence
        own = self._session.experiment.model is not None
        self.facts.setText(facts(network) if network is not None else "Counted when it is first computed")
        self.facts.setProperty("role", "" if network is not None else "muted")
        self.why.setText("" if absence is None else f"{absence.reason[:1].upper()}{absence.reason[1:]}")
        self.why.setVisible(own and absence is not None)
        self._show_layers(() if network is None else network.layers)

    def _show_layers(self, layers: tuple[LayerForecast, ...]) -> None:
        if layers == self._layers_shown:
            return
        self._layers_shown = layers
        clear(self._rows)
        for row, layer in enumerate(layers[:MOST_LAYERS]):
            name, count, rule = ElidedLabel(layer.name or "the module"), QLabel(), ElidedLabel(layer.rule)
            count.setText(integer(layer.parameters) if layer.parameters else "")
            rule.setProperty("role", "warning" if layer.why else "muted")
            for label in (name, count, rule):
                label.setToolTip(f"{layer.name}: {layer.rule}" + (f"; {layer.why}" if layer.why else ""))
            count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, label in enumerate((name, rule, count)):
                self._rows.addWidget(label, row, column)
        self.layers.setVisible(bool(layers))

    def _parse(self, text: str) -> tuple[int, ...]:
        return parse_shape(text, features_of(self._session.experiment))

    @Slot(object)
    def _choose_function(self, name: str) -> None:
        model = self._session.experiment.model
        if isinstance(model, ModelFile) and name != model.function:
            experiment = edits.use_model(self._session.experiment, model.replace(function=name))
            self._session.edit(experiment, f"use {name}()")

    @Slot(object)
    def _set_input(self, shape: tuple[int, ...] | None) -> None:
        try:
            experiment = edits.set_model_input(self._session.experiment, shape)
        except SpecError as error:
            self.input.reject()
            self.problem.say(str(error))
            return
        self._session.edit(experiment, f"samples of shape {show_list(shape) if shape else 'features'}")
        self.refresh()


class ParametersRow(QWidget):
    """Where the parameters come from, for either network. ``load_requested`` asks the window for a checkpoint."""

    load_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("parameters-row")
        self.label = ElidedLabel()
        self.label.setObjectName("parameters-from")
        self.load = IconButton(
            "open", "Take the parameters from a .pt, .pth or .safetensors file", object_name="load-parameters"
        )
        self.forget = IconButton("close", "Take the parameters as they are drawn again", object_name="drop-parameters")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.load)
        layout.addWidget(self.forget)
        self.load.clicked.connect(self.load_requested)
        self.forget.clicked.connect(self._forget)
        watch(self, session, experiment=self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the document."""
        experiment = self._session.experiment
        self.label.say(parameters_words(experiment))
        checkpoint = experiment.checkpoint
        self.label.setToolTip("" if checkpoint is None else f"{checkpoint.path}\nsha256 {checkpoint.sha256}")
        self.forget.setVisible(checkpoint is not None)

    @Slot()
    def _forget(self) -> None:
        self._session.edit(edits.use_checkpoint(self._session.experiment, None), "parameters as drawn")


def parameters_words(experiment: Experiment) -> str:
    """Where the parameters come from, in a few words."""
    if experiment.checkpoint is not None:
        return f"Parameters from {Path(experiment.checkpoint.path).name}"
    if experiment.model is None:
        return f"Parameters drawn with seed {experiment.kernel.seed}"
    handed = isinstance(experiment.model, ModelObject)
    return "Parameters as they were handed over" if handed else f"Parameters as made, seed {experiment.kernel.seed}"


def facts(network: Network) -> str:
    """What a network is, in a line."""
    frozen = network.parameters - network.trained
    parts = [
        f"{integer(network.parameters)} parameters" + (f", {integer(frozen)} of them frozen" if frozen else ""),
        f"{network.outputs} output{'s' * (network.outputs != 1)}",
        network.route,
    ]
    return " · ".join(part for part in parts if part)


def features_of(experiment: Experiment) -> int:
    """How many numbers a sample has, as far as the document says."""
    return prod(experiment.architecture.input.shape)


def in_a_row(features: int) -> str:
    """What no shape means."""
    return f"{features}, as a vector"


def parse_shape(text: str, features: int) -> tuple[int, ...]:
    """The sizes of a sample. Raises ``ValueError`` with the remedy."""
    sizes: tuple[Any, ...] = parse_list(text.replace("×", " ").replace("x", " "), integer=True)
    if not 1 <= len(sizes) <= 4 or min(sizes) < 1:
        raise ValueError("expected one to four sizes of at least 1, such as 1, 8, 8")
    if prod(sizes) != features:
        raise ValueError(f"a sample has {features} numbers, this shape {prod(sizes)}; give sizes that multiply to that")
    return sizes
