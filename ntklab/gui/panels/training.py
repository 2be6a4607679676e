"""How the network is trained: steps, rate, momentum, batches, loss."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels import readings
from ntklab.gui.panels.fields import FieldForm, committer
from ntklab.gui.panels.seeds import add_dice
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import maths, restyle
from ntklab.gui.widgets.numbers import number
from ntklab.session import Session, edits
from ntklab.spec import Training, field_rows

_ROWS = field_rows(Training)
LOSSES = {
    "half_mse": "L = ^1⁄_{2N} Σ_{i,c} (f_{i,c} − y_{i,c})²",
    "torch_mse": "L = ^1⁄_{Nk} Σ_{i,c} (f_{i,c} − y_{i,c})²",
}


class TrainingPanel(QWidget):
    """Edits ``experiment.training`` and says what its learning rate is, and is against the largest stable one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._critical: float | None = None
        self._estimated = False
        self.setObjectName("training-panel")
        self.form = FieldForm(_ROWS, committer(session, edits.set_training, _ROWS))
        self.form.editors["critical_share"].label.setText("Share of critical")
        self.form.editors["learning_rate"].input.setPlaceholderText("share of critical")
        add_dice(self.form.editors["seed"], "Other minibatches: the next seed")
        self.rate = QLabel(wordWrap=True)
        self.rate.setObjectName("rate")
        self.loss = QLabel(textFormat=Qt.TextFormat.RichText)
        self.loss.setObjectName("loss-formula")
        self.loss.setToolTip("N training samples, k outputs, f the network, y the targets")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.form)
        self.form.insert_after("critical_share", self.rate)
        self.form.insert_after("loss", self.loss)
        watch(self, session, experiment=self.refresh, results=self._results_changed)
        self._results_changed()
        self.refresh()

    def set_critical_rate(self, rate: float | None, *, estimated: bool = False) -> None:
        """The largest stable learning rate of the linear model, once it is known."""
        if (rate, estimated) != (self._critical, self._estimated):
            self._critical, self._estimated = rate, estimated
            self._show_rate(self._session.experiment.training)

    def _results_changed(self) -> None:
        session = self._session
        self.set_critical_rate(readings.critical_rate(session), estimated=readings.critical_rate_is_estimated(session))

    def refresh(self) -> None:
        """Show the document."""
        training = self._session.experiment.training
        self.form.show_spec(training)
        self.form.editors["critical_share"].setVisible(training.learning_rate is None)
        self.loss.setText(maths(LOSSES[training.loss]))
        self._show_rate(training)

    def _show_rate(self, training: Training) -> None:
        text, role = rate_sentence(training, self._critical, estimated=self._estimated)
        self.rate.setText(text)
        if self.rate.property("role") != role:
            self.rate.setProperty("role", role)
            restyle(self.rate)


def rate_sentence(training: Training, critical: float | None, *, estimated: bool = False) -> tuple[str, str]:
    """What the learning rate is, in words, and the role of the label that says so."""
    share: Any = training.critical_share
    if training.learning_rate is not None:
        if critical is None:
            return "critical rate not known yet: compute kernels", "muted"
        share = training.learning_rate / critical
    words = "" if critical is None else f"critical rate {'≈ ' * estimated}{number(critical, 3)}"
    if training.learning_rate is None:
        words = (
            "η follows once kernels are computed"
            if critical is None
            else f"η {'≈' if estimated else '='} {number(share * critical, 3)}, {words}"
        )
    else:
        words = f"{number(share, 3)} × {words}"
    if share > 1:
        return f"{words}; the linear model diverges", "warning"
    return words, "muted"
