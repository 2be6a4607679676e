"""The palette: readable on its ground, told apart by everyone, and true to its sources."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps

from ntklab.figures.colours import STYLES, class_role, colour_map
from ntklab.figures.grounds import GROUNDS, rgb

THEMES = ("light", "dark", "print")
# Machado, Oliveira, Fernandes 2009, severity 1
DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colours):
    c = np.asarray(colours, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colours):
    return linear(colours) @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    dark, light = sorted((luminance(rgb(a)), luminance(rgb(b))))
    return (light + 0.05) / (dark + 0.05)


def seen(colours, deficiency):
    """OKLab coordinates of 8-bit colours as seen with a deficiency of colour vision (None: without)."""
    light = linear(colours)
    if deficiency:
        light = np.clip(light @ np.transpose(DEFICIENCIES[deficiency]), 0, 1)
    lms = light @ np.transpose([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                                [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    return np.cbrt(lms) @ np.transpose([[0.2104542553, 0.7936177850, -0.0040720468],
                                        [1.9779984951, -2.4285922050, 0.4505937099],
                                        [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("role", STYLES)
def test_every_role_stands_out_from_its_ground(role, theme):
    least = 2.5 if role == "muted" else 3.0
    assert contrast(STYLES[role].colour(theme), GROUNDS[theme].ground) >= least


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable(theme):
    ground = GROUNDS[theme]
    assert contrast(ground.ink, ground.ground) >= 7
    assert contrast(ground.quiet, ground.ground) >= 4.5


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
@pytest.mark.parametrize("theme", THEMES)
def test_curves_drawn_together_are_told_apart(theme, deficiency):
    for a, b in combinations(("network", "linearised", "infinite", "target"), 2):
        colours = seen([rgb(STYLES[a].colour(theme)), rgb(STYLES[b].colour(theme))], deficiency)
        differ_in_line = STYLES[a].dash != STYLES[b].dash
        assert np.linalg.norm(colours[0] - colours[1]) > (0.05 if differ_in_line else 0.15), (a, b)


def test_the_three_runs_differ_in_dash_as_well():
    assert len({STYLES[role].dash for role in ("network", "linearised", "infinite")}) == 3


def test_classes_differ_in_marker():
    assert len({STYLES[class_role(i)].marker for i in range(10)}) == 10
    assert class_role(13) == class_role(3)


def test_one_colour_for_each_idea():
    assert STYLES["network"].light == STYLES["empirical"].light
    assert STYLES["infinite"].light == STYLES["analytic"].light


def test_sequential_is_viridis():
    reference = 255 * np.array(colormaps["viridis"].colors)
    assert np.abs(colour_map("sequential") - reference).max() <= 4


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
@pytest.mark.parametrize("theme", THEMES)
def test_diverging_is_even_and_its_arms_are_told_apart(theme, deficiency):
    lab = seen(colour_map("diverging", theme), deficiency)
    from_zero = -lab[:128, 0][::-1], -lab[128:, 0]
    sign = -1 if theme == "dark" else 1
    assert all((sign * np.diff(arm) > -0.004).all() for arm in from_zero)
    assert np.linalg.norm(lab[40] - lab[215]) > 0.2


@pytest.mark.parametrize("theme", THEMES)
def test_zero_takes_the_colour_of_the_ground(theme):
    middle = colour_map("diverging", theme)[127:129].mean(axis=0)
    assert np.abs(middle - rgb(GROUNDS[theme].ground)).max() <= 12


def test_maps_are_shared_and_cannot_be_written():
    assert colour_map("diverging", "light") is colour_map("diverging", "light")
    with pytest.raises(ValueError, match="read-only"):
        colour_map("sequential")[0] = 0
