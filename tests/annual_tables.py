"""This module makes an annual report by hand: a truck plant's figures, each typed in, for tests of how it is written.

Totals of 2020 are those that such a plant printed; the other period and the months are made from them by plain rules.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from plantmon.model.metric import (
    Annual,
    Coverage,
    Denominator,
    FactorUsed,
    Figure,
    Line,
    Look,
    Metric,
    TargetCheck,
    Term,
    TermKind,
)
from plantmon.model.plant import Name
from plantmon.reports.esg.material import CapUse, Material, MeterUse
from plantmon.tables.metrics import catalogue, member
from plantmon.times import PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
VEHICLES, VEHICLES_BEFORE = Decimal(48_500), Decimal(45_200)
OUTPUT, OUTPUT_BEFORE = Decimal("1162350.25"), Decimal("1046800.5")
MEASURED, LEDGER = Coverage(measured=1.0, missing=0.0), Coverage(ledger=1.0, missing=0.0)
# The share of each month in the year, in thousandths.
SHARES = (92, 61, 84, 80, 78, 82, 90, 88, 83, 84, 87, 91)
DIESEL_CO2 = FactorUsed(
    "fuel.diesel.co2", Name("diesel: CO2 factor", "柴油二氧化碳排放因子"), Decimal("3.09591"), "tCO2/t", "", "",
    "provincial greenhouse gas inventory guide", "verified",
)  # fmt: skip
GRID = FactorUsed(
    "grid.location", Name("grid factor, national", "全国电力平均二氧化碳排放因子"), Decimal("0.5810"), "kgCO2/kWh",
    "2021", "2022-03-15", "notice of the ministry, no. 111 of 2022", "plant file", is_own=True,
)  # fmt: skip
OWN = Metric("paint", Name("=paint & <thinner>", "=油漆与稀释剂"), "kg", 1, "paint_shop", "ledger(paint)")

# id: this year, the year before, coverage.
TOTALS: dict[str, tuple[str | None, str | None, Coverage]] = {
    "production.vehicle": ("48500", "45200", MEASURED),
    "output_value": ("1162350.25", "1046800.5", LEDGER),
    "electricity.purchased": ("39525934", "40112560.5", MEASURED),
    "electricity.generated": ("1250400", "1198230", MEASURED),
    "electricity.green": ("2000000", None, LEDGER),
    "water.purchased": ("693180", "702455", Coverage(measured=0.993, missing=0.007)),
    "natural_gas": ("5035480", "4890120", MEASURED),
    "gasoline": ("86964.15", "90120.4", LEDGER),
    "diesel": ("1389259", "1302450", LEDGER),
    "kerosene": (None, None, Coverage()),
    "steel": (None, "60123.5", Coverage()),
    "packing.wood": ("916.38", "870.2", LEDGER),
    "packing.paper": ("120456.7", "118200", LEDGER),
    "packing.iron": ("5120", "4980", LEDGER),
    "waste.domestic": ("1120.5", "1201.8", LEDGER),
    "waste.wood": ("410.25", "398.1", LEDGER),
    "waste.hazardous": ("719.72", "688.4", LEDGER),
    "air.nox": ("3.3412", "3.8124", Coverage(measured=0.962, substituted=0.038, missing=0.0)),
    "air.so2": ("0.00042", "0.0011", MEASURED),
    "air.pm": ("0.8815", "0.9025", MEASURED),
    "air.vocs": ("28.6254", "30.1122", Coverage(measured=0.981, substituted=0.012, missing=0.007)),
    "waste_water": ("402350", "410230", MEASURED),
    "water.cod": ("4.8821", "5.2214", MEASURED),
    "water.ammonia_nitrogen": ("0.2145", "0.2231", MEASURED),
    "water.total_nickel": (None, None, Coverage()),
    "water.total_zinc": ("1.924", "2.105", LEDGER),
    "water.phosphate": ("10.52", "11.8", LEDGER),
    "energy.electricity": ("4857.7372886", "4929.83368545", MEASURED),
    "energy.natural_gas": ("6697.1884", "6503.8596", MEASURED),
    "energy.gasoline": ("93.4107420135", "96.80042464", LEDGER),
    "energy.diesel": ("1700.419991596", "1594.16891", LEDGER),
    "energy.kerosene": (None, None, Coverage()),
    "energy.total": ("13348.7564222095", "13124.66262009", Coverage(measured=0.5, ledger=0.5, missing=0.0)),
    "energy.share.electricity": ("36.3908", "37.5616", MEASURED),
    "energy.share.natural_gas": ("50.1709", "49.5545", MEASURED),
    "ghg.natural_gas": ("10887.6644", "10573.3686", MEASURED),
    "ghg.gasoline": ("185.695446", "192.4352", LEDGER),
    "ghg.diesel": ("3612.858571", "3387.1059", LEDGER),
    "ghg.scope1": ("14686.218417", "14152.9097", MEASURED),
    "ghg.scope2.location": ("22964.567654", None, MEASURED),
    "ghg.scope2.market": (None, None, Coverage()),
    "ghg.total": ("37650.786071", None, MEASURED),
    "ghg.avoided": ("726.4824", "696.17163", MEASURED),
    "tax.total": ("12540.35", "13102.8", MEASURED),
    "training.hours": ("12450", "11020.5", LEDGER),
    "incidents": ("0", "1", LEDGER),
}
REASONS = {
    "kerosene": "no_ledger", "steel": "no_ledger", "water.total_nickel": "no_monitor",
    "ghg.scope2.market": "no_factor:grid.market",
}  # fmt: skip
NOTES = {"air.so2": ("below_detection:1204",), "air.vocs": ("as_carbon", "at_least"), "ghg.scope1": ("co2_only",)}
TERMS = {
    "diesel": Term(TermKind.LEDGER, Name("diesel", "柴油"), Decimal(1_389_259), "L", source="fuel depot ledger, no. 7",
                   id="diesel"),
    "electricity.purchased": Term(
        TermKind.METER, Name("Main meter", "总表"), Decimal(39_525_934), "kWh", id="E-MAIN",
        look=Look(TermKind.METER, "E-MAIN", 0, 1),
    ),
}  # fmt: skip

CARRIERS = {"energy.electricity": "electricity.purchased"} | {
    f"energy.{one}": one for one in ("natural_gas", "gasoline", "diesel")
}


def a_metric(id: str) -> Metric:
    """Give a metric of the catalogue."""
    if id.startswith("production."):
        found = member(next(one for one in catalogue() if one.id == "production.*"), "vehicle")
        return replace(found, name=Name("Vehicles", "整车产量"))
    return next(one for one in catalogue() if one.id == id)


def a_figure(metric: Metric, value: str | None, coverage: Coverage, **changes: Any) -> Figure:
    """Give a figure with its months and a derivation of one term."""
    known = None if value is None else Decimal(value)
    months = tuple(None if known is None else known * share / 1000 for share in SHARES)
    kind = TermKind.MISSING if known is None else TermKind.SUM
    term = Term(kind, metric.name, known, metric.unit, id=metric.id)
    reason = REASONS.get(metric.id, "no_data") if known is None else None
    return replace(Figure(metric, known, coverage, term, months, reason, NOTES.get(metric.id, ())), **changes)


def _term(id: str, now: str | None) -> Term:
    """Give the derivation of a figure that has more than itself to tell."""
    metric = a_metric(id)
    value = None if now is None else Decimal(now)
    parts: tuple[Term, ...] = ()
    if id == "energy.total":
        parts = tuple(_metric_term(f"energy.{one}") for one in ("electricity", "natural_gas", "gasoline", "diesel"))
    elif id == "ghg.total":
        parts = (_metric_term("ghg.scope1"), _metric_term("ghg.scope2.location"))
    elif id == "ghg.scope1":
        parts = tuple(_metric_term(f"ghg.{one}") for one in ("natural_gas", "gasoline", "diesel"))
    elif id == "ghg.diesel":
        parts = (_metric_term("diesel"), _factor_term(DIESEL_CO2))
    elif id == "ghg.scope2.location":
        parts = (_metric_term("electricity.purchased"), _factor_term(GRID))
    elif id in CARRIERS:
        parts = (_metric_term(CARRIERS[id]),)
    elif id in TERMS:
        parts = (TERMS[id],)
    is_product = bool(parts) and any(part.kind is TermKind.FACTOR for part in parts)
    return Term(TermKind.PRODUCT if is_product else TermKind.SUM, metric.name, value, metric.unit, parts, id=id)


def _metric_term(id: str) -> Term:
    metric = a_metric(id)
    return Term(TermKind.SUM, metric.name, Decimal(TOTALS[id][0] or 0), metric.unit, _term(id, TOTALS[id][0]).terms,
                id=id)  # fmt: skip


def _factor_term(factor: FactorUsed) -> Term:
    return Term(TermKind.FACTOR, factor.name, factor.value, factor.unit, source=factor.source,
                certainty=factor.certainty, id=factor.id)  # fmt: skip


def a_line(id: str, now: str | None, before: str | None, coverage: Coverage) -> Line:
    """Give a line with its intensities."""
    metric = OWN if id == OWN.id else a_metric(id)
    figure = a_figure(metric, now, coverage)
    if metric is not OWN and now is not None:
        figure = replace(figure, term=_term(id, now))
    previous = a_figure(metric, before, coverage)
    per: dict[str, Decimal | None] = {}
    previous_per: dict[str, Decimal | None] = {}
    if metric.is_intensive:
        for name, this, last in (("vehicle", VEHICLES, VEHICLES_BEFORE), ("output", OUTPUT, OUTPUT_BEFORE)):
            per[name] = None if figure.value is None else figure.value / this
            previous_per[name] = None if previous.value is None else previous.value / last
    return Line(figure, previous, per, previous_per, TARGETS.get(id, ()))


TARGETS = {
    "electricity.purchased": (
        TargetCheck("vehicle", None, Decimal(800), "kWh", Decimal(39_525_934) / VEHICLES, is_met=False),
    ),
    "waste.hazardous": (TargetCheck(None, None, Decimal(750), "t", Decimal("719.72"), is_met=True),),
}


def denominators() -> tuple[Denominator, ...]:
    """Give vehicles and the value of output."""
    made = a_figure(a_metric("production.vehicle"), "48500", MEASURED)
    worth = a_figure(a_metric("output_value"), "1162350.25", LEDGER)
    return (
        Denominator("vehicle", Name("vehicle", "台整车"), "pcs", VEHICLES, VEHICLES_BEFORE, made),
        Denominator("output", Name("output value", "产值"), "10k CNY", OUTPUT, OUTPUT_BEFORE, worth),
    )


def an_annual(**changes: Any) -> Annual:
    """Give the report of 2020 beside 2019, with a metric of the plant's own whose name looks like a formula."""
    given: dict[str, Any] = {
        "period": "2020",
        "previous": "2019",
        "start_ms": TIME.parse("2020-01-01"),
        "end_ms": TIME.parse("2021-01-01"),
        "lines": (
            *(a_line(id, *given) for id, given in TOTALS.items()),
            a_line(OWN.id, "1234.5", "1300", LEDGER),
        ),
        "denominators": denominators(),
        "factors": (DIESEL_CO2, GRID),
    }
    return Annual(**given | changes)


CAPS = (
    CapUse("DA001", Name("Gas boiler stack", "燃气锅炉排气筒"), Name("NOx", "氮氧化物"), "2020", Decimal("3.3412"),
           Decimal("12.5"), "t"),
    CapUse("DA002", Name("Coating line RTO stack", "涂装RTO排气筒"), Name("NMHC", "非甲烷总烃"), "2020",
           Decimal("36.2"), Decimal(35), "t", "2020-12-11"),
    CapUse("DW001", Name("Waste water station", "废水处理站"), Name("COD", "化学需氧量"), "2020", None,
           Decimal(6), "t"),
)  # fmt: skip
METERS = (
    MeterUse("E-MAIN", Name("Main meter", "总表"), "electricity", "kWh", 0, Decimal(39_525_934), Decimal("40112560.5")),
    MeterUse("E-PAINT", Name("Paint shop", "涂装车间"), "electricity", "kWh", 1, Decimal(15_810_373),
             Decimal(16_300_000), Decimal("0.4")),
    MeterUse("", Name("unexplained", "未计量"), "electricity", "kWh", 1, Decimal(23_715_561), None, Decimal("0.6")),
)  # fmt: skip


def a_material(**changes: Any) -> Material:
    """Give the whole contents of a report in English."""
    given: dict[str, Any] = {
        "annual": an_annual(),
        "kind": "year",
        "plant_id": "cq-truck",
        "plant_name": Name("Chongqing truck plant", "重庆卡车工厂"),
        "permit": "91500000EXAMPLE001P",
        "time": TIME,
        "month_names": tuple(f"2020-{month:02}" for month in range(1, 13)),
        "now_ms": TIME.parse("2021-01-20T09:30:00"),
        "language": "en",
        "caps": CAPS,
        "meters": METERS,
    }
    return Material(**given | changes)
