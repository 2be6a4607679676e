"""Formulas written as one would type them, as HTML that a label can show."""

from __future__ import annotations

import re
from html import escape

UPRIGHT = ("KTA", "CKA", "of", "no")
_FACE = "font-family:'STIX Two Text','Cambria Math','Latin Modern Math','DejaVu Serif',serif"
_TOKEN = re.compile(
    r"(?P<script>[_^])(?:\{(?P<group>[^{}]*)\}|(?P<single>\w|.))"
    rf"|!(?P<plain>\w)|(?P<word>\b(?:[A-Za-z][a-z]{{2,}}|{'|'.join(UPRIGHT)})\b)"
    r"|(?P<italic>[A-Za-zα-ω])|(?P<line>\n)|(?P<other>.)"
)


def maths(text: str) -> str:
    """HTML of ``text``: ``_`` and ``^`` lower and raise a sign or a ``{group}``, single letters are italic.

    Words of three letters and more (log, max) and those of ``UPRIGHT``, capital Greek letters and letters after ``!``
    stay upright; a line break stays one.
    """
    return f'<span style="{_FACE}">{_html(text)}</span>'


def _html(text: str) -> str:
    return "".join(_piece(match) for match in _TOKEN.finditer(text))


def _piece(match: re.Match[str]) -> str:
    if match["script"]:
        tag = "sub" if match["script"] == "_" else "sup"
        inside = match["group"] if match["group"] is not None else match["single"]
        return f"<{tag}>{_html(inside)}</{tag}>"
    if match["italic"]:
        return f"<i>{match['italic']}</i>"
    if match["line"]:
        return "<br>"
    return escape(match["plain"] or match["word"] or match["other"])
