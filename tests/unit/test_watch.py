"""This module proves when a spool that fills is said to fill."""

from __future__ import annotations

import pytest

from plantmon.watch import Surroundings, conditions


@pytest.mark.parametrize(
    ("share", "is_bad"),
    [(None, False), (0.0, False), (0.69, False), (0.75, None), (0.79, None), (0.8, True), (1.0, True)],
)
def test_a_spool_fills_from_four_fifths_on(share: float | None, is_bad: bool | None) -> None:
    """From 80 % of the limit on it is an alarm, below 70 % none; between, what was said stands."""
    seen = Surroundings(None, "", 0, None, False, None, None, share)
    [spool] = [one for one in conditions(seen, 0) if one.kind == "spool_filling"]
    assert spool.is_bad is is_bad
