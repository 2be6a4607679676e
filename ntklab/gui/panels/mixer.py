"""The layers as channels of a mixer: what each carries, which are muted, and what is left to train."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from ntklab.figures.colours import class_role
from ntklab.gui.panels.mixer_row import COUNT_LETTERS, RULE_LETTERS, SHARE_LETTERS, Channel, MixerRow
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import IconButton, discard, ground, scrolled
from ntklab.gui.widgets.numbers import number
from ntklab.results import Spectrum
from ntklab.session import Session, edits

LEAST_LETTERS, LEAST_LINES, MOST_LINES = 46, 8, 40
_AIR = 10  # pixels above and below
WIDE_LETTERS = 105  # of the panel, from which rules and parameters are shown
_WAITING = "Being split by layer, once kernels are computed: Ctrl+R"
_WIDE = ("Rule", "Parameters")
_QUANTITIES = ("condition κ", "alignment", "critical rate")
_LAST = "At least one layer must train; unmute another one first"


class MixerPanel(QWidget):
    """Reads the session's ledger and edits which layers are muted; ``chosen`` carries the name of a layer."""

    chosen = Signal(str)
    refused = Signal(str)  # why something is not done

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("mixer")
        self.setAccessibleName("Layers")
        ground(self)
        self.rows: list[MixerRow] = []
        self._wide = False
        waiting = QLabel(_WAITING, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        waiting.setProperty("role", "muted")
        self.heads = {name: _head(name) for name in ("Layer", "Rule", "Parameters", "Trace", "Alignment")}
        for name in _WIDE:
            self.heads[name].hide()
        self.rest, self.all = _numbers("value"), _numbers("muted")
        self.unmute = IconButton("reset", "Unmute all: train every layer again", object_name="unmute-all")
        self.unmute.clicked.connect(self._unmute)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(waiting)
        self._stack.addWidget(self._content())
        watch(self, session, experiment=self.refresh, results=self.refresh, selection=self.refresh)
        self.refresh()

    def sizeHint(self) -> QSize:
        """All channels, and what stands above and below them."""
        if not self.rows or self._stack.currentIndex() == 0:
            return QSize(self.minimumSizeHint().width(), MOST_LINES * self.fontMetrics().height())
        channels = len(self.rows) * (self.rows[0].sizeHint().height() + self._channels.spacing())
        around = self._head.sizeHint().height() + self._foot.sizeHint().height() + 2 * _AIR
        return QSize(self.minimumSizeHint().width(), channels + around)

    def minimumSizeHint(self) -> QSize:
        """Some of them: names may be cut."""
        metrics = self.fontMetrics()
        return QSize(LEAST_LETTERS * metrics.averageCharWidth(), LEAST_LINES * metrics.height())

    def _content(self) -> QWidget:
        content, inside = QWidget(), QWidget()
        self._channels = QVBoxLayout(inside)
        self._channels.setContentsMargins(6, 0, 6, 0)
        self._channels.setSpacing(1)
        self._channels.addStretch(1)
        self._area = scrolled(inside)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 4, 0, 6)
        layout.setSpacing(2)
        self._head = self._header()
        layout.addLayout(self._head)
        layout.addWidget(self._area, 1)
        self._foot = self._footer()
        layout.addLayout(self._foot)
        return content

    def _header(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        letter = self.fontMetrics().averageCharWidth()
        row.addWidget(self.heads["Layer"], 1)
        for name, letters in (("Rule", RULE_LETTERS), ("Parameters", COUNT_LETTERS),
                              ("Trace", SHARE_LETTERS), ("Alignment", SHARE_LETTERS)):  # fmt: skip
            self.heads[name].setFixedWidth(letters * letter)
            row.addWidget(self.heads[name])
        for name in ("Parameters", "Trace", "Alignment"):
            self.heads[name].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._end = QWidget()  # above the buttons and the scroll bar
        end = QHBoxLayout(self._end)
        end.setContentsMargins(0, 0, 0, 0)
        end.addWidget(self.unmute)
        end.addStretch(1)
        row.addWidget(self._end)
        return row

    def _footer(self) -> QGridLayout:
        """What is left to train beside the whole: a table of numbers."""
        grid = QGridLayout()
        grid.setContentsMargins(12, 4, 12, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        heads = (QLabel(), *map(_head, _QUANTITIES))
        for row, labels in enumerate((heads, self.rest, self.all)):
            for column, label in enumerate(labels):
                grid.addWidget(label, row, column)
                if column:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return grid

    # -- what is shown ---------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the session."""
        channels = self._channels_of_session()
        self._stack.setCurrentIndex(1 if channels else 0)
        if not channels:
            return
        while len(self.rows) > len(channels):
            discard(self.rows.pop())
        while len(self.rows) < len(channels):
            self._add_row()
        for row, channel in zip(self.rows, channels, strict=True):
            row.show_channel(channel)
        self._show_rest(channels)
        self._align()
        self.updateGeometry()

    def _channels_of_session(self) -> list[Channel]:
        session = self._session
        found, muted = session.results.ledger, session.experiment.kernel.muted
        if found is None:
            return []
        playing = [name for name in found.names if name not in muted]
        return [
            Channel(
                name=name,
                number=row + 1,
                title=found.titles[row],
                role=class_role(int(found.groups[row])),
                rule=found.rules[row],
                parameters=int(found.parameters[row]),
                trace=float(found.trace_share[row]),
                alignment=float(found.alignment_share[row]),
                muted=name in muted,
                solo=playing == [name] and len(found.names) > 1,
                chosen=name == session.selection.layer,
            )
            for row, name in enumerate(found.names)
        ]

    def _add_row(self) -> None:
        row = MixerRow()
        row.chosen.connect(self.chosen)
        row.mute_pressed.connect(self._mute)
        row.solo_pressed.connect(self._solo)
        row.left.connect(self._go)
        row.set_wide(self._wide)
        self._channels.insertWidget(len(self.rows), row)
        self.rows.append(row)

    def _show_rest(self, channels: list[Channel]) -> None:
        results = self._session.results
        playing = sum(not channel.muted for channel in channels)
        some = playing < len(channels)
        fresh = not results.outdated & {"unmuted_spectrum"}
        _say(self.all, f"All {len(channels)} train", results.empirical_spectrum)
        _say(self.rest, f"{playing} of {len(channels)} train" if some else "",
             results.unmuted_spectrum if some and fresh else None)  # fmt: skip
        for label in self.rest:
            label.setVisible(some)
        self.unmute.setEnabled(some)

    def _align(self) -> None:
        """Heads stand over their columns."""
        if self.rows:
            row, bar = self.rows[0], self._area.verticalScrollBar()
            beside = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
            self._end.setFixedWidth(2 * row.mute.width() + 6 + beside)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More columns where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE_LETTERS * self.fontMetrics().averageCharWidth()
        self._wide = wide
        for name in _WIDE:
            self.heads[name].setVisible(wide)
        for row in self.rows:
            row.set_wide(wide)
        self._align()

    # -- what is done ----------------------------------------------------------------------------------------------

    @Slot(str)
    def _mute(self, name: str) -> None:
        muted = self._session.experiment.kernel.muted
        names = self._names()
        changed = [other for other in names if (other in muted) != (other == name)]
        if len(changed) == len(names):
            self.refused.emit(_LAST)
            return
        self._edit(tuple(changed), f"{'unmute' if name in muted else 'mute'} {self._label(name)}")

    @Slot(str)
    def _solo(self, name: str) -> None:
        others = tuple(other for other in self._names() if other != name)
        alone = set(self._session.experiment.kernel.muted) == set(others)
        self._edit(() if alone else others, "unmute all layers" if alone else f"solo {self._label(name)}")

    @Slot()
    def _unmute(self) -> None:
        self._edit((), "unmute all layers")

    def _edit(self, muted: tuple[str, ...], label: str) -> None:
        self._session.edit(edits.mute(self._session.experiment, muted), label)

    @Slot(str, int)
    def _go(self, name: str, by: int) -> None:
        """Put the keyboard on the row ``by`` rows further."""
        names = self._names()
        at = names.index(name) + by
        if 0 <= at < len(self.rows):
            self.rows[at].setFocus(Qt.FocusReason.TabFocusReason)
            self._area.ensureWidgetVisible(self.rows[at], 0, 4)

    def _names(self) -> tuple[str, ...]:
        found = self._session.results.ledger
        return () if found is None else found.names

    def _label(self, name: str) -> str:
        found = self._session.results.ledger
        row = None if found is None else found.row(name)
        return name if found is None or row is None else found.label(row)


def _head(name: str) -> QLabel:
    head = QLabel(name)
    head.setProperty("role", "caption")
    return head


def _numbers(role: str) -> tuple[QLabel, ...]:
    """A title and a number for each quantity."""
    labels = tuple(QLabel() for _ in range(len(_QUANTITIES) + 1))
    for label in labels:
        label.setProperty("role", role)
    return labels


def _say(labels: tuple[QLabel, ...], title: str, spectrum: Spectrum | None) -> None:
    """Condition, alignment and critical rate of a kernel, dashes where it is not known."""
    numbers = ("—",) * len(_QUANTITIES)
    if spectrum is not None:
        numbers = (
            number(spectrum.condition, 3), number(spectrum.centred_alignment, 3), number(spectrum.largest_rate, 3),
        )  # fmt: skip
    for label, text in zip(labels, (title, *numbers), strict=True):
        label.setText(text)
