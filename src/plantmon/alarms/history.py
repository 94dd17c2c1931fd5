"""This module reads the history of alarms for their statistics."""

from __future__ import annotations

import sqlite3

from plantmon.alarms.statistics import Coming, Statistics, statistics
from plantmon.alarms.transitions import Event
from plantmon.store import alarms
from plantmon.times import PlantTime

_COMES = (Event.RAISE, Event.WORSE)


def read_statistics(connection: sqlite3.Connection, time: PlantTime, start_ms: int, end_ms: int) -> Statistics:
    """Count the alarms that came in [start, end) of plant time."""
    keys = {alarm.id: alarm for alarm in alarms.between(connection, start_ms, end_ms)}
    comings: list[Coming] = []
    answers: dict[int, tuple[int, int]] = {}
    for one in alarms.happenings(connection, start_ms, end_ms):
        alarm = keys[one.alarm]
        if one.event in _COMES and one.detail.get("came"):
            comings.append(Coming(one.alarm, alarm.key, one.at_ms))
        elif one.event == Event.ACKNOWLEDGE:
            answers.setdefault(one.alarm, (alarm.raised_ms, one.at_ms))
    open_now = {alarm.id: alarm for alarm in alarms.all_open(connection) + alarms.unclosed(connection)}
    return statistics(comings, answers, open_now.values(), time, start_ms, end_ms)
