"""This module writes line protocol: readings, windows, verdicts, alarms, metrics in plain numbers (docs/influxdb.md).

A line always has every field that says whether the others hold, since InfluxDB keeps a field that a later line of the
same series and time leaves out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from plantmon.model.alarm import State
from plantmon.model.metric import SentMetric
from plantmon.model.reading import Columns
from plantmon.model.verdict import Outcome, Reason
from plantmon.model.window import WINDOW_FIELDS
from plantmon.store.sent_points import SentPoint
from plantmon.store.spool import What

# What is stored elsewhere for years is never renumbered.
OUTCOMES = {
    "withdrawn": -2, Outcome.NOT_JUDGED: -1, Outcome.OK: 0, Outcome.WARN: 1, Outcome.EXCEED: 2,
    Outcome.EXCEED_AT_LEAST: 3,
}  # fmt: skip
REASONS = {
    None: 0, Reason.STOPPED: 1, Reason.NO_DISCHARGE: 2, Reason.OVER_RANGE: 3, Reason.NO_DATA: 4, Reason.MINUTES: 5,
    Reason.HOURS: 6, Reason.DAYS: 7, Reason.RUNNING: 8, Reason.RULE_NOT_AVAILABLE: 9,
}  # fmt: skip
STATES = {State.NORMAL: 0, State.UNACK: 1, State.ACKED: 2, State.RTNUN: 3, State.SHELVED: 4}
MS, NS = "ms", "ns"
_NS_IN_MS = 1_000_000
LOW_DIGITS = 14  # of a decimal's lower half: what every reader of JSON holds
_AMOUNT_QUANTUM = 1_000_000  # counters keep amounts in 1e-6 of the unit
_SPECIAL = re.compile(r"([,= ])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")

Field = float | int | None


def escape(text: str) -> str:
    r"""Write a tag's key or value: comma, equals sign and space are escaped.

    A line cannot hold control characters, they become spaces; a backslash, which no edition can write before every
    sign, becomes a slash.

    >>> print(escape("GB 16297, table 2"))
    GB\ 16297\,\ table\ 2
    """
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text).replace("\\", "/"))


def head(measurement: str, tags: Mapping[str, str | None]) -> str:
    """Write what a series' lines begin with; tags by their names, as InfluxDB sorts them, empty ones left out."""
    return measurement + "".join(f",{name}={escape(text)}" for name, text in sorted(tags.items()) if text)


def fields(values: Mapping[str, Field]) -> str:
    """Write fields: floats so that every bit comes back, integers with their i; what is not known is left out."""
    return ",".join(f"{name}={_number(value)}" for name, value in values.items() if _is_known(value))


def _is_known(value: Field) -> bool:
    return value is not None and (isinstance(value, int) or math.isfinite(value))


def _number(value: Field) -> str:
    return f"{int(value)}i" if isinstance(value, int) else repr(value)


def exact(digits: str | None) -> dict[str, int]:
    """Split a decimal of up to 28 digits into two integers that a float holds and a power of ten; a longer one is none.

    The value is (high x 10^14 + low) x 10^exponent.

    >>> exact("39525934.000125"), exact("-0.5")
    ({'high': 0, 'low': 39525934000125, 'exponent': -6}, {'high': 0, 'low': -5, 'exponent': -1})
    """
    if digits is None:
        return {}
    sign, numbers, exponent = Decimal(digits).as_tuple()
    if not isinstance(exponent, int) or len(numbers) > 2 * LOW_DIGITS:
        return {}
    whole = int("".join(map(str, numbers)))
    high, low = divmod(whole, 10**LOW_DIGITS)
    turn = -1 if sign else 1
    return {"high": turn * high, "low": turn * low, "exponent": exponent}


class Lines:
    """Writes the lines of one plant."""

    def __init__(self, plant: str, points: Mapping[int, SentPoint]) -> None:
        self._plant = plant
        self._points = points
        self._readings = {number: head("reading", self._tags(number)) + " value=" for number in points}
        self._windows: dict[tuple[int, str], str] = {}
        self._limits: dict[str, str] = {}
        self._writers: dict[What, Callable[[list[Any]], str]] = {
            What.WINDOW: self._window, What.VERDICT: self._verdict, What.ALARM: self._alarm,
            What.METRIC: self._metric,
        }  # fmt: skip

    @staticmethod
    def precision(kind: What) -> str:
        """Give the precision of a kind's times."""
        return NS if kind is What.ALARM else MS

    def readings(self, readings: Columns) -> list[str]:
        """Write readings, a line each, in their order."""
        heads = self._readings
        numbers = readings.point.tolist()
        values, times = map(repr, readings.value.tolist()), readings.ts.tolist()
        if not readings.flag.any():
            return [
                f"{heads[number]}{value},flag=0i {at}"
                for number, value, at in zip(numbers, values, times, strict=True)
            ]  # fmt: skip
        return [
            f"{heads[number]}{value},flag={flag}i {at}"
            for number, value, flag, at in zip(numbers, values, readings.flag.tolist(), times, strict=True)
        ]

    def rows(self, kind: What, rows: Sequence[list[Any]]) -> list[str]:
        """Write windows, verdicts, alarms or metrics, a line each, in their order."""
        return list(map(self._writers[kind], rows))

    def _tags(self, number: int) -> dict[str, str | None]:
        point = self._points[number]
        return {
            "plant": self._plant, "point": point.name, "unit": point.unit, "outlet": point.outlet,
            "quantity": point.quantity,
        }  # fmt: skip

    def _window(self, row: Sequence[Any]) -> str:
        one = dict(zip(WINDOW_FIELDS, row, strict=True))
        key = (one["point"], one["level"])
        if key not in self._windows:
            self._windows[key] = head("window", {**self._tags(one["point"]), "level": one["level"]})
        amount = one["amount"]
        said = fields(
            {
                "mean": one["mean"], "min": one["minimum"], "max": one["maximum"], "lower_bound": one["lower_bound"],
                "amount": None if amount is None else amount / _AMOUNT_QUANTUM,
                "known": int(amount is not None or one["mean"] is not None),
                "bounded": int(one["lower_bound"] is not None),
                "is_valid": int(one["is_valid"]),
                **{name: int(one[name]) for name in ("due", "had", "valid", "readings", "over_range", "estimated")},
                "ran": one["ran"],
            }
        )  # fmt: skip
        return f"{self._windows[key]} {said} {one['start']}"

    def _verdict(self, row: Sequence[Any]) -> str:
        key, start, _, outcome, reason, value, bound = row
        if key not in self._limits:
            self._limits[key] = head("verdict", {"plant": self._plant, "limit": key, **_parts_of(key)})
        said = fields(
            {
                "outcome": OUTCOMES[outcome], "reason": REASONS[reason], "known": int(value is not None),
                "value": value, "bound": bound,
            }
        )  # fmt: skip
        return f"{self._limits[key]} {said} {start}"

    def _alarm(self, row: Sequence[Any]) -> str:
        number, at_ms, event, alarm, kind, severity, state, outlet, point, limit = row
        series = head(
            "alarm",
            {
                "plant": self._plant, "kind": kind, "severity": severity, "event": event, "outlet": outlet,
                "point": point, "limit": limit,
            },
        )  # fmt: skip
        # Two alarms of one kind may begin in one millisecond; the digits below it keep their lines apart.
        at_ns = at_ms * _NS_IN_MS + number % _NS_IN_MS
        return f"{series} {fields({'alarm': alarm, 'state': STATES[state]})} {at_ns}"

    def _metric(self, row: Sequence[Any]) -> str:
        one = SentMetric(*row)
        if one.factor:
            return self._factor(one)
        series = head(
            "metric",
            {
                "plant": self._plant, "metric": one.metric, "unit": one.unit, "period": one.period,
                "denominator": one.denominator,
            },
        )  # fmt: skip
        said = fields(
            {
                "value": one.value, "known": int(one.value is not None),
                **{name: getattr(one, name) for name in ("measured", "substituted", "ledger", "missing")},
                "provisional": int(one.provisional), "at_least": int(one.at_least), "version": one.version,
                **exact(one.digits), "basis": one.basis, "reason": one.reason,
            }
        )  # fmt: skip
        return f"{series} {said} {one.start_ms}"

    def _factor(self, one: SentMetric) -> str:
        series = head(
            "factor",
            {
                "plant": self._plant, "metric": one.metric, "factor": one.factor, "unit": one.unit,
                "period": one.period,
            },
        )  # fmt: skip
        said = fields(
            {
                "value": one.value, "known": int(one.value is not None), **exact(one.digits), "own": int(one.own),
                "version": one.version,
            }
        )  # fmt: skip
        return f"{series} {said} {one.start_ms}"


def _parts_of(limit: str) -> dict[str, str | None]:
    """Give what a limit's key is made of: outlet/subject/basis/window/standard/from."""
    parts = limit.split("/")
    if len(parts) < 6:
        return {}
    outlet, subject, basis, window, *standard, _ = parts
    return {"outlet": outlet, "subject": subject, "basis": basis, "window": window, "standard": "/".join(standard)}
