"""The style sheet, built from a palette and the height of the base font; lengths grow with the font."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from ntklab.gui.theme.palette import Palette
from ntklab.resources import resource

BASE_PX = 13


def style_sheet(palette: Palette, font_px: int) -> str:
    """Qt style sheet for the whole application.

    Widgets choose a look with the dynamic property ``role``: labels "section", "title", "caption", "muted", "value",
    "error", "warning", "ok"; buttons "primary", "segment", "quiet"; frames "card", "bar", "banner".
    """
    lengths = {f"px{n}": f"{max(1, round(n * font_px / BASE_PX))}px" for n in range(1, 21)}
    colours = {key: value for key, value in asdict(palette).items() if isinstance(value, str)}
    images = {
        name: f"url({resource(f'icons/controls/{name}-{palette.theme}.svg').as_posix()})"
        for name in ("up", "down", "check")
    }
    return Template(_SHEET).substitute(colours, **lengths, **images, small=f"{round(11 * font_px / BASE_PX)}px")


_SHEET = """
QMainWindow, QDialog { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: $px4; }
QLabel { background: transparent; }
QLabel[role="section"] { color: $muted; font-size: $small; font-weight: 600; letter-spacing: 0.6px; }
QLabel[role="section"][active="true"] { color: $accent; }
QToolButton[role="tab"] { color: $muted; font-size: $small; font-weight: 600; letter-spacing: 0.6px; border: none;
    padding: 0; margin: 0 -$px4; background: transparent; }
QToolButton[role="tab"]:hover, QToolButton[role="tab"]:focus { color: $text; background: transparent; }
QLabel[role="caption"] { color: $muted; font-size: $small; }
QLabel[role="title"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="value"] { color: $text; font-weight: 600; }
QLabel[role="error"] { color: $error; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="ok"] { color: $ok; }
QFrame[role="card"] { background: $panel; border: 1px solid $border; border-radius: $px6; }
QFrame[role="bar"] { background: $panel; border: none; border-bottom: 1px solid $border; }
QFrame[role="banner"] { background: $selection; border: none; border-left: $px3 solid $accent;
  border-bottom: 1px solid $border; }

QMenuBar { background: $panel; border-bottom: 1px solid $border; padding: 1px $px4; }
QMenuBar::item { padding: $px4 $px8; border-radius: $px4; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; border: 1px solid $border; padding: $px4; }
QMenu::item { padding: $px4 $px20 $px4 $px10; border-radius: $px4; }
QMenu::item:selected { background: $selection; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: $px4 $px6; }
QMenu::icon { padding-left: $px6; }

QPushButton { background: $raised; border: 1px solid $edge; border-radius: $px6; padding: $px4 $px12; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $pressed; }
QPushButton:disabled { color: $disabled; border-color: $border; background: transparent; }
QPushButton:default, QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:hover, QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:disabled { background: $hover; color: $disabled; border-color: $border; }
QPushButton[role="quiet"] { background: transparent; border-color: transparent; }
QPushButton[role="quiet"]:hover { background: $hover; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: $px6; padding: $px3 $px4; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $pressed; }
QToolButton:disabled { color: $disabled; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[role="segment"] { color: $muted; padding: $px2 $px1; border-radius: $px4; }
QToolButton[role="segment"]:hover { color: $text; }
QToolButton[role="segment"]:checked { background: $selection; color: $text; }
QToolButton[role="mute"], QToolButton[role="solo"] { border: 1px solid $edge; color: $muted; font-weight: 600;
  padding: 0; }
QToolButton[role="mute"]:checked { background: $warning; border-color: $warning; color: $panel; }
QToolButton[role="solo"]:checked { background: $accent; border-color: $accent; color: $on_accent; }
QFrame[role="row"] { background: transparent; border: 1px solid transparent; border-radius: $px4; }
QFrame[role="row"]:hover { background: $hover; }
QFrame[role="row"][chosen="true"] { background: $selection; }
QFrame[role="row"]:focus { border-color: $focus; }
QToolButton[role="primary"] { background: $accent; color: $on_accent; padding: $px3 $px10; }
QToolButton[role="primary"]:hover { background: $accent_hover; }
QToolButton[role="primary"]:disabled { background: $hover; color: $disabled; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
  background: $field; border: 1px solid $outline; border-radius: $px6; padding: $px2 $px6;
  selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit, QTextEdit { padding: $px4; }
QLineEdit, QComboBox { min-height: $px20; }
QSpinBox, QDoubleSpinBox { min-height: $px18; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {
  color: $disabled; border-color: $border; background: transparent; }
QLineEdit[valid="false"], QSpinBox[valid="false"], QDoubleSpinBox[valid="false"], QComboBox[valid="false"] {
  border-color: $error; }
QComboBox { padding-right: $px20; combobox-popup: 0; }
QComboBox::drop-down { border: none; width: $px20; }
QComboBox::down-arrow { image: $down; width: $px10; height: $px10; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; padding: $px2;
  selection-background-color: $selection; selection-color: $text; outline: none; }
QAbstractSpinBox { padding-right: $px16; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: $px16; border: none;
  background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: $up; width: $px8; height: $px8; }
QAbstractSpinBox::down-arrow { image: $down; width: $px8; height: $px8; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off,
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: none; }

QCheckBox, QRadioButton { spacing: $px6; background: transparent; border: 1px solid transparent;
  border-radius: $px4; padding: 1px; }
QCheckBox::indicator, QRadioButton::indicator { width: $px14; height: $px14; background: $field;
  border: 1px solid $outline; border-radius: $px4; }
QRadioButton::indicator { border-radius: $px8; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: $check; }
QRadioButton::indicator:checked { border: $px4 solid $accent; width: $px8; height: $px8; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $border; background: $hover; }

QSlider { border: 1px solid transparent; border-radius: $px6; }
QSlider::groove:horizontal { height: $px4; background: $border; border-radius: $px2; }
QSlider::sub-page:horizontal { background: $accent; border-radius: $px2; }
QSlider::handle:horizontal { width: $px12; height: $px12; margin: -$px4 0; border-radius: $px6;
  background: $raised; border: $px2 solid $accent; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal:disabled { border-color: $disabled; background: $panel; }

QProgressBar { background: $border; border: none; border-radius: $px3; min-height: $px6; max-height: $px6;
  text-align: center; color: transparent; }
QProgressBar::chunk { background: $accent; border-radius: $px3; }

QGroupBox { border: 1px solid $border; border-radius: $px6; margin-top: $px8; padding-top: $px8; }
QGroupBox::title { subcontrol-origin: margin; left: $px8; padding: 0 $px4; color: $muted; }
QTabWidget::pane { border: 1px solid $border; border-radius: $px6; top: -1px; }
QTabBar::tab { padding: $px4 $px12; color: $muted; border: none; border-bottom: $px2 solid transparent; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QAbstractItemView { background: $panel; alternate-background-color: $hover; border: 1px solid $border;
  border-radius: $px6; selection-background-color: $selection; selection-color: $text; }
QAbstractItemView::item { padding: $px3 $px4; }
QAbstractItemView::item:hover { background: $hover; }
QAbstractItemView::item:selected { background: $selection; color: $text; }
QTableView { gridline-color: $border; }
QHeaderView, QTableCornerButton::section { background: $panel; border: none; border-radius: 0; }
QHeaderView::section { background: $panel; color: $muted; border: none; border-bottom: 1px solid $border;
  padding: $px4 $px6; }

QScrollArea { border: none; background: transparent; }
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: $px10; }
QScrollBar:horizontal { height: $px10; }
QScrollBar::handle { background: $disabled; border-radius: $px3; margin: $px2; }
QScrollBar::handle:vertical { min-height: $px20; }
QScrollBar::handle:horizontal { min-width: $px20; }
QScrollBar::handle:hover { background: $outline; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $border; }
QSplitter::handle:hover { background: $accent; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QStatusBar { background: $panel; border-top: 1px solid $border; }
QStatusBar::item { border: none; }

QPushButton:focus, QToolButton:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus,
QPlainTextEdit:focus, QTextEdit:focus, QCheckBox:focus, QRadioButton:focus, QSlider:focus, QAbstractItemView:focus,
QScrollArea:focus { border-color: $focus; }
QToolButton[role="mute"]:focus, QToolButton[role="solo"]:focus { border: $px2 solid $focus; }
QLineEdit[valid="false"]:focus, QSpinBox[valid="false"]:focus, QDoubleSpinBox[valid="false"]:focus,
QComboBox[valid="false"]:focus { border-color: $error; }
QPushButton:default:focus, QPushButton[role="primary"]:focus, QToolButton[role="primary"]:focus {
  border: $px2 solid $text; }
"""
