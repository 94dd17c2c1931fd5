"""This module is what the demo shows: it looks into the store, read-only, and draws a table or says a line.

It reads what the daemon stored and computes nothing itself but the mean of the running hour.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import date

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from plantmon.model.plant import Basis, Limit, Plant
from simulators.shifts import HOUR_MS

WINDOWS = {"reading": "single readings", "1h": "hour mean", "1d": "day mean"}
PERIODS = {"day-period": "day period", "night-period": "night period", "1mo": "month", "1y": "year"}
BAD = "bold red"
COLOURS = {"ok": "green", "warn": "yellow", "exceed": BAD, "exceed_at_least": BAD}
STATES = {"unacknowledged": BAD, "acknowledged": "yellow", "returned": "green", "normal": "green"}
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One limit: its point's newest value, the mean of the hour so far, and the verdict on the last closed window."""

    point: str
    now: str
    hour: str
    limit: str
    window: str
    verdict: str
    outcome: str  # ok, warn, exceed, exceed_at_least, not_judged, or empty before the first
    is_now_beyond: bool  # only for a limit on single readings
    is_hour_beyond: bool  # only for a limit on hour means that is judged


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm, ended ones too."""

    id: int
    state: str
    severity: str
    what: str
    worst: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store counted so far. `mails` were accepted by the server, `breach_mails` tell of a new breach."""

    readings: int = 0
    windows: int = 0
    rejected: int = 0
    alarms: int = 0
    mails: int = 0
    breach_mails: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown at one instant of plant time."""

    now_ms: int
    rows: tuple[Row, ...]
    alarms: tuple[AlarmRow, ...]
    counts: Counts


def counts(connection: sqlite3.Connection) -> Counts:
    """Read the store's counters."""
    number = dict(connection.execute("SELECT name, value FROM sequence"))
    (alarms,) = connection.execute("SELECT count(*) FROM alarm").fetchone()
    mails, breach_mails = connection.execute(
        """
        SELECT count(*), coalesce(sum(severity = 'breach' AND event = 'raised'), 0)
        FROM message
        WHERE id IN (SELECT message FROM delivery WHERE state = 'accepted')
        """
    ).fetchone()
    return Counts(
        readings=number.get("readings", 0),
        windows=number.get("windows_closed", 0),
        rejected=number.get("rejected", 0),
        alarms=alarms,
        mails=mails,
        breach_mails=breach_mails,
    )


def look(connection: sqlite3.Connection, plant: Plant, now_ms: int) -> View:
    """Look at the store as it is at a plant instant."""
    numbers = dict(connection.execute("SELECT name, id FROM point"))
    today = plant.time.date_of(now_ms)
    chosen = [limit for limit in plant.limits if _is_shown(limit, today)]
    rows = tuple(_row(connection, plant, limit, numbers.get(limit.point, 0), now_ms) for limit in chosen)
    found = connection.execute(
        "SELECT id, state, severity, kind, key, since_ms, until_ms, facts FROM alarm ORDER BY id DESC LIMIT 6"
    ).fetchall()
    return View(now_ms, rows, tuple(_alarm(plant, *one) for one in reversed(found)), counts(connection))


def _is_shown(limit: Limit, today: date) -> bool:
    """Whether a limit has its line: all that are in force but rates and tonnages, which stand for long."""
    return limit.covers(today) and limit.basis not in (Basis.MASS, Basis.RATE)


def _row(connection: sqlite3.Connection, plant: Plant, limit: Limit, number: int, now_ms: int) -> Row:
    newest = connection.execute(
        "SELECT value FROM reading WHERE ts > ? AND point = ? AND flag = 0 ORDER BY ts DESC LIMIT 1",
        (now_ms - 2 * plant.points[limit.point].interval_ms - HOUR_MS, number),
    ).fetchone()
    (mean,) = connection.execute(
        "SELECT avg(value) FROM reading WHERE ts >= ? AND point = ? AND flag = 0",
        (plant.time.hour_start(now_ms), number),
    ).fetchone()
    outcome, reason, value = connection.execute(
        "SELECT outcome, reason, value FROM verdict WHERE limit_key = ? ORDER BY start DESC LIMIT 1", (limit.key,)
    ).fetchone() or ("", None, None)
    if limit.unavailable is not None:
        outcome, reason = "not_judged", "rule_not_available"
    said = outcome.replace("_", " ") or NOTHING
    if reason is not None:
        said += f": {reason.replace('_', ' ')}"
    elif value is not None:
        said += f" ({value:.4g})"
    now = newest[0] if newest else None
    return Row(
        point=limit.point,
        now=NOTHING if now is None else f"{now:.4g}",
        hour=NOTHING if mean is None else f"{mean:.4g}",
        limit=_bounds(limit),
        window=WINDOWS.get(limit.window) or PERIODS[limit.window],
        verdict=said,
        outcome=outcome,
        is_now_beyond=limit.window == "reading" and _is_beyond(limit, now),
        is_hour_beyond=limit.window == "1h" and limit.unavailable is None and _is_beyond(limit, mean),
    )


def _bounds(limit: Limit) -> str:
    if limit.minimum is not None and limit.maximum is not None:
        return f"{limit.minimum:g} to {limit.maximum:g} {limit.unit}"
    return f"≥ {limit.minimum:g} {limit.unit}" if limit.minimum is not None else f"≤ {limit.maximum:g} {limit.unit}"


def _is_beyond(limit: Limit, value: float | None) -> bool:
    if value is None:
        return False
    too_high = limit.maximum is not None and value > limit.maximum
    return too_high or (limit.minimum is not None and value < limit.minimum)


def _alarm(
    plant: Plant, number: int, state: str, severity: str, kind: str, key: str, since_ms: int, until_ms: int | None,
    facts: str,
) -> AlarmRow:  # fmt: skip
    said = json.loads(facts)
    window = WINDOWS.get(str(said.get("window")), "")
    parts = (kind if kind != severity else "", said.get("point") or said.get("outlet") or "", window)
    what = " ".join(filter(None, parts))
    peak, bound, unit = said.get("peak"), said.get("bound"), said.get("unit") or ""
    worst = f"{peak:.4g} against {bound:g} {unit}" if peak is not None and bound is not None else key.partition(":")[2]
    until = NOTHING if until_ms is None else _clock(plant, until_ms)
    return AlarmRow(number, state, severity, what, worst, _clock(plant, since_ms), until)


def _clock(plant: Plant, at_ms: int) -> str:
    return plant.time.local(at_ms).strftime("%H:%M:%S")


def draw(view: View, plant: Plant, rate: float, per_s: float, subjects: list[str], mails: str) -> RenderableType:
    """Draw the view for a terminal."""
    limits = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    for heading, side in (
        ("point", "left"), ("now", "right"), ("hour so far", "right"), ("limit", "left"), ("judged on", "left"),
        ("last verdict", "left"),
    ):  # fmt: skip
        limits.add_column(heading, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for row in view.rows:
        now = Text(row.now, style=BAD if row.is_now_beyond else "")
        hour = Text(row.hour, style=BAD if row.is_hour_beyond else "")
        verdict = Text(row.verdict, style=COLOURS.get(row.outcome, "dim"))
        limits.add_row(row.point, now, hour, row.limit, row.window, verdict)
    alarms = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    for heading in ("alarm", "state", "what", "worst", "since", "until"):
        alarms.add_column(heading, no_wrap=True)
    for alarm in view.alarms:
        alarms.add_row(
            str(alarm.id), Text(alarm.state, style=STATES.get(alarm.state, "")), alarm.what, alarm.worst, alarm.since,
            alarm.until,
        )  # fmt: skip
    if not view.alarms:
        alarms.add_row(NOTHING, Text("none", style="green"), "", "", "", "")
    total = view.counts
    foot = Text.assemble(
        (f"{total.readings:,}", "bold"), " readings stored", (f" ({per_s:,.0f}/s)", "dim"),
        "   ", (f"{total.windows:,}", "bold"), " windows closed",
        "   ", (f"{total.rejected:,}", "bold"), " rejected",
        "   ", (f"{total.mails}", "bold cyan"), " mails delivered",
    )  # fmt: skip
    parts: list[RenderableType] = [limits, alarms, foot]
    parts += [Text(f"  ✉ {subject}", style="cyan", no_wrap=True, overflow="ellipsis") for subject in subjects[-4:]]
    parts.append(Text(f"Mails: {mails}   end: Ctrl-C", style="dim"))
    title = f"{plant.name.en} · {plant.time.show(view.now_ms)} plant time, {rate:g} × real time"
    return Panel(Group(*parts), title=title, border_style="blue")


def line(view: View, plant: Plant, readings_per_s: float) -> str:
    """Say the view in one line."""
    judged = [row for row in view.rows if row.outcome not in ("", "not_judged")]
    values = ", ".join(f"{row.point} {row.now} ({row.limit})" for row in judged[:2])
    standing = sum(alarm.until == NOTHING for alarm in view.alarms)
    total = view.counts
    return (
        f"{plant.time.show(view.now_ms)}  {values}  alarms standing {standing}  readings {total.readings}"
        f" ({readings_per_s:.0f}/s)  windows {total.windows}  mails {total.mails}"
    )
