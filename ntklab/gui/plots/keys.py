"""A plot under the keyboard: what each key does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ntklab.gui.plots.levels import stretched

if TYPE_CHECKING:
    from ntklab.gui.plots.canvas import Canvas

HELP = "Arrows move the cursor (Shift: far), Enter picks, + and − zoom, [ and ] change the colours, 0 resets."

_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_ZOOMS = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25, Qt.Key.Key_Underscore: 1.25}
_STRETCHES = {Qt.Key.Key_BracketLeft: 0.9, Qt.Key.Key_BracketRight: 1 / 0.9}
_PICKS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_FAR = 10  # places that Shift and an arrow move


def press(canvas: Canvas, key: Qt.Key, *, shift: bool) -> bool:
    """Do what ``key`` means on ``canvas``; whether it means anything."""
    norm = canvas.norm()
    if key in _ARROWS:
        right, down = _ARROWS[key]
        far = _FAR if shift else 1
        canvas.step(right * far, down * far)
    elif key in _ZOOMS:
        canvas.zoom(_ZOOMS[key])
    elif key in _STRETCHES and norm is not None:
        canvas.recolour(stretched(norm, _STRETCHES[key]))
    elif key == Qt.Key.Key_0:
        canvas.fit()
    elif key in _PICKS:
        canvas.pick()
    else:
        return False
    return True
