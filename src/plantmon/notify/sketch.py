"""This module prepares the chart of a mail: the last 24 hours of the alarm's point against its limit, as a drawing.

Only what the point itself shows is drawn. A limit in another unit than the point's (a rate in kg/h, tonnes a year) has
no line among its values, and such a mail goes without a chart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from plantmon.model.plant import Plant
from plantmon.notify import wording
from plantmon.notify.drawing import CHART_SPAN_MS, Drawing, Labels, thin
from plantmon.notify.facts import Facts
from plantmon.texts import text
from plantmon.times import MINUTE_MS

# (point id, start, end) -> times and values over [start, end), in time order, in the point's unit.
Series = Callable[[str, int, int], tuple[Sequence[int], Sequence[float]]]

_KINDS = frozenset({"breach", "warning", "outlook", "over_range"})
_TITLE_LENGTH = 48  # signs that fit over the chart
_ASIDE = re.compile(r"\s*[(（][^)）]*[)）]")
_NARROW = 0x2E7F  # the last code point before the CJK blocks
_SHORTEST_SHADE_MS = 4 * MINUTE_MS  # two pixels: a single reading must still be seen


def sketch(facts: Facts, plant: Plant, language: str, created_ms: int, series: Series) -> Drawing | None:
    """Give what is to be drawn for a message written at plant time `created_ms`; None where no chart belongs."""
    point = wording.find_point(facts, plant)
    if facts.kind not in _KINDS or point is None or facts.bound is None or facts.unit != point.unit:
        return None
    last_ms = facts.until if facts.until is not None else facts.end
    # Ends a little after the last window of an alarm that is mailed in time; a mail about old data shows its own day.
    end_ms = created_ms if last_ms is None or 0 <= created_ms - last_ms < CHART_SPAN_MS // 2 else last_ms
    end_ms = -(-end_ms // MINUTE_MS) * MINUTE_MS
    start_ms = end_ms - CHART_SPAN_MS
    times_ms, values = series(point.id, start_ms, end_ms)
    if not len(times_ms):
        return None
    times_ms, values = thin([int(at) for at in times_ms], [float(value) for value in values], start_ms, end_ms)
    return Drawing(
        times_ms=times_ms,
        values=values,
        start_ms=start_ms,
        end_ms=end_ms,
        bound=facts.bound,
        shaded=_shaded(facts, start_ms, end_ms),
        zone=plant.time.zone.key,
        labels=_labels(facts, plant, language, end_ms),
        plain=_labels(facts, plant, "en", end_ms),
    )


def _shaded(facts: Facts, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Give the span in breach, cut to the chart; up to its end while the alarm stands. A running window whole."""
    begin_ms = facts.start if facts.since is None or facts.kind == "outlook" else facts.since
    if begin_ms is None:
        return []
    over_ms = facts.until if facts.until is not None else end_ms
    span = max(begin_ms, start_ms), min(max(over_ms, begin_ms + _SHORTEST_SHADE_MS), end_ms)
    return [span] if span[0] < span[1] else []


def _labels(facts: Facts, plant: Plant, language: str, at_ms: int) -> Labels:
    unit = wording.shown_unit(facts.unit)
    limit = wording.quantity(wording.exact(facts.bound or 0.0), unit)
    place = facts.outlet or wording.outlet(facts, plant, "en") or plant.id
    names = {one: wording.parameter(facts, plant, one) or "" for one in ("zh", "en")}
    zone = wording.zone(plant.time, at_ms)
    bound = wording.of_kind("mail.chart_limit", facts.kind)
    titles = {
        one: text("mail.chart_title", one, place=place, name=names[one], unit=unit) for one in ("zh", "en")
    }  # fmt: skip
    if language != "both":
        return Labels(
            title=_title(titles["zh" if language == "zh" else "en"]),
            limit=f"{text(bound, language)} {limit}",
            zone=f"{text('mail.chart_zone', language)}, {zone}",
        )
    both = ("zh", "en")
    whole = text("mail.chart_title_both", "en", place=place, zh=names["zh"], en=names["en"], unit=unit)
    return Labels(
        title=_title(whole, titles["zh"]),
        limit=" ".join(text(bound, one) for one in both) + f" {limit}",
        zone=" ".join(text("mail.chart_zone", one) for one in both) + f", {zone}",
    )


def _title(*titles: str) -> str:
    """Give the first title that fits over the picture, if need be without what is in brackets; else cut the last."""
    for title in titles:
        for shorter in (title, _ASIDE.sub("", title)):
            if _room(shorter) <= _TITLE_LENGTH:
                return shorter
    return next(shorter[:end] for end in range(len(shorter), 0, -1) if _room(shorter[:end]) < _TITLE_LENGTH) + "…"


def _room(title: str) -> int:
    """Count the room of a title; Chinese signs take that of two."""
    return sum(2 if ord(sign) > _NARROW else 1 for sign in title)
