"""Reusable widgets that know nothing of kernels: numbers, sliders, choices, sections, cards."""

from ntklab.gui.widgets.banner import Banner
from ntklab.gui.widgets.card import Card, CardRow
from ntklab.gui.widgets.chips import Chips
from ntklab.gui.widgets.choice import HEADING, Choice
from ntklab.gui.widgets.dial import LogDial
from ntklab.gui.widgets.elided import ElidedLabel
from ntklab.gui.widgets.icon_button import IconButton
from ntklab.gui.widgets.layouts import clear, discard, form_layout, ground, pad, rule, scrolled, swap
from ntklab.gui.widgets.maths import maths
from ntklab.gui.widgets.number_edit import NumberEdit, ValueEdit
from ntklab.gui.widgets.picker import Picker, PickerRow
from ntklab.gui.widgets.scale import Scale
from ntklab.gui.widgets.section import Section
from ntklab.gui.widgets.segments import Segments
from ntklab.gui.widgets.share_bar import ShareBar
from ntklab.gui.widgets.sizes_edit import SizesEdit
from ntklab.gui.widgets.slider import ValueSlider
from ntklab.gui.widgets.tint import Tint
from ntklab.gui.widgets.validity import InlineError, restyle, set_valid

__all__ = [
    "HEADING",
    "Banner",
    "Card",
    "CardRow",
    "Chips",
    "Choice",
    "ElidedLabel",
    "IconButton",
    "InlineError",
    "LogDial",
    "NumberEdit",
    "Picker",
    "PickerRow",
    "Scale",
    "Section",
    "Segments",
    "ShareBar",
    "SizesEdit",
    "Tint",
    "ValueEdit",
    "ValueSlider",
    "clear",
    "discard",
    "form_layout",
    "ground",
    "maths",
    "pad",
    "restyle",
    "rule",
    "scrolled",
    "set_valid",
    "swap",
]
