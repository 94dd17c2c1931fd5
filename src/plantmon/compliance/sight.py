"""This module shows minutes and running masks of a span of hours to whoever judges them, each read once."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from plantmon import units
from plantmon.averages.gas import helpers, to_standard
from plantmon.averages.running import STANDS_FOR_INTERVALS, carried, hours_of_influence, minutes_of_masks, within
from plantmon.averages.water_flow import LOOK_BACK_MS, Flow, flow_of
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS
from plantmon.model.minutes import MINUTES, Grid
from plantmon.model.plant import Plant, Running
from plantmon.store import minutes, windows
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

Flags = NDArray[np.bool_]

FILL_LOOK_BACKS_MS = (DAY_MS, 5 * DAY_MS, LOOK_BACK_MS)


class Sight:
    """A plant's minutes in the hours [start, end), on the hour; an hour is a row."""

    def __init__(
        self, connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], start_ms: int, end_ms: int
    ) -> None:
        self.start_ms, self.end_ms = start_ms, end_ms
        self._connection = connection
        self._plant = plant
        self._numbers = numbers
        self._packed: dict[str, list[bytes | None]] = {}
        self._grids: dict[tuple[str, bool], Grid] = {}
        self._standard: dict[tuple[str, bool], Grid] = {}
        self._ran: dict[str, Flags] = {}

    @property
    def hours(self) -> range:
        """The instants its hours begin."""
        return range(self.start_ms, self.end_ms, HOUR_MS)

    def place(self, start_ms: int) -> int:
        """Give the row of an hour."""
        return (start_ms - self.start_ms) // HOUR_MS

    def grid(self, name: str, *, extremes: bool = False) -> Grid:
        """Give a point's minutes as judged: as measured, or dry at standard state where its gas is described.

        Their lowest and highest readings are there with `extremes` only.
        """
        gas = self._plant.points[name].gas
        if gas is None:
            return self._raw(name, extremes)
        if (name, extremes) not in self._standard:
            means = {one: np.where(self._raw(one).valid > 0, self._raw(one).mean, np.nan) for one in helpers(gas)}
            self._standard[name, extremes] = self._raw(name, extremes).scaled(to_standard(gas, means))
        return self._standard[name, extremes]

    def ran(self, name: str) -> Flags:
        """Say in which minutes the source of a point ran, as its windows do; unknown is running."""
        if name not in self._ran:
            masks = windows.ran(self._connection, self._numbers[name], self.hours)
            self._ran[name] = minutes_of_masks(masks)
        return self._ran[name]

    def held(self, running: Running) -> Flags:
        """Say in which minutes a condition of its own held; unknown is holding (settled choices, Running)."""
        point = self._plant.points[running.point]
        before = hours_of_influence(point) * HOUR_MS
        packed = minutes.packed(
            self._connection, self._numbers[point.id], range(self.start_ms - before, self.end_ms, HOUR_MS)
        )
        line = Grid.unpack(packed).flat()
        mean = np.where(line.valid > 0, line.mean, np.nan)[0]
        if point.is_slow:
            mean = carried(mean, STANDS_FOR_INTERVALS * point.interval_ms // MINUTE_MS)
        held = np.isnan(mean) | within(running, mean)
        return np.asarray(held.reshape(-1, MINUTES)[before // HOUR_MS :])

    def flow(self, name: str | None, start_ms: int, end_ms: int) -> Flow:
        """Give a water flow by the minute; nobody knows it where there is no flow point."""
        if name is None:
            return flow_of([], start_ms, end_ms)
        point = self._plant.points[name]
        factor = units.conversion(point.unit, "m3/h")[0]
        before = hours_of_influence(point) * HOUR_MS
        hours = range(start_ms - before, end_ms, HOUR_MS)
        line = Grid.unpack(minutes.packed(self._connection, self._numbers[name], hours)).flat()
        m3_h = np.where(line.valid > 0, line.mean * factor, np.nan)[0]
        if point.is_slow:  # a slow meter's value stands until its next, at most two intervals
            m3_h = carried(m3_h, WEIGHS_FOR_INTERVALS * point.interval_ms // MINUTE_MS)
        return Flow(start_ms - before, m3_h).between(start_ms, end_ms)

    def flow_to_fill(self, name: str | None, start_ms: int, end_ms: int) -> Flow:
        """Give a water flow by the minute, with as much of what came before as fills the minutes that are missing."""
        flow = self.flow(name, start_ms, end_ms)
        missing = int(np.isnan(flow.m3_h).sum())
        for look_back_ms in FILL_LOOK_BACKS_MS if missing and name is not None else ():
            flow = self.flow(name, start_ms - look_back_ms, end_ms)
            before = flow.between(start_ms - look_back_ms, start_ms).m3_h
            if int((~np.isnan(before)).sum()) >= missing:  # a gap takes as many known minutes before it as it has
                break
        return flow

    def _raw(self, name: str, extremes: bool = False) -> Grid:
        if (name, extremes) not in self._grids:
            if name not in self._packed:
                self._packed[name] = minutes.packed(self._connection, self._numbers[name], self.hours)
            self._grids[name, extremes] = Grid.unpack(self._packed[name], extremes=extremes)
        return self._grids[name, extremes]
