"""This module proves what a right plant file becomes: points in units, limits with reasons, ratios as instants."""

from __future__ import annotations

import hashlib
from datetime import date, time
from pathlib import Path

import pytest

from plantmon.errors import PlantFileError
from plantmon.model.plant import (
    Balance,
    Basis,
    Calendar,
    Checks,
    FaultClock,
    Hj212,
    Kind,
    Limit,
    Plant,
    Reporting,
    Running,
    Substitution,
    WorkTime,
)
from plantmon.plant import load_plant, load_plant_text
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

CONTRACT = Path(__file__).parents[2] / "contract" / "plant.yaml"
TEXT = CONTRACT.read_text(encoding="utf-8")
HEAD = "plant: {id: x, name: X, timezone: Asia/Shanghai}\n"


@pytest.fixture(scope="module")
def plant() -> Plant:
    """Give the contract's plant."""
    return load_plant(CONTRACT)


def _limit(plant: Plant, key: str) -> Limit:
    return next(limit for limit in plant.limits if limit.key == key)


def test_plant_itself(plant: Plant) -> None:
    """The plant has its names, zone and permit, and its version is the hash of its text."""
    assert (plant.id, plant.name.zh, plant.permit) == ("cq-truck", "重庆卡车工厂", "91500000EXAMPLE001P")
    assert plant.time.zone.key == "Asia/Shanghai"
    assert plant.version == hashlib.sha256(CONTRACT.read_bytes()).hexdigest()
    assert plant.text == CONTRACT.read_text(encoding="utf-8")


def test_monitor(plant: Plant) -> None:
    """A monitor has its full id, unit, interval, range and the kind its quantity gives it."""
    nox = plant.points["DA001.nox"]
    assert (nox.outlet, nox.quantity, nox.unit, nox.kind, nox.interval_ms) == (
        "DA001",
        "nox",
        "mg/m3",
        Kind.GAUGE,
        10_000,
    )
    assert (nox.range_low, nox.range_high, nox.detection_limit, nox.register) == (-5.0, 2000.0, 3.0, None)
    assert plant.points["N1.leq"].kind == Kind.ENERGY
    assert plant.points["DW001.cod"].is_slow


def test_meter(plant: Plant) -> None:
    """A meter is a point without outlet, with its register."""
    main = plant.points["E-MAIN"]
    assert (main.outlet, main.kind, main.interval_ms) == (None, Kind.COUNTER, 15 * MINUTE_MS)
    register = main.register
    assert register is not None
    assert [(span.value, span.start_ms, span.end_ms) for span in register.ratios] == [(1.0, None, None)]
    assert (register.wraps_at, register.max_rate_per_h, register.role) == (1e9, 20000.0, "purchased")
    paint, line = plant.points["E-PAINT"].register, plant.points["LINE-1"].register
    assert paint is not None
    assert line is not None
    assert (paint.role, paint.parent, line.product) == ("sub", "E-MAIN", "vehicle")


def test_outlet(plant: Plant) -> None:
    """An outlet has its points in the file's order, its running condition and its reference oxygen."""
    stack = plant.outlets["DA001"]
    assert stack.points == ("DA001.nox", "DA001.so2", "DA001.pm", "DA001.o2", "DA001.flow")
    assert (stack.reference_oxygen_pct, stack.mn) == (3.5, "A12345678901234567890001")
    assert stack.running is not None
    assert (stack.running.point, stack.running.minimum, stack.running.maximum) == ("DA001.o2", None, 19.0)


def test_limit(plant: Plant) -> None:
    """A limit has a readable key, its bounds in the point's unit and its validity in days."""
    limit = _limit(plant, "DA002/nmhc/concentration/1h/permit 2020/2020-01-01")
    assert (limit.point, limit.basis, limit.maximum, limit.unit) == ("DA002.nmhc", Basis.CONCENTRATION, 60.0, "mg/m3")
    assert (limit.valid_from, limit.valid_to) == (date(2020, 1, 1), date(2024, 12, 31))
    assert (limit.covers(date(2024, 12, 31)), limit.covers(date(2025, 1, 1))) == (True, False)
    assert _limit(plant, "DA001/nox/concentration/1h/permit/-").warn_at == 0.9
    assert _limit(plant, "DA002/rto_temperature/level/reading/process rule/-").hold_ms == 60_000


def test_limit_names_a_pollutant_or_a_point(plant: Plant) -> None:
    """A pollutant is judged on the point of its quantity, whatever that point is called."""
    limit = _limit(plant, "DW001/ammonia_nitrogen/concentration/1d/permit/-")
    assert (limit.subject, limit.point) == ("ammonia_nitrogen", "DW001.nh3n")


def test_rates_and_masses_keep_their_unit(plant: Plant) -> None:
    """A rate or a mass is in the limit's own unit."""
    assert _limit(plant, "DA002/nmhc/rate/1h/permit/-").unit == "kg/h"
    assert (_limit(plant, "DW001/cod/mass/1y/permit/-").maximum, plant.limits[3].unit) == (6.0, "t")


REASONS = {
    "DA001/nox/concentration/1h/permit/-": None,
    "DA001/nox/mass/1y/permit/-": None,
    "DA002/nmhc/concentration/1h/permit 2020/2020-01-01": None,
    "DA002/nmhc/rate/1h/permit/-": None,
    "DA002/rto_temperature/level/reading/process rule/-": None,
    "DW001/cod/concentration/1d/permit/-": None,
    "DW001/ph/level/1h/permit/-": None,
    "N1/leq/level/day-period/GB 12348/-": None,
}


@pytest.mark.parametrize(("key", "reason"), REASONS.items())
def test_what_is_judged_now(plant: Plant, key: str, reason: str | None) -> None:
    """What a rule answers is judged; the rest says which rule it waits for."""
    assert _limit(plant, key).unavailable == reason


MORE_REASONS = [
    ("air", "{pollutant: oxygen, basis: level, max: 18 %, window: 1h, standard: s}", None),
    ("air", "{pollutant: nox, basis: concentration, max: 5, window: 1d, standard: s}", None),
    ("air", "{pollutant: nox, basis: concentration, max: 5, window: reading, standard: s}", "oxygen_conversion"),
    ("air", "{point: nox, basis: level, max: 5, window: 1mo, standard: s}", None),
    ("air", "{point: nox, basis: level, max: 5, window: 1y, standard: s}", "long_window"),
    ("water", "{pollutant: cod, basis: concentration, max: 5, window: reading, standard: s}", None),
    ("water", "{pollutant: cod, basis: concentration, max: 5, window: 1h, standard: s}", "flow_weighting"),
    ("water", "{pollutant: cod, basis: concentration, max: 5, window: 1d, standard: s}", "flow_weighting"),
    ("water", "{point: ph, basis: level, max: 9, window: reading, standard: s}", None),
    ("water", "{point: ph, basis: level, max: 9, window: 1d, standard: s}", "ph_statistic"),
]
OUTLETS = {
    "air": "reference_oxygen: 3.5, points: {nox: {quantity: nox, unit: mg/m3, interval: 1min}, "
    "o2: {quantity: oxygen, unit: '%', interval: 1min}}",
    "water": "points: {cod: {quantity: cod, unit: mg/L, interval: 1h}, ph: {quantity: ph, unit: pH, interval: 1min}}",
}


@pytest.mark.parametrize(("kind", "limit", "reason"), MORE_REASONS)
def test_reasons_of_other_limits(kind: str, limit: str, reason: str | None) -> None:
    """Oxygen itself is not converted, single readings of water need no flow, and a month waits."""
    text = f"{HEAD}outlets:\n  A: {{name: A, kind: {kind}, {OUTLETS[kind]}, limits: [{limit}]}}\n"
    assert load_plant_text(text, "p").limits[0].unavailable == reason


def test_bounds_are_converted_to_the_points_unit() -> None:
    """A limit, a range and a running condition may be written in any unit of the dimension."""
    text = f"""{HEAD}outlets:
  A:
    name: A
    kind: air
    running: {{point: t, min: 373.15 K}}
    points:
      nox: {{quantity: nox, unit: mg/m3, interval: 1min, range: [0, 2 g/m3], detection_limit: 3000 µg/m3}}
      t: {{quantity: temperature, unit: degC, interval: 1min}}
    limits:
      - {{pollutant: nox, basis: concentration, max: 0.05 g/m3, window: 1h, standard: s}}
"""
    plant = load_plant_text(text, "p")
    nox, running = plant.points["A.nox"], plant.outlets["A"].running
    assert (nox.range_low, nox.range_high) == (0.0, 2000.0)
    assert nox.detection_limit == pytest.approx(3.0)
    assert running is not None
    assert running.minimum == pytest.approx(100.0)
    assert plant.limits[0].maximum == 50.0


def test_ratios_are_half_open_instants() -> None:
    """A ratio holds from local midnight of its first day to the midnight after its last."""
    text = f"""{HEAD}meters:
  M: {{quantity: electricity, unit: MWh, interval: 15min, max_rate: 500 kW,
       ratio: [{{value: 40, to: 2020-03-31}}, {{value: 60, from: 2020-04-01}}]}}
"""
    register = load_plant_text(text, "p").points["M"].register
    assert register is not None
    april = 1585670400000  # 2020-04-01 00:00 in Shanghai, 2020-03-31T16:00Z
    assert [(span.value, span.start_ms, span.end_ms) for span in register.ratios] == [
        (40.0, None, april),
        (60.0, april, None),
    ]
    assert register.max_rate_per_h == pytest.approx(0.5)


def test_two_standards_for_one_thing() -> None:
    """Several standards may limit the same thing at the same time."""
    one, other = (
        f"{{pollutant: cod, basis: concentration, max: 5, window: 1d, standard: {name}}}" for name in ("GB", "permit")
    )
    text = f"{HEAD}outlets:\n  A: {{name: A, kind: water, {OUTLETS['water']}, limits: [{one}, {other}]}}\n"
    assert len(load_plant_text(text, "p").limits) == 2


def test_defaults() -> None:
    """A file with a plant alone loads: the field's rules, no outlets, no mail."""
    plant = load_plant_text(HEAD, "p")
    assert (plant.outlets, plant.points, plant.limits, plant.feeds, plant.shifts) == ({}, {}, (), (), {})
    rules = plant.rules
    assert (rules.valid_hour_minutes, rules.valid_day_hours, rules.valid_share) == (45, 20, 0.75)
    assert (rules.lateness_ms, rules.future_ms, rules.missing_flag) == (35 * DAY_MS, 5 * MINUTE_MS, "N")
    assert (plant.alarms.recipients, plant.alarms.repeat_ms, plant.alarms.deadband) == ((), 4 * HOUR_MS, 0.02)


def test_alarms(plant: Plant) -> None:
    """Recipients have addresses, severities, delay and language; quiet hours and digest are clock times."""
    ehs, manager = plant.alarms.recipients
    assert (ehs.email, ehs.severities, ehs.after_ms, ehs.language) == (
        ("ehs@example.com",),
        frozenset({"warning", "breach", "data"}),
        0,
        "both",
    )
    assert (manager.severities, manager.after_ms) == (frozenset({"breach"}), 30 * MINUTE_MS)
    quiet = plant.alarms.quiet_hours
    assert quiet is not None
    assert (quiet.start, quiet.end, quiet.severities) == (time(22), time(6), frozenset({"data"}))
    assert plant.alarms.digest == time(8)
    assert (ehs.digest, manager.digest) == (("daily",), ())


@pytest.mark.parametrize(
    ("written", "read"),
    [("none", ()), ("weekly", ("weekly",)), ("[daily, monthly]", ("daily", "monthly"))],
)
def test_editions_of_the_digest(written: str, read: tuple[str, ...]) -> None:
    """A recipient names one edition, several or none."""
    alarms = f'alarms: {{digest: "08:00", recipients: {{a: {{email: a@x.test, severity: data, digest: {written}}}}}}}\n'
    (recipient,) = load_plant_text(HEAD + alarms, "p").alarms.recipients
    assert recipient.digest == read


def test_feeds(plant: Plant) -> None:
    """A feed has its pattern, the maker's field names, and whether arrival stands in for a missing time."""
    first, gateway, _, _, hj212 = plant.feeds
    assert (first.topic, first.qos, first.field_ts, first.arrival_as_time) == (
        "plant/cq-truck/{outlet}/{point}",
        1,
        "ts",
        False,
    )
    assert (gateway.field_ts, gateway.field_value, gateway.field_unit, gateway.arrival_as_time) == (
        "t",
        "reading.v",
        "unit",
        True,
    )
    assert hj212.format == "hj212"


def test_hj212_options() -> None:
    """An outlet carries how its device sends; what is not written is the standard's way."""
    text = (Path(__file__).parents[2] / "contract" / "plant.yaml").read_text(encoding="utf-8")
    written = "hj212: {crc: hj212, stamp: start}"
    for options, expected in (
        (written, Hj212("hj212", "start", 10 * MINUTE_MS)),
        ("hj212: {crc: modbus_swapped, stamp: end, minute: 5min}", Hj212("modbus_swapped", "end", 5 * MINUTE_MS)),
    ):
        loaded = load_plant_text(text.replace(written, options), "p")
        assert loaded.outlets["DA001"].hj212 == expected
        assert loaded.outlets["DA002"].hj212 == Hj212()
    assert load_plant_text(text, "p").rules.reported_difference == 0.1


def _outlet(*points: str, more: str = "", limits: str = "") -> Plant:
    """Load an outlet A of these points, each with unit and interval."""
    lines = "".join(f"      {point}\n" for point in points)
    return load_plant_text(f"{HEAD}outlets:\n  A:\n    name: A\n    kind: air\n{more}    points:\n{lines}{limits}", "p")


HELPERS = (
    'h2o: {quantity: moisture, unit: "%", interval: 1min}',
    "t: {quantity: gas_temperature, unit: K, interval: 1min}",
    "p: {quantity: gas_pressure, unit: Pa, interval: 1min}",
)


def test_calculated_point() -> None:
    """A formula keeps its text and names its parts; such a point is never slow."""
    plant = _outlet(
        "thc: {quantity: thc, unit: mg/m3, interval: 3min}", "ch4: {quantity: ch4, unit: mg/m3, interval: 3min}",
        "nmhc: {quantity: nmhc, unit: mg/m3, interval: 3min, formula: thc - ch4}",
        limits="    limits:\n      - {pollutant: nmhc, basis: concentration, max: 5, window: reading, standard: s}\n",
    )  # fmt: skip
    nmhc = plant.points["A.nmhc"]
    assert (nmhc.formula, nmhc.parts, nmhc.is_slow, plant.points["A.thc"].is_slow) == (
        "thc - ch4", ("A.thc", "A.ch4"), False, True,
    )  # fmt: skip
    assert plant.limits[0].unavailable == "calculated"


def test_ppm() -> None:
    """A gas in ppm keeps its readings and has its way to mg/m3; its limits are in mg/m3, bare numbers too."""
    limits = """    limits:
      - {pollutant: nox, basis: concentration, max: 50, window: 1h, standard: a}
      - {pollutant: nox, basis: concentration, max: 0.05 g/m3, window: 1h, standard: b}
      - {point: nox, basis: level, max: 30, window: 1h, standard: c}
"""
    plant = _outlet(
        "nox: {quantity: nox, unit: ppb, interval: 1min, range: [0, 500 ppm]}",
        "so2: {quantity: so2, unit: ppm, interval: 1min}", limits=limits,
    )  # fmt: skip
    nox, so2 = plant.points["A.nox"], plant.points["A.so2"]
    assert nox.gas is not None
    assert so2.gas is not None
    assert (nox.unit, nox.range_high, nox.gas.unit) == ("ppb", 500_000.0, "mg/m3")
    assert (nox.gas.factor, so2.gas.factor) == (pytest.approx(46 / 22.4 / 1000), pytest.approx(2.857142857))
    assert [(limit.unit, limit.maximum) for limit in plant.limits] == [("mg/m3", 50.0), ("mg/m3", 50.0), ("ppb", 30.0)]


def test_gas_states() -> None:
    """Wet gas and actual flow name their helper points, with those points' units and the outlet's air pressure."""
    plant = _outlet(
        "so2: {quantity: so2, unit: mg/m3, interval: 1min, state: wet}",
        "o2: {quantity: oxygen, unit: '%', interval: 1min, state: dry}",
        "flow: {quantity: gas_flow, unit: m3/h, interval: 1min, state: actual}", *HELPERS,
        more="    atmospheric_pressure: 982 hPa\n",
        limits="    limits:\n      - {pollutant: so2, basis: concentration, max: 5, window: reading, standard: s}\n",
    )  # fmt: skip
    wet, flow = plant.points["A.so2"].gas, plant.points["A.flow"].gas
    assert wet is not None
    assert flow is not None
    assert (wet.factor, wet.moisture, wet.temperature, wet.unit) == (1.0, "A.h2o", None, None)
    assert (flow.moisture, flow.temperature, flow.pressure) == ("A.h2o", "A.t", "A.p")
    assert (flow.temperature_unit, flow.pressure_unit) == ("K", "Pa")
    assert flow.atmospheric_kpa == pytest.approx(98.2)
    assert plant.points["A.o2"].gas is None
    assert plant.limits[0].unavailable == "gas_state"


def test_air_pressure_is_that_of_the_sea() -> None:
    """Without its own an outlet has 101.325 kPa."""
    flow = "flow: {quantity: gas_flow, unit: m3/h, interval: 1min, state: actual}"
    gas = _outlet(flow, *HELPERS).points["A.flow"].gas
    assert gas is not None
    assert gas.atmospheric_kpa == 101.325


def test_checks() -> None:
    """Checks are in milliseconds and the point's unit; a difference of 10 K is one of 10 degC."""
    point = _outlet(
        "t: {quantity: temperature, unit: degC, interval: 1min, checks: {stuck: 30min, jump: 10 K}}"
    ).points["A.t"]
    assert point.checks == Checks(30 * MINUTE_MS, 10.0)


def test_interlock() -> None:
    """An interlock holds while its own condition does, of its outlet or another; other limits with their outlet's."""
    written = TEXT.replace(
        "basis: level, min: 760 degC,", "basis: interlock, min: 760 degC, while: {point: DA001.flow, min: 10 m3/s},"
    )
    limits = {limit.key: limit for limit in load_plant_text(written, "p").limits}
    interlock = limits["DA002/rto_temperature/interlock/reading/process rule/-"]
    assert (interlock.basis, interlock.minimum, interlock.unit) == (Basis.INTERLOCK, 760.0, "degC")
    assert interlock.running == Running("DA001.flow", 36_000.0, None)
    assert interlock.unavailable is None
    assert limits["DA002/nmhc/rate/1h/permit/-"].running == Running("DA002.flow", 5000.0, None)
    assert limits["DW001/cod/mass/1y/permit/-"].running is None


def test_rules_of_the_file() -> None:
    """Every number of a rule can be another; the substitution table is sorted, best capture first."""
    rules = load_plant_text(
        f"""{HEAD}rules:
  valid_month_days: 20
  valid_february_days: 18
  amount_share: 0.5
  clock_off: 1h
  day_begins: "07:00"
  night_begins: "23:00"
  substitution:
    - {{capture_from: 50 %, look_back: 9}}
    - {{capture_from: 90 %, look_back: 7}}
    - {{capture_from: 90 %, up_to_hours: 12, look_back: 5}}
""",
        "p",
    ).rules
    assert (rules.valid_month_days, rules.valid_february_days, rules.amount_share) == (20, 18, 0.5)
    assert (rules.clock_off_ms, rules.day_begins, rules.night_begins) == (HOUR_MS, time(7), time(23))
    assert rules.substitution == (Substitution(0.9, 12, 5), Substitution(0.9, None, 7), Substitution(0.5, None, 9))


def test_calendar_and_fault_clock(plant: Plant) -> None:
    """Working days are weekdays from Monday as 0; times are hours or working days."""
    assert plant.calendar == Calendar(frozenset({0, 1, 2, 3, 4}), frozenset(), frozenset())
    assert plant.alarms.fault_clock == FaultClock(WorkTime(12 * HOUR_MS, None), WorkTime(None, 5))
    calendar = load_plant_text(
        f"{HEAD}calendar: {{workdays: [sat, sun], holidays: [2020-05-01], extra_workdays: [2020-05-09]}}\n", "p"
    ).calendar
    assert calendar == Calendar(frozenset({5, 6}), frozenset({date(2020, 5, 1)}), frozenset({date(2020, 5, 9)}))
    assert (plant.outlets["DW001"].discharge, plant.outlets["DA001"].discharge) == ("direct", None)


def test_balances_calibrations_and_reports(plant: Plant) -> None:
    """A balance has its children and a rate in the parent's unit; without the keys nobody is reminded of anything."""
    assert plant.balances == (Balance("W-MAIN", ("W-NORTH",), 0.08, "1d", 3.0),)
    assert plant.reporting == Reporting()
    assert plant.points["DA001.nox"].calibration_ms is None
    meters = "meters:\n  A: {quantity: water, unit: m3, interval: 15min}\n"
    meters += "  B: {quantity: water, unit: L, interval: 15min, parent: A}\n"
    text = f"{HEAD}{meters}balances: [{{parent: A, warn_above: 0.1, window: 1mo, night_minimum: 500 L/h}}]\n"
    text += "reporting: {monthly: 15d, yearly: none}\n"
    text += "outlets: {X: {name: X, kind: noise, points: {leq: {quantity: sound_level, unit: dB, interval: 1min, "
    written = load_plant_text(text + "calibration: 7d}}}}\n", "p")
    assert written.balances == (Balance("A", ("B",), 0.1, "1mo", 0.5),)
    assert written.reporting == Reporting(15, None, None)
    assert written.points["X.leq"].calibration_ms == 7 * 24 * HOUR_MS


def test_one_text_is_the_name_in_both_languages() -> None:
    """A plain name stands for English and Chinese."""
    name = load_plant_text(HEAD, "p").name
    assert (name.en, name.zh) == ("X", "X")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is a plant file error with its name."""
    with pytest.raises(PlantFileError, match=r"nowhere\.yaml:1: -: the file cannot be read"):
        load_plant(tmp_path / "nowhere.yaml")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file that is not UTF-8 is named with the line of the first wrong byte."""
    (tmp_path / "p.yaml").write_bytes(b"plant:\n  id: \xff\n")
    with pytest.raises(PlantFileError, match=r"p\.yaml:2: -: the file is not in UTF-8"):
        load_plant(tmp_path / "p.yaml")


def test_byte_order_mark(tmp_path: Path) -> None:
    """The mark some editors write before UTF-8 is no part of the text."""
    (tmp_path / "p.yaml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load_plant(tmp_path / "p.yaml").text == HEAD
