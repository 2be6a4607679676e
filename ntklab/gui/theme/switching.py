"""Which palette is in use, and switching it live."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from ntklab.gui.theme.palette import DARK, LIGHT, Palette
from ntklab.gui.theme.sheet import BASE_PX, style_sheet

Scheme = Literal["system", "light", "dark"]
_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}
_LARGEST_PX = 3 * BASE_PX


class ThemeNotifier(QObject):
    """Says that the palette changed. One for the application; see ``notifier``."""

    changed = Signal(object)  # Palette

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._scheme: Scheme | None = None
        self._dark_at_start = _is_dark(app.palette())
        self.palette = LIGHT
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def scheme(self) -> Scheme:
        """What was asked for."""
        return self._scheme or "system"

    def apply(self, scheme: Scheme) -> None:
        """Dress the application; see the function ``apply``."""
        if self._scheme is None:
            self._app.setStyle("Fusion")
            self._app.setFont(_base_font(self._app.font()))
        if scheme != self._scheme:
            self._scheme = scheme
            self._app.styleHints().setColorScheme(_SCHEMES[scheme])  # title bars follow; without a desktop nothing does
        self._wear(self._wanted())

    def _wanted(self) -> Palette:
        if self._scheme in ("light", "dark"):
            return DARK if self._scheme == "dark" else LIGHT
        system = self._app.styleHints().colorScheme()
        dark = self._dark_at_start if system == Qt.ColorScheme.Unknown else system == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT

    def _wear(self, palette: Palette) -> None:
        self.palette = palette
        self._app.setPalette(qt_palette(palette))
        self._app.setStyleSheet(style_sheet(palette, QFontInfo(self._app.font()).pixelSize()))
        self.changed.emit(palette)

    @Slot()
    def _system_changed(self) -> None:
        if self._scheme == "system" and self._wanted() is not self.palette:
            self._wear(self._wanted())


def apply(app: QApplication, scheme: Scheme = "system") -> None:
    """Give ``app`` the look of the laboratory in ``scheme``; call again to switch live.

    "system" follows the desktop, now and when it changes. Sets the Fusion style, fonts, palette and style sheet.
    """
    _notifier_of(app).apply(scheme)


def notifier() -> ThemeNotifier:
    """The object whose ``changed`` tells of a new palette. Needs a QApplication."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("the theme needs a QApplication; make one first")
    return _notifier_of(app)


def current() -> Palette:
    """The palette in use (light before ``apply``)."""
    return notifier().palette


def _notifier_of(app: QApplication) -> ThemeNotifier:
    found = app.findChild(ThemeNotifier)
    return found if found is not None else ThemeNotifier(app)


def qt_palette(palette: Palette) -> QPalette:
    """What the style paints where the sheet says nothing."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colours = {
        role.Window: palette.window, role.WindowText: palette.text, role.Base: palette.panel,
        role.AlternateBase: palette.hover, role.Text: palette.text, role.Button: palette.raised,
        role.ButtonText: palette.text, role.BrightText: palette.error, role.ToolTipBase: palette.raised,
        role.ToolTipText: palette.text, role.PlaceholderText: palette.muted, role.Highlight: palette.accent,
        role.HighlightedText: palette.on_accent, role.Link: palette.accent, role.LinkVisited: palette.accent,
        role.Light: palette.hover, role.Midlight: palette.border, role.Mid: palette.border, role.Dark: palette.outline,
        role.Shadow: palette.border, role.Accent: palette.accent,
    }  # fmt: skip
    qt = QPalette()
    for which, colour in colours.items():
        qt.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        qt.setColor(group.Disabled, which, QColor(palette.disabled))
    return qt


def _base_font(system: QFont) -> QFont:
    """The system's font, at least 13 px high; larger where the user's desktop asks for larger text."""
    font = QFont(system)
    font.setPixelSize(min(max(QFontInfo(system).pixelSize(), BASE_PX), _LARGEST_PX))
    return font


def _is_dark(palette: QPalette) -> bool:
    return (
        palette.color(QPalette.ColorRole.Window).lightness() < palette.color(QPalette.ColorRole.WindowText).lightness()
    )
