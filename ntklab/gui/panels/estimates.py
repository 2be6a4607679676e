"""Monte Carlo in the kernel section: what drawing networks costs, the button that draws them, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ntklab.figures import captions
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import ElidedLabel, InlineError, Tint
from ntklab.results import agreement
from ntklab.session import Session


class EstimatesBox(QWidget):
    """Emits ``draw_requested``; shows the forecast that it is given and the estimates of the session."""

    draw_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("estimates")
        self.forecast = ElidedLabel()
        self.forecast.setObjectName("estimates-forecast")
        self.forecast.setProperty("role", "muted")
        self.problem = InlineError()
        self.draw = QPushButton("Draw networks")
        self.draw.setObjectName("draw")
        self.draw.setToolTip("Kernels of random networks with error bars, beside the analytic ones (Ctrl+M)")
        Tint(self.draw, "dice")
        self.found = QLabel(wordWrap=True)
        self.found.setObjectName("estimates-found")
        self.found.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.forecast, self.problem, self.draw, self.found):
            layout.addWidget(widget)
        self.draw.clicked.connect(self.draw_requested)
        watch(self, session, results=self.refresh)
        self.set_forecast("", ok=True)
        self.refresh()

    def set_forecast(self, text: str, *, ok: bool) -> None:
        """What drawing takes in one line, or why it cannot be done; an empty text where nothing is known."""
        self.forecast.say(text if ok else "")
        self.forecast.setToolTip(f"Measured on one network and two samples. {text}")
        self.forecast.setVisible(ok and bool(text))
        self.problem.say("" if ok else text)

    def refresh(self) -> None:
        """Show what the session has found."""
        text = found_words(self._session)
        self.found.setText(text)
        self.found.setVisible(bool(text))


def found_words(session: Session) -> str:
    """The precision of the NTK's estimate, and how it agrees with the analytic kernel; empty where there is none."""
    results = session.results
    found = results.monte_carlo
    if found is None or "monte_carlo" in results.outdated:
        return ""
    z = None if results.ntk is None or "ntk" in results.outdated else agreement(found, results.ntk)
    networks = captions.count(found.networks, "network")
    error = "" if found.networks < 2 else f"Θ to ± {captions.number(100 * found.relative_error, 2)} %"
    verdict = "" if z is None else f"rms z = {captions.number(z.rms, 2)}, max |z| = {captions.number(z.largest, 2)}"
    return captions.join(networks, error, verdict)
