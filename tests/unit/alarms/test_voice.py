"""This module proves how what a storm's alarms have to say becomes lists."""

from __future__ import annotations

from plantmon.alarms.voice import lists_of
from plantmon.store.alarms import Line


def lines(*said: tuple[int, str], severity: str = "breach") -> list[Line]:
    """Give waiting lines: (alarm, about), in the order they came."""
    return [
        Line(number, 1, alarm, about, number, {"alarm": alarm, "severity": severity, "since": alarm})
        for number, (alarm, about) in enumerate(said)
    ]


def listed(found: list[tuple[str, list[dict[str, object]]]]) -> list[tuple[str, list[object]]]:
    """Give each list's alarms."""
    return [(about, [one["alarm"] for one in facts]) for about, facts in found]


def test_what_an_alarm_says_stays_in_its_order() -> None:
    """Nobody reads that something is over before it began; what several say alike is one list."""
    found = lists_of(lines((2, "raised"), (1, "raised"), (1, "cleared"), (3, "raised"), (2, "escalated")))
    assert listed(found) == [("raised", [1, 2, 3]), ("escalated", [2]), ("cleared", [1])]


def test_back_and_forth_is_left_out() -> None:
    """What came back and went again since the last list is as people know it."""
    found = lists_of(lines((1, "cleared"), (1, "again"), (2, "again"), (2, "cleared"), (1, "cleared"), (3, "cleared")))
    assert listed(found) == [("cleared", [1, 3])]


def test_breaches_come_first() -> None:
    """Breaches before warnings before data, and within each the oldest first."""
    later = lines((7, "raised"), (6, "raised"))
    found = lists_of(lines((5, "raised"), severity="data") + lines((4, "raised"), severity="warning") + later)
    assert listed(found) == [("raised", [6, 7, 4, 5])]


def test_nothing_is_no_list() -> None:
    """Without lines there is no list."""
    assert lists_of([]) == []
