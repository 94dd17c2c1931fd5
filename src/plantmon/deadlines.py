"""This module gathers from the store what is to be done by when, and takes in that a report was handed in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from plantmon.alarms import due
from plantmon.alarms.due import Deadline
from plantmon.compliance.faults import faults, limited_points
from plantmon.compliance.permit import Permit
from plantmon.compliance.workdays import last_workdays
from plantmon.declare import Body, Take
from plantmon.errors import DeclarationError
from plantmon.model.alarm import Alarm, Condition
from plantmon.model.plant import Plant
from plantmon.store import alarms, points
from plantmon.store import due as rows
from plantmon.texts import text


def read(
    connection: sqlite3.Connection, plant: Plant, permit: Permit, numbers: Mapping[str, int], now_ms: int
) -> list[Deadline]:
    """Give every deadline that runs, or has passed without what was to be done, the first to come first."""
    standing = [alarm for alarm in alarms.all_standing(connection) if alarm.kind == due.REPORT]
    found = [
        *_of_faults(connection, plant, permit, numbers, now_ms),
        *_of_calibrations(connection, plant, now_ms),
        *_of_reports(connection, plant, standing, now_ms),
    ]
    return sorted(found, key=lambda one: (one.by_ms, one.kind, one.what, one.points))


def conditions(
    connection: sqlite3.Connection, plant: Plant, permit: Permit, numbers: Mapping[str, int], now_ms: int
) -> list[Condition]:
    """Say what is to be warned of, and which warnings end."""
    standing = {alarm.key: alarm for alarm in alarms.all_standing(connection)}
    return due.conditions(read(connection, plant, permit, numbers, now_ms), standing, now_ms)


def _of_faults(
    connection: sqlite3.Connection, plant: Plant, permit: Permit, numbers: Mapping[str, int], now_ms: int
) -> Iterator[Deadline]:
    clock = plant.alarms.fault_clock
    if clock is None:
        return
    rules = plant.rules
    names = limited_points(plant, permit)
    for name, fault, _ in faults(connection, plant, numbers, names, now_ms - 1, now_ms, now_ms):
        outage, point = fault.outage, plant.points[name]
        if outage.end is not None:
            continue
        if fault.report_by_ms is not None and fault.reported_ms is None:
            yield due.fault_report(point, outage.start, fault.report_by_ms, rules)
        if fault.repair_by_ms is not None:
            warn_ms = None
            if clock.repair_within.workdays is not None:
                warn_ms = last_workdays(plant.calendar, plant.time, fault.repair_by_ms, rules.fault_workdays_left)
            yield due.fault_repair(point, outage.start, fault.repair_by_ms, rules, warn_ms)


def _of_calibrations(connection: sqlite3.Connection, plant: Plant, now_ms: int) -> Iterator[Deadline]:
    wanted = [point for point in plant.points.values() if point.calibration_ms is not None]
    if not wanted:
        return
    lives, passed = points.lives(connection), rows.last_passed(connection, now_ms)
    for point in wanted:
        life = lives[point.id]
        found = due.calibration(point, passed.get(life.id), life.since_ms, plant.rules)
        if found is not None:
            yield found


def _of_reports(connection: sqlite3.Connection, plant: Plant, standing: list[Alarm], now_ms: int) -> list[Deadline]:
    starts = [start for alarm in standing if (start := alarm.facts.get("period_start")) is not None]
    firsts = [life.first_ms for life in points.lives(connection).values() if life.first_ms is not None]
    return due.reports(
        plant.reporting, plant.time, plant.rules, min(firsts, default=None), rows.handed_in(connection), now_ms,
        min(starts, default=None),
    )  # fmt: skip


def hand_in(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Note that the execution report of a period, which ended at `end`, was handed in. Raises DeclarationError."""
    language, name, at_ms, end_ms = body["language"], body["period"], body["at"], body["end"]
    if not by.strip():
        raise DeclarationError(text("declare.empty", language, field="--by"))
    if at_ms > now_ms:
        at, now = plant.time.show(at_ms), plant.time.show(now_ms)
        raise DeclarationError(text("due.ahead", language, at=at, now=now))
    if at_ms < end_ms:
        at, end = plant.time.show(at_ms), plant.time.show(end_ms)
        raise DeclarationError(text("due.period_runs", language, period=name, at=at, end=end))
    note = (body.get("note") or "").strip() or None
    number = rows.add_handed_in(connection, name, at_ms, by.strip(), note, now_ms)
    return {"entry": number, "period": name, "at": plant.time.show(at_ms)}


TAKES: dict[str, Take] = {"handed_in": hand_in}
