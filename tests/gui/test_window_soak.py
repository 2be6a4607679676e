"""A minute of redraws: the fault of one PySide6 release killed the interpreter within two seconds of these."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

SOAK = textwrap.dedent("""
    import sys, time
    from PySide6.QtCore import QTimer
    from ntklab.gui.main import open_window

    app, window = open_window()
    end = time.monotonic() + float(sys.argv[1])
    turns, ready = [0], []
    window.plots_ready.connect(lambda: ready.append(True))

    def redraw():
        if not ready:
            return
        for panel in window.views.panels.values():
            panel.update()
            if panel.plot is not None:
                panel.plot.canvas.viewport().update()
        turns[0] += 1
        if window.laboratory.warm and not window.running:
            window.laboratory.dial(16 + turns[0] % 240)
        if time.monotonic() > end:
            window.close()
            app.quit()

    timer = QTimer(interval=16)
    timer.timeout.connect(redraw)
    timer.start()
    code = app.exec()
    print("alive after", turns[0], "redraws,", window.ended, code)
""")


@pytest.mark.soak
def test_the_window_lives_through_a_minute_of_redraws(tmp_path):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SOAK, "60"], env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.split()
    assert words[:2] == ["alive", "after"]
    assert int(words[2]) > 300
    assert words[-2:] == ["True", "0"]
