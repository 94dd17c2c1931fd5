"""This module proves what `plantmon permit history` says a version changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders import a_limit, a_plant, a_point, an_outlet, some_rules

from plantmon.compliance.permit_changes import Change, changes
from plantmon.model.plant import Limit, Plant, Running

POINT = a_point()
LINE = a_limit(POINT, standard="permit 2020", key="DA001/nox/concentration/1h/permit 2020/-")
NEXT = a_limit(
    POINT, standard="permit 2025", key="DA001/nox/concentration/1h/permit 2025/2025-01-01", maximum=40.0,
    valid_from=date(2025, 1, 1),
)  # fmt: skip


def a_file(*limits: Limit, **changed: object) -> Plant:
    """Give a plant file with these limits on one point."""
    return a_plant((POINT,), limits, **changed)


def test_nothing_changed() -> None:
    """A file of another text with the same limits changes nothing."""
    assert changes(a_file(LINE), replace(a_file(LINE), version="other", text="other")) == []


def test_a_renewal_is_an_end_and_a_new_line() -> None:
    """The old line gets its last day, the new one is added with what it demands."""
    assert changes(a_file(LINE), a_file(replace(LINE, valid_to=date(2024, 12, 31)), NEXT)) == [
        Change("added", NEXT.key, after="max 40 mg/m3, from 2025-01-01"),
        Change("changed", LINE.key, "to", "-", "2024-12-31"),
    ]


def test_a_line_that_went() -> None:
    """A removed line says what it demanded."""
    assert changes(a_file(LINE, NEXT), a_file(NEXT)) == [Change("removed", LINE.key, before="max 50 mg/m3")]


@pytest.mark.parametrize(
    ("changed", "field", "before", "after"),
    [
        ({"maximum": 5.0}, "max", "50", "5"),
        ({"minimum": 6.5}, "min", "-", "6.5"),
        ({"warn_at": 0.9}, "warn_at", "-", "0.9"),
        ({"hold_ms": 90_000}, "hold", "0s", "1min 30s"),
        ({"valid_to": date(2024, 2, 29)}, "to", "-", "2024-02-29"),
    ],
)
def test_each_key_of_a_line(changed: dict[str, object], field: str, before: str, after: str) -> None:
    """A changed key is told as the plant file calls it, with both values."""
    assert changes(a_file(LINE), a_file(replace(LINE, **changed))) == [
        Change("changed", LINE.key, field, before, after)
    ]


def test_a_moved_beginning_is_a_change() -> None:
    """A line known by another `from` is the same line moved, where only one can be meant; else one went, two came."""
    moved = replace(NEXT, key=NEXT.key.replace("2025-01-01", "2025-02-01"), valid_from=date(2025, 2, 1))
    assert changes(a_file(NEXT), a_file(moved)) == [Change("changed", moved.key, "from", "2025-01-01", "2025-02-01")]
    third = replace(NEXT, key=NEXT.key.replace("2025-01-01", "2026-01-01"), valid_from=date(2026, 1, 1))
    assert [change.kind for change in changes(a_file(NEXT), a_file(moved, third))] == ["added", "added", "removed"]


def test_rules_outlets_and_points_judge_too() -> None:
    """A changed rule, reference oxygen, running condition or range is told; a name is not."""
    before = a_file(LINE)
    point = replace(POINT, range_high=500.0)
    after = replace(
        a_plant((point,), (LINE,)),
        rules=some_rules(valid_hour_minutes=40),
        outlets={
            "DA001": an_outlet(points=(POINT,), reference_oxygen_pct=3.5, running=Running("DA001.o2", None, 19.0))
        },
    )
    assert changes(before, after) == [
        Change("changed", "DA001", "running", "-", "point DA001.o2 max 19"),
        Change("changed", "DA001", "reference_oxygen", "-", "3.5"),
        Change("changed", "DA001.nox", "range_high", "2000", "500"),
        Change("changed", "rules", "valid_hour_minutes", "45", "40"),
    ]
