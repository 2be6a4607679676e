import math

import pytest

from ntklab.gui.widgets import maths
from ntklab.gui.widgets.numbers import (
    byte_text,
    duration,
    integer,
    number,
    parse_bytes,
    parse_number,
    percent,
    plain,
    short,
)


@pytest.mark.parametrize(
    ("text", "integer_", "value"),
    [("512", True, 512), ("1e3", True, 1000), ("9223372036854775807", True, 2**63 - 1), ("√2", False, math.sqrt(2)),
     ("sqrt(3)", False, math.sqrt(3)), ("-√2", False, -math.sqrt(2)), ("1e-3", False, 0.001), ("−0.5", False, -0.5),
     ("264\u202f704", True, 264704)],
)  # fmt: skip
def test_reads_numbers_as_people_type_them(text, integer_, value):
    assert parse_number(text, integer=integer_) == value


@pytest.mark.parametrize(
    ("text", "integer_", "words"),
    [
        ("abc", True, "512"),
        ("", False, "got ''"),
        ("0,5", False, "dot"),
        ("1.5", True, "whole"),
        ("inf", True, "whole"),
    ],
)
def test_refuses_with_a_remedy(text, integer_, words):
    with pytest.raises(ValueError, match=words):
        parse_number(text, integer=integer_)


@pytest.mark.parametrize("value", [512, 0.5, 1e-3, math.sqrt(2), math.sqrt(3), 12345, 0])
def test_what_is_shown_reads_back(value):
    assert parse_number(plain(value), integer=isinstance(value, int)) == value


@pytest.mark.parametrize(
    ("text", "amount"),
    [("2 GB", 2 * 10**9), ("512MiB", 512 * 2**20), ("1.5 gb", 1_500_000_000), ("1e9", 10**9), ("64 k", 64_000),
     ("100 B", 100)],
)  # fmt: skip
def test_reads_memory(text, amount):
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["lots", "", "2 XB", "-1 GB", "1.2.3 GB"])
def test_refuses_memory_with_a_remedy(text):
    with pytest.raises(ValueError, match=r"2 GB or 512 MiB|write it like"):
        parse_bytes(text)


@pytest.mark.parametrize("amount", [2 * 10**9, 2**30, 3 * 2**20, 1_500_000, 999])
def test_memory_reads_back(amount):
    assert parse_bytes(byte_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [(999, "999 B"), (1500, "1.5 kB"), (2 * 10**9, "2 GB"), (2**30, "1 GiB"), (512 * 2**20, "512 MiB"),
     (22_873_456_640, "22.87 GB"), (475_901_952, "475.9 MB")],
)  # fmt: skip
def test_memory_is_decimal_unless_it_is_round_in_binary(amount, text):
    assert byte_text(amount) == text


def test_formats():
    assert number(None) == "—"
    assert number(0.0123456) == "0.01235"
    assert number(3.14159e-7, 3) == "3.14×10⁻⁷"
    assert integer(264704) == "264\u202f704"
    assert [short(n) for n in (512, 1536, 262_656, 999_999, 1_050_000)] == ["512", "1.54k", "263k", "1M", "1.05M"]
    assert percent(0.431) == "43.1\u202f%"
    assert [duration(s).replace("\u202f", " ") for s in (0.31, 12.4, 180, 200, 7500)] == [
        "0.3 s", "12 s", "3 min", "3 min 20 s", "2 h 5 min",
    ]  # fmt: skip


def test_formulas_become_html():
    html = maths("λ_k = Σ_{j ≤ k} x^2 + !E log n_{max}\n‖Θ‖ < 1")
    assert "<i>λ</i><sub><i>k</i></sub>" in html
    assert "<sub><i>j</i> ≤ <i>k</i></sub>" in html
    assert "<sup>2</sup>" in html
    assert " E log <i>n</i><sub>max</sub><br>‖Θ‖ &lt; 1" in html
