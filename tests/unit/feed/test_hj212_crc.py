"""This module proves the check sums of HJ 212 by worked examples, by devices, and by the standard's own bit loop."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.feed.hj212_fuzz import Example, check_sum, examples

from plantmon.feed.decode import hj212_crc

SEGMENT = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"


@pytest.mark.parametrize(("variant", "expected"), [("hj212", 0x2F80), ("modbus", 0x4B37), ("modbus_swapped", 0x374B)])
def test_check_values(variant: str, expected: int) -> None:
    """ASCII 123456789 gives 2F80; Modbus, which HJ 212 is not, gives 4B37."""
    assert hj212_crc.VARIANTS[variant](b"123456789") == expected


def test_worked_example_of_the_standard() -> None:
    """Appendix A: 101 bytes give 1C80 (its prose prints 1C08, a misprint)."""
    assert len(SEGMENT) == 101
    assert hj212_crc.hj212(SEGMENT) == 0x1C80


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_frames_of_devices(example: Example) -> None:
    """Every collected frame carries the check sum it is listed with, and no other variant gives it."""
    assert hj212_crc.matching(example.frame[6:-4], int(example.frame[-4:], 16)) == [example.crc]


@settings(deadline=None)  # machines are shared
@given(st.binary(max_size=300), st.sampled_from(sorted(hj212_crc.VARIANTS)))
def test_table_equals_bit_loop(segment: bytes, variant: str) -> None:
    """The table gives what the standard's loop over bits gives."""
    assert hj212_crc.VARIANTS[variant](segment) == check_sum(segment, variant)


def test_only_256_values_exist() -> None:
    """The register is folded into one byte, so a broken frame passes one time in 256: more must be checked."""
    values = {hj212_crc.hj212(bytes((first, second))) for first in range(256) for second in range(256)}
    assert len(values) == 256
    assert {0x0000, 0x0140, 0x0280, 0x03C0, 0x0440} <= values
