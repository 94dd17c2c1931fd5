"""This module answers `plantmon query`: a point's readings, minutes, hours or days as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from plantmon.model.plant import Kind, Plant, Point
from plantmon.model.reading import flag_letters
from plantmon.reports.tabular import Cell
from plantmon.store import declarations, minutes, readings, reported, suspects, windows
from plantmon.tables.states import state_of, states
from plantmon.texts import text
from plantmon.times import MINUTE_MS

QUANTUM = 1_000_000  # counters keep amounts in 1e-6 unit

Table = tuple[list[str], list[list[Cell]]]


def rows_of(
    connection: sqlite3.Connection, plant: Plant, point: Point, number: int, start_ms: int, end_ms: int,
    window: str | None, language: str = "en",
) -> Table:  # fmt: skip
    """Give headings and rows of [start, end): single readings without a window, else 1min, 1h or 1d.

    Of a reading: its value and state as they count, its flag as the device sent it, and what was declared of it.
    """
    if window is None:
        return _readings(connection, plant, number, (start_ms, end_ms), language)
    if window == "1min":
        return _minutes(connection, plant, number, start_ms, end_ms)
    if point.kind is Kind.COUNTER:
        return _amounts(connection, plant, number, start_ms, end_ms, window)
    headings, rows = _means(connection, plant, number, start_ms, end_ms, window)
    said = reported.span(connection, number, window, start_ms, end_ms)
    if said:
        starts = [one.start for one in windows.span(connection, window, number, start_ms, end_ms)]
        headings.append("reported")
        rows = [[*row, said[start].mean if start in said else None] for start, row in zip(starts, rows, strict=True)]
    return headings, rows


def _readings(connection: sqlite3.Connection, plant: Plant, number: int, span: tuple[int, int], language: str) -> Table:
    found = readings.of_point(connection, number, *span)
    told = declarations.explained(connection, readings.columns(one[:4] for one in found))
    marks = {one.id: one for one in declarations.marks(connection, *span)} if told.mark.any() else {}
    corrections = {one.id: one for one in declarations.corrections(connection, *span)} if told.correction.any() else {}
    rows: list[list[Cell]] = []
    for place, one in enumerate(found):
        said = []
        if correction := corrections.get(int(told.correction[place])):
            values = {"was": f"{one.value:.12g}", "id": correction.id, "by": correction.by}
            said.append(text("declare.corrected_from", language, **values))
        if mark := marks.get(int(told.mark[place])):
            name = states()[mark.state].name.in_language(language)
            said.append(text("declare.marked_as", language, state=name, id=mark.id, by=mark.by))
        state = state_of(int(told.readings.flag[place]))
        rows.append(
            [_moment(plant, one.ts_ms), float(told.readings.value[place]), flag_letters(one.flag),
             _moment(plant, one.arrival_ms), str(state), "; ".join(said) or None]
        )  # fmt: skip
    return ["time", "value", "flag", "arrived", "state", "declared"], rows


def _minutes(connection: sqlite3.Connection, plant: Plant, number: int, start_ms: int, end_ms: int) -> Table:
    rows: list[list[Cell]] = []
    starts: list[int] = []
    first = plant.time.hour_start(start_ms)
    for hour, block in minutes.span(connection, number, first, end_ms):
        for minute in np.flatnonzero(block.had).tolist():
            at = hour + minute * MINUTE_MS
            if start_ms <= at < end_ms:
                values: Sequence[Cell] = [
                    None if np.isnan(column[minute]) else float(column[minute])
                    for column in (block.mean, block.low, block.high)
                ]
                counts = [int(column[minute]) for column in (block.had, block.valid, block.over)]
                rows.append([_moment(plant, at), *values, *counts])
                starts.append(at)
    headings = ["time", "mean", "min", "max", "had", "valid", "over_range"]
    found = suspects.span(connection, number, start_ms, end_ms)
    if not found:
        return headings, rows
    kinds = [" ".join(kind for start, end, kind, _ in found if start <= at < end) for at in starts]
    return [*headings, "suspect"], [[*row, kind or None] for row, kind in zip(rows, kinds, strict=True)]


def _means(connection: sqlite3.Connection, plant: Plant, number: int, start_ms: int, end_ms: int, level: str) -> Table:
    return ["time", "mean", "min", "max", "due", "had", "valid", "over_range", "lower_bound", "is_valid"], [
        [
            _moment(plant, one.start), one.mean, one.minimum, one.maximum, one.due, one.had, one.valid,
            one.over_range, one.lower_bound, one.is_valid,
        ]
        for one in windows.span(connection, level, number, start_ms, end_ms)
    ]  # fmt: skip


def _amounts(
    connection: sqlite3.Connection, plant: Plant, number: int, start_ms: int, end_ms: int, level: str
) -> Table:
    return ["time", "amount", "coverage", "estimated", "readings"], [
        [
            _moment(plant, one.start), None if one.amount is None else one.amount / QUANTUM,
            one.valid / one.due, bool(one.estimated), one.readings,
        ]
        for one in windows.span(connection, level, number, start_ms, end_ms)
    ]  # fmt: skip


def _moment(plant: Plant, at_ms: int) -> str:
    local = plant.time.local(at_ms)
    return local.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
