"""The right column: numbers of what is selected, or of everything, and under them the maths of the active view."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from ntklab.gui.panels import readings
from ntklab.gui.panels.card_spec import CardSpec
from ntklab.gui.panels.cards import CARDS, card
from ntklab.gui.panels.reading_table import BadgeRow, ReadingTable
from ntklab.gui.panels.samples import SampleView
from ntklab.gui.panels.watching import watch
from ntklab.gui.widgets import Card, IconButton, ground, scrolled, swap
from ntklab.session import Session

DESIGN_WIDTH = 280
_COLUMNS = ("empirical", "analytic")
_REFRESH_MS = 40  # results may come many times a frame while the width is dragged
_MOST_SAMPLES = 6


class InspectorPanel(QWidget):
    """Reads the session. ``set_card(id)`` chooses the maths card of the active view."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._samples_shown: object = None
        self.setObjectName("inspector")
        self.setAccessibleName("Inspector")
        ground(self)
        self.pair = _Block("Pair", "Deselect the pair")
        self.pair_table = ReadingTable()
        self.samples = QWidget()
        self.mode = _Block("Mode", "Deselect the mode")
        self.mode_table = ReadingTable(_COLUMNS)
        self.chosen = _Block("Samples", "Deselect the samples")
        self.summary = _Block("Summary")
        self.badges = {name: BadgeRow(name) for name in _COLUMNS}
        self.table = ReadingTable(_COLUMNS)
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "muted")
        self.card = Card()
        self._card: CardSpec = CARDS[0]
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.pair.closed.clicked.connect(self._drop_pair)
        self.mode.closed.clicked.connect(self._drop_mode)
        self.chosen.closed.clicked.connect(self._drop_samples)
        later = self._later
        watch(self, session, experiment=later, results=later, selection=self.refresh)
        self.set_card("kernel")
        self.refresh()

    def _lay_out(self) -> None:
        self.pair.add(self.samples)
        self.pair.add(self.pair_table)
        self.mode.add(self.mode_table)
        for name, row in self.badges.items():
            row.setObjectName(f"badges-{name}")
            self.summary.add(row)
        self.summary.add(self.table)
        self.summary.add(self.note)
        top = QWidget()
        layout = QVBoxLayout(top)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(14)
        title = QLabel("INSPECTOR")
        title.setProperty("role", "section")
        layout.addWidget(title)
        for block in (self.pair, self.mode, self.chosen, self.summary):
            layout.addWidget(block)
        layout.addStretch(1)
        under = QWidget()
        card_layout = QVBoxLayout(under)
        card_layout.setContentsMargins(8, 8, 8, 8)
        card_layout.addWidget(self.card)
        card_layout.addStretch(1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(scrolled(top))
        split.addWidget(scrolled(under))
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([360, 300])
        split.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)

    def set_card(self, card_id: str) -> None:
        """Show the card of that id. Raises ``KeyError`` for one that does not exist."""
        self._card = card(card_id)
        spec = self._card
        self.card.show_card(
            spec.title, spec.formula, text=spec.text, rows=spec.rows(self._session), reference=spec.reference
        )

    def _later(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def refresh(self) -> None:
        """Show the session as it is."""
        self._timer.stop()
        selection, results = self._session.selection, self._session.results
        self._show_pair()
        self._show_mode()
        self._show_samples()
        nothing = selection.pair is None and selection.mode is None
        self.summary.setVisible(nothing)
        if nothing:
            self.table.show_readings(readings.summary(self._session))
            self.badges["empirical"].show_badges(readings.badges(results.empirical, results.empirical_spectrum))
            self.badges["analytic"].show_badges(readings.badges(results.ntk, results.ntk_spectrum))
            self.note.setText("Some results are of an earlier experiment; compute again" if results.stale else "")
            self.note.setVisible(results.stale)
        self.card.show_values(tuple(row[2] for row in self._card.rows(self._session)))

    def _show_pair(self) -> None:
        pair = self._session.selection.pair
        self.pair.setVisible(pair is not None)
        if pair is not None:
            self.pair.say(f"Pair {pair[0]}, {pair[1]}")
            self._show_pair_samples(pair)
            self.pair_table.show_readings(readings.pair(self._session, *pair))

    def _show_pair_samples(self, pair: tuple[int, int]) -> None:
        shown = (pair, id(self._session.results.data))
        if shown == self._samples_shown:
            return
        self._samples_shown = shown
        fresh = QWidget()
        row = QHBoxLayout(fresh)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        for index in pair:
            row.addWidget(SampleView(self._session, index), 1)
        self.pair.replace(self.samples, fresh)
        self.samples = fresh

    def _show_mode(self) -> None:
        mode = self._session.selection.mode
        self.mode.setVisible(mode is not None)
        if mode is not None:
            self.mode.say(f"Mode {mode + 1}")
            self.mode_table.show_readings(readings.mode(self._session, mode))

    def _show_samples(self) -> None:
        chosen, pair = self._session.selection.samples, self._session.selection.pair
        self.chosen.setVisible(bool(chosen) and (pair is None or not {*chosen} <= {*pair}))
        count = len(chosen)
        self.chosen.say(f"{count} sample{'s' * (count != 1)}")
        words = [readings.sample_words(self._session, index) for index in chosen[:_MOST_SAMPLES]]
        more = [f"and {count - _MOST_SAMPLES} more"] if count > _MOST_SAMPLES else []
        self.chosen.text("\n".join(words + more))

    @Slot()
    def _drop_pair(self) -> None:
        self._session.select(pair=None)

    @Slot()
    def _drop_mode(self) -> None:
        self._session.select(mode=None)

    @Slot()
    def _drop_samples(self) -> None:
        self._session.select(samples=())


class _Block(QWidget):
    """A titled part of the inspector; ``close`` is the tooltip of the button that deselects it."""

    def __init__(self, title: str, close: str = "") -> None:
        super().__init__()
        self.setObjectName(f"block-{title.lower()}")
        self.title = QLabel(title)
        self.title.setProperty("role", "title")
        self.closed = IconButton("close", close or title, object_name=f"close-{title.lower()}")
        if not close:
            self.closed.hide()
        self._text = QLabel(wordWrap=True)
        self._text.hide()
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.closed)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._layout.addLayout(head)
        self._layout.addWidget(self._text)

    def say(self, title: str) -> None:
        self.title.setText(title)

    def text(self, text: str) -> None:
        self._text.setText(text)
        self._text.setVisible(bool(text))

    def add(self, widget: QWidget) -> None:
        self._layout.addWidget(widget)

    def replace(self, old: QWidget, new: QWidget) -> None:
        swap(self._layout, old, new)
