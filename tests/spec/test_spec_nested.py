"""Arrays in specs: what is read, what is refused, and how people type them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_strategies import arrays

from ntklab.errors import SpecError
from ntklab.spec import DotGeneral, Index, nested_shape, parse_nested, show_nested


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (2, 2.0),
        (np.float32(0.5), 0.5),
        (-0.0, 0.0),
        ([1, 2], (1.0, 2.0)),
        (np.eye(2), ((1.0, 0.0), (0.0, 1.0))),
        (np.array(3), 3.0),
        ([[[1], [2]]], (((1.0,), (2.0,)),)),
    ],
)
def test_numbers_and_arrays_are_held_as_tuples(given: Any, held: Any) -> None:
    found = DotGeneral(given).array
    assert found == held
    assert str(found) == str(held)
    assert nested_shape(found) == np.shape(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "DotGeneral, array: expected a number or lists of lists of numbers, got none"),
        ("2", "DotGeneral, array: expected a number or lists of lists of numbers, got '2'"),
        (True, "DotGeneral, array: expected a number or lists of lists of numbers, got True"),
        ([], "DotGeneral, array: expected at least one number, got []"),
        ([[1], []], "DotGeneral, array, entry 2: expected at least one number, got []"),
        ([1, [2]], "DotGeneral, array: expected entries of one shape, got [[], [1]]; make lists equally long"),
        ([[1, 2], [3]], "DotGeneral, array: expected entries of one shape, got [[2], [1]]; make lists equally long"),
        ([1, float("nan")], "DotGeneral, array, entry 2: expected a finite number, got nan"),
        ([1, {}], "DotGeneral, array, entry 2: expected a number or lists of lists of numbers, got {}"),
        (np.zeros(9 * (1,)), "expected at most 8 axes, got [0.0]; use fewer brackets"),
    ],
)
def test_what_is_no_array_is_refused(given: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        DotGeneral(given)
    assert message in str(caught.value)


@given(arrays(st.lists(st.integers(1, 3), max_size=3)))
def test_arrays_are_typed_as_they_are_shown(array: Any) -> None:
    assert DotGeneral(parse_nested(show_nested(array))).array == array


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5", 2.5),
        ("[1, −1]", [1, -1]),
        ("[[none, None, 2]]", [[None, None, 2]]),
        ("(((1,), (0, )), ((), ()))", [[[1], [0]], [[], []]]),
    ],
)
def test_people_type_brackets_and_minus_signs(text: str, value: Any) -> None:
    assert parse_nested(text) == value


@pytest.mark.parametrize("text", ["", "1, 2", "[1", "[a]", "[" * 100_000])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"expected numbers in brackets, got .*; write \[1, 2\] or \[\[1, 2\]"):
        parse_nested(text)


def test_slices_are_typed_as_they_are_shown() -> None:
    slices = ((None, None, None), (1, -1, 2))
    assert show_nested(slices) == "[[none, none, none], [1, -1, 2]]"
    assert Index(parse_nested(show_nested(slices))).slices == slices


def test_the_word_none_stands_for_no_value_in_lists() -> None:
    assert Index([["none", None, 2]]).slices == ((None, None, 2),)
