"""Both palettes are readable, and everything the style sheet and icons need is shipped."""

import re

import pytest

from ntklab.errors import FileError
from ntklab.figures.colours import STYLES
from ntklab.figures.grounds import GROUNDS
from ntklab.gui import theme
from ntklab.gui.theme.palette import PALETTES, Palette, contrast
from ntklab.resources import resource

AA, LARGE = 4.5, 3.0  # WCAG 2.2: text, and graphics that carry meaning
ICONS = [path.stem for path in sorted(resource("icons").glob("*.svg"))]
ICONS += [f"layers/{path.stem}" for path in sorted(resource("icons/layers").glob("*.svg"))]
both = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES.keys())


def test_contrast_of_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the classic near miss


@both
@pytest.mark.parametrize("ground", ["window", "panel", "raised", "field", "selection", "hover"])
def test_text_meets_aa_on_every_ground(palette: Palette, ground: str) -> None:
    assert contrast(palette.text, getattr(palette, ground)) >= AA


@both
@pytest.mark.parametrize("ink", ["muted", "accent", "error", "warning", "ok"])
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
def test_coloured_text_meets_aa(palette: Palette, ink: str, ground: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= AA


@both
def test_buttons_edges_and_focus(palette: Palette) -> None:
    assert contrast(palette.on_accent, palette.accent) >= AA
    assert contrast(palette.on_accent, palette.accent_hover) >= AA
    for ground in (palette.window, palette.panel, palette.field):
        assert contrast(palette.focus, ground) >= LARGE
    assert contrast(palette.outline, palette.field) >= LARGE
    assert contrast(palette.outline, palette.panel) >= LARGE


@both
def test_plots_share_the_ground_of_panels_and_their_curves_stand_out(palette: Palette) -> None:
    assert palette.plot is GROUNDS[palette.theme]
    assert palette.panel == palette.plot.ground
    for role, style in STYLES.items():
        assert contrast(style.colour(palette.theme), palette.plot.ground) >= LARGE, role


@both
@pytest.mark.parametrize("font_px", [13, 20, 26])
def test_style_sheet_has_no_gaps_and_grows_with_the_font(palette: Palette, font_px: int) -> None:
    sheet = theme.style_sheet(palette, font_px)
    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")
    radius = re.search(r"QPushButton \{[^}]*border-radius: (\d+)px", sheet)
    assert radius is not None
    assert int(radius[1]) == round(6 * font_px / 13)


def test_the_icons_that_the_window_needs_are_there() -> None:
    needed = (
        "play stop pause undo redo add remove up down search export copy settings data layers kernel spectrum function "
        "training info warning check close open save reset dice sun moon maximize menu cpu gpu help"
    )
    assert set(needed.split()) <= set(ICONS)


@pytest.mark.parametrize("name", ICONS)
def test_icon_takes_the_colour_of_the_palette(qapp, name: str) -> None:
    pixmap = theme.icon(name, "#ff0000").pixmap(32, 32)
    image = pixmap.toImage()
    inks = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    solid = [c for c in inks if c.alpha() > 200]
    assert solid, "nothing is drawn"
    assert all(c.red() > 200 and c.green() < 60 and c.blue() < 60 for c in solid)


def test_icon_is_grey_when_disabled_and_sharp_on_dense_screens(qapp) -> None:
    from PySide6.QtCore import QSize
    from PySide6.QtGui import QIcon

    icon = theme.icon("save")
    dense = icon.pixmap(QSize(24, 24), 2.0)
    assert (dense.width(), dense.devicePixelRatio()) == (48, 2.0)
    normal = icon.pixmap(QSize(24, 24), 1.0, QIcon.Mode.Normal).toImage()
    disabled = icon.pixmap(QSize(24, 24), 1.0, QIcon.Mode.Disabled).toImage()
    assert normal != disabled


def test_missing_icon_says_so(qapp) -> None:
    with pytest.raises(FileError, match="no-such-icon"):
        theme.icon("no-such-icon")


def test_icon_files_have_no_colour_of_their_own() -> None:
    for path in (*resource("icons").glob("*.svg"), *resource("icons/layers").glob("*.svg")):
        assert "#" not in path.read_text(), path.name
