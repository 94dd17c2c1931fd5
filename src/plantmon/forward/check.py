"""This module finds out in one go what is wrong with an InfluxDB: reach, token, bucket, retention, clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plantmon.errors import DeliveryError
from plantmon.forward.lines import MS
from plantmon.forward.reader import Answer, InfluxReader, named
from plantmon.forward.reply import Fate
from plantmon.forward.stage import Writer
from plantmon.tables.load import default
from plantmon.times import SECOND_MS

CLOCK_OFF_MS = 60 * SECOND_MS
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of an InfluxDB: `key` names the sentence, `values` what it speaks of."""

    is_well: bool
    key: str
    values: dict[str, object]


def check(reader: InfluxReader, writer: Writer, now_ms: int) -> Finding:
    """Look at everything in turn and give the first thing wrong, or that all is well; `now_ms` is real time.

    Nothing is written: the lines sent hold a comment alone. A server that takes lines and knows no InfluxQL, such as
    VictoriaMetrics, is well as far as can be told.
    """
    reply = writer.send(["# plantmon looks whether it may write"], MS)
    if reply.code in (401, 403):
        return Finding(False, "bad_token", {"answer": reply.said})
    if reply.code == 404:
        return Finding(False, "no_bucket", {"bucket": reader.bucket, "answer": reply.said})
    if reply.fate is Fate.WAITS:
        return Finding(False, "away", {"answer": reply.said})
    try:
        answer = reader.ask(f"SHOW RETENTION POLICIES ON {named(reader.bucket)}")
    except DeliveryError as error:
        if error.code in (401, 403):
            return Finding(False, "bad_token", {"answer": error})
        # InfluxDB 1.x takes lines without a look at the bucket where they hold no point.
        if "database not found" in str(error):
            return Finding(False, "no_bucket", {"bucket": reader.bucket, "answer": error})
        return Finding(True, "writes_only", {"answer": error})
    if not any("duration" in series["columns"] for series in answer.series):
        return Finding(True, "writes_only", {"answer": f"/query {answer.version or '-'}"})
    return (
        _of_retention(answer) or _of_clock(answer, now_ms) or Finding(True, "well", {"version": answer.version or "-"})
    )


def _of_retention(answer: Answer) -> Finding | None:
    """Say whether the policy that is written to keeps too little."""
    years = int(default("keep_years"))
    for series in answer.series:
        place = {name: column for column, name in enumerate(series["columns"])}
        for row in series["values"]:
            hours = hours_of(row[place["duration"]])
            if row[place["default"]] and 0 < hours < years * 365.25 * 24:
                return Finding(False, "short_retention", {"days": round(hours / 24), "years": years})
    return None


def hours_of(duration: str) -> float:
    """Read a duration as InfluxQL writes it, in hours; 0 means for ever.

    >>> hours_of("8760h0m0s"), hours_of("0s"), hours_of("52w")
    (8760.0, 0.0, 8736.0)
    """
    found = _DURATION.fullmatch(duration)
    if found is None:
        return 0.0
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return weeks * 168 + days * 24 + hours + minutes / 60 + seconds / 3600


def _of_clock(answer: Answer, now_ms: int) -> Finding | None:
    """Say whether its clock is not ours."""
    if answer.date_ms is None or abs(answer.date_ms - now_ms) <= CLOCK_OFF_MS:
        return None
    return Finding(False, "clock_off", {"seconds": round((answer.date_ms - now_ms) / SECOND_MS)})
