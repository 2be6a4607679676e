"""What the window reads before its first paint: cheap, and never a reason not to start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ntklab.session.glance import Glance, glance
from ntklab.session.settings import Settings, save_settings


def test_it_sees_what_was_saved(tmp_path):
    file = tmp_path / "settings.json"
    assert save_settings(Settings(theme="dark", geometry="1 a b"), file) == ""
    assert glance(file) == Glance("dark", "1 a b")


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"theme": "blue", "geometry": 3}', "[" * 100_000])
def test_a_file_of_no_use_gives_the_defaults(tmp_path, text):
    file = tmp_path / "settings.json"
    file.write_text(text)
    assert glance(file) == Glance()


def test_the_shell_of_the_window_needs_neither_numpy_nor_the_spec_library():
    code = "import sys, ntklab.gui.main; print(sorted({'numpy', 'msgspec', 'pyqtgraph', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
