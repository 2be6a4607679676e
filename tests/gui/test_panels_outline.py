"""What the architecture panel knows without a window: lines, rails, places, drawings, words, cards."""

import re

import pytest

from ntklab.gui.panels.blocks import blocks, folded
from ntklab.gui.panels.drawing import Point, Style, draw, row_width, wrapped
from ntklab.gui.panels.input_editor import followed
from ntklab.gui.panels.layer_cards import layer_card
from ntklab.gui.panels.layer_inputs import parse_slices
from ntklab.gui.panels.outline import Rail, outline, parameterisations, widths
from ntklab.gui.panels.slots import Slot, along, inwards, moves, outwards, slot_at
from ntklab.gui.panels.summaries import SUMMARIES
from ntklab.gui.panels.words import axis_names, flow_text, key_parameters, layer_icon, slices_text
from ntklab.gui.panels.workbench import Workbench
from ntklab.gui.starter import starter_experiment
from ntklab.gui.widgets import maths
from ntklab.resources import resource
from ntklab.session import Session, edits, sketches
from ntklab.session.sketches import Sketch
from ntklab.spec import (
    LAYER_TYPES,
    PRESETS,
    Architecture,
    AvgPool,
    Branch,
    Conv,
    ConvTranspose,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Input,
    LayerNorm,
    SelfAttention,
)  # fmt: skip
from ntklab.spec.activations import Erf, LeakyRelu, Numerical, Relu

IMAGE = Input("image", (8, 8, 1))
CONV = Conv(16, (3, 3), padding="SAME")
SKIP = Branch(((Relu(), CONV), ()))
PARALLEL = Branch(((Relu(), SKIP), (CONV,)), merge="concat")
NETWORK = Architecture(IMAGE, (CONV, SKIP, PARALLEL, GlobalAvgPool(), Dense(10)))
LINES = outline(NETWORK)


def line(path):
    return next(line for line in LINES if line.path == path)


def test_lines_go_from_input_to_read_out():
    assert [(entry.path, entry.kind) for entry in LINES] == [
        ((), "input"), ((0,), "layer"),
        ((1,), "layer"), ((1, 0, 0), "layer"), ((1, 0, 1), "layer"), ((1, 1, 0), "identity"), ((1, -1), "merge"),
        ((2,), "layer"), ((2, 0, 0), "layer"), ((2, 0, 1), "layer"), ((2, 0, 1, 0, 0), "layer"),
        ((2, 0, 1, 0, 1), "layer"), ((2, 0, 1, 1, 0), "identity"), ((2, 0, 1, -1), "merge"), ((2, 1, 0), "layer"),
        ((2, -1), "merge"), ((3,), "layer"), ((4,), "readout"),
    ]  # fmt: skip
    assert [entry.shape for entry in LINES if entry.depth == 0 and entry.kind == "layer"] == [
        (8, 8, 16), (8, 8, 16), (8, 8, 32), (32,),
    ]  # fmt: skip
    assert (line((1, -1)).target, line((1, -1)).layer) == ((1,), SKIP)


@pytest.mark.parametrize(
    ("path", "rails"),
    [
        ((), [(0, "bottom", "main")]),
        ((0,), [(0, "top", "main"), (0, "bottom", "main")]),
        ((1,), [(0, "top", "main"), (0, "bottom", "skip")]),
        ((1, 0, 0), [(0, "whole", "skip"), (1, "out", "main"), (1, "bottom", "main")]),
        ((1, 0, 1), [(0, "whole", "skip"), (1, "top", "main"), (1, "in", "main")]),
        ((1, 1, 0), [(0, "whole", "skip")]),
        ((1, -1), [(0, "top", "skip"), (0, "bottom", "main")]),
        ((2, 1, 0), [(0, "whole", "bus"), (1, "out", "main"), (1, "in", "main")]),
        ((2, 0, 1), [(0, "whole", "bus"), (1, "top", "main"), (1, "bottom", "skip")]),
        ((2, 0, 1, -1), [(0, "whole", "bus"), (1, "top", "skip"), (1, "in", "main")]),
        ((2, 0, 1, 0, 0), [(0, "whole", "bus"), (1, "whole", "skip"), (2, "out", "main"), (2, "bottom", "main")]),
        ((4,), [(0, "top", "main")]),
    ],
)
def test_the_way_through_the_network_has_no_gaps(path, rails):
    assert list(line(path).rails) == [Rail(*rail) for rail in rails]


def test_folded_blocks_are_one_line():
    lines = outline(NETWORK, folded={(1,), (2, 0, 1)})
    assert [entry.path for entry in lines if entry.path[:1] == (1,)] == [(1,)]
    block = next(entry for entry in lines if entry.path == (2, 0, 1))
    assert (block.folded, block.note, block.rails[-1]) == (True, "ReLU – Conv 3×3, 16", Rail(1, "in"))


def test_widths_and_parameterisations_of_all_layers_with_weights():
    assert widths(NETWORK) == (16, 16, 16, 16)
    mixed = sketches.set_layer(Sketch(NETWORK.input, NETWORK.layers), (0,), CONV.replace(param="standard"))
    assert parameterisations(mixed) == {"ntk", "standard"}


# -- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "upper", "slot"),
    [
        ((), True, Slot((0,), 0, 0)),
        ((0,), True, Slot((0,), 0, 0)),
        ((0,), False, Slot((1,), 1, 0)),
        ((1,), True, Slot((1,), 1, 0)),
        ((1,), False, Slot((1, 0, 0), 2, 1, "into branch 1")),
        ((1, 0, 1), False, Slot((1, 0, 2), 4, 1, "into branch 1")),
        ((1, 1, 0), True, Slot((1, 1, 0), 5, 1, "into branch 2")),
        ((1, -1), True, Slot((1, 1, 0), 5, 1, "into branch 2")),
        ((1, -1), False, Slot((2,), 6, 0)),
        ((2, -1), True, Slot((2, 1, 1), 14, 1, "into branch 2")),
        ((4,), True, Slot((4,), 16, 0)),
        ((4,), False, Slot((4,), 16, 0)),
    ],
)
def test_halves_of_lines_mean_places(path, upper, slot):
    row = [entry.path for entry in LINES].index(path)
    assert slot_at(LINES, row, upper=upper) == slot


@pytest.mark.parametrize(
    ("source", "target", "there"),
    [((1,), (1,), False), ((1,), (2,), False), ((1,), (3,), True), ((1,), (1, 0, 0), False), ((0,), (1, 0, 0), True)],
)
def test_some_places_are_where_the_layer_is(source, target, there):
    assert moves(source, Slot(target, 0, 0)) is there


@pytest.mark.parametrize(
    ("source", "by", "target"),
    [
        ((0,), -1, None), ((0,), 1, (2,)), ((1,), -1, (0,)), ((3,), 1, None), ((2,), 1, (4,)),
        ((1, 0, 0), -1, (1,)), ((1, 0, 0), 1, (1, 0, 2)), ((1, 0, 1), 1, (1, 1, 0)), ((2, 0, 1), 1, (2, 1, 0)),
        ((2, 1, 0), 1, (3,)), ((2, 1, 0), -1, (2, 0, 2)),
    ],
)  # fmt: skip
def test_keys_go_past_neighbours_and_through_branches(source, by, target):
    assert along(LINES, source, by) == target


@pytest.mark.parametrize(
    ("source", "into", "out"),
    [((0,), (1, 0, 0), None), ((3,), (2, 0, 2), None), ((2, 0, 0), (2, 0, 1, 0, 0), (3,)), ((2, 1, 0), None, (3,))],
)
def test_keys_go_into_blocks_and_out_of_them(source, into, out):
    assert (inwards(LINES, source), outwards(source)) == (into, out)


# -- the drawing ------------------------------------------------------------------------------------------------------

WORDS = Style(1.0, lambda text: 7.0 * len(text))
GLYPHS = Style(1.0, lambda text: 7.0 * len(text), glyphs=True)


def test_boxes_do_not_overlap_and_stay_inside():
    for row, style in ((blocks(NETWORK), WORDS), (blocks(NETWORK, grouped=False), GLYPHS)):
        drawing = draw((row,), style)
        frames = [box for box in drawing.boxes if not box.merge]
        for box in drawing.boxes:
            assert box.at.x - box.width / 2 >= 0
            assert box.at.x + box.width / 2 <= drawing.width + 1e-9
            assert box.at.y - box.height / 2 >= 0
            assert box.at.y + box.height / 2 <= drawing.height
        for at, one in enumerate(frames):
            assert not any(one.contains(other.at, 0.0) for other in frames[at + 1 :])


def test_boxes_grow_with_the_width_and_an_identity_is_a_skip():
    wide = Architecture(Input("vector", (4,)), (Dense(16), Dense(1024), Dense(1)))
    heights = {box.block.text: box.height for box in draw((blocks(wide),), WORDS).boxes}
    assert heights["16"] < heights["1024"]
    drawing = draw((blocks(NETWORK),), WORDS)
    assert any(line.kind == "skip" for line in drawing.lines)
    assert [box.block.merge for box in drawing.boxes if box.merge] == ["+", "+", "∥"]


def test_long_rows_are_wrapped_evenly():
    deep = Architecture(Input("vector", (4,)), (*9 * (Dense(16), Relu()), Dense(1)))
    row = blocks(deep, grouped=False)
    room = row_width(row, GLYPHS) * 0.55
    rows = wrapped(row, GLYPHS, room)
    assert [block for part in rows for block in part] == list(row)
    lengths = [row_width(part, GLYPHS) for part in rows]
    assert (len(rows), max(lengths) <= room, min(lengths) > 0.6 * max(lengths)) == (2, True, True)
    drawing = draw(rows, GLYPHS)
    assert len({box.at.y for box in drawing.boxes}) == 2
    assert drawing.boxes[0].contains(Point(drawing.boxes[0].at.x + 2, drawing.boxes[0].at.y))


def test_equal_blocks_are_drawn_once():
    deep = Architecture(Input("vector", (4,)), (*9 * (Dense(16), Relu()), Dense(1)))
    row = folded(blocks(deep))
    assert [block.repeat for block in row] == [1, 9, 1]
    assert row[1].paths[:2] == ((0,), (1,))
    assert "×9" in [words.text for words in draw((row,), WORDS).words]


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "note"),
    [
        (CONV.replace(b_std=0.1), "W 1 · b 0.1 · same"),
        (Conv(4, (3, 3), stride=(2, 2), param="mup"), "W 1 · no bias · µP · stride 2 · valid"),
        (ConvTranspose(4, (2, 3), stride=(2, 1)), "W 1 · no bias · stride 2×1 · valid"),
        (AvgPool((2, 2), (2, 2)), "stride 2 · valid"),
        (LayerNorm(), "over channels"),
        (LayerNorm(axis=(1, 2, -1)), "over axes 1, 2, -1"),
        (SelfAttention(64, 16, 16, 4, pos_emb_type="SUM"), "4 heads × 16 · positions sum"),
        (Dropout(0.5), "keeps 0.5 · train"),
        (LeakyRelu(0.2), "alpha 0.2"),
        (SKIP, "2 branches · sum"),
    ],
)
def test_layers_in_a_few_signs(layer, note):
    assert key_parameters(layer) == note


def test_words_for_shapes_and_axes():
    assert flow_text((28, 28, 64), (14, 14, 64)) == "28×28×64 → 14×14×64"
    assert flow_text((64,), None) == "64 → —"
    assert axis_names(3) == ("height", "width", "channels")
    assert axis_names(5) == ("axis 1", "axis 2", "axis 3", "axis 4", "channels")


@pytest.mark.parametrize("text", ["1:5, ::2", ":, :", "-3:, ::-1"])
def test_slices_are_read_as_they_are_written(text):
    assert slices_text(parse_slices(text, ("height", "width"))[1:-1]) == text


@pytest.mark.parametrize(
    ("before", "sizes", "after"),
    [
        ((8, 8, 1), (4, 8, 1), (4, 16, 1)),
        ((8, 8, 1), (8, 16, 1), (4, 16, 1)),
        ((4, 16, 1), (4, 16, 4), (1, 16, 4)),
        ((64, 1), (8, 1), (8, 8)),
        ((8, 8, 1), (8, 8, 1), (8, 8, 1)),
    ],
)
def test_sizes_of_samples_hold_the_same_numbers(before, sizes, after):
    assert followed(before, sizes) == after


def test_sizes_that_do_not_divide_are_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"divides 64.*got 5; use 1, 2, 4, 8, 16, 32, 64"):
        followed((8, 8, 1), (5, 8, 1))


def test_the_network_in_one_line():
    session = Session(starter_experiment())
    session.edit(edits.set_source(session.experiment, "Digits"), "digits")
    preset = {preset.id: preset for preset in PRESETS}
    Workbench(session).use_preset(preset["lenet"])
    assert SUMMARIES["architecture"](session.experiment) == "image 8×8×1 · 32–64–120–84 · 75.2k parameters"
    Workbench(session).use_preset(preset["linear"])
    assert SUMMARIES["architecture"](session.experiment) == "no hidden layer · 640 parameters"


# -- every layer ------------------------------------------------------------------------------------------------------

NET = Sketch(IMAGE, (CONV, Relu(), Flatten(), Dense(10)))


def layers():
    for name in LAYER_TYPES:
        sketch, place = sketches.add_layer(NET, (1,), name)
        yield sketches.layer_at(sketch, place)


@pytest.mark.parametrize("layer", [*layers()], ids=lambda layer: type(layer).__name__)
def test_every_layer_has_a_glyph_and_a_card(layer):
    assert resource(f"icons/{layer_icon(layer)}.svg").exists()
    card = layer_card(layer)
    assert card.formula
    assert "Θ" in card.limit or "rule of" in card.limit
    assert re.search(r"(19|20)\d\d", card.reference)
    for text in (card.formula, card.limit):
        assert "{" not in maths(text)
        assert maths(text).count("<i>") == maths(text).count("</i>")
    for sign, meaning, value in card.rows(layer, (8, 8, 16)):
        assert meaning
        assert value
        assert maths(sign)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Dense(4, param="standard", b_std=0.5), "Θ ← σ_W² Θ + n_{in} K + 1"),
        (Dense(4), "Θ ← σ_W² Θ + K"),
        (Dense(4, b_std=0.5), "K ← σ_W² K + σ_b²"),
        (Branch(((Erf(),), (Relu(),)), merge="prod"), "Π_{i≠j} K_i"),
        (SKIP, "K ← K + K_f"),
        (Dropout(0.5), "K(x, x) ← K(x, x) / r"),
        (Dropout(0.5, mode="test"), "K ← K"),
        (Numerical(fn="mish"), "!E[φ′(u) φ′(v)]"),
        (SelfAttention(8, 8, 8, 2), "G K G′ᵀ"),
        (SelfAttention(8, 8, 8, 2, linear_scaling=False, mechanism="IDENTITY"), "Σ_{rr′} K_{rr′}²"),
    ],
)
def test_rules_follow_the_fields(layer, words):
    assert words in layer_card(layer).limit


def test_numbers_of_a_card_are_those_of_the_layer():
    card = layer_card(Conv(8, (3, 5), stride=(2, 2), W_std=1.5))
    rows = {sign: value for sign, _, value in card.rows(Conv(8, (3, 5), stride=(2, 2), W_std=1.5), (8, 8, 4))}
    assert rows == {"n_{in}": "60", "|Δ|": "15", "s": "2×2", "σ_W": "1.5", "σ_b": "no bias"}
    norm = LayerNorm(axis=(1, -1))
    assert ("q", "mean over", "height, channels") in layer_card(norm).rows(norm, (8, 8, 4))
