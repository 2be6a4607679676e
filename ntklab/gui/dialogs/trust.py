"""May this Python file run? What it is, what it says, and which of its functions makes the network."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ntklab.gui.panels.editors import show_list
from ntklab.gui.panels.own_network import in_a_row, parse_shape
from ntklab.gui.widgets import Choice, ElidedLabel, InlineError, ValueEdit
from ntklab.session.model_files import Source
from ntklab.spec import ModelFile

_WARNING = (
    "It will run with your rights: it can read, change and delete files. Trust it if you wrote it or have read it. "
    "If it changes, you are asked again."
)
_CHANGED = "This file has changed since you trusted it. "


class TrustDialog(QDialog):
    """Shows ``source``; accepted when the user trusts it. ``features`` is how many numbers a sample has."""

    def __init__(
        self, source: Source, features: int, *, model: ModelFile | None = None, changed: bool = False,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.source = source
        self.setObjectName("trust")
        self.setWindowTitle("Run your network")
        title = QLabel(f"Run {source.path.name}?")
        title.setProperty("role", "title")
        warning = QLabel((_CHANGED if changed else "") + _WARNING, wordWrap=True)
        warning.setObjectName("warning")
        self.function = Choice([(f.name, f"{f.name}()", f.about or f"line {f.line}") for f in source.functions])
        self.function.setObjectName("function")
        self.input = ValueEdit(lambda text: parse_shape(text, features), show_list, none=in_a_row(features))
        self.input.setObjectName("model-input")
        self.input.setToolTip("As the network takes it, without the batch axis, such as 1, 8, 8 for a picture")
        self.problem = InlineError()
        self.trust = QPushButton("Trust this file")
        self.trust.setObjectName("trust-file")
        self.refuse = QPushButton("Don't")
        self.refuse.setObjectName("do-not-trust")
        self._lay_out(title, warning)
        self._show(source, model)
        self.input.problem.connect(self.problem.say)
        self.input.committed.connect(self._show_input)
        self.trust.clicked.connect(self._accept)
        self.refuse.clicked.connect(self.reject)
        self.resize(92 * self.fontMetrics().averageCharWidth(), 34 * self.fontMetrics().height())

    def _lay_out(self, title: QLabel, warning: QLabel) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(warning)
        facts = QFormLayout()
        facts.addRow("File", _fact(str(self.source.path), "path"))
        facts.addRow("SHA-256", _fact(self.source.sha256, "sha256", fixed=True))
        layout.addLayout(facts)
        layout.addWidget(_listing(self.source.text), 1)
        choices = QFormLayout()
        choices.addRow("&Function that makes the network", self.function)
        choices.addRow("&Shape of a sample", self.input)
        layout.addLayout(choices)
        layout.addWidget(self.problem)
        buttons = QDialogButtonBox()
        buttons.addButton(self.trust, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.refuse, QDialogButtonBox.ButtonRole.RejectRole)
        layout.addWidget(buttons)
        self.refuse.setDefault(True)
        self.refuse.setFocus()

    def _show(self, source: Source, model: ModelFile | None) -> None:
        self.input.show_value(None if model is None else model.input)
        names = [function.name for function in source.functions]
        wanted = None if model is None else model.function
        if names:
            self.function.show_value(wanted if wanted in names else _likeliest(names))
        self.trust.setEnabled(bool(names))
        if source.fault:
            self.problem.say(f"This is not Python: {source.fault}")
        elif not names:
            self.problem.say("It has no function without arguments; write one that returns a torch.nn.Module")

    def model(self) -> ModelFile:
        """What the user has chosen."""
        return ModelFile(str(self.source.path), self.function.value, self.source.sha256, self.input.value)

    @Slot()
    def _accept(self) -> None:
        self.input.commit()
        if self.input.pending:
            self.problem.say(self.problem.text() or "The shape of a sample does not fit the data")
        else:
            self.accept()

    @Slot(object)
    def _show_input(self, shape: tuple[int, ...] | None) -> None:
        self.input.show_value(shape)
        self.problem.say("")


def _likeliest(names: list[str]) -> str:
    """The function that is called like one that makes a network, else the last."""
    words = ("network", "model", "net", "make", "build", "create", "get")
    return next((name for word in words for name in names if word in name.lower()), names[-1])


def _fact(text: str, name: str, *, fixed: bool = False) -> QLabel:
    label = ElidedLabel(text, mode=Qt.TextElideMode.ElideMiddle)
    label.setObjectName(name)
    label.setToolTip(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    if fixed:
        label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return label


def _listing(text: str) -> QPlainTextEdit:
    """The whole file, from its first line."""
    listing = QPlainTextEdit(text, readOnly=True)
    listing.setObjectName("listing")
    listing.setAccessibleName("The file")
    listing.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    listing.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    listing.setFrameShape(QFrame.Shape.StyledPanel)
    return listing
