"""This module tells what a plant file will make plantmon do, before it does it: `plantmon check` prints this.

It says as plainly what will not happen: limits no rule judges yet, feeds no decoder reads, severities nobody gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from plantmon.averages.gas import helpers
from plantmon.model.plant import Balance, Basis, FeedSpec, Kind, Limit, Outlet, Plant, Point, Recipient, WorkTime
from plantmon.plant.topics import DECODED, subscription
from plantmon.tables.load import quantities
from plantmon.texts import text
from plantmon.times import format_duration
from plantmon.units import format_quantity

_SEVERITIES = ("breach", "warning", "data")


def describe(plant: Plant, today: date, language: str) -> str:
    """Write what will happen with a plant as lines, in `zh` or `en`; limits are those in force on `today`."""
    lines = [
        *_plant(plant, language),
        *_points(plant, language),
        *_limits(plant, today, language),
        *_feeds(plant, language),
        *_mail(plant, language),
        *_due(plant, language),
    ]
    return "\n".join(lines) + "\n"


def _section(key: str, lines: Iterable[str], language: str, **values: object) -> Iterator[str]:
    """Give a heading and its lines, or `none` where there are no lines."""
    yield ""
    yield text(f"check.{key}", language, **values)
    indented = [f"  {line}" for line in lines]
    yield from indented or ["  " + text("check.none", language)]


def _plant(plant: Plant, language: str) -> Iterator[str]:
    name = plant.name.in_language(language)
    yield text("check.plant", language, id=plant.id, name=name, zone=plant.time.zone.key)
    yield text("check.version", language, version=plant.version[:12], permit=plant.permit or "-")


def _points(plant: Plant, language: str) -> Iterator[str]:
    for outlet in plant.outlets.values():
        lines = [*_conditions(plant, outlet, language), *(_point(plant.points[id], language) for id in outlet.points)]
        name, kind = outlet.name.in_language(language), text(f"check.kind.{outlet.kind}", language)
        yield from _section("outlet", lines, language, id=outlet.id, name=name, kind=kind)
    meters = [_point(point, language) for point in plant.points.values() if point.kind == Kind.COUNTER]
    yield from _section("meters", meters, language)
    if plant.balances:
        yield from _section("balances", [_balance(plant, balance, language) for balance in plant.balances], language)


def _conditions(plant: Plant, outlet: Outlet, language: str) -> Iterator[str]:
    running = outlet.running
    if running is not None:
        unit = plant.points[running.point].unit
        bounds = _bounds(running.minimum, running.maximum, unit, language)
        yield text("check.running", language, point=running.point, bounds=bounds)
    if outlet.reference_oxygen_pct is not None:
        yield text("check.reference_oxygen", language, oxygen=f"{outlet.reference_oxygen_pct:g} %")
    if outlet.mn is not None:
        device = outlet.hj212
        stamp, minute = text(f"check.stamp.{device.stamp}", language), format_duration(device.minute_ms)
        yield text("check.device", language, mn=outlet.mn, crc=device.crc, stamp=stamp, minute=minute)


def _point(point: Point, language: str) -> str:
    values = {
        "id": point.id,
        "quantity": quantities()[point.quantity].name.in_language(language),
        "unit": point.unit,
        "interval": format_duration(point.interval_ms),
        "range": _range(point, language),
    }
    if point.formula is not None and point.register is None:
        return text("check.calculated", language, formula=point.formula, **values) + "".join(_ways(point, language))
    if point.register is None:
        return text("check.point", language, **values) + "".join(_ways(point, language))
    parts = [text(f"check.role.{point.register.role or 'none'}", language)]
    if point.formula is not None:
        parts.append(text("check.virtual", language, formula=point.formula))
    elif point.register.counts != "counter":
        parts.append(text(f"check.counts.{point.register.counts}", language, unit=point.reading_unit))
    if point.register.parent is not None:
        parts.append(text("check.parent", language, parent=point.register.parent))
    if point.register.product is not None:
        parts.append(point.register.product)
    return text("check.meter", language, parts=", ".join(parts), **values)


def _ways(point: Point, language: str) -> Iterator[str]:
    """Say how a point's gas is brought to its standard state, and when its values are suspicious."""
    gas, checks = point.gas, point.checks
    if gas is not None and gas.unit is not None:
        yield text("check.ppm", language, unit=point.unit, factor=f"{gas.factor:.4g}")
    if gas is not None and gas.moisture is not None:
        names = ", ".join(helpers(gas))
        pressure = format_quantity(gas.atmospheric_kpa, "kPa")
        yield text("check.wet" if gas.pressure is None else "check.actual", language, helpers=names, pressure=pressure)
    if checks is not None and checks.stuck_ms is not None:
        yield text("check.stuck", language, stuck=format_duration(checks.stuck_ms))
    if checks is not None and checks.jump is not None:
        yield text("check.jump", language, jump=format_quantity(checks.jump, point.unit))
    if point.calibration_ms is not None:
        yield text("check.calibration", language, interval=format_duration(point.calibration_ms))


def _balance(plant: Plant, balance: Balance, language: str) -> str:
    said = text(
        "check.balance", language, parent=balance.parent, children=", ".join(balance.children),
        share=f"{balance.warn_above * 100:.12g} %", window=text(f"check.window.{balance.window}", language),
    )  # fmt: skip
    if balance.night_minimum is None:
        return said
    rules, rate = plant.rules, format_quantity(balance.night_minimum, f"{plant.points[balance.parent].unit}/h")
    begins, ends = f"{rules.leak_night_begins:%H:%M}", f"{rules.leak_night_ends:%H:%M}"
    return said + text("check.night", language, rate=rate, begins=begins, ends=ends)


def _range(point: Point, language: str) -> str:
    if point.range_low is None or point.range_high is None:
        return text("check.no_range", language)
    return text("check.range", language, low=f"{point.range_low:.12g}", high=f"{point.range_high:.12g}")


def _limits(plant: Plant, today: date, language: str) -> Iterator[str]:
    current = [limit for limit in plant.limits if limit.covers(today)]
    other = [limit for limit in plant.limits if not limit.covers(today)]
    judged = [_limit(plant, limit, language) for limit in current if limit.unavailable is None]
    waiting = [_waiting(plant, limit, language) for limit in current if limit.unavailable is not None]
    yield from _section("limits_judged", judged, language, today=today)
    yield from _section("limits_waiting", waiting, language, today=today)
    yield from _section("limits_other", [_limit(plant, limit, language) for limit in other], language, today=today)


def _limit(plant: Plant, limit: Limit, language: str) -> str:
    said = text(
        "check.limit",
        language,
        outlet=limit.outlet,
        subject=limit.subject,
        basis=text(f"check.basis.{limit.basis}", language),
        bounds=_bounds(limit.minimum, limit.maximum, limit.unit, language),
        window=text(f"check.window.{limit.window}", language),
        standard=limit.standard,
    )
    return said + "".join(_terms(plant, limit, language))


def _terms(plant: Plant, limit: Limit, language: str) -> Iterator[str]:
    """Give what a limit says besides: an interlock's condition, warning, hold, validity."""
    if limit.basis is Basis.INTERLOCK and limit.running is not None:
        running = limit.running
        bounds = _bounds(running.minimum, running.maximum, plant.points[running.point].unit, language)
        yield text("check.while", language, point=running.point, bounds=bounds)
    if limit.warn_at is not None and limit.maximum is not None:
        yield text("check.warn", language, value=format_quantity(limit.warn_at * limit.maximum, limit.unit))
    if limit.hold_ms:
        yield text("check.hold", language, hold=format_duration(limit.hold_ms))
    if limit.valid_from is not None:
        yield text("check.from", language, day=limit.valid_from)
    if limit.valid_to is not None:
        yield text("check.to", language, day=limit.valid_to)


def _waiting(plant: Plant, limit: Limit, language: str) -> str:
    reason = text(f"check.unavailable.{limit.unavailable}", language)
    return text("check.waiting", language, limit=_limit(plant, limit, language), reason=reason)


def _bounds(low: float | None, high: float | None, unit: str, language: str) -> str:
    parts = []
    if low is not None:
        parts.append(text("check.at_least", language, value=format_quantity(low, unit)))
    if high is not None:
        parts.append(text("check.at_most", language, value=format_quantity(high, unit)))
    return text("check.and", language).join(parts)


def _feeds(plant: Plant, language: str) -> Iterator[str]:
    yield from _section("feeds", [_feed(feed, language) for feed in plant.feeds], language)


def _feed(feed: FeedSpec, language: str) -> str:
    if feed.format not in DECODED:
        return text("check.feed_waiting", language, topic=feed.topic, format=feed.format)
    said = text("check.feed", language, topic=subscription(feed.topic), format=feed.format, qos=feed.qos)
    if feed.qos == 0:
        said += text("check.feed_qos0", language)
    return said + (text("check.feed_arrival", language) if feed.arrival_as_time else "")


def _mail(plant: Plant, language: str) -> Iterator[str]:
    alarms = plant.alarms
    lines = [_recipient(recipient, language) for recipient in alarms.recipients]
    had = {severity for recipient in alarms.recipients for severity in recipient.severities}
    unheard = [severity for severity in _SEVERITIES if severity not in had]
    if unheard:
        lines.append(text("check.nobody", language, severities=_severities(unheard, language)))
    lines.append(text("check.repeat", language, repeat=format_duration(alarms.repeat_ms), deadband=alarms.deadband))
    quiet = alarms.quiet_hours
    if quiet is not None:
        values = {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"}
        lines.append(text("check.quiet", language, severities=_severities(quiet.severities, language), **values))
    if alarms.digest is not None:
        for edition in ("daily", "weekly", "monthly"):
            names = ", ".join(one.name for one in alarms.recipients if edition in one.digest)
            if names:
                clock = f"{alarms.digest:%H:%M}"
                lines.append(text(f"check.digest.{edition}", language, time=clock, names=names))
    yield from _section("mail", lines, language)


def _recipient(recipient: Recipient, language: str) -> str:
    delay = text("check.at_once", language)
    if recipient.after_ms:
        delay = text("check.after", language, after=format_duration(recipient.after_ms))
    return text(
        "check.recipient",
        language,
        name=recipient.name,
        email=", ".join(recipient.email),
        severities=_severities(recipient.severities, language),
        delay=delay,
        language=text(f"check.language.{recipient.language}", language),
    )


def _severities(severities: Iterable[str], language: str) -> str:
    """Name severities, the gravest first."""
    chosen = set(severities)
    return ", ".join(text(f"check.severity.{name}", language) for name in _SEVERITIES if name in chosen)


def _due(plant: Plant, language: str) -> Iterator[str]:
    """Say by when what is to be done, and when people are reminded: outages and execution reports."""
    rules, clock, reporting = plant.rules, plant.alarms.fault_clock, plant.reporting
    lines = []
    if clock is not None:
        terms = {"report": _term(clock.report_within, language), "repair": _term(clock.repair_within, language)}
        lines.append(text("check.fault_clock", language, share=f"{rules.fault_warn_at * 100:.12g} %",
                          left=rules.fault_workdays_left, **terms))  # fmt: skip
    for kind in ("monthly", "quarterly", "yearly"):
        days = getattr(reporting, kind)
        if days is not None:
            ahead = format_duration(rules.report_ahead_ms)
            lines.append(text(f"check.reporting.{kind}", language, days=days, ahead=ahead))
    if lines:
        yield from _section("due", lines, language)


def _term(term: WorkTime, language: str) -> str:
    if term.ms is not None:
        return format_duration(term.ms)
    return text("check.workdays", language, count=term.workdays)
