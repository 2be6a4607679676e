import pytest

from ntklab.gui.widgets import Scale
from ntklab.gui.widgets.scale import stepped

SCALES = [
    Scale(16, 4096, integer=True, log=True, positions=64),
    Scale(0.0, 0.5, step=0.01),
    Scale(8, 2048, integer=True, log=True),
    Scale(1e-3, 1e3, log=True),
    Scale(0, 10, integer=True),
]


@pytest.mark.parametrize("scale", SCALES)
def test_positions_rise_from_end_to_end(scale):
    values = [scale.at(position) for position in range(scale.positions + 1)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (scale.minimum, scale.maximum)


@pytest.mark.parametrize("scale", SCALES)
def test_a_value_returns_to_itself(scale):
    for position in range(0, scale.positions + 1, 7):
        value = scale.at(position)
        assert scale.at(scale.position(value)) == pytest.approx(value, rel=0.02, abs=scale.step / 2)


@pytest.mark.parametrize("doublings", range(9))
def test_powers_of_two_are_exact_stops(doublings):
    scale = SCALES[0]
    assert scale.at(8 * doublings) == 16 * 2**doublings


def test_what_lies_beyond_stands_at_the_ends():
    scale = SCALES[0]
    assert (scale.position(1), scale.position(10**6)) == (0, scale.positions)


@pytest.mark.parametrize(
    ("scale", "value", "steps", "after"),
    [(SCALES[1], 0.05, 1, 0.06), (SCALES[1], 0.05, -10, -0.05), (SCALES[2], 512, 1, 1024), (SCALES[2], 500, 1, 512),
     (SCALES[2], 500, -1, 256), (SCALES[2], 1, -1, 1), (SCALES[3], 1.0, 1, 2.0), (SCALES[3], 1.0, -1, 0.5),
     (SCALES[3], 3.0, 1, 5.0), (SCALES[4], 3, 2, 5)],
)  # fmt: skip
def test_steps_of_the_arrow_keys(scale, value, steps, after):
    assert stepped(value, steps, scale=scale) == pytest.approx(after)
