"""This module proves who is told, in which language, and not before when."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from notify_plant import TIME, alarm_rules, recipient

from plantmon.model.plant import QuietHours
from plantmon.notify.recipients import Group, groups, not_before
from plantmon.times import MINUTE_MS, to_ms

NIGHT = QuietHours(time(22), time(6), frozenset({"data", "warning", "breach"}))
NOON_REST = QuietHours(time(12), time(14), frozenset({"data"}))


def at(text: str) -> int:
    """Give an instant of 2020-03 in plant time, written `01 23:30`."""
    return to_ms(datetime.fromisoformat(f"2020-03-{text}").replace(tzinfo=TIME.zone))


def test_severities_choose_and_languages_group() -> None:
    """Recipients of the severity are grouped by language, in the plant file's order, each address of theirs."""
    rules = alarm_rules(
        recipient("ehs", email=("a@x.test", "b@x.test")),
        recipient("energy", severities=frozenset({"data"})),
        recipient("expat", language="en"),
        recipient("boss"),
    )
    assert groups(rules, TIME, "breach", at("01 10:00")) == [
        Group("zh", (("ehs", "a@x.test"), ("ehs", "b@x.test"), ("boss", "boss@example.com")), at("01 10:00")),
        Group("en", (("expat", "expat@example.com"),), at("01 10:00")),
    ]


def test_escalation_reaches_each_after_their_time_once() -> None:
    """Who is to be told later is left out before that time, and told once it has come."""
    rules = alarm_rules(
        recipient("ehs"),
        recipient("manager", after_ms=30 * MINUTE_MS),
        recipient("director", after_ms=60 * MINUTE_MS),
    )

    def named(**kwargs: int) -> list[str]:
        return [
            name for group in groups(rules, TIME, "breach", at("01 10:00"), **kwargs) for name, _ in group.addresses
        ]

    assert named() == ["ehs"]
    assert named(standing_ms=30 * MINUTE_MS) == ["ehs", "manager"]
    assert named(standing_ms=30 * MINUTE_MS, told_ms=0) == ["manager"]
    assert named(standing_ms=90 * MINUTE_MS, told_ms=30 * MINUTE_MS) == ["director"]
    assert rules.next_escalation("breach", 0) == 30 * MINUTE_MS
    assert rules.next_escalation("breach", 60 * MINUTE_MS) is None


@pytest.mark.parametrize(
    ("quiet", "digest", "severity", "now", "leaves"),
    [
        pytest.param(None, None, "data", "01 23:00", "01 23:00", id="no quiet hours"),
        pytest.param(NIGHT, None, "data", "01 21:59", "01 21:59", id="before"),
        pytest.param(NIGHT, None, "data", "01 22:00", "02 06:00", id="at the beginning"),
        pytest.param(NIGHT, None, "data", "02 05:59", "02 06:00", id="after midnight"),
        pytest.param(NIGHT, None, "data", "02 06:00", "02 06:00", id="at the end"),
        pytest.param(NIGHT, time(8), "data", "01 23:00", "02 08:30", id="held for the digest"),
        pytest.param(NIGHT, time(5), "data", "01 23:00", "03 05:30", id="digest within the night: the next one"),
        pytest.param(NIGHT, None, "breach", "01 23:00", "01 23:00", id="a breach is never held"),
        pytest.param(NOON_REST, None, "warning", "01 13:00", "01 13:00", id="another severity"),
        pytest.param(NOON_REST, None, "data", "01 13:00", "01 14:00", id="within one day"),
        pytest.param(NOON_REST, time(8), "data", "01 13:00", "02 08:30", id="digest of the next morning"),
    ],
)
def test_quiet_hours(quiet: QuietHours | None, digest: time | None, severity: str, now: str, leaves: str) -> None:
    """A mail of a held severity waits for the end of the quiet hours, or for the digest, which takes it with it."""
    assert not_before(alarm_rules(quiet=quiet, digest=digest), TIME, severity, at(now), in_digest=True) == at(leaves)


def test_quiet_hours_without_digest() -> None:
    """Who gets no daily digest has what was held at the end of the quiet hours; who gets one waits for it."""
    daily = recipient("ehs", digest=("daily",))
    rules = alarm_rules(daily, recipient("boss"), recipient("hq", digest=("weekly",)), quiet=NIGHT, digest=time(8))
    assert groups(rules, TIME, "data", at("01 23:00")) == [
        Group("zh", (("ehs", "ehs@example.com"),), at("02 08:30")),
        Group("zh", (("boss", "boss@example.com"), ("hq", "hq@example.com")), at("02 06:00")),
    ]
    assert [group.not_before_ms for group in groups(rules, TIME, "breach", at("01 23:00"))] == [at("01 23:00")]
