"""This module checks what the parts of a plant file say of each other: names that lead somewhere, units that fit.

A part whose shape was wrong has been told already; what hangs on it is left alone, so that one slip makes one message.
"""

from __future__ import annotations

from collections.abc import Iterable

from plantmon.plant import schema
from plantmon.plant.compile import full_id, named_point
from plantmon.plant.derivations import check_derivations
from plantmon.plant.document import Mapping
from plantmon.plant.esg import check_esg
from plantmon.plant.fitting import (
    check_amount,
    check_bounds,
    check_difference,
    check_unit,
    may_measure,
    names_in,
    say,
)
from plantmon.plant.formulas import check_formulas
from plantmon.plant.gases import check_gases
from plantmon.plant.limits import check_limit, check_overlaps
from plantmon.plant.meters import check_balances, check_meters
from plantmon.plant.problems import Problems
from plantmon.plant.topics import check_feeds
from plantmon.plant.values import ClockSpan
from plantmon.tables.load import default, quantities


def check_references(file: schema.File, document: Mapping, problems: Problems) -> None:
    """Note every mistake between the parts of a file; `document` says what stands there though its shape is wrong."""
    check_feeds(file.feeds, problems)
    _check_frames(file, problems)
    _check_rules(file.rules, problems)
    for outlet_id, outlet in file.outlets.items():
        written = document["outlets"][outlet_id]
        _check_points(outlet, problems)
        _check_outlet(outlet, written, problems)
        check_gases(outlet, written, problems)
        if outlet.running is not None:
            _check_condition(file, document, outlet_id, outlet.running, problems, may_be_elsewhere=False)
        for limit in outlet.limits:
            check_limit(outlet, limit, written, problems)
            if limit.while_ is not None:
                _check_condition(file, document, outlet_id, limit.while_, problems, may_be_elsewhere=True)
        check_overlaps(outlet, problems)
    check_formulas(file, document, problems)
    _check_ids(file, problems)
    check_meters(file, document, problems)
    check_balances(file, document, problems)
    _check_alarms(file.alarms, problems)
    _check_calendar(file, problems)
    if file.esg is not None:
        _check_esg(file.esg, document, problems)
        check_esg(file.esg, problems)
        check_derivations(file.esg, problems)


def _check_rules(rules: schema.Rules, problems: Problems) -> None:
    """Note days and nights that are no spans of full hours, and gaps the substitution table tells of twice or not."""
    for field in ("day_begins", "night_begins", "leak_night_begins", "leak_night_ends"):
        if getattr(rules, field).minute:
            say(problems, rules, field, "full_hour", given=f"{getattr(rules, field):%H:%M}")
    if rules.leak_night_begins >= rules.leak_night_ends:
        say(problems, rules, "leak_night_ends", "leak_night", given=f"{rules.leak_night_ends:%H:%M}")
    if rules.day_begins >= rules.night_begins:
        say(problems, rules, "night_begins", "night_before_day", day=f"{rules.day_begins:%H:%M}")
    first: dict[tuple[float, int | None], schema.Substitution] = {}
    for line in rules.substitution:
        other = first.setdefault((line.capture_from, line.up_to_hours), line)
        if other is not line:
            say(problems, line, None, "substitution_twice", other=other.line())
    for line in rules.substitution:
        if (line.capture_from, None) not in first and line.path() not in problems.damaged:
            say(problems, line, "up_to_hours", "substitution_open", share=f"{line.capture_from:.0%}")


def _check_frames(file: schema.File, problems: Problems) -> None:
    """Note a feed of HJ 212 frames where no outlet has a device number that they could lead to."""
    for feed in file.feeds:
        is_waiting = feed.format == "hj212" and all(outlet.mn is None for outlet in file.outlets.values())
        if is_waiting and not any(path[:1] == ("outlets",) for path in problems.damaged):
            say(problems, feed, "format", "needs_mn")


def _check_points(outlet: schema.Outlet, problems: Problems) -> None:
    first: dict[str, str] = {}
    for point_id, point in outlet.points.items():
        quantity = quantities()[point.quantity]
        if outlet.kind not in quantity.places:
            own = tuple(sorted(name for name, other in quantities().items() if outlet.kind in other.places))
            say(problems, point, "quantity", "foreign_quantity", quantity=quantity.id, kind=outlet.kind, fitting=own)
        elif first.setdefault(quantity.id, point_id) != point_id and not quantity.has_several:
            say(problems, point, "quantity", "second_point", quantity=quantity.id, other=first[quantity.id])
        check_unit(problems, point)
        _check_range(point, problems)
        if point.checks is not None:
            jump = check_difference(problems, point.checks, "jump", point.checks.jump, point.unit)
            if jump is not None and jump <= 0:
                say(problems, point.checks, "jump", "not_positive", given=f"{jump:.12g}")
        limit = check_amount(problems, point, "detection_limit", point.detection_limit, point.unit)
        if limit is not None and limit <= 0:
            say(problems, point, "detection_limit", "not_positive", given=f"{limit:.12g}")


def _check_range(point: schema.Point, problems: Problems) -> None:
    if point.range is None:
        return
    low, high = (check_amount(problems, point, "range", amount, point.unit) for amount in point.range)
    if low is not None and high is not None and low >= high:
        say(problems, point, "range", "range_reversed", low=f"{low:.12g}", high=f"{high:.12g}")


def _check_outlet(outlet: schema.Outlet, written: Mapping, problems: Problems) -> None:
    if outlet.reference_oxygen is not None:
        air = float(default("oxygen_of_air"))
        if outlet.kind != "air":
            say(problems, outlet, "reference_oxygen", "only_for_kind", kind="air")
        elif not 0 <= outlet.reference_oxygen < air:
            say(problems, outlet, "reference_oxygen", "reference_oxygen", given=outlet.reference_oxygen, air=f"{air:g}")
        elif not may_measure(written, "oxygen"):
            say(problems, outlet, "reference_oxygen", "needs_point", quantity="oxygen")
    if outlet.discharge is not None and outlet.kind != "water":
        say(problems, outlet, "discharge", "only_for_kind", kind="water")


def _check_condition(
    file: schema.File, document: Mapping, outlet_id: str, running: schema.Running, problems: Problems, *,
    may_be_elsewhere: bool,
) -> None:  # fmt: skip
    """Note a condition without bounds, with wrong ones, or on what is no measured point."""
    if running.min is None and running.max is None and running.path() not in problems.damaged:
        say(problems, running, None, "min_or_max")
    own = names_in(document, "outlets", outlet_id, "points")
    known = {full_id(outlet_id, name): name for name in own}
    if may_be_elsewhere:
        others = [other for other in file.outlets if other != outlet_id]
        names = [full_id(other, id) for other in others for id in names_in(document, "outlets", other, "points")]
        known |= {name: name for name in names}
    name = named_point(outlet_id, running.point)
    if name not in known:
        say(problems, running, "point", "no_such_point", given=running.point, allowed=tuple(known.values()))
        return
    outlet, _, short = name.partition(".")
    point = file.outlets[outlet].points.get(short)
    if point is None:
        return
    if point.formula is not None:
        say(problems, running, "point", "condition_calculated", given=running.point)
    check_bounds(problems, running, point.unit)


def _check_ids(file: schema.File, problems: Problems) -> None:
    """Note ids that stand for two things: a meter named like a point, a device number of two outlets."""
    points = {
        full_id(outlet_id, id): point for outlet_id, out in file.outlets.items() for id, point in out.points.items()
    }
    for meter_id, meter in file.meters.items():
        if meter_id in points:
            say(problems, meter, None, "id_twice", id=meter_id, other=points[meter_id].line())
    first: dict[str, str] = {}
    for outlet_id, outlet in file.outlets.items():
        mn = (outlet.mn or "").casefold()
        if mn and first.setdefault(mn, outlet_id) != outlet_id:
            say(problems, outlet, "mn", "mn_twice", mn=outlet.mn, other=first[mn])


def _check_alarms(alarms: schema.Alarms, problems: Problems) -> None:
    quiet = alarms.quiet_hours
    if quiet is not None and quiet.from_ == quiet.to:
        say(problems, quiet, "to", "no_span")
    if alarms.digest is None and alarms.path() not in problems.damaged:
        for recipient in alarms.recipients.values():
            if recipient.digest:
                say(problems, recipient, "digest", "no_digest_time")


def _check_calendar(file: schema.File, problems: Problems) -> None:
    for index, day in enumerate(file.calendar.extra_workdays):
        if day in file.calendar.holidays:
            path = file.calendar.path("extra_workdays", index)
            problems.add(file.calendar.line("extra_workdays"), path, "holiday_and_workday", day=day)
    if file.tariff is not None and _minutes(file.tariff.peak) & _minutes(file.tariff.valley):
        say(problems, file.tariff, "valley", "tariff_overlap")
    taken: dict[int, str] = {}
    for name, span in file.shifts.items():
        other = next((taken[minute] for minute in span.minutes() if minute in taken), None)
        if other is not None:
            problems.add(file.line("shifts"), ("shifts", name), "shifts_overlap", other=other)
        taken |= dict.fromkeys(span.minutes(), name)


def _minutes(spans: Iterable[ClockSpan]) -> set[int]:
    return {minute for span in spans for minute in span.minutes()}


def _check_esg(esg: schema.Esg, document: Mapping, problems: Problems) -> None:
    for denominator in esg.denominators.values():
        _check_denominator(denominator, document, problems)
    known = names_in(document, "esg", "denominators")
    for target in esg.targets:
        if target.per is not None and target.per not in known:
            say(problems, target, "per", "no_such_denominator", given=target.per, allowed=known)
        if target.min is None and target.max is None and target.path() not in problems.damaged:
            say(problems, target, None, "min_or_max")


def _check_denominator(denominator: schema.Denominator, document: Mapping, problems: Problems) -> None:
    if denominator.path() in problems.damaged:
        return
    if (denominator.quantity is None) == (denominator.ledger is None):
        say(problems, denominator, None, "quantity_or_ledger")
    elif denominator.ledger is not None and denominator.unit is None:
        say(problems, denominator, "ledger", "ledger_unit")
    elif denominator.product is not None:
        written = [meter.get("product") for meter in _table(document, "meters").values() if isinstance(meter, Mapping)]
        products = tuple(dict.fromkeys(product for product in written if isinstance(product, str)))
        if denominator.product not in products:
            say(problems, denominator, "product", "no_such_product", given=denominator.product, allowed=products)


def _table(document: Mapping, key: str) -> Mapping:
    """Give a table of the document, an empty one where there is none."""
    table = document.get(key)
    return table if isinstance(table, Mapping) else Mapping((key,), 1)
