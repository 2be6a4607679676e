"""Which kernel of the finite network is computed, how precisely, where, and within what memory."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ntklab.gui.panels.estimates import EstimatesBox
from ntklab.gui.panels.fields import FieldForm, committer
from ntklab.gui.panels.seeds import add_dice
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import Choice, ValueEdit
from ntklab.gui.widgets.numbers import byte_text, parse_bytes
from ntklab.session import Session, edits
from ntklab.spec import KernelRequest, field_rows

_ROWS = tuple(row for row in field_rows(KernelRequest) if row.name != "muted")  # that is done in the ledger


class KernelPanel(QWidget):
    """Edits ``experiment.kernel``; ``draw_requested`` asks for Monte Carlo estimates."""

    draw_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._devices: tuple[str, ...] = ("cpu",)
        self.setObjectName("kernel-panel")
        self.device = Choice()
        memory = ValueEdit(parse_bytes, byte_text, none="automatic")
        self.form = FieldForm(
            _ROWS, committer(session, edits.set_kernel, _ROWS), inputs={"device": self.device, "memory": memory}
        )
        heading = QLabel("MONTE CARLO")
        heading.setProperty("role", "section")
        heading.setContentsMargins(0, 8, 0, 0)
        self.form.insert_after("memory", heading)
        self.estimates = EstimatesBox(session)
        self.estimates.draw_requested.connect(self.draw_requested)
        add_dice(self.form.editors["seed"], "Draw another network: the next seed")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        layout.addWidget(self.estimates)
        watch(self, session, experiment=self.refresh)
        self.refresh()

    def set_devices(self, devices: Sequence[str]) -> None:
        """Offer ``devices``, as torch calls them."""
        self._devices = tuple(devices)
        self.refresh()

    def refresh(self) -> None:
        """Show the document."""
        kernel = self._session.experiment.kernel
        offered = dict.fromkeys((*self._devices, kernel.device))  # a file may ask for a device that is not here
        missing = {kernel.device} - set(self._devices)
        self.device.set_rows([(name, name, "not on this machine" if name in missing else "") for name in offered])
        self.form.show_spec(kernel)
