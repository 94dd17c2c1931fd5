"""This module proves that an hour of minutes is packed without loss, and alike each time."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.minutes import MINUTES, MinuteBlock

FLOATS = st.floats(allow_nan=False, width=64)
MINUTE = st.tuples(
    st.integers(1, 65_535), st.integers(0, 65_535), st.integers(0, 65_535), FLOATS, FLOATS, FLOATS, FLOATS
)


@given(st.dictionaries(st.integers(0, MINUTES - 1), MINUTE))
def test_round_trip(minutes: dict[int, tuple[int, int, int, float, float, float, float]]) -> None:
    """What is packed comes back bit for bit, and packs to the same bytes again."""
    block = MinuteBlock.empty()
    for place, (had, valid, over, mean, low, high, bound) in minutes.items():
        block.had[place], block.valid[place], block.over[place] = had, valid, over
        if valid:
            block.mean[place], block.low[place], block.high[place] = mean, low, high
        if over:
            block.bound[place] = bound
    packed = block.pack()
    again = MinuteBlock.unpack(packed)
    for field in fields(MinuteBlock):
        assert getattr(again, field.name).tobytes() == getattr(block, field.name).tobytes()
    assert again.pack() == packed


def test_empty_hour() -> None:
    """An hour without readings packs to an hour without readings."""
    again = MinuteBlock.unpack(MinuteBlock.empty().pack())
    assert not again.had.any()
    assert np.isnan(again.mean).all()
