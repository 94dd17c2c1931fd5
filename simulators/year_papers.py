"""This module is what people write for the simulated years: the plant file, and the ledger of what no sensor knows."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate, pairwise

from simulators.year_plant import GAUGES, METERS, PLANT_ID, TOPIC, YEARS, YearGauge, YearMeter


def plant_text() -> str:
    """Write the plant file (YAML)."""
    outlets = ""
    for outlet, head, limits in _OUTLETS:
        outlets += head + "".join(_gauge_line(one) for one in GAUGES if one.id.startswith(outlet)) + limits
    return _HEAD + outlets + "\nmeters:\n" + "".join(map(_meter_line, METERS)) + _TAIL


def _gauge_line(gauge: YearGauge) -> str:
    name = gauge.id.partition(".")[2]
    unit = f'"{gauge.unit}"' if gauge.unit == "%" else gauge.unit
    return f"      {name}: {{quantity: {gauge.quantity}, unit: {unit}, interval: 1h, {gauge.more}}}\n"


def _meter_line(meter: YearMeter) -> str:
    what = f"quantity: {meter.quantity}, kind: counter, unit: {meter.unit}, interval: 1h"
    return f"  {meter.id}: {{{what}, {meter.more}}}\n"


_HEAD = f"""\
plant:
  id: {PLANT_ID}
  name: {{en: Chongqing truck plant, zh: 重庆卡车工厂}}
  timezone: Asia/Shanghai
  permit: 91500000EXAMPLE001P

feeds:
  - {{topic: {TOPIC}, format: json-batch}}

# Readings come a month at a time: a history is brought in.
rules: {{future: 40d, lateness: 40d}}

outlets:
"""
_OUTLETS = (
    (
        "DA001",
        """\
  DA001:
    name: {en: Gas boiler stack, zh: 燃气锅炉排气筒}
    kind: air
    reference_oxygen: 3.5
    running: {point: o2, max: 19 %}
    tax: {pm: smoke}
    points:
""",
        """\
    limits:
      - {pollutant: nox, basis: mass, max: 12.5 t, window: 1y, standard: permit}
""",
    ),
    (
        "DA002",
        """\
  DA002:
    name: {en: Coating line RTO stack, zh: 涂装RTO排气筒}
    kind: air
    running: {point: flow, min: 5000 m3/h}
    points:
""",
        """\
    limits:
      - {pollutant: nmhc, basis: mass, max: 35 t, window: 1y, standard: permit}
""",
    ),
    (
        "DW001",
        """\
  DW001:
    name: {en: Coating waste water station, zh: 涂装废水处理站}
    kind: water
    discharge: direct
    points:
""",
        """\
    limits:
      - {pollutant: cod, basis: mass, max: 20 t, window: 1y, standard: permit}
""",
    ),
)
_TAIL = """\

tariff: {peak: ["08:00-12:00", "17:00-21:00"], valley: ["23:00-07:00"]}

esg:
  denominators:
    vehicle: {quantity: production, product: vehicle, name: {en: vehicle, zh: 辆}}
    output: {ledger: output_value, unit: 10k CNY, name: {en: 10k CNY of output, zh: 万元产值}}
  below_detection: zero
  grid_factor: {region: national, method: location, data_year: 2021}  # of 2020 none is published
  targets:
    - {metric: electricity.purchased, per: vehicle, max: 820 kWh, year: 2020}
    - {metric: water.purchased, per: vehicle, max: 15 t, year: 2020}
"""

LedgerRow = tuple[str, str, str, str, str]  # period, item, value, unit, source

# item, unit, total of 2019, total of 2020, source; told month by month
_MONTHLY = (
    ("diesel", "L", "1402113", "1389259", "fuel depot ledger"),
    ("gasoline", "L", "91220.40", "86964.15", "fuel depot ledger"),
    ("steel", "t", "151233.42", "160187.75", "purchasing ledger"),
    ("packing.wood", "m3", "941.20", "916.38", "warehouse ledger"),
    ("packing.paper", "m2", "388210.5", "402377.5", "warehouse ledger"),
    ("packing.iron", "pcs", "21344", "22871", "warehouse ledger"),
    ("waste.domestic", "t", "1188.40", "1204.65", "collector's receipts"),
    ("waste.wood", "t", "610.33", "588.17", "collector's receipts"),
    ("waste.hazardous", "t", "751.08", "719.72", "transfer manifests"),
    ("output_value", "10k CNY", "812340.55", "903712.60", "finance report"),
    ("training.hours", "h", "10450", "11872", "training records"),
    ("training.people", "people", "2210", "2415", "training records"),
)
_YEARLY = (
    ("training.sessions", "pcs", "41", "46", "training records"),
    ("incidents", "pcs", "1", "0", "incident register"),
    ("production.vehicle", "pcs", "45120", "48500", "shipping ledger"),
)
_LAB = (
    ("lab.DW001.total_nickel", "mg/L", ("0.031", "0.027", "0.029", "0.034")),
    ("lab.DW001.total_zinc", "mg/L", ("0.21", "0.18", "0.24", "0.19")),
    ("lab.DW001.phosphate", "mg/L", ("0.42", "0.39", "0.47", "0.44")),
)


def ledger_rows(years: tuple[int, ...] = YEARS) -> list[LedgerRow]:
    """List the lines of the ledger: what no sensor knows; months add up to the year's total exactly."""
    rows: list[LedgerRow] = []
    for year in years:
        for item, unit, *totals, source in _MONTHLY:
            parts = _twelve(Decimal(totals[YEARS.index(year)]))
            rows += [(f"{year}-{month:02d}", item, str(one), unit, source) for month, one in enumerate(parts, 1)]
        for item, unit, *totals, source in _YEARLY:
            rows.append((f"{year}", item, totals[YEARS.index(year)], unit, source))
        for item, unit, results in _LAB:
            quarters = enumerate(results, 1)
            rows += [(f"{year}-Q{turn}", item, one, unit, f"report {year}-{turn:03d}") for turn, one in quarters]
    return rows


def _twelve(total: Decimal) -> list[Decimal]:
    """Divide an amount into months by the days a plant works in them, to its last digit."""
    exponent = total.as_tuple().exponent
    assert isinstance(exponent, int)
    digits = int(total.scaleb(-exponent))
    sums = list(accumulate((20, 16, 22, 21, 20, 21, 22, 21, 22, 18, 21, 23)))
    edges = [0, *(digits * one // sums[-1] for one in sums)]
    return [Decimal(end - start).scaleb(exponent) for start, end in pairwise(edges)]


def ledger_text(years: tuple[int, ...] = YEARS) -> str:
    """Write the ledger as CSV."""
    lines = ["period,item,value,unit,source,note", *(",".join((*row, "")) for row in ledger_rows(years))]
    return "\n".join(lines) + "\n"
