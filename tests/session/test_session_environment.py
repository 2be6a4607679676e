"""Pairs of PySide6 and pyqtgraph: tested, untested, known to abort, missing."""

import tomllib
from pathlib import Path

import pytest

from ntklab.session.environment import TESTED_PAIRS, installed_pair, pair_warning


@pytest.mark.parametrize(
    ("pair", "python", "words"),
    [
        (("6.11.3", "0.14.0"), (3, 11), ""),
        (("6.10.1", "0.14.0"), (3, 13), ""),
        (("6.12.0", "0.14.0"), (3, 11), "known to abort"),
        (("6.12.0", "0.14.0"), (3, 12), "not tested together"),
        (("6.11.1", "0.15.0"), (3, 11), "not tested together"),
        ((None, "0.14.0"), (3, 11), "PySide6-Essentials is not installed"),
        (("6.11.1", None), (3, 11), "pyqtgraph is not installed"),
    ],
)
def test_what_is_said_of_a_pair(pair, python, words):
    warning = pair_warning(pair, python)
    assert words in warning
    assert bool(words) == bool(warning)
    assert "\n" not in warning


def test_the_installed_pair_is_tested():
    assert None not in installed_pair()
    assert pair_warning() == ""


def test_the_package_asks_for_tested_pairs_alone():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (wanted,) = [need for need in project["dependencies"] if need.startswith("PySide6")]
    assert wanted == f"PySide6-Essentials>={TESTED_PAIRS[0][0]},<6.12"
