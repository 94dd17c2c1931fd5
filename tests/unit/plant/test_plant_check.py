"""This module proves that `check` says what will happen with a plant file, and what will not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules

from plantmon.model.plant import Plant, Recipient
from plantmon.plant import load_plant, load_plant_text
from plantmon.plant.check import describe
from plantmon.texts import sentences

TODAY = date(2021, 5, 1)
CONTRACT = Path(__file__).parents[2] / "contract" / "plant.yaml"
TEXT = CONTRACT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plant() -> Plant:
    """Give the contract's plant."""
    return load_plant(CONTRACT)


def _part(plant: Plant, heading: str, today: date = TODAY, language: str = "en") -> list[str]:
    """Give the lines under the heading that begins with a text."""
    parts = describe(plant, today, language).split("\n\n")
    return next(part for part in parts if part.strip().startswith(heading)).strip().splitlines()[1:]


def test_points_of_an_outlet(plant: Plant) -> None:
    """Each outlet lists its points with quantity, unit, interval and range, and when it runs."""
    assert _part(plant, "DA002") == [
        "  runs while DA002.flow is at least 5000 m3/h; other hours are stopped, not missing",
        "  DA002.nmhc: non-methane hydrocarbons (as carbon) in mg/m3, every 1min, range -5 to 1000",
        "  DA002.flow: exhaust-gas flow in m3/h, every 10s, range 0 to 500000",
        "  DA002.rto_temperature: temperature in degC, every 10s, range 0 to 1200",
    ]


def test_every_point_is_named(plant: Plant) -> None:
    """No monitor and no meter is left out, in either language."""
    for language, sign in (("en", ":"), ("zh", "：")):
        said = describe(plant, TODAY, language)
        assert [id for id in plant.points if f"  {id}{sign}" not in said] == []


def test_meters(plant: Plant) -> None:
    """Meters stand apart, with role, parent and product."""
    assert "  E-PAINT: electricity in kWh, every 15min, a part of another, below E-MAIN" in _part(plant, "Meters")
    assert "  LINE-1: production in pcs, every 5min, output, vehicle" in _part(plant, "Meters")


def test_limits_of_the_day(plant: Plant) -> None:
    """Limits in force today are listed with their validity, the others apart."""
    old = "  DA002 nmhc: concentration at most 60 mg/m3, over an hour (permit 2020), from 2020-01-01, until 2024-12-31"
    new = "  DA002 nmhc: concentration at most 50 mg/m3, over an hour (permit 2025), from 2025-01-01"
    last_day = date(2024, 12, 31)
    judged, other = f"Limits in force on {last_day} and judged", f"Limits not in force on {last_day}"
    assert old in _part(plant, judged, last_day)
    assert _part(plant, other, last_day) == [new]
    next_day = last_day + timedelta(days=1)
    assert new in _part(plant, f"Limits in force on {next_day} and judged", next_day)
    assert _part(plant, f"Limits not in force on {next_day}", next_day) == [old]


def test_limits_not_judged_say_why() -> None:
    """A limit no rule judges is named with the reason, never among the judged."""
    ph = "{point: ph, basis: level, min: 6, max: 9, window: "
    assert TEXT.count(f"{ph}1h") == 1
    waiting = _part(load_plant_text(TEXT.replace(f"{ph}1h", f"{ph}1d"), "p"), f"Limits in force on {TODAY} and not")
    (said,) = waiting
    assert said.startswith(
        "  DW001 ph: level at least 6 pH and at most 9 pH, over a day (permit): pH is never judged by"
    )


def test_points_beyond_the_usual() -> None:
    """Formulas, gas states, checks and interlocks are said as what they will do."""
    written = TEXT.replace("quantity: so2,  unit: mg/m3,", "quantity: so2,  unit: ppm, state: wet,").replace(
        "      o2:   {", "      h2o: {quantity: moisture, unit: '%', interval: 10s}\n      o2:   {"
    ).replace("interval: 10s, range: [-2, 500]", "interval: 10s, checks: {stuck: 30min, jump: 50 mg/m3}").replace(
        "basis: level, min: 760 degC,", "basis: interlock, min: 760 degC, while: {point: flow, min: 5000 m3/h},"
    ).replace(
        "      flow: {quantity: gas_flow, unit: m3/h, interval: 10s, range: [0, 500000]}\n",
        "      flow: {quantity: gas_flow, unit: m3/h, interval: 10s, range: [0, 500000]}\n"
        "      load: {quantity: temperature, unit: degC, interval: 1min, formula: rto_temperature - 20}\n",
    )  # fmt: skip
    said = describe(load_plant_text(written, "p"), TODAY, "en")
    assert "range -5 to 2000, 1 ppm = 2.857 mg/m3, wet: converted with DA001.h2o" in said
    assert "an alarm when it stays the same for 30min, an alarm when it jumps by more than 50 mg/m3" in said
    assert "DA002.load: temperature in degC, calculated every minute as rto_temperature - 20" in said
    assert (
        "DA002 rto_temperature: interlock at least 760 degC, each reading (process rule)"
        " while DA002.flow is at least 5000 m3/h, when it lasts 1min"
    ) in said


def test_every_reason_has_a_sentence(plant: Plant) -> None:
    """Each reason code a limit may carry is explained."""
    codes = {limit.unavailable for limit in plant.limits if limit.unavailable}
    codes |= {
        "long_window",
        "oxygen_conversion",
        "rate",
        "flow_weighting",
        "ph_statistic",
        "gas_state",
        "calculated",
        "water_hour",
    }
    assert {f"check.unavailable.{code}" for code in codes} == {
        key for key in sentences() if key.startswith("check.unavailable.")
    }


def test_warning_and_hold(plant: Plant) -> None:
    """The value a warning is sent above, and how long a reading must last, are written out."""
    said = describe(plant, TODAY, "en")
    assert "at most 50 mg/m3, over an hour (permit), warning above 45 mg/m3" in said
    assert "at least 760 degC, each reading (process rule), when it lasts 1min" in said


def test_feeds(plant: Plant) -> None:
    """Feeds say what is subscribed, what waits for its decoder, and where delivery is only at least once."""
    feeds = _part(plant, "Feeds")
    assert feeds[0] == "  plant/cq-truck/+/+: subscribed with QoS 1, read as json"
    assert "at least once" in feeds[1]
    assert feeds[4] == "  hj212/+: subscribed with QoS 1, read as hj212"


def test_feed_without_decoder(plant: Plant) -> None:
    """A feed of a format nothing decodes is named, and that nothing reads it."""
    later = replace(plant, feeds=(replace(plant.feeds[0], topic="x", format="csv"),))
    assert _part(later, "Feeds") == ["  x: named but not subscribed, there is no decoder for csv yet"]


def test_device(plant: Plant) -> None:
    """An outlet with a device says how its frames are read, in both languages."""
    said = _part(plant, "DA001")
    assert "  HJ 212 device A12345678901234567890001: check sum hj212, periods stamped with their start" in said[2]
    assert said[2].endswith("minute data over 10min")
    assert "以起始时间为准" in describe(plant, TODAY, "zh")


def test_mail(plant: Plant) -> None:
    """Each recipient is listed with severities, delay and language, then quiet hours and digest."""
    assert _part(plant, "Mail") == [
        "  ehs <ehs@example.com>: breach, warning, data, at once, in Chinese and English",
        "  manager <manager@example.com>: breach, when nobody has acknowledged after 30min, in Chinese and English",
        "  a standing breach is sent again every 4h; an alarm clears below limit x (1 - 0.02)",
        "  quiet hours from 22:00 to 06:00: these wait: data",
        "  digest of the day before at 08:00 to ehs; what quiet hours held is in it",
    ]


def test_balances_and_deadlines(plant: Plant) -> None:
    """Balances say when they warn, calibrations and deadlines when people are reminded; without any nothing is said."""
    (balance,) = _part(plant, "Balances")
    assert balance.startswith("  W-MAIN against W-NORTH: a warning when more than 8 % of it is unexplained over a day;")
    assert balance.endswith(" and when its least hour from 00:00 to 05:00 is above 3 m3/h")
    text = TEXT.replace("{quantity: nmhc, ", "{quantity: nmhc, calibration: 7d, ", 1)
    wanted = load_plant_text(f"{text}\nreporting: {{quarterly: 15d, yearly: 31d, monthly: none}}\n", "p")
    assert ", calibrated every 7d" in _part(wanted, "DA002")[1]
    said = _part(wanted, "Deadlines")
    assert said[0].startswith("  a monitor's fault is reported within 12h and repaired within 5 working days; ")
    assert [line.split(" execution report ")[0] for line in said[1:]] == ["  the quarterly", "  the yearly"]
    assert "within 15 days after its quarter; a warning from 10d before" in said[1]
    assert "31 天内提交；提前 10d 提醒" in describe(wanted, TODAY, "zh")
    assert "Deadlines" not in describe(a_plant(), TODAY, "en")


def test_nobody_gets_it() -> None:
    """A severity without recipient is said aloud."""
    manager = Recipient("manager", ("m@example.com",), frozenset({"breach"}), 0, "zh")
    plant = a_plant(alarms=some_alarm_rules(recipients=(manager,)))
    assert "  nobody gets mail of these kinds: warning, data" in _part(plant, "Mail")


def test_nothing_is_said_as_nothing() -> None:
    """Without feeds, meters or limits their headings say none."""
    plant = a_plant(points=(), limits=())
    assert _part(plant, "Feeds") == ["  none"]
    assert _part(plant, "Meters") == ["  none"]
    assert _part(plant, f"Limits in force on {TODAY} and judged") == ["  none"]


def test_point_without_range() -> None:
    """A point without range cannot be over it, and the page says so."""
    point = a_point(range_low=None, range_high=None)
    plant = a_plant((point,), (a_limit(point, minimum=1.0),))
    assert "no range, so nothing is taken as over range" in _part(plant, "DA001")[0]
    assert "at least 1 mg/m3 and at most 50 mg/m3" in describe(plant, TODAY, "en")


def test_chinese(plant: Plant) -> None:
    """The page exists in Chinese, with the plant's Chinese names."""
    said = describe(plant, TODAY, "zh")
    assert "DA001 燃气锅炉排气筒（废气）" in said
    assert "hj212/+：以 QoS 1 订阅，按 hj212 解析" in said
