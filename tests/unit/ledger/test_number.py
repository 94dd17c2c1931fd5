"""This module holds how the numbers of the ledger are read: exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.ledger.number import NumberError, read_number, read_result


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("1389259", "1389259"), ("86964.15", "86964.15"), ("1,389,259", "1389259"), ("1,389.5", "1389.5"),
        ("1,389,259.75", "1389259.75"), (" 12.50 ", "12.50"), (".5", "0.5"), ("5.", "5"), ("0", "0"), ("-3", "-3"),
        ("1e3", "1000"), ("１２３．５", "123.5"), ("1，389，259", "1389259"),
    ],
)  # fmt: skip
def test_numbers(given: str, value: str) -> None:
    """Decimal points, plain thousands separators and full-width digits are read to the last digit."""
    assert read_number(given) == Decimal(value)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("1,389", "ambiguous_number"), ("-1,389", "ambiguous_number"), ("1,5", "bad_number"),
        ("86964,15", "bad_number"), ("1,38,259", "bad_number"), ("1.389.259", "bad_number"), ("1 389", "bad_number"),
        ("12 t", "bad_number"), ("=SUM(A1:A3)", "bad_number"), ("nan", "bad_number"), ("Infinity", "bad_number"),
        ("", "bad_number"), ("-", "bad_number"), ("1e30", "large_number"), ("1e-30", "large_number"),
        ("0.123456789012345678901", "large_number"), ("<0.05", "bad_number"),
    ],
)  # fmt: skip
def test_what_is_no_number(given: str, key: str) -> None:
    """What may be two numbers, is none, or has more digits than are meant, is refused with its reason."""
    with pytest.raises(NumberError) as error:
        read_number(given)
    assert error.value.key == key


@given(st.integers(0, 10**14))
def test_grouped_or_not(value: int) -> None:
    """Thousands separators change nothing where they are taken: from a million on."""
    if value >= 1_000_000:
        assert read_number(f"{value:,}") == value
    assert read_number(str(value)) == value


@pytest.mark.parametrize(
    ("given", "value", "is_below"),
    [("11.8", "11.8", False), ("<0.05", "0.05", True), ("< 0.05", "0.05", True), ("0.05L", "0.05", True),
     ("＜0.05", "0.05", True), ("小于0.05", "0.05", True), ("0", "0", False)],
)  # fmt: skip
def test_results(given: str, value: str, is_below: bool) -> None:
    """A laboratory's result may lie below a limit, which it names (HJ/T 91-2002: limit and L)."""
    found = read_result(given)
    assert (found.value, found.is_below) == (Decimal(value), is_below)


@pytest.mark.parametrize("given", ["ND", "未检出", "n.d."])
def test_not_detected_needs_its_limit(given: str) -> None:
    """Not detected says nothing without the limit of detection."""
    with pytest.raises(NumberError) as error:
        read_result(given)
    assert error.value.key == "no_detection_limit"
