"""The bars at the top and the bottom."""

import pytest
from PySide6.QtCore import Qt

from ntklab.gui.panels import JobsBar, TransportBar


@pytest.fixture
def jobs(qtbot):
    bar = JobsBar()
    qtbot.addWidget(bar)
    bar.resize(1280, bar.height())
    bar.show()
    return bar


@pytest.fixture
def transport(qtbot):
    bar = TransportBar()
    qtbot.addWidget(bar)
    bar.resize(1280, 40)
    bar.show()
    return bar


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_a_job_comes_and_goes(qtbot, jobs):
    assert not jobs.cancel.isVisible()
    jobs.set_job("Kernels")
    assert jobs.progress.maximum() == 0
    jobs.set_progress(61, 64, "tiles", 3.2)
    assert (jobs.progress.value(), jobs.eta.text()) == (953, "3\u202fs left")
    jobs.set_queue(2)
    assert jobs.queue.text() == "+2 waiting"
    with qtbot.waitSignal(jobs.cancel_requested):
        click(qtbot, jobs.cancel)
    jobs.clear_job()
    assert not any(part.isVisible() for part in (jobs.job, jobs.progress, jobs.eta, jobs.cancel, jobs.queue))


def test_the_same_error_is_counted_and_its_report_is_shown(qtbot, jobs):
    report = object()
    jobs.show_error("no CUDA here", report)
    jobs.show_error("no CUDA here", report)
    assert jobs.message.text() == "no CUDA here (×2)"
    assert jobs.message.property("role") == "error"
    with qtbot.waitSignal(jobs.report_requested) as asked:
        click(qtbot, jobs.details)
    assert asked.args == [report]
    jobs.show_error("something else")
    assert jobs.message.text() == "something else"
    assert not jobs.details.isVisible()
    jobs.set_message("all is well")
    assert jobs.message.property("role") == "muted"


def test_a_long_error_leaves_room_for_the_rest(jobs):
    jobs.set_device("cuda:0, NVIDIA H100")
    jobs.set_memory("2.1 / 24 GiB")
    jobs.set_readout("i = 12  j = 40  Θ = 0.7132")
    jobs.show_error("a very long message " * 30, object())
    assert jobs.minimumSizeHint().width() <= 1280
    assert jobs.width() == 1280
    assert jobs.device.width() >= jobs.device.sizeHint().width()
    assert jobs.message.toolTip().startswith("a very long message")


def test_transport_tells_what_is_asked(qtbot, transport):
    for button, signal in (
        (transport.run_button, transport.run_requested),
        (transport.redraw, transport.redraw_requested),
        (transport.theme, transport.theme_requested),
        (transport.search, transport.palette_requested),
    ):
        with qtbot.waitSignal(signal):
            click(qtbot, button)
    transport.set_running(True)
    with qtbot.waitSignal(transport.stop_requested):
        click(qtbot, transport.stop_button)


def test_where_training_stands(transport):
    assert transport.time.text() == "not trained yet"
    transport.set_time(320, 0.01)
    assert transport.time.text() == "t = 320 steps  (η·t = 3.2)"


def test_a_seed_is_typed_and_what_is_being_typed_stays(qtbot, transport):
    transport.set_seed(3)
    transport.seed.setFocus()
    transport.seed.selectAll()
    qtbot.keyClicks(transport.seed, "17")
    transport.set_seed(3)
    assert transport.seed.text() == "17"
    with qtbot.waitSignal(transport.seed_committed) as committed:
        qtbot.keyClick(transport.seed, Qt.Key.Key_Return)
    assert committed.args == [17]


def test_a_device_that_is_not_here_is_shown_all_the_same(qtbot, transport):
    transport.set_devices(("cpu", "cuda"), "cpu")
    with qtbot.waitSignal(transport.device_chosen) as chosen:
        transport.device.setFocus()
        qtbot.keyClick(transport.device, Qt.Key.Key_Down)
    assert chosen.args == ["cuda"]
    transport.set_device("cuda:7")
    assert transport.device.value == "cuda:7"
