"""A channel of the mixer: one layer, its shares, and the buttons that mute it and solo it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ntklab.figures.colours import STYLES
from ntklab.figures.model import Role
from ntklab.gui import theme
from ntklab.gui.widgets import ElidedLabel, ShareBar, restyle
from ntklab.gui.widgets.numbers import integer

RULE_LETTERS, COUNT_LETTERS, SHARE_LETTERS = 30, 12, 9


@dataclass(frozen=True)
class Channel:
    """What a row shows: shares from 0 to 1 (NaN for none); ``solo`` is the only one that is not muted."""

    name: str
    number: int
    title: str
    role: Role
    rule: str
    parameters: int
    trace: float
    alignment: float
    muted: bool
    solo: bool
    chosen: bool

    @property
    def label(self) -> str:
        """Number and title."""
        return f"{self.number} {self.title}"


class MixerRow(QFrame):
    """Click or Return chooses the layer, M mutes it, S solos it, the arrows go to its neighbours."""

    chosen = Signal(str)
    mute_pressed = Signal(str)
    solo_pressed = Signal(str)
    left = Signal(str, int)  # rows to go

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.channel: Channel | None = None
        self.setProperty("role", "row")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.swatch = Swatch()
        self.number = QLabel(alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.number.setProperty("role", "muted")
        self.title = ElidedLabel()
        self.rule = ElidedLabel()
        self.rule.setProperty("role", "muted")
        self.parameters = QLabel(alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.parameters.setProperty("role", "muted")
        self.trace, self.alignment = ShareBar("Share of the trace"), ShareBar("Share of the target alignment")
        self.mute, self.solo = _button("M", "mute"), _button("S", "solo")
        self.mute.clicked.connect(self._mute)
        self.solo.clicked.connect(self._solo)
        self._lay_out()

    def _lay_out(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.setSpacing(6)
        letter = self.fontMetrics().averageCharWidth()
        self.number.setFixedWidth(2 * self.fontMetrics().horizontalAdvance("0") + 2)
        self.rule.setFixedWidth(RULE_LETTERS * letter)
        self.parameters.setFixedWidth(COUNT_LETTERS * letter)
        for bar in (self.trace, self.alignment):
            bar.setFixedWidth(SHARE_LETTERS * letter)
        for widget in (self.swatch, self.number):
            layout.addWidget(widget)
        layout.addWidget(self.title, 1)
        for part in (self.rule, self.parameters, self.trace, self.alignment, self.mute, self.solo):
            layout.addWidget(part)

    def show_channel(self, channel: Channel) -> None:
        """Show ``channel``."""
        before, self.channel = self.channel, channel
        self.swatch.show_role(channel.role, hollow=channel.muted)
        self.number.setText(str(channel.number))
        self.title.say(channel.title)
        self.rule.say(channel.rule)
        self.parameters.setText(integer(channel.parameters) if channel.parameters else "")
        self.trace.show_share(channel.trace, faint=channel.muted)
        self.alignment.show_share(channel.alignment, faint=channel.muted)
        self.mute.setChecked(channel.muted)
        self.solo.setChecked(channel.solo)
        self._name(channel)
        if before is None or (before.muted, before.chosen) != (channel.muted, channel.chosen):
            self.title.setProperty("role", "muted" if channel.muted else "")
            restyle(self.title)
            self.setProperty("chosen", channel.chosen)
            restyle(self)

    def _name(self, channel: Channel) -> None:
        self.setObjectName(f"channel-{channel.name}")
        state = ", muted" if channel.muted else ""
        self.setAccessibleName(f"Layer {channel.label}{state}: {self.trace.words} of the trace, "
                               f"{self.alignment.words} of the alignment")  # fmt: skip
        rule = f"\n{channel.rule}" if channel.rule else ""
        count = f", {integer(channel.parameters)} parameters" if channel.parameters else ""
        self.setToolTip(f"{channel.label}{count}{rule}\nClick to see its map; M mutes it, S solos it")
        self.trace.setToolTip(f"tr Θₗ / tr Θ = {self.trace.words} of {channel.label}")
        self.alignment.setToolTip(f"tr(YᵀΘₗY) / tr(YᵀΘY) = {self.alignment.words} of {channel.label}; Y centred")
        verb = "Train" if channel.muted else "Mute"
        self.mute.setToolTip(f"{verb} {channel.label} (M): a muted layer is frozen, its part leaves the kernel")
        self.mute.setAccessibleName(f"{verb} {channel.label}")
        self.solo.setToolTip(f"{'Unmute all' if channel.solo else f'Mute all but {channel.label}'} (S)")
        self.solo.setAccessibleName(f"Solo {channel.label}")

    def set_wide(self, wide: bool) -> None:
        """Whether there is room for the rule and the number of parameters."""
        self.rule.setVisible(wide)
        self.parameters.setVisible(wide)

    @Slot()
    def _mute(self) -> None:
        if self.channel is not None:
            self.mute.setChecked(self.channel.muted)  # until the document says so
            self.mute_pressed.emit(self.channel.name)

    @Slot()
    def _solo(self) -> None:
        if self.channel is not None:
            self.solo.setChecked(self.channel.solo)
            self.solo_pressed.emit(self.channel.name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose it."""
        if self.channel is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.channel.name)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of a channel."""
        key, name = event.key(), "" if self.channel is None else self.channel.name
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.left.emit(name, -1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_M:
            self._mute()
        elif key == Qt.Key.Key_S:
            self._solo()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(name)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()


class Swatch(QWidget):
    """The colour of a layer in the diagrams; an outline where it is muted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role: Role = "guide"
        self._hollow = False
        self.setFixedSize(self.sizeHint())

    def show_role(self, role: Role, *, hollow: bool) -> None:
        """Show the colour of ``role``."""
        self._role, self._hollow = role, hollow
        self.update()

    def sizeHint(self) -> QSize:
        """A square of small letters."""
        side = round(0.7 * self.fontMetrics().height())
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The square."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(STYLES[self._role].colour(theme.current().theme))
        painter.setPen(colour)
        painter.setBrush(Qt.BrushStyle.NoBrush if self._hollow else colour)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)


def _button(letter: str, role: str) -> QToolButton:
    button = QToolButton()
    button.setText(letter)
    button.setCheckable(True)
    button.setProperty("role", role)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    side = round(1.45 * button.fontMetrics().height())
    button.setFixedSize(side, side)
    button.setObjectName(role)
    return button
