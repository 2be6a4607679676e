"""Figures as files for papers: PNG, SVG and PDF with sizes in millimetres, text as text, and their origin inside."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

from ntklab.errors import FileError
from ntklab.export.bars import draw_bars
from ntklab.export.curves import draw_curves
from ntklab.export.images import draw_heatmap
from ntklab.export.maps import draw_maps
from ntklab.export.pen import PAPER, Pen, canvas_of, label_plainly
from ntklab.export.planes import draw_plane
from ntklab.figures.captions import DOT
from ntklab.figures.model import Bars, Curves, Figure, Heatmap, Maps, Plane
from ntklab.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)
MM = 1 / 25.4
_PAD = 0.03  # inches around everything
_LANDSCAPE = 0.62
_ONE_AT_A_TIME = Lock()  # matplotlib's settings belong to the whole process


class Sizes(TypedDict, total=False):
    """Options of a page; see ``Page``."""

    width_mm: float
    height_mm: float | None
    font_pt: float
    dpi: int
    caption: bool


@dataclass(frozen=True)
class Page:
    """A figure on paper, exactly ``width_mm`` wide; ``height_mm`` None follows from the content.

    Text is ``font_pt`` points (small text a little less); ``dpi`` is of PNG alone; ``caption`` adds the line of
    conventions below. Raises ``FileError`` for an impossible size.
    """

    width_mm: float = 85.0
    height_mm: float | None = None
    font_pt: float = 8.0
    dpi: int = 300
    caption: bool = True

    def __post_init__(self) -> None:
        rows = (("width", self.width_mm, 20, 1000, "mm"), ("height", self.height_mm, 20, 1000, "mm"),
                ("font size", self.font_pt, 4, 40, "pt"), ("resolution", self.dpi, 50, 1200, "dpi"))  # fmt: skip
        for name, given, low, high, unit in rows:
            if given is not None and not low <= given <= high:
                raise FileError(f"figure {name} must be from {low} to {high} {unit}, got {given}; choose one of those")


def figure(
    figure: Figure, path: Path | str, *, metadata: Mapping[str, Any] | None = None, **sizes: Unpack[Sizes]
) -> Path:
    """Write ``figure`` to ``path`` as PNG, SVG or PDF by its suffix, and return the path.

    ``sizes`` are the fields of ``Page``; ``metadata`` goes into the file as JSON. Raises ``FileError`` for another
    suffix, an impossible size, or where the file cannot be written.
    """
    target = Path(path)
    return write_atomically(target, figure_bytes(figure, suffix_format(target), metadata=metadata, **sizes))


def figure_bytes(
    figure: Figure, form: Format, *, metadata: Mapping[str, Any] | None = None, **sizes: Unpack[Sizes]
) -> bytes:
    """What ``figure`` writes, for the clipboard: equal figures give equal bytes."""
    return figure_formats(figure, (form,), metadata=metadata, **sizes)[form]


def figure_formats(
    figure: Figure,
    forms: tuple[Format, ...] = FORMATS,
    *,
    metadata: Mapping[str, Any] | None = None,
    **sizes: Unpack[Sizes],
) -> dict[Format, bytes]:
    """``figure`` in several formats, laid out once."""
    page = Page(**sizes)
    with _settings(Pen(page.font_pt)):
        canvas = _laid_out(figure, page)
        return {form: _saved(canvas, figure, form, page.dpi, metadata or {}) for form in forms}


def suffix_format(path: Path) -> Format:
    """The format that the suffix of ``path`` names. Raises ``FileError``."""
    for form in FORMATS:
        if path.suffix.lower() == f".{form}":
            return form
    known = ", ".join(f".{form}" for form in FORMATS)
    raise FileError(f"cannot write a figure as {path.name!r}: the suffix must be one of {known}; choose one of them")


@contextmanager
def _settings(pen: Pen) -> Iterator[None]:
    """Matplotlib's defaults, whatever the user's own settings are, with ours on top."""
    import matplotlib as mpl

    wanted: Any = {
        **{name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")},
        "font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans", "font.size": pen.font,
        "axes.labelsize": pen.font, "xtick.labelsize": pen.small, "ytick.labelsize": pen.small,
        "axes.linewidth": pen.rule, "axes.edgecolor": PAPER.ink, "axes.labelcolor": PAPER.ink, "text.color": PAPER.ink,
        "axes.formatter.limits": (-3, 4),
        "svg.fonttype": "none", "svg.hashsalt": "ntklab", "pdf.fonttype": 42,
    }  # fmt: skip
    with _ONE_AT_A_TIME, mpl.rc_context(wanted):
        yield


def _laid_out(figure: Figure, page: Page) -> Canvas:
    """The drawn figure at its final size: where the height is free, the axes get the shape their content asks for."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    pen = Pen(page.font_pt)
    engine = ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD)
    canvas = Canvas(figsize=(page.width_mm * MM, (page.height_mm or 0.8 * page.width_mm) * MM), layout=engine)
    FigureCanvasAgg(canvas)
    axes = _drawn(figure, canvas, pen)
    lines = _wrapped(canvas, figure.caption, pen) if page.caption and figure.caption else []
    foot = (len(lines) * 1.25 + 0.6) * pen.small / 72 if lines else 0.0
    passes = 2 if axes.get_aspect() == "auto" else 3  # axes of a fixed shape settle more slowly
    for left in reversed(range(passes)):
        width, height = canvas.get_size_inches()
        engine.set(rect=(0, foot / height, 1, 1 - foot / height))
        canvas.draw_without_rendering()
        if left:
            _break_labels(canvas)
        if left and page.height_mm is None:
            canvas.set_size_inches(width, _natural_height(axes))
    canvas.set_layout_engine("none")
    for legend in canvas.legends:  # the engine leaves them room above the foot, but puts them at the bottom
        legend.set_bbox_to_anchor((0, foot / height, 1, 1), transform=canvas.transFigure)
    canvas.text(_PAD / width, _PAD / height, "\n".join(lines), fontsize=pen.small, color=PAPER.quiet, va="bottom",
                linespacing=1.25)  # fmt: skip
    return canvas


def _drawn(figure: Figure, canvas: Canvas, pen: Pen) -> Axes:
    axes: Axes = canvas.add_subplot()
    axes.set_title(figure.title, fontsize=pen.font, loc="left", pad=0.6 * pen.font)
    axes.tick_params(width=pen.rule, length=0.35 * pen.font, pad=0.25 * pen.font)
    axes.tick_params(which="minor", width=0.7 * pen.rule, length=0.2 * pen.font)
    label_plainly(axes.xaxis, axes.yaxis)
    _RENDERERS[type(figure)](figure, axes, pen)
    return axes


_RENDERERS: dict[type[Figure], Callable[[Any, Axes, Pen], None]] = {
    Heatmap: draw_heatmap, Curves: draw_curves, Plane: draw_plane, Bars: draw_bars, Maps: draw_maps,
}  # fmt: skip


def _natural_height(axes: Axes) -> float:
    """Height of the page in inches that gives the axes their shape: that of the data, or else a landscape one."""
    width, height = canvas_of(axes).get_size_inches()
    room = axes.get_position(original=True)
    ratio = _LANDSCAPE if axes.get_aspect() == "auto" else axes.get_data_ratio()
    return float(height + room.width * width * ratio - room.height * height)


def _break_labels(canvas: Canvas) -> None:
    """Break axis titles longer than their axis into two lines, before the unit where there is one."""
    for axes in canvas.axes:
        box = axes.get_window_extent()
        for label, room in ((axes.xaxis.label, box.width), (axes.yaxis.label, box.height)):
            extent = label.get_window_extent()
            text = label.get_text()
            if max(extent.width, extent.height) > 1.05 * room and "\n" not in text:
                label.set_text(_in_two(text))


def _in_two(text: str) -> str:
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    unit = text.find(" (")
    at = unit if unit > 0 else min(spaces, key=lambda i: abs(i - len(text) / 2))
    return f"{text[:at]}\n{text[at + 1 :]}"


def _wrapped(canvas: Canvas, caption: str, pen: Pen) -> list[str]:
    """The caption in lines that fit the width, broken at its dots and within a part only where that is too long."""
    from matplotlib.font_manager import FontProperties

    renderer = canvas.canvas.get_renderer()  # type: ignore[attr-defined]
    font = FontProperties(size=pen.small)
    room = (canvas.get_size_inches()[0] - 2 * _PAD) * canvas.dpi

    def fits(line: str) -> bool:
        return bool(renderer.get_text_width_height_descent(line, font, ismath=False)[0] <= room)

    lines: list[str] = []
    for part in caption.split(DOT):
        if lines and fits(lines[-1] + DOT + part):
            lines[-1] += DOT + part
        elif fits(part):
            lines.append(part)
        else:
            lines += _filled(part.split(" "), fits)
    return lines


def _filled(words: list[str], fits: Callable[[str], bool]) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        if fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _saved(canvas: Canvas, figure: Figure, form: Format, dpi: int, metadata: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    canvas.savefig(stream, format=form, dpi=dpi, metadata=_described(figure, form, metadata))
    return stream.getvalue()


def _described(figure: Figure, form: Format, metadata: Mapping[str, Any]) -> dict[str, str | None]:
    """Title, caption and origin in the fields that each format has; no dates, so that equal figures are equal files."""
    origin = json.dumps(dict(metadata), sort_keys=True, ensure_ascii=False) if metadata else ""
    if form == "pdf":
        return {"Title": figure.title, "Subject": figure.caption, "Keywords": origin, "Creator": "NTK Lab",
                "CreationDate": None}  # fmt: skip
    described = "\n".join(part for part in (figure.caption, origin) if part)
    if form == "svg":
        return {"Title": figure.title, "Description": described, "Creator": "NTK Lab", "Date": None}
    return {"Title": figure.title, "Description": figure.caption, "Comment": origin, "Software": "NTK Lab"}
