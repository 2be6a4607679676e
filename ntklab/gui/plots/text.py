"""Words and numbers as plots write them: powers of ten, subscripts, and pieces that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from ntklab.figures.captions import number

_SUBSCRIPT = re.compile(r"(?<!\w)([^\W\d_])_(\w+|∞)")  # a lone letter: Θ_emp, d_eff, not class_0
_SUB_SIZE = 0.75
_SUB_DROP = 0.18  # of the line's height
READ_DIGITS = 6


def exact(value: float) -> str:
    """``value`` to six significant digits, for read-outs."""
    return number(float(value), READ_DIGITS)


def pieces(text: str) -> list[tuple[str, bool]]:
    """``text`` cut into (words, is subscript): "Θ_emp(i, j)" has "emp" as a subscript."""
    if "_" not in text:
        return [(text, False)] if text else []
    parts = _SUBSCRIPT.split(text)  # words, letter, subscript, words, letter, subscript, words …
    cut = [(part, index % 3 == 2) for index, part in enumerate(parts)]
    return [(part, sub) for part, sub in cut if part]


def width(text: str, font: QFont) -> float:
    """Width of ``text`` with its subscripts."""
    return sum(QFontMetricsF(_sized(font, sub)).horizontalAdvance(part) for part, sub in pieces(text))


def draw(painter: QPainter, rect: QRectF, text: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
    """Write one line in ``rect``, centred vertically, with subscripts lowered."""
    font = painter.font()
    metrics = QFontMetricsF(font)
    free = rect.width() - width(text, font)
    x = rect.left()
    if align & Qt.AlignmentFlag.AlignHCenter:
        x += free / 2
    elif align & Qt.AlignmentFlag.AlignRight:
        x += free
    baseline = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
    for part, sub in pieces(text):
        painter.setFont(_sized(font, sub))
        painter.drawText(QPointF(x, baseline + (_SUB_DROP * metrics.height() if sub else 0.0)), part)
        x += QFontMetricsF(painter.font()).horizontalAdvance(part)
    painter.setFont(font)


def elided(text: str, font: QFont, room: float) -> str:
    """``text`` shortened with an ellipsis to fit in ``room``; empty if not even a letter fits."""
    short = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
    return "" if short == "…" else short


def wrap(widths: Sequence[float], room: float) -> list[list[int]]:
    """Positions of the items of ``widths`` in rows no wider than ``room`` (a lone wide item has its own row)."""
    rows: list[list[int]] = []
    left = 0.0
    for index, item in enumerate(widths):
        if not rows or item > left:
            rows.append([])
            left = room
        rows[-1].append(index)
        left -= item
    return rows


def columns(widths: Sequence[float], room: float, rows: int) -> list[list[tuple[int, float]]]:
    """The items of ``widths`` as ``rows`` even rows of (position, x), in columns; as in ``wrap`` if too wide."""
    per_row = -(-len(widths) // rows)
    even = [list(range(start, min(start + per_row, len(widths)))) for start in range(0, len(widths), per_row)]
    starts = [0.0]
    for column in range(per_row):
        starts.append(starts[-1] + max(widths[row[column]] for row in even if column < len(row)))
    if rows > 1 and starts[-1] <= room:
        return [list(zip(row, starts, strict=False)) for row in even]
    return [[(index, sum(widths[k] for k in row if k < index)) for index in row] for row in wrap(widths, room)]


def measure(font: QFont) -> Callable[[str], float]:
    """A function from text to its width in ``font``."""
    metrics = QFontMetricsF(font)
    return metrics.horizontalAdvance


def _sized(font: QFont, sub: bool) -> QFont:
    if not sub:
        return font
    small = QFont(font)
    small.setPixelSize(max(1, round(font.pixelSize() * _SUB_SIZE)))
    return small
