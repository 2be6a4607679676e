"""Exported figures are opened and measured: size, text, orientation, origin."""

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
import zlib

import fake_results as fake
import numpy as np
import pytest
from PIL import Image

from ntklab import export, figures
from ntklab.errors import FileError
from ntklab.export.images import coloured
from ntklab.figures.colours import colour_map, missing
from ntklab.figures.grounds import rgb
from ntklab.figures.model import Axis, Curves, Heatmap, Norm, Rule, Series, Shade

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
POINT = 25.4 / 72


def asymmetric(n=3):
    values = np.arange(float(n * n)).reshape(n, n)
    return Heatmap("Asymmetric", values, Norm("linear", 0.0, n * n - 1.0), "K(i, j)", caption="NTK parameterisation")


def curves():
    x = np.array([1.0, 10.0, 100.0])
    return Curves(
        "Curves", Axis("step"), Axis("loss", "half", "log"),
        (Series("network", x, x**-1.0, "network"), Series("linearised", x, 2 * x**-1.0, "linearised", "dots")),
        rules=(Rule("y", 0.1, "level"), Rule("x", 50.0, "here")), shades=(Shade("y", 0.005, 0.02, "below precision"),),
        caption="float64 · seed 7",
    )  # fmt: skip


def various_figures():
    """One of each kind, with the longest words."""
    circles, ten, line, circle = fake.two_circles(), fake.classes(k=10, n=40), fake.line(), fake.circle()
    run, run_of_ten, run_on_line = fake.run(circles), fake.run(ten), fake.run(line)
    return [
        figures.kernel(run_of_ten.empirical, ten, spectrum=run_of_ten.empirical_spectrum),
        figures.difference(run.empirical, run.ntk, circles),
        figures.spectrum(run.empirical_spectrum, run.ntk_spectrum),
        figures.power(run.empirical_spectrum, run.ntk_spectrum),
        figures.losses(run.trajectory),
        figures.outputs(run_of_ten.trajectory, ten),
        figures.function(circles, run.trajectory),
        figures.function(ten, run_of_ten.trajectory),
        figures.function(line, run_on_line.trajectory),
        figures.eigenfunction(circle, fake.run(circle).ntk_spectrum, 2),
        figures.convergence(fake.widths()),
    ]


def svg_of(figure, **options):
    return ET.fromstring(export.figure_bytes(figure, "svg", **options))


def text_of(root):
    return [" ".join("".join(element.itertext()).split()) for element in root.iter(f"{SVG}text")]


def lengths(root):
    return [float(root.get(side).removesuffix("pt")) * POINT for side in ("width", "height")]


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(85.0, 60.0), (178.0, 100.0)])
def test_svg_has_the_size_asked_for(width, height):
    assert lengths(svg_of(curves(), width_mm=width, height_mm=height)) == pytest.approx([width, height], abs=0.01)


def test_pdf_has_the_size_asked_for():
    content = export.figure_bytes(asymmetric(), "pdf", width_mm=120.0, height_mm=110.0)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", content)
    assert [float(side) * POINT for side in box.groups()] == pytest.approx([120, 110], abs=0.01)


@pytest.mark.parametrize("dpi", [100, 300])
def test_png_has_the_size_and_resolution_asked_for(dpi):
    picture = Image.open(io.BytesIO(export.figure_bytes(curves(), "png", width_mm=85.0, height_mm=60.0, dpi=dpi)))
    assert picture.size == pytest.approx((85 / 25.4 * dpi, 60 / 25.4 * dpi), abs=1)
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


def test_free_height_gives_square_cells():
    root = svg_of(asymmetric(4), width_mm=85.0)
    (image,) = [element for element in root.iter(f"{SVG}image") if float(element.get("width")) > 100]
    assert float(image.get("width")) == pytest.approx(float(image.get("height")), rel=0.01)
    width, height = lengths(root)
    assert width == pytest.approx(85, abs=0.01)
    assert 0.7 * width < height < 1.1 * width


@pytest.mark.parametrize(
    "options", [{"width_mm": 1.0}, {"height_mm": 5000.0}, {"font_pt": 0.0}, {"dpi": 10}, {"width_mm": float("nan")}]
)
def test_impossible_sizes_are_refused(options):
    with pytest.raises(FileError, match="must be from"):
        export.figure_bytes(curves(), "svg", **options)


# -- text --------------------------------------------------------------------------------------------------------------


def test_svg_text_is_text_of_the_size_asked_for():
    root = svg_of(curves(), font_pt=9.0)
    words = text_of(root)
    for expected in ("Curves", "step", "loss (half)", "network", "linearised", "level", "here", "below precision",
                     "float64 · seed 7", "10⁻¹"):  # fmt: skip
        assert any(expected == word for word in words), (expected, words)
    (title,) = [element for element in root.iter(f"{SVG}text") if element.text == "Curves"]
    assert "9px" in title.get("style")  # a pixel of this SVG is a point


@pytest.mark.parametrize(("scale", "factor"), [(1e-6, "×10⁻⁶"), (3e5, "×10⁵"), (1.0, None)])
def test_a_common_factor_of_the_ticks_is_said_in_real_units(scale, factor):
    x = np.array([0.0, 1.0, 2.0])
    words = text_of(svg_of(Curves("t", Axis("x"), Axis("y"), (Series("s", x, x * scale, "network"),))))
    words += text_of(svg_of(Heatmap("t", np.diag(x) * scale, Norm("linear", 0.0, 2 * scale), "K")))
    assert words.count(factor) == (0 if factor is None else 2)
    assert not [word for word in words if re.search(r"\de[−+-]?\d", word)]


def test_no_offset_is_taken_from_the_ticks():
    values = 2.3 + 1e-6 * np.eye(3)
    words = text_of(svg_of(Heatmap("t", values, Norm("linear", 2.3, 2.3 + 1e-6), "K")))
    assert "2.3000010" in words


def test_pdf_embeds_truetype_fonts():
    content = export.figure_bytes(curves(), "pdf")
    assert b"/CIDFontType2" in content
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("figure", various_figures(), ids=lambda figure: figure.title)
def test_nothing_is_clipped_or_lost(figure):
    """Every text stands on the page, and the caption is there in full."""
    from matplotlib.text import Text

    from ntklab.export import plots

    page = plots.Page()
    with plots._settings(plots.Pen(page.font_pt)):
        canvas = plots._laid_out(figure, page)
        canvas.draw_without_rendering()
        unused = {id(label) for axes in canvas.axes for label in ticks_outside(axes)}
        for text in canvas.findobj(Text):
            box = text.get_window_extent()
            if text.get_visible() and text.get_text() and id(text) not in unused:
                assert box.x0 >= -1, text.get_text()
                assert box.y0 >= -1, text.get_text()
                assert box.x1 <= canvas.bbox.width + 1, text.get_text()
                assert box.y1 <= canvas.bbox.height + 1, text.get_text()
    drawn = " ".join(text.get_text() for text in canvas.texts).replace("\n", " ")
    assert set(figure.caption.split()) - {"·"} <= set(drawn.split())


def ticks_outside(axes):
    """Labels of ticks beyond the limits, which are never drawn."""
    for axis, limits, side in ((axes.xaxis, axes.get_xlim(), 0), (axes.yaxis, axes.get_ylim(), 1)):
        for label in axis.get_ticklabels(which="both"):
            if not min(limits) <= label.get_position()[side] <= max(limits):
                yield label


# -- pictures ----------------------------------------------------------------------------------------------------------


def embedded(root):
    """The large image in an SVG, as (h, w, 3)."""
    (image,) = [element for element in root.iter(f"{SVG}image") if float(element.get("width")) > 100]
    content = base64.b64decode(image.get(LINK).split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    transform = image.get("transform") or ""
    flipped = "scale(1 -1)" in transform or "matrix(1 0 0 -1" in transform
    return pixels[::-1] if flipped else pixels


def test_row_0_is_on_top_and_column_0_on_the_left_in_svg():
    pixels = embedded(svg_of(asymmetric(3)))
    table = colour_map("sequential", "print")
    h, w, _ = pixels.shape
    for i in range(3):
        for j in range(3):
            value = (3 * i + j) / 8
            seen = pixels[int((i + 0.5) * h / 3), int((j + 0.5) * w / 3)]
            assert np.abs(seen.astype(int) - table[min(int(value * 256), 255)]).max() <= 1


def test_row_0_is_on_top_and_column_0_on_the_left_in_png():
    values = np.zeros((2, 2))
    values[0, 1] = 1.0  # the only bright cell: up on the right
    figure = Heatmap("Corner", values, Norm("linear", 0.0, 1.0), "K")
    picture = np.asarray(Image.open(io.BytesIO(export.figure_bytes(figure, "png"))).convert("RGB")).astype(int)
    bright, dark = (np.argwhere(np.abs(picture - rgb_).sum(axis=2) < 6) for rgb_ in _ends())
    left = bright[bright[:, 1] < dark[:, 1].max()]  # without the colour bar
    assert len(left) > 1000
    assert left[:, 0].mean() < dark[:, 0].mean()
    assert left[:, 1].mean() > np.median(dark[:, 1])


def _ends():
    table = colour_map("sequential", "print")
    return table[-1].astype(int), table[0].astype(int)


def test_cells_are_not_smoothed():
    pixels = embedded(svg_of(asymmetric(3)))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 9


def test_small_matrices_are_enlarged_and_large_ones_averaged():
    norm = Norm("linear", 0.0, 1.0)
    assert coloured(np.zeros((5, 3)), norm, "sequential").shape == (1200, 720, 3)
    wide = np.zeros((2, 4801))
    wide[:, -1] = 1.0  # alone in the last block
    pixels = coloured(wide, norm, "sequential")
    assert pixels.shape == (2, 1201, 3)
    assert (pixels[0, -1] == colour_map("sequential", "print")[-1]).all()
    assert (pixels[0, :-1] == colour_map("sequential", "print")[0]).all()
    pixels = coloured(np.array([[np.nan, 0.0]]), norm, "sequential")
    assert tuple(pixels[0, 0]) == rgb(missing("print"))


def test_saturated_values_are_announced_on_the_bar():
    values = np.array([[0.0, 1.0], [0.5, 9.0]])
    within = export.figure_bytes(Heatmap("t", values, Norm("linear", 0.0, 9.0), "K"), "svg")
    beyond = export.figure_bytes(Heatmap("t", values, Norm("linear", 0.0, 1.0), "K"), "svg")
    assert beyond.count(b"<path") > within.count(b"<path")


# -- origin and repeatability ------------------------------------------------------------------------------------------


def origin():
    return {"experiment_hash": "abc123", "seed": 7, "versions": {"ntklab": "0.1.0"}}


def test_png_carries_its_origin():
    info = Image.open(io.BytesIO(export.figure_bytes(curves(), "png", metadata=origin()))).info
    assert json.loads(info["Comment"]) == origin()
    assert info["Title"] == "Curves"
    assert info["Description"] == "float64 · seed 7"


def test_svg_carries_its_origin():
    root = svg_of(curves(), metadata=origin())
    (described,) = root.iter("{http://purl.org/dc/elements/1.1/}description")
    caption, _, rest = described.text.partition("\n")
    assert caption == "float64 · seed 7"
    assert json.loads(rest) == origin()


def test_pdf_carries_its_origin():
    content = export.figure_bytes(curves(), "pdf", metadata={"experiment_hash": "abc123", "seed": 7})
    plain = content + b"".join(
        zlib.decompress(found) for found in re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", content, re.DOTALL)
    )
    assert b"abc123" in plain


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_equal_figures_give_equal_files(form):
    assert export.figure_bytes(curves(), form) == export.figure_bytes(curves(), form)


def test_the_users_matplotlib_settings_change_nothing():
    import matplotlib as mpl

    before = export.figure_bytes(curves(), "svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert export.figure_bytes(curves(), "svg") == before
        assert mpl.rcParams["font.size"] == 30


def test_figures_are_written_by_suffix(tmp_path):
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")):
        path = export.figure(curves(), tmp_path / f"new/figure{suffix}")
        assert path.read_bytes().startswith(start)
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["figure.PDF", "figure.png", "figure.svg"]


@pytest.mark.parametrize("name", ["figure.jpg", "figure"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(FileError, match=r"\.png, \.svg, \.pdf"):
        export.figure(curves(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write"):
        export.figure(curves(), tmp_path / "file" / "figure.png")
