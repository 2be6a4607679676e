"""Line icons in the colours of the palette."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ntklab.gui.theme.switching import current
from ntklab.resources import resource

_SIZES = (16, 20, 24, 32, 48, 64)  # device pixels: 16 and 24 at scales 1, 1.5 and 2, and what lies between


def icon(name: str, colour: str | None = None) -> QIcon:
    """The icon ``resources/icons/{name}.svg`` in ``colour`` (#rrggbb; the text colour if None), greyed when disabled.

    Ask again after a change of theme. Raises ``FileError`` if there is no such icon.
    """
    palette = current()
    return _icon(name, colour or palette.text, palette.disabled)


@lru_cache(maxsize=256)
def _icon(name: str, colour: str, disabled: str) -> QIcon:
    svg = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", tint).encode()))
        for size in _SIZES:
            made.addPixmap(_pixmap(renderer, size), mode)
    return made


def _pixmap(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
