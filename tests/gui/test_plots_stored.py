"""A kernel on disk in a plot: seen at once, exact where it is zoomed, and nothing goes on when it is closed."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from store_tools import kernel, stored

from ntklab import figures
from ntklab.figures.model import Norm
from ntklab.gui.dialogs.stored_kernel import StoredKernelDialog
from ntklab.gui.plots.norm import quantise
from ntklab.gui.plots.page import Span
from ntklab.store import open_kernel

N = 2400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("stored") / "K"
    stored(place, kernel(N), edge=300)
    return place


@pytest.fixture
def dialog(qtbot, folder):
    made = StoredKernelDialog(figures.stored(open_kernel(folder), name="K"), str(folder))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def settle(qtbot, dialog):
    """All that is in sight was read and drawn."""
    content = dialog.view.canvas.content
    qtbot.waitUntil(lambda: not content.loading, timeout=20_000)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not content.loading, timeout=20_000)
    return content.matrix


def indices(matrix):
    """The colour numbers on screen, with the place of the first in the matrix, and the level."""
    level, i0, i1, j0, j1 = matrix._key
    return matrix._buffer[: i1 - i0, : j1 - j0], (i0, j0), level


def test_all_of_it_is_seen_at_once_and_exact_entries_when_zoomed(qtbot, dialog, folder):
    matrix = settle(qtbot, dialog)
    assert matrix.painted_entries <= 1024**2
    dialog.view.canvas.show_span(Span(1000, 1200, 500, 700))
    matrix = settle(qtbot, dialog)
    found, (i, j), level = indices(matrix)
    assert level == 0
    h, w = found.shape
    assert i <= 500
    assert i + h >= 700
    expected = np.empty_like(found)
    quantise(kernel(N)[i : i + h, j : j + w], dialog.view.canvas.content.norm, expected)
    np.testing.assert_array_equal(found, expected)


def test_the_cursor_reads_the_entry_from_the_disk(dialog, folder, qapp):
    qapp.processEvents()
    reading = dialog.view.canvas.content.read(1700.5, 3.5)
    assert reading.key == (3, 1700)
    assert f"{kernel(N)[3, 1700]:.6g}"[:6].replace("-", "−") in reading.text.replace("-", "−")
    point = dialog.view.canvas.paper.places.plot.center()
    dialog.view.canvas.read_at(QPointF(point).x(), QPointF(point).y())
    assert "i = " in dialog._readout.text()


def test_logarithmic_colours_and_levels_read_the_overview_only(qtbot, dialog, monkeypatch):
    settle(qtbot, dialog)
    content = dialog.view.canvas.content
    monkeypatch.setattr("ntklab.store.kernel.Tiles.load", lambda *_: pytest.fail("reads a tile"))
    content.toggle("colours", True)
    assert content.norm.kind == "log"
    content.recolour(Norm("linear", 0.0, 2.0))
    qtbot.wait(50)


def test_a_damaged_tile_is_said_at_the_cursor(qtbot, tmp_path, qapp):
    stored(tmp_path, kernel(1100), edge=100)
    (tmp_path / "kernel" / "c.0.1").unlink()
    dialog = StoredKernelDialog(figures.stored(open_kernel(tmp_path)), "")
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.view.canvas.show_span(Span(0, 300, 0, 300))
    settle(qtbot, dialog)
    assert "damaged on disk" in dialog.view.canvas.content.read(150.5, 20.5).text
    dialog.close()


def test_closing_while_pieces_are_read_stops(qtbot, dialog):
    dialog.view.canvas.show_span(Span(0, 1500, 0, 1500))
    qtbot.waitUntil(lambda: dialog.view.canvas.content.loading, timeout=5000)
    dialog.close()
    assert dialog.view.canvas.content is None
