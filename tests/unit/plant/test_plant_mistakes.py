"""This module proves that every kind of mistake in a plant file is told with its line, its field and what was expected.

Each case changes the contract's plant file in one place; the line expected is that of the text named last.
"""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plantmon.errors import PlantFileError
from plantmon.plant import load_plant_text

TEXT = (Path(__file__).parents[2] / "contract" / "plant.yaml").read_text(encoding="utf-8")
NMHC_2025 = (
    "      - {pollutant: nmhc, basis: concentration, max: 50 mg/m3, window: 1h, "
    "standard: permit 2025, from: 2025-01-01}   # renewed: a line more\n"
)
RTO = "{point: rto_temperature, basis: level, min: 760 degC, window: reading, hold: 60s, standard: process rule}"

RTO_POINT = "      rto_temperature: {quantity: temperature, unit: degC, interval: 10s, range: [0, 1200]}\n"
FORMULA = "      load: {{quantity: temperature, unit: degC, interval: 60s, formula: '{}'}}\n"
RTO_REST = TEXT[TEXT.index(RTO_POINT) + len(RTO_POINT) : TEXT.index(RTO) + len(RTO)]

MANAGER = TEXT[TEXT.index("severity: [breach], after") : TEXT.index("  fault_clock")]


class Case(NamedTuple):
    """A change of the file, and the one mistake it makes: where it stands and what is said."""

    name: str
    old: str
    new: str
    field: str
    said: str
    at: str = ""  # text whose line is expected, that of the change unless told


CASES = [
    # the document
    Case("duplicate key", "  valid_day_hours: 20 ", "  valid_hour_minutes: 20 ", "rules.valid_hour_minutes", "twice"),
    Case("duplicate outlet", "\n  DA002:\n", "\n  DA001:\n", "outlets.DA001", "first in line 34", "  DA001:\n    name: {en: Coating"),
    Case("tag", "permit: 91500000EXAMPLE001P", "permit: !secret x", "plant.permit", "tag !secret"),
    # keys and single values
    Case("unknown key", "interval: 10s, range: [-2, 500]", "intervall: 10s", "outlets.DA001.points.pm.intervall", "mean interval?"),
    Case("unknown part", "\ntariff:", "\ntarif:", "tarif", "did you mean tariff?"),
    Case("missing unit", "quantity: tss, unit: mg/L,", "quantity: tss,", "outlets.DW001.points.tss.unit", "is missing"),
    Case("unknown unit", "unit: dB,", "unit: dBX,", "outlets.N1.points.leq.unit", "did you mean dB?"),
    Case("unknown unit of a limit", "max: 12.5 t,", "max: 12.5 tt,", "outlets.DA001.limits[4].max", "unknown unit tt"),
    Case("no amount", "max: 12.5 t,", "max: much,", "outlets.DA001.limits[4].max", "is no quantity"),
    Case("unit of another dimension", "unit: m3/h, interval: 60s", "unit: m3, interval: 60s", "outlets.DW001.points.flow.unit", "m3 is no unit of water_flow"),
    Case("ppm without a molar mass", "quantity: nmhc, unit: mg/m3", "quantity: nmhc, unit: ppm", "outlets.DA002.points.nmhc.unit", "molar mass is in no table"),
    Case("ppm of water", "quantity: tss, unit: mg/L", "quantity: tss, unit: ppm", "outlets.DW001.points.tss.unit", "ppm is no unit of tss"),
    Case("unknown quantity", "quantity: nmhc", "quantity: nhmc", "outlets.DA002.points.nmhc.quantity", "mean nmhc?"),
    Case("unknown kind", "kind: noise", "kind: nose", "outlets.N1.kind", "did you mean noise?"),
    Case("interval zero", "interval: 5min}", "interval: 0min}", "meters.LINE-1.interval", "is no duration"),
    Case("interval without unit", "interval: 5min}", "interval: 5}", "meters.LINE-1.interval", "is no duration"),
    Case("bad timezone", "Asia/Shanghai", "Asia/Shangai", "plant.timezone", "did you mean Asia/Shanghai?"),
    Case("folder as timezone", "Asia/Shanghai", "Asia", "plant.timezone", "unknown time zone"),
    Case("bad plant id", "id: cq-truck ", "id: CQ truck ", "plant.id", "small letters"),
    Case("bad share", "valid_share: 75 %", "valid_share: 175 %", "rules.valid_share", "at most 100 %"),
    Case("minutes beyond the hour", "valid_hour_minutes: 45", "valid_hour_minutes: 61", "rules.valid_hour_minutes", "<= 60"),
    Case("truth for a number", "valid_hour_minutes: 45", "valid_hour_minutes: true", "rules.valid_hour_minutes", "whole number"),
    Case("text for a number", "deadband: 0.02", "deadband: low", "alarms.deadband", "not a number"),
    Case("number for a text", "standard: process rule", "standard: 2020", "outlets.DA002.limits[5].standard", "in quotes"),
    Case("list for a table", "tax: {pm: smoke}", "tax: [pm]", "outlets.DA001.tax", "not a table"),
    Case("text for a list", "holidays: []", "holidays: today", "calendar.holidays", "not a list"),
    Case("bad date", "to: 2024-12-31", "to: 2024-12-32", "outlets.DA002.limits[1].to", "is no date"),
    Case("date without zeros", "to: 2024-12-31", "to: 2024-12-3", "outlets.DA002.limits[1].to", "is no date"),
    Case("unknown edition", "severity: [breach], after", "severity: [breach], digest: dayly, after", "alarms.recipients.manager.digest", "did you mean daily?"),
    Case("digest without a time", MANAGER, MANAGER.replace("after", "digest: [daily], after", 1).replace('  digest: "08:00"\n', ""), "alarms.recipients.manager.digest", "no time for the digest"),
    Case("bad clock time", 'digest: "08:00"', 'digest: "24:00"', "alarms.digest", "is no clock time"),
    Case("bad clock span", '"23:00-07:00"', '"23:00"', "tariff.valley[1]", "span of clock times"),
    Case("bad work time", "5 workdays", "0 workdays", "alarms.fault_clock.repair_within", "5 workdays"),
    Case("bad device number", "mn: A12345678901234567890001", "mn: A1", "outlets.DA001.mn", "6 to 25"),
    Case("range of one number", "range: [0, 25]", "range: [0]", "outlets.DA001.points.o2.range", "expected 2"),
    Case("infinite number", "range: [0, 25]", "range: [0, .inf]", "outlets.DA001.points.o2.range[2]", "is no quantity"),
    # rules
    Case("day that begins at half past", "valid_day_hours: 20", 'day_begins: "06:30"', "rules.day_begins", "no full hour"),
    Case("night before the day", "valid_day_hours: 20", 'night_begins: "05:00"', "rules.night_begins", "before the day does at 06:00"),
    Case("days of a month", "valid_day_hours: 20", "valid_month_days: 32", "rules.valid_month_days", "<= 31"),
    Case("substitution told twice", "  valid_day_hours: 20 ", "  substitution: [{capture_from: 0.9, look_back: 180}, {capture_from: 90 %, look_back: 720}]\n  valid_day_hours: 20 ", "rules.substitution[2]", "the same capture rate", "  substitution"),
    Case("substitution without an end", "  valid_day_hours: 20 ", "  substitution: [{capture_from: 0.9, up_to_hours: 24, look_back: 180}]\n  valid_day_hours: 20 ", "rules.substitution[1].up_to_hours", "longer gaps from a capture rate of 90%", "  substitution"),
    Case("substitution of nothing", "  valid_day_hours: 20 ", "  substitution: [{capture_from: 0.9, look_back: 0}]\n  valid_day_hours: 20 ", "rules.substitution[1].look_back", ">= 1", "  substitution"),
    # feeds
    Case("wildcard", '"plant/cq-truck/batch"', '"plant/cq-truck/+"', "feeds[4].topic", "may not hold +"),
    Case("hash", '"plant/cq-truck/batch"', '"plant/#"', "feeds[4].topic", "may not hold + or #"),
    Case("dollar", '"plant/cq-truck/batch"', '"$SYS/broker"', "feeds[4].topic", "begin with $"),
    Case("unknown name in a topic", '"gw7/{meter}/reading"', '"gw7/{metre}/reading"', "feeds[2].topic", "mean meter?"),
    Case("name in part of a level", '"gw7/{meter}/reading"', '"gw7/m{meter}/reading"', "feeds[2].topic", "whole level"),
    Case("name twice", '"gw7/{meter}/reading"', '"gw7/{meter}/{meter}"', "feeds[2].topic", "each once"),
    Case("meter and point", '"gw7/{meter}/reading"', '"gw7/{meter}/{point}"', "feeds[2].topic", "not both"),
    Case("nothing names the point", '"gw7/{meter}/reading"', '"gw7/reading"', "feeds[2].topic", "{point}, {meter} or {mn}"),
    Case("outlet alone", '"gw7/{meter}/reading"', '"gw7/{outlet}/reading"', "feeds[2].topic", "nothing in the topic"),
    Case("same topics twice", '"gw7/{meter}/reading"', '"plant/cq-truck/meter/{point}"', "feeds[3].topic", "same topics", "cq-truck/meter/{meter}"),
    Case("unknown format", "format: json-batch", "format: jsonbatch", "feeds[4].format", "mean json-batch?"),
    Case("bad qos", "format: json-batch, qos: 1", "format: json-batch, qos: 3", "feeds[4].qos", "expected one of: 0, 1, 2"),
    # outlets and points
    Case("foreign quantity", "{quantity: temperature, unit: degC", "{quantity: cod, unit: mg/L", "outlets.DA002.points.rto_temperature.quantity", "not measured in a place of the kind air"),
    Case("meter quantity in an outlet", "tss:  {quantity: tss, unit: mg/L", "tss:  {quantity: water, unit: m3", "outlets.DW001.points.tss.quantity", "water is not measured"),
    Case("two points of one quantity", "pm:   {quantity: pm, ", "pm:   {quantity: so2, ", "outlets.DA001.points.pm.quantity", "measured by so2 already"),
    Case("range reversed", "range: [20, 140]", "range: [140, 20]", "outlets.N1.points.leq.range", "lower end first"),
    Case("detection limit", "[-5, 2000], detection_limit: 3}\n      so2", "[-5, 2000], detection_limit: 0}\n      so2", "outlets.DA001.points.nox.detection_limit", "not above zero", "detection_limit: 0}"),
    Case("reference oxygen of air", "reference_oxygen: 3.5", "reference_oxygen: 21", "outlets.DA001.reference_oxygen", "under 21 %"),
    Case("reference oxygen without oxygen", "    kind: air\n    running: {point: flow", "    kind: air\n    reference_oxygen: 3\n    running: {point: flow", "outlets.DA002.reference_oxygen", "needs a point of the quantity oxygen", "reference_oxygen: 3\n"),
    Case("reference oxygen of noise", "kind: noise", "kind: noise\n    reference_oxygen: 3", "outlets.N1.reference_oxygen", "kind air only", "reference_oxygen: 3\n"),
    Case("discharge of noise", "kind: noise", "kind: noise\n    discharge: direct", "outlets.N1.discharge", "kind water only", "    discharge: direct\n"),
    Case("running of no point", "{point: flow, min: 5000 m3/h}", "{point: flux, min: 5000 m3/h}", "outlets.DA002.running.point", "did you mean flow?"),
    Case("running unit", "{point: flow, min: 5000 m3/h}", "{point: flow, min: 5000 m3}", "outlets.DA002.running.min", "m3 does not fit here"),
    Case("running without bound", "{point: flow, min: 5000 m3/h}", "{point: flow}", "outlets.DA002.running", "neither min nor max"),
    Case("length of minute data", "stamp: start}", "stamp: start, minute: 7min}", "outlets.DA001.hj212.minute", "10min, 12min, 15min"),
    Case("check sum", "crc: hj212, stamp", "crc: crc16, stamp", "outlets.DA001.hj212.crc", "modbus_swapped"),
    Case("frames without device", "    mn: A12345678901234567890001 ", "    # ", "feeds[5].format", "expected `mn` in at least one", "hj212/{mn}"),
    Case("point in a topic of frames", "hj212/{mn}", "hj212/{outlet}", "feeds[5].topic", "names its values itself"),
    Case("device number twice in other letters", "kind: noise", "kind: noise\n    mn: a12345678901234567890001", "outlets.N1.mn", "that of DA001 already", "    mn: a12345678901234567890001\n"),
    Case("device number twice", "kind: noise", "kind: noise\n    mn: A12345678901234567890001", "outlets.N1.mn", "that of DA001 already", "    mn: A12345678901234567890001\n"),
    # formulas, gas states, checks
    Case("formula that is none", RTO_POINT, RTO_POINT + FORMULA.format("nmhc -"), "outlets.DA002.points.load.formula", "nmhc - is no formula", "      load:"),
    Case("formula with a power", RTO_POINT, RTO_POINT + FORMULA.format("nmhc ** 2"), "outlets.DA002.points.load.formula", "nmhc ** 2 cannot stand in a formula", "      load:"),
    Case("formula of numbers", RTO_POINT, RTO_POINT + FORMULA.format("1 + 2"), "outlets.DA002.points.load.formula", "names no point", "      load:"),
    Case("formula of no point", RTO_POINT, RTO_POINT + FORMULA.format("nmcc * flow"), "outlets.DA002.points.load.formula", "did you mean nmhc?", "      load:"),
    Case("formula of no point elsewhere", RTO_POINT, RTO_POINT + FORMULA.format("nmhc - DA001.nix"), "outlets.DA002.points.load.formula", "did you mean DA001.nox?", "      load:"),
    Case("formula of a meter", RTO_POINT, RTO_POINT + FORMULA.format("LINE-1 * 2"), "outlets.DA002.points.load.formula", "LINE-1 is a meter", "      load:"),
    Case("formula of itself", RTO_POINT, RTO_POINT + FORMULA.format("nmhc + load"), "outlets.DA002.points.load.formula", "in a circle: DA002.load - DA002.load", "      load:"),
    Case("formulas in a circle", RTO_POINT, RTO_POINT + FORMULA.format("more - 1") + FORMULA.replace("load", "more").format("load + 1"), "outlets.DA002.points.load.formula", "DA002.load - DA002.more - DA002.load", "      load:"),
    Case("id that is no name", RTO_POINT, RTO_POINT + "      t-out: {quantity: temperature, unit: degC, interval: 60s}\n" + FORMULA.format("rto_temperature - t-out"), "outlets.DA002.points.load.formula", "the id t-out cannot stand in a formula", "      load:"),
    Case("range of a formula", RTO_POINT, RTO_POINT + FORMULA.format("rto_temperature', range: [0, 5], name: 'x"), "outlets.DA002.points.load.range", "ranges of its parts", "      load:"),
    Case("running on a formula", RTO_POINT + RTO_REST, RTO_POINT + FORMULA.format("rto_temperature * 2") + RTO_REST.replace("point: rto_temperature, basis: level", "point: rto_temperature, basis: interlock, while: {point: load, min: 5}"), "outlets.DA002.limits[5].while.point", "load is calculated", "while: {point: load"),
    Case("wet flow", "flow: {quantity: gas_flow, unit: m3/h, interval: 10s, range: [0, 500000]}", "flow: {quantity: gas_flow, unit: m3/h, interval: 10s, state: wet}", "outlets.DA002.points.flow.state", "gas_flow is never wet, expected one of: standard, actual"),
    Case("wet temperature", "rto_temperature: {quantity: temperature,", "rto_temperature: {state: wet, quantity: temperature,", "outlets.DA002.points.rto_temperature.state", "temperature is never wet"),
    Case("wet without moisture", "nmhc: {quantity: nmhc, ", "nmhc: {state: wet, quantity: nmhc, ", "outlets.DA002.points.nmhc.state", "a point of the quantity moisture"),
    Case("wet water", "tss:  {quantity: tss, ", "tss:  {state: wet, quantity: tss, ", "outlets.DW001.points.tss.state", "kind air only"),
    Case("air pressure of water", "kind: water\n", "kind: water\n    atmospheric_pressure: 100 kPa\n", "outlets.DW001.atmospheric_pressure", "kind air only", "    atmospheric_pressure"),
    Case("no air pressure", "    running: {point: flow, ", "    atmospheric_pressure: 0 kPa\n    running: {point: flow, ", "outlets.DA002.atmospheric_pressure", "not above zero", "    atmospheric_pressure"),
    Case("air pressure in degrees", "    running: {point: flow, ", "    atmospheric_pressure: 20 degC\n    running: {point: flow, ", "outlets.DA002.atmospheric_pressure", "degC does not fit here", "    atmospheric_pressure"),
    Case("no jump", "rto_temperature: {quantity: temperature,", "rto_temperature: {checks: {jump: 0}, quantity: temperature,", "outlets.DA002.points.rto_temperature.checks.jump", "not above zero"),
    Case("jump of another dimension", "rto_temperature: {quantity: temperature,", "rto_temperature: {checks: {jump: 5 kPa}, quantity: temperature,", "outlets.DA002.points.rto_temperature.checks.jump", "kPa does not fit here"),
    Case("unknown check", "rto_temperature: {quantity: temperature,", "rto_temperature: {checks: {stock: 5min}, quantity: temperature,", "outlets.DA002.points.rto_temperature.checks.stock", "did you mean stuck?"),
    # limits
    Case("interlock without while", "rto_temperature, basis: level", "rto_temperature, basis: interlock", "outlets.DA002.limits[5]", "expected `while`"),
    Case("while of a level", "rto_temperature, basis: level,", "rto_temperature, basis: level, while: {point: flow, min: 5},", "outlets.DA002.limits[5].while", "basis: interlock only"),
    Case("interlock of a pollutant", "{point: rto_temperature, basis: level,", "{pollutant: nmhc, basis: interlock, while: {point: flow, min: 5},", "outlets.DA002.limits[5].pollutant", "speaks of a point"),
    Case("interlock over an hour", "basis: level, min: 760 degC, window: reading, hold: 60s", "basis: interlock, while: {point: flow, min: 5}, min: 760 degC, window: 1h", "outlets.DA002.limits[5].window", "no window 1h"),
    Case("while of no point", "rto_temperature, basis: level,", "rto_temperature, basis: interlock, while: {point: DA001.flo, min: 5},", "outlets.DA002.limits[5].while.point", "did you mean DA001.flow?"),
    Case("while without bound", "rto_temperature, basis: level,", "rto_temperature, basis: interlock, while: {point: flow},", "outlets.DA002.limits[5].while", "neither min nor max"),
    Case("while of another dimension", "rto_temperature, basis: level,", "rto_temperature, basis: interlock, while: {point: flow, min: 5 kg},", "outlets.DA002.limits[5].while.min", "kg does not fit here"),
    Case("running elsewhere", "running: {point: flow, min", "running: {point: DA001.flow, min", "outlets.DA002.running.point", "no point DA001.flow in this outlet"),
    Case("no such point", "point: rto_temperature, ", "point: rto_temprature, ", "outlets.DA002.limits[5].point", "mean rto_temperature?"),
    Case("no such pollutant", "pollutant: tss,", "pollutant: phosphate,", "outlets.DW001.limits[3].pollutant", "no point of this outlet measures phosphate"),
    Case("point as pollutant", "pollutant: ammonia_nitrogen", "pollutant: nh3n", "outlets.DW001.limits[2].pollutant", "the quantity ammonia_nitrogen"),
    Case("pollutant and point", "{point: ph, ", "{point: ph, pollutant: ph, ", "outlets.DW001.limits[4]", "one of the two keys"),
    Case("neither pollutant nor point", "{point: ph, ", "{", "outlets.DW001.limits[4]", "one of the two keys"),
    Case("neither min nor max", "min: 6, max: 9, ", "", "outlets.DW001.limits[4]", "neither min nor max"),
    Case("min above max", "min: 6, max: 9, ", "min: 9, max: 6, ", "outlets.DW001.limits[4].min", "min 9 pH is above max 6 pH"),
    Case("limit of another dimension", "max: 20 mg/m3", "max: 20 kg", "outlets.DA001.limits[2].max", "kg does not fit here"),
    Case("bare mass", "max: 12.5 t,", "max: 12.5,", "outlets.DA001.limits[4].max", "a unit of its own"),
    Case("rate in a mass", "max: 8.0 kg/h", "max: 8.0 kg", "outlets.DA002.limits[3].max", "a unit of its own"),
    Case("mass without flow", "      flow: {quantity: water_flow, unit: m3/h, interval: 60s, range: [0, 500]}\n", "", "outlets.DW001.limits[5].basis", "needs the flow", "max: 6.0 t"),
    Case("concentration of a temperature", "basis: level, min: 760", "basis: concentration, min: 760", "outlets.DA002.limits[5].basis", "temperature is none"),
    Case("unknown window", "max: 20 mg/m3, window: 1h", "max: 20 mg/m3, window: 8h", "outlets.DA001.limits[2].window", "8h is not possible here"),
    Case("mass of a reading", "max: 12.5 t, window: 1y", "max: 12.5 t, window: reading", "outlets.DA001.limits[4].window", "no window reading"),
    Case("period of a temperature", "min: 760 degC, window: reading, hold: 60s", "min: 760 degC, window: day-period", "outlets.DA002.limits[5].window", "window of sound levels"),
    Case("hold over an hour", "window: reading, hold", "window: 1h, hold", "outlets.DA002.limits[5].hold", "single readings"),
    Case("warn without max", "min: 760 degC,", "min: 760 degC, warn_at: 0.9,", "outlets.DA002.limits[5].warn_at", "expected a max"),
    Case("warn beyond max", "warn_at: 0.9", "warn_at: 1.1", "outlets.DA001.limits[1].warn_at", "is no share"),
    Case("to before from", "to: 2024-12-31", "to: 2019-12-31", "outlets.DA002.limits[1].to", "lies before 2020-01-01"),
    Case("same limit twice", "standard: permit 2025, from: 2025-01-01", "standard: permit 2020, from: 2024-12-31", "outlets.DA002.limits[2]", "the limit in line 64", "from: 2024-12-31"),
    # meters
    Case("meter with a gauge's quantity", "W-NORTH: {quantity: water, kind: counter, unit: m3, role: sub, parent: W-MAIN", "W-NORTH: {quantity: cod, kind: counter, unit: m3, role: sub", "meters.W-NORTH.quantity", "cod is not measured"),
    Case("meter's unit", "E-PV:    {quantity: electricity, kind: counter, unit: kWh", "E-PV:    {quantity: electricity, kind: counter, unit: kW", "meters.E-PV.unit", "kW is no unit of electricity"),
    Case("no such parent", "parent: E-MAIN", "parent: E-MIAN", "meters.E-PAINT.parent", "did you mean E-MAIN?"),
    Case("parent of another quantity", "parent: E-MAIN", "parent: W-MAIN", "meters.E-PAINT.parent", "the same quantity"),
    Case("parents in a circle", "unit: kWh, role: purchased, ", "unit: kWh, role: purchased, parent: E-PAINT, ", "meters.E-MAIN.parent", "E-MAIN - E-PAINT - E-MAIN"),
    Case("max_rate of another thing", "max_rate: 20000 kWh/h", "max_rate: 20000 kWh", "meters.E-MAIN.max_rate", "kWh does not fit here"),
    Case("wraps_at zero", "wraps_at: 1000000000", "wraps_at: 0", "meters.E-MAIN.wraps_at", "not above zero"),
    Case("ratio zero", "ratio: 1,", "ratio: 0,", "meters.E-MAIN.ratio", "> 0"),
    Case("ratios overlap", "ratio: 1,", "ratio: [{value: 1, to: 2020-03-31}, {value: 2, from: 2020-03-31}],", "meters.E-MAIN.ratio[2]", "the ratio in line"),
    Case("ratio reversed", "ratio: 1,", "ratio: [{value: 1, from: 2021-01-01, to: 2020-03-31}],", "meters.E-MAIN.ratio[1].to", "lies before"),
    Case("production of nothing", "product: vehicle, kind", "kind", "meters.LINE-1", "needs a product"),
    Case("product of electricity", "unit: kWh, role: generated", "unit: kWh, product: sun, role: generated", "meters.E-PV.product", "production only"),
    Case("id of a point", "  E-PV:  ", "  DA001.nox:  ", "meters.DA001.nox", "the id of a point in line 45"),
    Case("bad meter id", "  E-PV:  ", "  E/PV:  ", "meters.E/PV", "cannot be a meter's id"),
    Case("balance of no meter", "{parent: W-MAIN, warn", "{parent: W-MIAN, warn", "balances[1].parent", "did you mean W-MAIN?"),
    Case("balance without children", "{parent: W-MAIN, warn", "{parent: G-MAIN, warn", "balances[1].parent", "no meter has G-MAIN"),
    Case("night minimum of another thing", "night_minimum: 3 m3/h", "night_minimum: 3 m3", "balances[1].night_minimum", "m3 does not fit here"),
    Case("balance twice", "{parent: W-MAIN, warn_above: 8 %", "{parent: W-MAIN, warn_above: 9 %}\n  - {parent: W-MAIN, warn_above: 8 %", "balances[2].parent", "has the parent W-MAIN already", "  - {parent: W-MAIN, warn_above: 8 %"),
    Case("leak at no time of night", "valid_day_hours: 20", 'leak_night_ends: "00:00"', "rules.leak_night_ends", "when it begins or before"),
    Case("leak at half past", "valid_day_hours: 20", 'leak_night_ends: "04:30"', "rules.leak_night_ends", "no full hour"),
    Case("calibration now and then", "quantity: nmhc, unit: mg/m3, ", "quantity: nmhc, unit: mg/m3, calibration: often, ", "outlets.DA002.points.nmhc.calibration", "is no duration"),
    Case("report within hours", "\ncalendar:", "\nreporting: {quarterly: 15h}\ncalendar:", "reporting.quarterly", "no whole number of days"),
    Case("report some time", "\ncalendar:", "\nreporting: {yearly: soon}\ncalendar:", "reporting.yearly", "is no duration"),
    Case("report of a week", "\ncalendar:", "\nreporting: {weekly: 3d}\ncalendar:", "reporting.weekly", "expected one of"),
    # people and figures
    Case("no address", "email: [manager@example.com]", "email: []", "alarms.recipients.manager.email", "expected 1"),
    Case("address missing", "manager: {email: [manager@example.com], ", "manager: {", "alarms.recipients.manager.email", "is missing"),
    Case("bad address", "[manager@example.com]", "[manager.example.com]", "alarms.recipients.manager.email[1]", "no email address"),
    Case("address with a line end", "[manager@example.com]", '["m@example.com\\nBcc: x@example.com"]', "alarms.recipients.manager.email[1]", "no email address"),
    Case("unknown severity", "severity: [breach], after", "severity: [breech], after", "alarms.recipients.manager.severity[1]", "mean breach?"),
    Case("unknown language", "after: 30min", "after: 30min, language: de", "alarms.recipients.manager.language", "zh, en, both"),
    Case("quiet hours without end", 'from: "22:00", to: "06:00"', 'from: "22:00", to: "22:00"', "alarms.quiet_hours.to", "end when they begin"),
    Case("holiday and workday", "holidays: [], extra_workdays: []", "holidays: [2020-05-01], extra_workdays: [2020-05-01]", "calendar.extra_workdays[1]", "holiday and a workday"),
    Case("peak in the valley", '"17:00-21:00"', '"17:00-23:30"', "tariff.valley", "share clock times", "tariff:"),
    Case("no such denominator", "per: vehicle", "per: vehicles", "esg.targets[1].per", "did you mean vehicle?"),
    Case("no such product", "vehicle: {quantity: production, product: vehicle}", "vehicle: {quantity: production, product: engine}", "esg.denominators.vehicle.product", "no meter counts the product engine"),
    Case("ledger item without unit", "{ledger: output_value, unit: 10k CNY}", "{ledger: output_value}", "esg.denominators.output.ledger", "needs its unit"),
]  # fmt: skip


def _line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def _problems(text: str, language: str = "en") -> list[str]:
    with pytest.raises(PlantFileError) as caught:
        load_plant_text(text, "p.yaml", language)
    return caught.value.problems


# A second message follows where the slip makes another part of the file wrong by itself.
FOLLOWED = {
    "duplicate outlet",
    "meter with a gauge's quantity",
    "id of a point",
    "bad meter id",
    "production of nothing",
}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake(case: Case) -> None:
    """One mistake makes one message, with its line, its field and what was expected, at the same place in both languages."""
    start = TEXT.index(case.old)
    text = TEXT.replace(case.old, case.new, 1)
    line = _line_of(text, case.at) if case.at else TEXT.count("\n", 0, start + case.old.startswith("\n")) + 1
    problems = _problems(text)
    place = f"p.yaml:{line}: {case.field}: "
    [problem] = [problem for problem in problems if problem.startswith(place)] or problems
    assert problem.startswith(place)
    assert case.said in problem
    assert len(problems) == 1 or case.name in FOLLOWED, problems
    assert [told.split(": ")[:2] for told in _problems(text, "zh")] == [told.split(": ")[:2] for told in problems]


def test_balance_of_what_cannot_be_added() -> None:
    """Steam in GJ is not subtracted from steam in t."""
    meters = "A: {quantity: steam, unit: t, interval: 1h}, B: {quantity: steam, unit: GJ, interval: 1h, parent: A}"
    head = "plant: {id: x, name: X, timezone: UTC}\n"
    problems = _problems(f"{head}meters: {{{meters}}}\nbalances: [{{parent: A, warn_above: 0.1}}]\n")
    assert [problem.split(", expected")[0].split(";")[0] for problem in problems] == [
        "p.yaml:3: balances[1].parent: B counts in GJ and its parent in t, which cannot be added"
    ]


def test_all_mistakes_in_one_run() -> None:
    """Mistakes of every kind are told together, in the file's order."""
    chosen = [
        "bad timezone",
        "unknown key",
        "unknown unit",
        "no such point",
        "parent of another quantity",
        "bad address",
    ]
    text = TEXT
    for case in CASES:
        if case.name in chosen:
            text = text.replace(case.old, case.new, 1)
    fields = [problem.split(": ")[1] for problem in _problems(text)]
    assert fields == [
        "plant.timezone",
        "outlets.DA001.points.pm.intervall",
        "outlets.DA002.limits[5].point",
        "outlets.N1.points.leq.unit",
        "meters.E-PAINT.parent",
        "alarms.recipients.manager.email[1]",
    ]


def test_a_key_that_is_there_is_not_suggested() -> None:
    """An unknown key is held against the keys that are not written yet."""
    problems = _problems(TEXT.replace("zh: 厂界北侧", "zn: 厂界北侧"))
    assert len(problems) == 1
    assert problems[0].endswith("outlets.N1.name.zn: unknown key, expected one of: en, zh; did you mean zh?")


BROKEN = [
    "",
    "# nothing\n",
    "[]",
    "plant",
    "{}",
    "a: b: c",
    "plant: {",
    "\x00",
    "a: &a [*a]",
    "- " * 3000,
    "? [a]\n: b",
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_texts_that_are_no_plant_file(text: str) -> None:
    """A text that is no YAML, no table or nothing at all is a plant file error."""
    assert _problems(text)


def test_syntax_error_has_its_line() -> None:
    """YAML that cannot be read is told with the line where it breaks."""
    assert _problems("plant:\n  id: x\n  name: [a\n")[0].startswith("p.yaml:4: -: this is no YAML")


def test_an_anchor_stands_once() -> None:
    """An anchor that is set twice is told with the line of the second."""
    assert _problems("a: &x 1\nb: 2\nc: &x 3\n")[0].startswith("p.yaml:3: -: this anchor stands twice")


def test_aliases_cannot_blow_up() -> None:
    """Aliases of aliases, which are millions of values in ten lines, are refused and not read."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert any("repeats too much" in problem for problem in _problems("\n".join(lines)))


def test_anchors_may_be_used() -> None:
    """What is said once may be meant twice."""
    text = TEXT.replace("ehs:     {email: [ehs@example.com]", "ehs:     {email: &ehs [ehs@example.com]")
    plant = load_plant_text(text.replace("email: [manager@example.com]", "email: *ehs"), "p.yaml")
    assert [recipient.email for recipient in plant.alarms.recipients] == [("ehs@example.com",)] * 2


WORDS = st.sampled_from(
    ["{", "}", "[", "]", ":", ",", "- ", "\n", "  ", '"', "#", "&a ", "*a", "!!set ", "<<: ", "null", "true", "-1",
     "1e999", "9" * 400, ".nan", "0x", "2020-02-30", "plant: ", "DA001", "unit", "50 mg/m3", "from", "5 %",
     "%YAML 1.1\n", "\t", "\x07"]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_file_raises_nothing_else(data: st.DataObject) -> None:
    """Whatever happens to its text, a plant file loads or is a PlantFileError whose messages name the file."""
    text = TEXT
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(WORDS) + text[end:]
    try:
        load_plant_text(text, "p.yaml", data.draw(st.sampled_from(["en", "zh"])))
    except PlantFileError as error:
        assert error.problems
        assert all(problem.startswith("p.yaml:") for problem in error.problems)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(alphabet="{}abc %/0", max_size=8),
    st.sampled_from([[], {}, [{}], {"value": 1}, "0s", "1d", "nan", "50 mg/m3", "DA001", "E-MAIN", "reading", "sub"]),
)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_value_raises_nothing_else(data: st.DataObject) -> None:
    """Whatever value stands at a key, a plant file loads or is a PlantFileError."""
    keys = [index for index, letter in enumerate(TEXT) if letter == ":" and TEXT[index + 1] == " "]
    start = data.draw(st.sampled_from(keys)) + 2
    end = next(index for index in range(start, len(TEXT)) if TEXT[index] in ",}]\n#")
    value = data.draw(SCALARS)
    try:
        load_plant_text(f"{TEXT[:start]}{value!r}{TEXT[end:]}", "p.yaml")
    except PlantFileError as error:
        assert error.problems
