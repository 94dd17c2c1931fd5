"""This module proves what is said of a cap: used, pace, the day it is reached, and when it is warned of."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point

from plantmon.amounts.caps import Cap, cap_of, caps_in_force, conditions_of, moving
from plantmon.model.alarm import Alarm, Severity, State
from plantmon.model.emission import EmissionDay, Total
from plantmon.model.plant import Basis
from plantmon.reports.caps import table_of
from plantmon.times import PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
YEAR = TIME.midnight(date(2020, 1, 1)), TIME.midnight(date(2021, 1, 1))
LIMIT = a_limit(basis=Basis.MASS, window="1y", maximum=12.5, unit="t", key="DA001/nox/mass/1y/permit/-")


def day(on: date, kg: float, *, share: float = 1.0, unknown: int = 0, at_least: bool = False) -> EmissionDay:
    """Give a day's sum, over a share of the day."""
    start, end = TIME.midnight(on), TIME.midnight(on + timedelta(days=1))
    return EmissionDay(1, start, start + int((end - start) * share), kg, 0.0, 1440, 0, unknown, at_least, False)


def days(first: date, many: int, kg: float) -> list[EmissionDay]:
    """Give days one after the other."""
    return [day(first + timedelta(days=place), kg) for place in range(many)]


def a_cap(given: list[EmissionDay]) -> Cap:
    """Say where the year's 12.5 t stand."""
    return cap_of(LIMIT, given, *YEAR, TIME)


def reached(cap: Cap) -> list[date | None]:
    """Give the days on which the cap is reached at each pace."""
    return [pace.reached for pace in cap.paces]


def test_paces_of_7_30_and_365_days() -> None:
    """93 days of 20 kg, then 7 of 100: 2.56 t used, a week of 100 kg/d, a month of 38.67, all in all 25.6.

    9.94 t are left on 10 April 2020 (day 100 is the 9th): 99.4 days at 100 kg/d lead to 18 July; 9940 / 38.667 =
    257.07 days to 23 December; 9940 / 25.6 = 388 days past the year's end.
    """
    cap = a_cap([*days(date(2020, 1, 1), 93, 20.0), *days(date(2020, 4, 3), 7, 100.0)])
    assert cap.used.kg == pytest.approx(2560)
    assert cap.used_share == pytest.approx(2.56 / 12.5)
    assert [(pace.days, pace.counted) for pace in cap.paces] == [(7, 7), (30, 30), (365, 100)]
    assert [pace.kg_d for pace in cap.paces] == pytest.approx([100.0, (23 * 20 + 7 * 100) / 30, 25.6])
    assert reached(cap) == [date(2020, 7, 18), date(2020, 12, 23), None]


def test_days_of_the_year_before_are_pace_and_not_used() -> None:
    """On 3 January two days count for the cap and seven for the pace; today, not over, is used but no pace."""
    cap = a_cap([*days(date(2019, 12, 1), 33, 10.0), day(date(2020, 1, 3), 4.0, share=0.5)])
    assert cap.used.kg == 24.0
    assert [pace.kg_d for pace in cap.paces] == [10.0, 10.0, 10.0]


def test_a_passed_cap_names_its_day() -> None:
    """12.5 t exactly are not past the cap; the day that brings more is, at every pace."""
    whole = days(date(2020, 1, 1), 125, 100.0)
    assert a_cap(whole).passed is None
    assert a_cap(whole).used_share == 1.0
    cap = a_cap([*whole, day(date(2020, 5, 5), 0.1), day(date(2020, 5, 6), 5.0)])
    assert cap.passed == date(2020, 5, 5)
    assert reached(cap) == [date(2020, 5, 5)] * 3


@pytest.mark.parametrize("kg", [0.0, -1.0])
def test_without_emission_it_is_never_reached(kg: float) -> None:
    """A pace of nothing, or below zero, reaches no cap."""
    assert reached(a_cap(days(date(2020, 1, 1), 10, kg))) == [None] * 3


def test_nothing_known() -> None:
    """Without any day there is no pace; the row says nothing instead of 0."""
    cap = a_cap([])
    assert cap.used == Total()
    assert [pace.kg_d for pace in cap.paces] == [None] * 3
    headings, (row,) = table_of([cap], TIME)
    assert dict(zip(headings, row, strict=True))["used"] is None
    assert [one.is_bad for one in conditions_of(cap, 0.8)] == [False, False]


def test_warnings() -> None:
    """Strictly above 80 % of the cap warns; so does a pace of 30 days that passes the cap within the year."""
    at_80 = conditions_of(a_cap(days(date(2020, 3, 1), 100, 100.0)), 0.8)
    assert [(one.kind, one.is_bad) for one in at_80] == [("cap_share", False), ("cap_pace", True)]
    assert at_80[1].facts["reached"] == "2020-07-04"
    above = conditions_of(a_cap([*days(date(2020, 3, 1), 100, 100.0), day(date(2020, 6, 9), 1.0)]), 0.8)[0]
    assert (above.is_bad, above.key) == (True, "cap_share:DA001/nox/mass/1y/permit/-")
    assert above.facts["value"] == pytest.approx(10.001)
    assert (above.facts["unit"], above.facts["bound"]) == ("t", 12.5)


def test_at_least_is_said() -> None:
    """A sum with a proven part says so."""
    cap = a_cap([day(date(2020, 1, 1), 5.0, unknown=720, at_least=True)])
    assert conditions_of(cap, 0.8)[0].facts["at_least"] is True
    headings, (row,) = table_of([cap], TIME)
    shown = dict(zip(headings, row, strict=True))
    assert (shown["at least"], shown["measured %"], shown["unknown %"], shown["period"]) == (True, 50.0, 50.0, "2020")


def test_only_caps_of_the_period_count() -> None:
    """Amounts of months and years have caps, by the limits of the period's first day; rates and days have none."""
    nox = a_point()
    month = a_limit(nox, basis=Basis.MASS, window="1mo", maximum=1.0, unit="t", key="month")
    later = a_limit(nox, basis=Basis.MASS, window="1y", maximum=1.0, unit="t", key="later", valid_from=date(2020, 1, 2))
    rate = a_limit(nox, basis=Basis.RATE, window="1h", unit="kg/h", key="rate")
    plant = a_plant((nox,), (LIMIT, month, later, rate))
    found = caps_in_force(plant, TIME.midnight(date(2020, 2, 10)))
    february = TIME.midnight(date(2020, 2, 1)), TIME.midnight(date(2020, 3, 1))
    assert [(limit.key, span) for limit, span in found] == [(LIMIT.key, YEAR), ("month", february)]


@pytest.mark.parametrize(
    ("kg_d", "is_bad"),
    [
        (34.2, True),  # x 366 days: 12.517 t of 12.5
        (33.9, None),  # 12.407 t: within 2 % of the cap
        (33.0, False),  # 12.078 t
    ],
)
def test_a_pace_just_short_of_the_cap_changes_nothing(kg_d: float, is_bad: bool | None) -> None:
    """A warning does not come and go with every day: it ends when the pace is the deadband away from the cap."""
    cap = a_cap(days(date(2020, 1, 1), 40, kg_d))
    assert conditions_of(cap, 0.8, 0.02)[1].is_bad is is_bad


def standing(key: str, start: int) -> dict[str, Alarm]:
    """Give an alarm that stands, of a period."""
    alarm = Alarm(
        id=1, key=key, kind=key.partition(":")[0], severity=Severity.WARNING, state=State.UNACK, raised_ms=0,
        since_ms=0, cleared_ms=None, until_ms=None, acked_ms=None, acked_by=None, note=None, reminded_ms=None,
        facts={"start": start},
    )  # fmt: skip
    return {key: alarm}


def test_an_exceeded_cap_is_warned_of_no_more() -> None:
    """Where the breach stands the warnings end without a mail, and none begins."""
    found = conditions_of(a_cap(days(date(2020, 1, 1), 130, 100.0)), 0.8)
    assert [one.is_bad for one in found] == [True, True]
    stands = standing(f"breach:{LIMIT.key}", YEAR[0]) | standing(f"cap_share:{LIMIT.key}", YEAR[0])
    assert [(one.kind, one.is_bad, one.quiet) for one in moving(found, stands)] == [("cap_share", False, True)]


def test_each_year_is_warned_of_for_itself() -> None:
    """What stood of the year before ends without a mail; this year's own warning begins."""
    found = conditions_of(a_cap(days(date(2020, 1, 1), 40, 34.2)), 0.8)
    stands = standing(f"cap_pace:{LIMIT.key}", TIME.midnight(date(2019, 1, 1)))
    assert [(one.kind, one.is_bad, one.quiet) for one in moving(found, stands)] == [
        ("cap_share", False, False), ("cap_pace", False, True), ("cap_pace", True, False),
    ]  # fmt: skip
