"""Curves, guides and shaded regions on common axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntklab.export.pen import DASHES, MARKERS, PAPER, Pen, label_logarithms, legend_below, set_axis
from ntklab.figures.colours import STYLES
from ntklab.figures.model import Curves, Mark, Role, Rule, Series, Shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COVERING = 0.3  # opacity of bands that leave no place for a legend among them
_LONG = 8  # letters of names of which five do not fit side by side


def draw_curves(figure: Curves, axes: Axes, pen: Pen) -> None:
    set_axis(axes, "x", figure.x)
    set_axis(axes, "y", figure.y)
    for shade in figure.shades:
        _shade(shade, axes, pen)
    for rule in figure.rules:
        _rule(rule, axes, pen)
    for order, series in enumerate(figure.series):
        _series(series, axes, pen, order)
    _frame(axes, pen)
    label_logarithms(axes)
    named = [series for series in figure.series if series.legend]
    if len(named) > 1:
        covered = any(series.fill > _COVERING for series in named)
        _legend(axes, pen, [series.legend for series in named], below=covered)


def _series(series: Series, axes: Axes, pen: Pen, order: int) -> None:
    style = STYLES[series.role]
    if series.low is not None and series.high is not None:
        axes.fill_between(series.x, series.low, series.high, color=style.print, alpha=series.fill, linewidth=0)
    axes.plot(
        series.x, series.y, color=style.print, label=series.legend or "_" + series.name,
        zorder=3 + 0.01 * order, **line_look(series.mark, series.role, series.weight, pen, len(series.x)),
    )  # fmt: skip


def line_look(mark: Mark, role: Role, weight: float, pen: Pen, points: int) -> dict[str, Any]:
    """Line and marker of a series."""
    style = STYLES[role]
    dash = style.dash or (DASHES if mark == "dashes" else ())
    look: dict[str, Any] = {"linewidth": pen.line * weight, "linestyle": (0, dash) if dash else "solid",
                            "dash_capstyle": "butt", "solid_capstyle": "round"}  # fmt: skip
    if mark == "dots":
        look["linestyle"] = "none"
    if mark in ("dots", "line+dots"):
        crowd = 0.75 if points > 100 else 1.0
        look |= {"marker": MARKERS[style.marker], "markersize": pen.dot * weight * crowd, "markeredgewidth": pen.rule}
    return look


def _shade(shade: Shade, axes: Axes, pen: Pen) -> None:
    span = axes.axhspan if shade.axis == "y" else axes.axvspan
    span(shade.low, shade.high, facecolor=PAPER.shade, edgecolor="none", zorder=0)
    if not shade.label:
        return
    if shade.axis == "y":
        at, place = (0.02, shade.high), axes.get_yaxis_transform()
        axes.annotate(shade.label, at, (0, -0.3 * pen.small), xycoords=place, textcoords="offset points", va="top",
                      fontsize=pen.small, color=PAPER.quiet)  # fmt: skip
    else:
        at, place = (shade.low, 0.02), axes.get_xaxis_transform()
        axes.annotate(shade.label, at, (0.3 * pen.small, 0), xycoords=place, textcoords="offset points", rotation=90,
                      va="bottom", fontsize=pen.small, color=PAPER.quiet)  # fmt: skip


def _rule(rule: Rule, axes: Axes, pen: Pen) -> None:
    look: dict[str, Any] = {"color": PAPER.quiet, "linewidth": pen.rule, "linestyle": (0, (4, 3)), "zorder": 1}
    if rule.axis == "y":
        axes.axhline(rule.at, **look)
        at, shift, place = (0.99, rule.at), (0.0, 0.2 * pen.small), axes.get_yaxis_transform()
        words: dict[str, Any] = {"ha": "right", "va": "bottom"}
    else:
        axes.axvline(rule.at, **look)
        at, shift, place = (rule.at, 0.02), (0.25 * pen.small, 0.0), axes.get_xaxis_transform()
        words = {"ha": "left", "va": "bottom", "rotation": 90}
    if rule.label:
        axes.annotate(rule.label, at, shift, xycoords=place, textcoords="offset points", fontsize=pen.small,
                      color=PAPER.quiet, **words)  # fmt: skip


def _frame(axes: Axes, pen: Pen) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(visible=True, which="major", color=PAPER.grid, linewidth=0.6 * pen.rule)
    axes.set_axisbelow(True)


def _legend(axes: Axes, pen: Pen, names: list[str], *, below: bool) -> None:
    if below or len(names) > 4:
        long = max(map(len, names)) > _LONG
        columns = 2 if len(names) <= 6 and not below else 3 if long else 5
        legend_below(axes, *axes.get_legend_handles_labels(), pen=pen, columns=columns)
        return
    axes.legend(loc="best", fontsize=pen.small, frameon=False, handlelength=2.4, labelspacing=0.3, borderaxespad=0.2,
                handletextpad=0.5)  # fmt: skip
