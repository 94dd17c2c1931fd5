"""This module turns the checked shape of a plant file into the model: one point list, the points' own units, instants.

It is called with a file in which `plant/references.py` found nothing wrong, and so raises nothing of its own.
"""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from plantmon import units
from plantmon.averages.blend import Blend, parse_blend
from plantmon.averages.formula import parse
from plantmon.model import plant as model
from plantmon.plant import schema
from plantmon.plant.values import Amount, WorkTime, read_amount
from plantmon.plant.version import version_of
from plantmon.tables.load import default, molar_masses, quantities
from plantmon.times import PlantTime

_MEANS = {"reading", "1h", "1d", "1mo"}
_PERIODS = {"day-period", "night-period"}
PER_HOUR = "/h"  # ends a rate's dimension
VOLUME_FRACTION, MASS_UNIT = "volume fraction", "mg/m3"
# The points an outlet needs for a gas that is not measured dry and in the standard state.
GAS_HELPERS = {"wet": ("moisture",), "actual": ("moisture", "gas_temperature", "gas_pressure")}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def compile_plant(file: schema.File, text: str) -> model.Plant:
    """Give the plant of a checked file."""
    time = PlantTime(file.plant.timezone)
    points = {
        full_id(outlet_id, point_id): _point(outlet_id, outlet, point_id, point)
        for outlet_id, outlet in file.outlets.items()
        for point_id, point in outlet.points.items()
    }
    points |= {meter_id: _meter(file, meter_id, time) for meter_id in file.meters}
    return model.Plant(
        id=file.plant.id,
        name=_name(file.plant.name),
        time=time,
        permit=file.plant.permit,
        version=version_of(text),
        text=text,
        feeds=tuple(_feed(feed) for feed in file.feeds),
        rules=_rules(file.rules),
        outlets={outlet_id: _outlet(outlet_id, outlet, points) for outlet_id, outlet in file.outlets.items()},
        points=points,
        limits=tuple(
            _limit(outlet_id, outlet, limit, points, is_rounded=file.rules.compare == "rounded")
            for outlet_id, outlet in file.outlets.items()
            for limit in outlet.limits
        ),
        alarms=_alarms(file.alarms),
        calendar=_calendar(file.calendar),
        balances=tuple(_balance(file, balance) for balance in file.balances),
        reporting=_reporting(file.reporting),
        esg=_esg(file.esg or schema.Esg()),
        tariff=None if file.tariff is None else _tariff(file.tariff),
        shifts={name: model.ClockSpan(span.start, span.end) for name, span in file.shifts.items()},
    )


def full_id(outlet: str, point: str) -> str:
    """Give a point's id in the whole plant, `DA001.nox`."""
    return f"{outlet}.{point}"


def named_point(outlet: str, name: str) -> str:
    """Give the full id of a point named in an outlet: one of its own, or `OUTLET.point` of another."""
    return name if "." in name else full_id(outlet, name)


def in_unit(amount: Amount | None, unit: str) -> float | None:
    """Give an amount in a unit; a bare number is in it already. Raises UnitError for another dimension."""
    if amount is None:
        return None
    return amount.value if amount.unit is None else units.convert(amount.value, amount.unit, unit)


def limit_point(outlet: schema.Outlet, limit: schema.Limit) -> str | None:
    """Give the id in its outlet of the point a limit is judged on, None when there is none."""
    if limit.point is not None:
        return limit.point if limit.point in outlet.points else None
    return next((id for id, point in outlet.points.items() if point.quantity == limit.pollutant), None)


def own_unit(limit: schema.Limit, point_unit: str) -> str:
    """Give the unit a limit is kept in: its point's, mg/m3 for concentrations in ppm; rates and masses keep theirs."""
    if limit.basis == "concentration" and units.dimension(point_unit) == VOLUME_FRACTION:
        return MASS_UNIT
    if limit.basis in ("concentration", "level", "interlock"):
        return point_unit
    written = limit.max or limit.min
    assert written is not None
    assert written.unit is not None
    return written.unit


def unavailable(outlet: schema.Outlet, limit: schema.Limit, point: schema.Point) -> str | None:
    """Give the reason code why no rule judges a limit yet, None when one does.

    A verdict on something simpler than the rule would be a wrong one. No rule says what a yearly mean is, a daily or
    monthly pH, a monthly sound level, a rate of waste water; nor are single readings judged at reference oxygen, of wet
    gas, or of what is not measured but calculated.
    """
    quantity = point.quantity
    if point.formula is not None and (limit.window == "reading" or is_flow_weighted(outlet, limit)):
        return "calculated"
    if limit.basis != "interlock" and limit.window == "reading" and point.state in ("wet", "actual"):
        return "gas_state"
    if limit.basis == "mass":
        return "water_hour" if outlet.kind == "water" and limit.window == "1h" else None
    if limit.window in _PERIODS:
        return None
    if limit.window not in _MEANS or (quantity == "sound_level" and limit.window == "1mo"):
        return "long_window"
    if quantity == "ph" and limit.window in ("1d", "1mo"):
        return "ph_statistic"
    if limit.basis == "rate":
        return "rate" if outlet.kind == "water" else None
    if limit.basis == "concentration":
        if outlet.reference_oxygen is not None and quantity != "oxygen" and limit.window == "reading":
            return "oxygen_conversion"
        has_flow = any(point.quantity == "water_flow" for point in outlet.points.values())
        if outlet.kind == "water" and limit.window != "reading" and not has_flow:
            return "flow_weighting"
    return None


def is_flow_weighted(outlet: schema.Outlet, limit: schema.Limit) -> bool:
    """Whether a limit is judged by the volume each of its point's own values stands for."""
    return outlet.kind == "water" and limit.basis in ("concentration", "rate", "mass") and limit.window != "reading"


def _name(name: schema.Names) -> model.Name:
    return model.Name(en=name.en, zh=name.zh)


def _point(outlet_id: str, outlet: schema.Outlet, point_id: str, point: schema.Point) -> model.Point:
    quantity = quantities()[point.quantity]
    low, high = point.range or (None, None)
    return model.Point(
        id=full_id(outlet_id, point_id),
        outlet=outlet_id,
        name=_name(point.name) if point.name is not None else quantity.name,
        quantity=point.quantity,
        unit=point.unit,
        kind=quantity.kind,
        interval_ms=point.interval,
        range_low=in_unit(low, point.unit),
        range_high=in_unit(high, point.unit),
        detection_limit=in_unit(point.detection_limit, point.unit),
        formula=point.formula,
        parts=() if point.formula is None else parse(point.formula, outlet_id).parts,
        gas=_gas(outlet_id, outlet, point),
        checks=None
        if point.checks is None
        else model.Checks(point.checks.stuck, difference_in(point.checks.jump, point.unit)),
        calibration_ms=point.calibration,
    )


def _gas(outlet_id: str, outlet: schema.Outlet, point: schema.Point) -> model.Gas | None:
    """Give what brings a point to dry gas of the standard state, in mg/m3; None where it is measured so."""
    is_ppm = outlet.kind == "air" and units.dimension(point.unit) == VOLUME_FRACTION
    if not is_ppm and point.state not in ("wet", "actual"):
        return None
    helpers = {other.quantity: (full_id(outlet_id, id), other.unit) for id, other in outlet.points.items()}
    wanted = GAS_HELPERS.get(point.state or "", ())
    (moisture, moisture_unit), (temperature, temperature_unit), (pressure, pressure_unit) = (
        helpers[name] if name in wanted else (None, unit)
        for name, unit in (("moisture", "%"), ("gas_temperature", "degC"), ("gas_pressure", "kPa"))
    )
    atmospheric = outlet.atmospheric_pressure or read_amount(default("atmospheric_pressure"))
    return model.Gas(
        factor=units.convert(1.0, point.unit, "ppm") * mg_m3_of_ppm(point.quantity) if is_ppm else 1.0,
        moisture=moisture,
        temperature=temperature,
        pressure=pressure,
        atmospheric_kpa=in_unit(atmospheric, "kPa") or 0.0,
        temperature_unit=temperature_unit,
        pressure_unit=pressure_unit,
        moisture_unit=moisture_unit,
        unit=MASS_UNIT if is_ppm else None,
    )


def mg_m3_of_ppm(quantity: str) -> float:
    """Give the mg/m3 of one ppm of a gas in the standard state, C = M/22.4 x Cv. Raises KeyError without molar mass."""
    return molar_masses()[quantity] / float(default("molar_volume"))


def difference_in(amount: Amount | None, unit: str) -> float | None:
    """Give a difference in a unit: 10 K is 10 degC. Raises UnitError for another dimension."""
    if amount is None or amount.unit is None:
        return None if amount is None else amount.value
    return amount.value * units.conversion(amount.unit, unit)[0]


def amount_unit(meter: schema.Meter) -> str:
    """Give the unit of a meter's amounts: its own, or of a rate in kW or m3/h the usual one of its quantity."""
    if not is_rate_unit(meter):
        return meter.unit
    base = units.dimension(meter.unit).removesuffix(PER_HOUR)
    usual = quantities()[meter.quantity].units
    return next((unit for unit in usual if units.dimension(unit) == base), units.units_of(base)[0])


def is_rate_unit(meter: schema.Meter) -> bool:
    """Whether a meter names the unit of its rate (kW), not that of its amounts (kWh)."""
    return meter.kind == "rate" and units.dimension(meter.unit).endswith(PER_HOUR)


def rate_unit(meter: schema.Meter) -> str | None:
    """Give the unit a rate's readings are in: the one named, or so much of the amount's unit an hour; None for none."""
    if is_rate_unit(meter):
        return meter.unit
    rates = units.units_of(units.dimension(meter.unit) + PER_HOUR)
    return next((one for one in rates if units.per_hour(1.0, one, meter.unit) == 1.0), rates[0] if rates else None)


def slowest_interval(file: schema.File, meter_id: str) -> int:
    """Give how often a meter's value comes; without an interval of its own, as often as its slowest part's."""
    meter = file.meters[meter_id]
    if meter.interval is not None:
        return meter.interval
    parts = parse_blend(meter.formula or "").parts
    return max(slowest_interval(file, part) for part in parts)


def _meter(file: schema.File, meter_id: str, time: PlantTime) -> model.Point:
    meter = file.meters[meter_id]
    unit = amount_unit(meter)
    reading_unit = rate_unit(meter) if meter.kind == "rate" else None
    blend = None if meter.formula is None else parse_blend(meter.formula)
    return model.Point(
        id=meter_id,
        outlet=None,
        name=_name(meter.name) if meter.name is not None else quantities()[meter.quantity].name,
        quantity=meter.quantity,
        unit=unit,
        kind=model.Kind.COUNTER,
        interval_ms=slowest_interval(file, meter_id),
        register=model.Register(
            ratios=tuple(_ratio(ratio, time) for ratio in meter.ratio),
            wraps_at=in_unit(meter.wraps_at, unit),
            max_rate_per_h=rate_in(meter.max_rate, unit),
            role=meter.role,
            parent=meter.parent,
            product=meter.product,
            state=meter.state,
            counts=meter.kind,
            reading_unit=reading_unit,
            per_hour=1.0 if reading_unit is None else units.per_hour(1.0, reading_unit, unit),
            terms=() if blend is None else _terms(file, blend, unit),
        ),
        formula=meter.formula,
        parts=() if blend is None else blend.parts,
    )


def _terms(file: schema.File, blend: Blend, unit: str) -> tuple[tuple[Fraction, str], ...]:
    """Give a virtual meter's parts with their factors, brought to its own unit."""
    return tuple((factor * units.ratio(amount_unit(file.meters[part]), unit), part) for factor, part in blend.terms)


def rate_in(rate: Amount | None, amount_unit: str) -> float | None:
    """Give a rate in a meter's unit per hour; a bare number is that. Raises UnitError for another dimension."""
    if rate is None:
        return None
    return rate.value if rate.unit is None else units.per_hour(rate.value, rate.unit, amount_unit)


def _ratio(ratio: schema.Ratio, time: PlantTime) -> model.RatioSpan:
    """Give the instants a ratio holds for: from a local midnight to the one after its last day."""
    return model.RatioSpan(
        value=ratio.value,
        start_ms=None if ratio.from_ is None else time.midnight(ratio.from_),
        end_ms=None if ratio.to is None else time.midnight(ratio.to + timedelta(days=1)),
    )


def _outlet(outlet_id: str, outlet: schema.Outlet, points: dict[str, model.Point]) -> model.Outlet:
    running = outlet.running
    return model.Outlet(
        id=outlet_id,
        name=_name(outlet.name),
        kind=outlet.kind,
        points=tuple(full_id(outlet_id, point_id) for point_id in outlet.points),
        running=None if running is None else _running(outlet_id, running, points),
        reference_oxygen_pct=outlet.reference_oxygen,
        mn=outlet.mn,
        hj212=_hj212(outlet.hj212 or schema.Hj212()),
        discharge=outlet.discharge,
        tax_pm=outlet.tax.pm if outlet.tax is not None else None,
    )


def _hj212(device: schema.Hj212) -> model.Hj212:
    return model.Hj212(crc=device.crc, stamp=device.stamp, minute_ms=device.minute)


def _running(outlet_id: str, running: schema.Running, points: dict[str, model.Point]) -> model.Running:
    point_id = named_point(outlet_id, running.point)
    unit = points[point_id].unit
    return model.Running(point=point_id, minimum=in_unit(running.min, unit), maximum=in_unit(running.max, unit))


def _limit(
    outlet_id: str, outlet: schema.Outlet, limit: schema.Limit, points: dict[str, model.Point], *, is_rounded: bool
) -> model.Limit:
    short_id = limit_point(outlet, limit)
    assert short_id is not None
    point = points[full_id(outlet_id, short_id)]
    subject = limit.pollutant or limit.point or ""
    unit = own_unit(limit, point.unit)
    since = limit.from_.isoformat() if limit.from_ is not None else "-"
    running = limit.while_ or outlet.running
    return model.Limit(
        key=f"{outlet_id}/{subject}/{limit.basis}/{limit.window}/{limit.standard}/{since}",
        outlet=outlet_id,
        subject=subject,
        point=point.id,
        basis=model.Basis(limit.basis),
        window=limit.window,
        minimum=in_unit(limit.min, unit),
        maximum=in_unit(limit.max, unit),
        unit=unit,
        standard=limit.standard,
        warn_at=limit.warn_at,
        hold_ms=limit.hold or 0,
        valid_from=limit.from_,
        valid_to=limit.to,
        unavailable=unavailable(outlet, limit, outlet.points[short_id]),
        decimals=max(amount.decimals for amount in (limit.min, limit.max) if amount) if is_rounded else None,
        running=None if running is None else _running(outlet_id, running, points),
    )


def _feed(feed: schema.Feed) -> model.FeedSpec:
    return model.FeedSpec(
        topic=feed.topic,
        format=feed.format,
        qos=feed.qos,
        field_ts=feed.fields.ts,
        field_value=feed.fields.value,
        field_unit=feed.fields.unit,
        field_flag=feed.fields.flag,
        arrival_as_time=feed.time == "arrival",
    )


def _rules(rules: schema.Rules) -> model.Rules:
    return model.Rules(
        valid_hour_minutes=rules.valid_hour_minutes,
        valid_day_hours=rules.valid_day_hours,
        valid_share=rules.valid_share,
        compare=rules.compare,
        oxygen_conversion=rules.oxygen_conversion,
        mass=rules.mass,
        lateness_ms=rules.lateness,
        future_ms=rules.future,
        missing_flag=rules.missing_flag,
        reported_difference=rules.reported_difference,
        valid_month_days=rules.valid_month_days,
        valid_february_days=rules.valid_february_days,
        amount_share=rules.amount_share,
        substitution=_substitution(rules.substitution),
        cap_warn_at=rules.cap_warn_at,
        clock_off_ms=rules.clock_off,
        day_begins=rules.day_begins,
        night_begins=rules.night_begins,
        outlook_minutes=rules.outlook_minutes,
        outlook_share=rules.outlook_share,
        outlook_recent_minutes=rules.outlook_recent_minutes,
        alarm_delay_ms=rules.alarm_delay,
        incident_gap_ms=rules.incident_gap,
        forgotten_ms=rules.forgotten,
        returned_ends_ms=rules.returned_ends,
        longest_shelf_ms=rules.longest_shelf,
        longest_breach_shelf_ms=rules.longest_breach_shelf,
        storm_mails=rules.storm_mails,
        meter_event_stands_ms=rules.meter_event_stands,
        fault_warn_at=rules.fault_warn_at,
        fault_workdays_left=rules.fault_workdays_left,
        calibration_ahead=rules.calibration_ahead,
        report_ahead_ms=rules.report_ahead,
        leak_night_begins=rules.leak_night_begins,
        leak_night_ends=rules.leak_night_ends,
        waste_stored_ms=rules.waste_stored,
        bill_difference=rules.bill_difference,
    )


def _substitution(table: tuple[schema.Substitution, ...]) -> tuple[model.Substitution, ...]:
    """Give the table best capture first, short gaps before long ones: the first line that fits is the one."""
    lines = [model.Substitution(line.capture_from, line.up_to_hours, line.look_back) for line in table]
    return tuple(sorted(lines, key=lambda line: (-line.capture_from, line.up_to_hours or math.inf)))


def _balance(file: schema.File, balance: schema.Balance) -> model.Balance:
    return model.Balance(
        parent=balance.parent,
        children=tuple(meter_id for meter_id, meter in file.meters.items() if meter.parent == balance.parent),
        warn_above=balance.warn_above,
        window=balance.window,
        night_minimum=rate_in(balance.night_minimum, amount_unit(file.meters[balance.parent])),
    )


def _reporting(reporting: schema.Reporting | None) -> model.Reporting:
    if reporting is None:
        return model.Reporting()
    return model.Reporting(reporting.monthly, reporting.quarterly, reporting.yearly)


def _tariff(tariff: schema.Tariff) -> model.Tariff:
    peak, valley = (
        tuple(model.ClockSpan(span.start, span.end) for span in spans) for spans in (tariff.peak, tariff.valley)
    )
    return model.Tariff(peak, valley)


def _calendar(calendar: schema.Calendar) -> model.Calendar:
    return model.Calendar(
        workdays=frozenset(map(_WEEKDAYS.index, calendar.workdays)),
        holidays=frozenset(calendar.holidays),
        extra_workdays=frozenset(calendar.extra_workdays),
    )


def _work_time(time: WorkTime) -> model.WorkTime:
    return model.WorkTime(ms=time.milliseconds, workdays=time.workdays)


def _editions(recipient: schema.Recipient) -> tuple[str, ...]:
    """Give the editions of the digest a recipient gets: unless said, daily for those who get warnings or data."""
    if recipient.digest is not None:
        return tuple(dict.fromkeys(recipient.digest))
    return ("daily",) if {"warning", "data"} & set(recipient.severity) else ()


def _alarms(alarms: schema.Alarms) -> model.AlarmRules:
    quiet, clock = alarms.quiet_hours, alarms.fault_clock
    return model.AlarmRules(
        recipients=tuple(
            model.Recipient(
                name=name,
                email=recipient.email,
                severities=frozenset(recipient.severity),
                after_ms=recipient.after,
                language=recipient.language,
                digest=_editions(recipient),
            )
            for name, recipient in alarms.recipients.items()
        ),
        repeat_ms=alarms.repeat,
        deadband=alarms.deadband,
        quiet_hours=None if quiet is None else model.QuietHours(quiet.from_, quiet.to, frozenset(quiet.severity)),
        digest=alarms.digest,
        fault_clock=None
        if clock is None
        else model.FaultClock(_work_time(clock.report_within), _work_time(clock.repair_within)),
    )


def _esg(esg: schema.Esg) -> model.EsgRules:
    return model.EsgRules(
        denominators=tuple(_denominator(id, one) for id, one in esg.denominators.items()),
        below_detection=esg.below_detection,
        grid_region=esg.grid_factor.region,
        grid_method=esg.grid_factor.method,
        factors={id: model.OwnFactor(_exact(one.value), one.unit, one.source) for id, one in esg.factors.items()},
        targets=tuple(map(target_of, esg.targets)),
        metrics=tuple(_own_metric(id, one) for id, one in esg.metrics.items()),
        gwp=esg.gwp,
        ch4_n2o=esg.ch4_n2o,
        lab_fills=esg.lab_fills,
        grid_data_year=esg.grid_factor.data_year,
        tax_region=esg.tax.region,
        tax_rates=tuple(
            model.OwnTaxRate(medium, _exact(rate.value), rate.from_, rate.to)
            for medium, rates in (("air", esg.tax.air), ("water", esg.tax.water))
            for rate in rates
        ),
    )


def _exact(value: float) -> Decimal:
    """Give a number as it was written: the shortest decimal that is this float."""
    return Decimal(repr(value))


def _denominator(id: str, one: schema.Denominator) -> model.DenominatorRule:
    name = model.Name(id, id) if one.name is None else _name(one.name)
    return model.DenominatorRule(id, name, one.quantity, one.product, one.ledger, one.unit)


def target_of(target: schema.Target) -> model.TargetRule:
    """Give a target as the model has it."""
    low, high = target.min, target.max
    return model.TargetRule(
        metric=target.metric,
        per=target.per,
        minimum=None if low is None else _exact(low.value),
        minimum_unit=None if low is None else low.unit,
        maximum=None if high is None else _exact(high.value),
        maximum_unit=None if high is None else high.unit,
        year=target.year,
    )


def _own_metric(id: str, one: schema.OwnMetric) -> model.OwnMetric:
    codes = {key: code for key, code in one.codes.model_dump().items() if code is not None}
    return model.OwnMetric(
        id, _name(one.name), one.unit, one.derive, one.decimals, one.group, codes, is_intensive=one.intensive
    )
